"""The progress of long work, drawn on one line of a terminal. `console.busy` loads this module only at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from contact_pipeline.watched import StageProgress, watching

# Widths in characters: with them, a count of hundreds of thousands fits into 80 beside title and bar.
_TITLE: Final = 18
_BAR: Final = 10


class _Bar(BarColumn):
    def render(self, task: Task) -> RenderableType:  # type: ignore[override]
        return super().render(task) if task.total else Text("")


class _TimeLeft(ProgressColumn):
    """The estimated time for the remaining rows, at the speed of the rows before; counted down between reports."""

    def render(self, task: Task) -> Text:
        if not task.total or not 0 < task.completed < task.total:
            return Text("")
        whole = task.fields["told_at"] * task.total / task.completed
        left = max(int(whole - (task.elapsed or 0.0)), 1)
        return Text(f"{left // 60}:{left % 60:02} left", no_wrap=True)


@contextmanager
def drawn(title: str, terminal: Console, shown: Callable[[str], Text]) -> Iterator[None]:
    """Draws a title as long as the block lasts, and the progress reported by the work in it.

    Args:
        title: names the work.
        terminal: where it is drawn.
        shown: makes of words what a terminal may show.
    """
    texts = [
        TextColumn(f"{{task.{each}}}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
        for each in ("description", "fields[said]")
    ]
    with Progress(
        SpinnerColumn(), texts[0], _Bar(_BAR), texts[1], _TimeLeft(), console=terminal, transient=True
    ) as progress:
        progress.add_task(shown(title).plain, total=None, said="", stage=None)

        def show(current: StageProgress) -> None:
            (task,) = progress.tasks
            is_other = (current.stage, current.of) != (task.fields["stage"], task.total)
            if is_other:  # another task, since a total cannot be taken back
                named = _cut(shown(title), _TITLE)
                progress.add_task(named, total=current.of, said="", stage=current.stage, told_at=0.0, visible=False)
                progress.remove_task(task.id)
                (task,) = progress.tasks
            stage = "" if current.stage == title.casefold() else current.stage
            said = ": ".join(filter(None, (stage, _rows_done(current) or current.step)))
            progress.update(
                task.id,
                completed=current.rows or 0,
                said=said if current.rows is not None else _cut(shown(said), terminal.width - _TITLE - 6),
                told_at=task.elapsed or 0.0,
                visible=True,
                refresh=is_other,
            )

        with watching(show):
            yield


def _cut(text: Text, width: int) -> str:
    text.truncate(max(width, 1), overflow="ellipsis")
    return text.plain


def _rows_done(current: StageProgress) -> str:
    if current.rows is None:
        return ""
    return f"{current.rows:,} rows" if current.of is None else f"{current.rows:,} of {current.of:,} rows"
