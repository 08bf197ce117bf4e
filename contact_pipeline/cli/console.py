"""Output on the terminal: one JSON document, or tables and lines for people; progress and warnings on stderr.

Rich is imported only where something is drawn: it takes 20 ms, and most programs that call a command want JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING

from contact_pipeline.cli.tables import Rows
from contact_pipeline.masking import TOLD, mask, mask_column
from contact_pipeline.visible import visible, visible_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from contact_pipeline.errors import Refusal

_TERMINAL_VARIABLES = ("FORCE_COLOR", "TTY_COMPATIBLE")  # variables of the environment
_DRAWN = 1_000  # rows of a table; Rich takes a millisecond for each
_WRITTEN = 10_000  # lines at a time
_WIDEST = 60  # characters that a column is filled up to
_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
_PIPED_WIDTH = 100_000  # what is piped into a file or grep is not folded


def out() -> Console:
    """The console of stdout."""
    return _console(stderr=False)


def err() -> Console:
    """The console of stderr."""
    return _console(stderr=True)


def document(content: object) -> None:
    """Prints the one JSON document of a command; in ASCII where stdout does not take every letter."""
    in_ascii = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    sys.stdout.write(visible_json(json.dumps(content, ensure_ascii=in_ascii, indent=2, default=str)) + "\n")


def text(value: object, style: str = "") -> Text:
    """A value as a terminal may show it, with whatever looks like somebody's number or day of birth masked."""
    from rich.text import Text

    shown = text_as_it_is(value, style)
    masked = mask(shown.plain)
    return shown if masked == shown.plain else Text(masked, style=style)


def text_as_it_is(value: object, style: str = "") -> Text:
    """A value, unmasked and without markup; characters that could mislead a reader are shown as escapes."""
    from rich.text import Text

    return Text(visible(_in_words(value)), style=style)


def _in_words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return "; ".join(str(part) for part in value)
        case _:
            return str(value)


def show(*parts: RenderableType | Lines) -> None:
    """Draws something on stdout."""
    console = out()
    for part in parts:
        say(console, part)


def say(console: Console, part: RenderableType | Lines) -> None:
    """Draws something. Sentences are folded between words; lines with a long command or path are not, to be copied."""
    from rich.text import Text

    if isinstance(part, Lines):
        part.write(console.file)
        return
    whole = isinstance(part, Text) and (part.no_wrap or max(map(len, part.plain.split()), default=0) > console.width)
    console.print(part, soft_wrap=whole)


def warn(message: str) -> None:
    """Prints a note on stderr, which is no error."""
    say(err(), text(f"Note: {message}", "yellow"))


def refusal(problem: Refusal) -> None:
    """Prints on stderr what was refused, where, and what to do."""
    where = f" {problem.file}:" if problem.file and problem.file not in problem.message else ""
    console = err()
    lines = [text(f"✗{where} {problem.message}", "bold red")]
    if problem.fix:
        lines.append(text(problem.fix))
    if problem.details.get("upload_id"):
        lines.append(text(f"The ledger keeps it as upload {problem.details['upload_id']}.", "dim"))
    for line in lines:
        say(console, line)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Rows:
    """Rows under headings. No word in a cell is broken; numbers are right-aligned."""
    from rich.text import Text

    filled = [[cell if isinstance(cell, Text) else text(cell) for cell in row] for row in rows]
    return Rows([text(heading) for heading in headings], filled)


def rows(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Rows | Lines:
    """Rows under headings: a table, or plain lines if there are too many rows to draw quickly."""
    return table(headings, rows) if len(rows) <= _DRAWN else Lines(headings, rows)


class Lines:
    """Rows of text, one a line and never folded: for thousands of rows, and for other programs."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._rows = [headings, *rows]

    def write(self, stream: IO[str]) -> None:
        """Writes the lines; columns are as wide as their first cells need."""
        import polars as pl  # its expressions mask a hundred times faster

        measured = [[_plain(cell) for cell in row] for row in self._rows[:_DRAWN]]
        widths = [min(max(map(len, cells)), _WIDEST) for cells in zip(*measured, strict=True)]
        for start in range(0, len(self._rows), _WRITTEN):
            some = self._rows[start : start + _WRITTEN]
            padded = ((_plain(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in some)
            lines = pl.DataFrame({"line": ["  ".join(cells).rstrip() for cells in padded]})
            masked = lines.select(mask_column(pl.col("line"), TOLD)).to_series().to_list()
            stream.write(visible("\n".join(masked)) + "\n")


def _plain(cell: object) -> str:
    return _in_words(getattr(cell, "plain", cell)).replace("\n", " ")  # `plain`: of a Text of Rich


def facts(pairs: Mapping[str, object] | Iterable[tuple[str, object]]) -> Table:
    """Names and values, one a line; a name without a value is left out."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        if value not in (None, "", [], {}) and str(value):
            drawn.add_row(text(name), value if isinstance(value, Text) else text(value))
    return drawn


def next_command(why: str, command: str) -> Text:
    """A command to type next, and why; a long command has a line of its own, which is never folded."""
    from rich.text import Text

    between = " " if len(why) + len(command) + 2 <= out().width else "\n  "
    return Text.assemble(text(f"{why}:{between}", "dim"), text(command, "cyan"), no_wrap=True)


@contextmanager
def without_colors(wanted: bool) -> Iterator[None]:
    """Draws without colours within the block, as NO_COLOR does."""
    if not wanted or os.environ.get("NO_COLOR"):
        yield
        return
    os.environ["NO_COLOR"] = "1"
    try:
        yield
    finally:
        del os.environ["NO_COLOR"]


@contextmanager
def without_progress(wanted: bool) -> Iterator[None]:
    """Shows no progress within the block: a caller that asks for JSON is a program."""
    before = _is_quiet.set(wanted)
    try:
        yield
    finally:
        _is_quiet.reset(before)


@contextmanager
def busy(title: str) -> Iterator[None]:
    """Shows the progress of the block on stderr, if that is a terminal.

    For a stage that works row by row, it shows how many rows are done and the time that is left.
    """
    if _is_quiet.get() or not _may_be_terminal() or not (console := err()).is_terminal:
        yield
        return
    from contact_pipeline.cli.progress import drawn

    with drawn(title, console, text):
        yield


def _may_be_terminal() -> bool:
    """Whether stderr is a terminal, or an environment variable may tell Rich that it is."""
    return sys.stderr.isatty() or not os.environ.keys().isdisjoint(_TERMINAL_VARIABLES)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False)
