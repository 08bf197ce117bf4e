"""Rows under headings, laid out so that no word is broken: as a table if all words fit, else as records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

_BETWEEN = 2  # spaces between columns
_TALLER = 2  # a table more than so many times as high as its records is drawn as records


class Rows:
    """Rows of a table, laid out when the width is known."""

    def __init__(self, headings: Sequence[Text], rows: Sequence[Sequence[Text]]) -> None:
        self._headings = headings
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draws the table, or the records, in the given width."""
        yield self._table(widths) if (widths := self._widths(options.max_width)) else self._records()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """It takes the whole width."""
        from rich.measure import Measurement

        return Measurement(options.max_width, options.max_width)

    def fits(self, width: int) -> bool:
        """Whether it is drawn as a table at this width."""
        return self._widths(width) is not None

    def _columns(self) -> list[list[str]]:
        return [[cell.plain for cell in cells] for cells in zip(self._headings, *self._rows, strict=True)]

    def _widths(self, most: int) -> list[int] | None:
        """How wide each column is, at least as its longest word; None where records are easier to read."""
        columns = self._columns()
        wanted = [max(map(_width, cells)) for cells in columns]
        widths = [max(map(_longest_word, cells)) for cells in columns]
        left = most - 2 - sum(widths) - _BETWEEN * (len(widths) - 1)
        if left < 0:
            return None
        lacking = [want - width for want, width in zip(wanted, widths, strict=True)]
        while left > 0 and any(lacking):  # an equal share for each that lacks some, until nothing is left
            share = max(left // sum(1 for lack in lacking if lack), 1)
            for number, lack in enumerate(lacking):
                given = min(lack, share, left)
                widths[number] += given
                lacking[number] -= given
                left -= given
        return widths if self._is_readable(columns, widths) else None

    @staticmethod
    def _is_readable(columns: list[list[str]], widths: list[int]) -> bool:
        lines = [[-(-_width(cell) // max(width, 1)) for cell in cells[1:]]
                 for cells, width in zip(columns, widths, strict=True)]  # fmt: skip
        as_table = sum(max(cells) for cells in zip(*lines, strict=True))
        as_records = sum(1 + sum(count > 0 for count in cells) for cells in zip(*lines, strict=True))
        return bool(as_table <= _TALLER * as_records)

    def _table(self, widths: list[int]) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        drawn = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, _BETWEEN - 1, 0, 0), pad_edge=False)
        for heading, cells, width in zip(self._headings, self._columns(), widths, strict=True):
            numbers = [cell.replace(",", "") for cell in cells[1:] if cell]
            is_number = bool(numbers) and all(map(str.isdigit, numbers))
            drawn.add_column(heading, justify="right" if is_number else "left", width=width, overflow="fold")
        for row in self._rows:
            drawn.add_row(*row)
        return drawn

    def _records(self) -> Table:
        """Each row as lines of heading and cell; blank cells are left out."""
        from rich.table import Table
        from rich.text import Text

        drawn = Table.grid(padding=(0, _BETWEEN))
        drawn.add_column(no_wrap=True)
        drawn.add_column(overflow="fold")
        drawn.add_row("", "")
        for row in self._rows:
            for heading, cell in zip(self._headings, row, strict=True):
                if cell.plain:
                    drawn.add_row(Text.assemble(" ", (heading.plain, "bold")), cell)
            drawn.add_row("", "")
        return drawn


def _width(text: str) -> int:
    from rich.cells import cell_len

    return max((cell_len(line) for line in text.split("\n")), default=0)


def _longest_word(text: str) -> int:
    return max(map(_width, text.split()), default=0)
