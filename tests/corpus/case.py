"""One file of the corpus, and the expected result of reading it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from contact_pipeline.upload import ReadOptions

HEADINGS = ["First name", "Last name", "Email", "Phone"]
ROWS = [
    ["Ada", "Lovelace", "ada@example.com", "+1 202 555 0143"],
    ["Grace", "Hopper", "grace@example.com", "(202) 555-0166"],
    ["Joan", "Clarke", "", "0207 946 0123"],
]


@dataclass(frozen=True)
class Case:
    """A file and its expected rows and rejections, or its refusal.

    Attributes:
        name: name of the file; the test's id.
        content: its bytes, or what writes it at a path.
        rows: its rows, blank cells as empty text.
        headings: its headings.
        first_row: row_number of the first row.
        unreadable: row_numbers that are rejected.
        errors: row_number, column and text of the cells that hold an error.
        refusal: code of the refusal, instead of rows.
        says: what the refusal or a warning must say.
        options: what is declared.
        known: headings that a profile would expect.
    """

    name: str
    content: bytes | Callable[[Path], object]
    rows: list[list[str]] = field(default_factory=lambda: ROWS)
    headings: list[str] = field(default_factory=lambda: HEADINGS)
    first_row: int = 2
    unreadable: list[int] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    refusal: str | None = None
    says: str = ""
    options: ReadOptions = field(default_factory=ReadOptions)
    known: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Makes the file."""
        path = folder / self.name
        if isinstance(self.content, bytes):
            path.write_bytes(self.content)
        else:
            self.content(path)
        return path
