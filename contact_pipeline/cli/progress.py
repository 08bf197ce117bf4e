"""How far long work has come, drawn on one line of a terminal. `console.busy` loads this where people look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from contact_pipeline.cli import console
from contact_pipeline.watched import Told, watching

# Columns of the terminal: a count of hundreds of thousands fits beside a title and a bar of these into 80.
_TITLE: Final = 18
_BAR: Final = 10


class _Bar(BarColumn):
    def render(self, task: Task) -> RenderableType:  # type: ignore[override]
        return super().render(task) if task.total else Text("")


class _TimeLeft(ProgressColumn):
    """The time that the other rows take, if they take as long as those before; it is counted down in between."""

    def render(self, task: Task) -> Text:
        if not task.total or not 0 < task.completed < task.total:
            return Text("")
        whole = task.fields["told_at"] * task.total / task.completed
        left = max(int(whole - (task.elapsed or 0.0)), 1)
        return Text(f"{left // 60}:{left % 60:02} left", no_wrap=True)


@contextmanager
def drawn(title: str, terminal: Console) -> Iterator[None]:
    """Draws a title for as long as the block lasts, and what is told of the work in it."""
    texts = [
        TextColumn(f"{{task.{each}}}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
        for each in ("description", "fields[said]")
    ]
    with Progress(
        SpinnerColumn(), texts[0], _Bar(_BAR), texts[1], _TimeLeft(), console=terminal, transient=True
    ) as progress:
        progress.add_task(console.text(title).plain, total=None, said="", stage=None)

        def show(told: Told) -> None:
            (task,) = progress.tasks
            is_other = (told.stage, told.of) != (task.fields["stage"], task.total)
            if is_other:  # another task, since a total cannot be taken back
                named = _cut(title, _TITLE)
                progress.add_task(named, total=told.of, said="", stage=told.stage, told_at=0.0, visible=False)
                progress.remove_task(task.id)
                (task,) = progress.tasks
            stage = "" if told.stage == title.casefold() else told.stage
            said = ": ".join(filter(None, (stage, _rows_done(told) or told.step)))
            progress.update(
                task.id,
                completed=told.rows or 0,
                said=said if told.rows is not None else _cut(said, terminal.width - _TITLE - 6),
                told_at=task.elapsed or 0.0,
                visible=True,
                refresh=is_other,
            )

        with watching(show):
            yield


def _cut(said: str, width: int) -> str:
    text = console.text(said)
    text.truncate(max(width, 1), overflow="ellipsis")
    return text.plain


def _rows_done(told: Told) -> str:
    if told.rows is None:
        return ""
    return f"{told.rows:,} rows" if told.of is None else f"{told.rows:,} of {told.of:,} rows"
