"""A sample file in the making: rows, each made for one outcome; their order; the bytes; what is expected of them all.

The expectations are not taken from the pipeline: the outcomes are counted as the rows are made.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import xlsxwriter
import yaml

SEED = 20_260_115
WRITTEN_AT = datetime(2026, 1, 15, 9, 0)  # noqa: DTZ001 - workbooks know no time zone
OUTCOMES = ("created", "updated", "unchanged", "linked", "duplicate", "rejected", "review", "blank")
TOO_LONG = "as agreed by telephone, see the remark of last week; " * 10

Cells = dict[str, str]  # field → text of the cell
Defect = tuple[Cells, tuple[str, ...]]  # what is wrong, and the codes that say so


@dataclass(eq=False)
class Line:
    """One row of a file, made for one outcome."""

    cells: Cells
    outcome: str
    codes: tuple[str, ...] = ()  # of its defects
    duplicate: str | None = None  # "of_existing" or "within_file"
    contacts_created: int = 0  # besides what the row itself is
    follows: Line | None = None  # the line somewhere above it, of the same person
    corrected: tuple[Line, ...] | None = None  # what the corrected file has instead; None: the line itself


@dataclass
class SampleFile:
    """One file: how it is imported, its lines in order, and how it is written."""

    name: str
    profile: str
    headings: dict[str, str]  # field → heading
    options: dict[str, object]
    state: str = "applied"
    lines: list[Line] = field(default_factory=list)
    deactivated: int = 0
    required: tuple[str, ...] = ()  # fields whose headings are red
    delimiter: str = ","
    encoding: str = "utf-8"

    def expected(self) -> dict[str, object]:
        """What importing the file gives, under the names that an upload's document has."""
        outcomes = Counter(line.outcome for line in self.lines)
        duplicates = Counter(line.duplicate for line in self.lines)
        errors = Counter(code for line in self.lines for code in line.codes)
        return {
            "file": self.name,
            "profile": self.profile,
            "state": self.state,
            "processed": len(self.lines) - outcomes["blank"],
            "outcomes": {outcome: outcomes[outcome] for outcome in OUTCOMES},
            "duplicates": {kind: duplicates[kind] for kind in ("of_existing", "within_file")},
            "deactivated": self.deactivated,
            "contacts_created": sum(line.contacts_created for line in self.lines),
            "errors": dict(sorted(errors.items())),
        }

    def corrected(self, deactivated: int = 0, **options: object) -> SampleFile:
        """The blocked file once its defects are put right."""
        stem, ending = self.name.rsplit(".", 1)
        return SampleFile(
            f"{stem}_corrected.{ending}",
            self.profile,
            self.headings,
            {**self.options, **options},
            lines=[right for line in self.lines for right in ((line,) if line.corrected is None else line.corrected)],
            deactivated=deactivated,
            required=self.required,
        )

    def write(self, folder: Path) -> None:
        """Writes the file and, beside it, its options."""
        (folder / f"{self.name}.options.yaml").write_bytes(as_yaml(self.options))
        (folder / self.name).write_bytes(self._xlsx() if self.name.endswith(".xlsx") else self._csv())

    def _table(self) -> list[list[str]]:
        return [[line.cells.get(name, "") for name in self.headings] for line in self.lines]

    def _csv(self) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow(self.headings.values())
        for number, row in enumerate(self._table()):
            # A spreadsheet writes a blank row as delimiters, an editor as an empty line: some of each.
            writer.writerow(row if any(row) or number % 2 else [])
        return text.getvalue().encode(self.encoding)

    def _xlsx(self) -> bytes:
        content = io.BytesIO()
        book = xlsxwriter.Workbook(content, {"in_memory": True})
        book.set_properties({"created": WRITTEN_AT, "author": "Contact pipeline samples"})
        sheet = book.add_worksheet("Accounts" if self.profile.endswith("accounts") else "Contacts")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(self.headings) - 1, 22)
        black, red = book.add_format({"bold": True}), book.add_format({"bold": True, "color": "red"})
        for column, (name, heading) in enumerate(self.headings.items()):
            sheet.write_string(0, column, heading, red if name in self.required else black)
        for number, row in enumerate(self._table(), start=1):
            for column, text in enumerate(row):
                if re.fullmatch(r"[2-9]\d{9}", text):  # a telephone number typed as mere digits is a number in Excel
                    sheet.write_number(number, column, int(text))
                elif text:
                    sheet.write_string(number, column, text)
        book.close()
        return _uncompressed(content)


def _uncompressed(workbook: io.BytesIO) -> bytes:
    """The workbook's archive without compression, since builds of zlib differ in the bytes they give."""
    content = io.BytesIO()
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            part = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            part.create_system = 3  # the same on Windows
            target.writestr(part, source.read(name))
    return content.getvalue()


def as_yaml(content: object) -> bytes:
    """The content as YAML, in the order given."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120).encode()


# Lines


def lines(people: Iterable[Cells], outcome: str, **changes: str) -> list[Line]:
    """One line for each of the people, with the same changes."""
    return [Line({**cells, **changes}, outcome) for cells in people]


def blank(count: int) -> list[Line]:
    """Rows without any value."""
    return [Line({}, "blank") for _ in range(count)]


def rejected(good: Cells, defect: Defect, then: Line | None = None) -> Line:
    """A row with a defect, and what it is once that is corrected: something new, unless said otherwise."""
    wrong, codes = defect
    return Line({**good, **wrong}, "rejected", codes, corrected=(then or Line(good, "created"),))


def duplicate(line: Line, **changes: str) -> Line:
    """A later row for the same person as `line`."""
    return Line({**line.cells, **changes}, "duplicate", duplicate="within_file", follows=line)


def rejected_duplicate(line: Line, **changes: str) -> Line:
    """A later row for the same target where that is a defect; the corrected file does without it."""
    return Line({**line.cells, **changes}, "rejected", ("duplicate-in-file",), follows=line, corrected=())


def deal(rng: random.Random, items: Sequence[Cells], *counts: int) -> list[list[Cells]]:
    """As many of the items as each count says, none twice, and at last those that are left."""
    left = list(items)
    rng.shuffle(left)
    hands = []
    for count in counts:
        hands.append(left[:count])
        left = left[count:]
    return [*hands, left]


def arranged(rng: random.Random, given: Sequence[Line], heading: Mapping[str, str] | None = None) -> list[Line]:
    """The lines shuffled, later rows below those they follow, blank rows (and the heading once more) between."""
    ordered = [line for line in given if line.follows is None and line.outcome != "blank"]
    rng.shuffle(ordered)
    for line in given:
        if line.follows is not None:
            ordered.insert(rng.randrange(ordered.index(line.follows) + 1, len(ordered) + 1), line)
    between = [line for line in given if line.outcome == "blank"]
    if heading is not None:
        between.append(Line(dict(heading), "blank"))
    for line in between:
        ordered.insert(rng.randrange(1, len(ordered)), line)
    return ordered
