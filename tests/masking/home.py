"""A home into which social security numbers and dates of birth are planted wherever a sender can put them.

Every planting has a number and a day of its own, so that what is found says where it came from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import yaml

from contact_pipeline.engines import open_database
from contact_pipeline.settings import Settings

OUTREACH = (
    "First name", "Phone number", "Social security number", "Last name", "Date of birth", "Account number", "Email",
    "Zip code",
)  # fmt: skip

# A source system that merges, notes what it does not take, and has fields of words.
PATIENTS = {
    "name": "patients",
    "title": "Patients",
    "address_book": "patients",
    "file": {"types": ["csv"]},
    "headings": "mapped",
    "region": "US",
    "columns": [
        {"field": "full_name", "heading": "Name", "type": "name"},
        {"field": "email", "heading": "Email", "type": "email"},
        {"field": "phone", "heading": "Phone", "type": "phone"},
        {"field": "ssn", "heading": "SSN", "type": "ssn", "sensitive": True},
        {"field": "date_of_birth", "heading": "Born", "type": "date", "formats": ["MM/DD/YYYY"], "sensitive": True},
        {"field": "company", "heading": "Company"},
        {"field": "notes", "heading": "Notes", "type": "list", "kind": "list", "choices": ["VIP", "New"]},
        {"field": "zip_code", "heading": "Zip", "type": "zip_code"},
    ],
    "match": [{"equal": ["email"]}],
    "matched": "merge",
    "within_file": "merge",
    "blank": "keep",
    "on_error": "note",
    "apply": "approval",
}

# The places that may hold what was planted: contacts and their history, staged rows, originals, what is given back.
TABLES_OF_CONTACTS = {
    "contacts", "contact_changes", "published_contacts", "accounts", "account_changes",
    "decisions",  # `keys`: by which a later row is known to be the same
}  # fmt: skip
TABLES_OF_ROWS = {
    "raw_rows", "normalized_rows", "cleaned_rows", "contact_changes", "account_changes",
    "facts",  # `headings`: the heading row
    "contact_rows", "account_rows", "contact_keys", "account_keys", "reviews",  # what rows are compared by
}  # fmt: skip
FILES_OF_ROWS = ("staging/*/raw-*.parquet", "staging/*/normalized-*.parquet", "staging/*/unreadable.parquet",
                 "staging/*/*_changes-*.parquet", "staging/*/*/*_changes-*.parquet", "uploads/*/original.*",
                 "uploads/*/rejected_*", "uploads/*/in_review.csv", "inbox/*/refused/*.csv",
                 "inbox/*/refused/*.options.yaml")  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A number and a day that were planted somewhere."""

    where: str
    digits: str
    day: date

    @property
    def dashed(self) -> str:
        return f"{self.digits[:3]}-{self.digits[3:5]}-{self.digits[5:]}"

    @property
    def spaced(self) -> str:
        return self.dashed.replace("-", " ")

    @property
    def us_day(self) -> str:
        return f"{self.day:%m/%d/%Y}"

    @property
    def long_day(self) -> str:
        return f"{self.day.day} {self.day:%B %Y}"

    @property
    def forms(self) -> list[str]:
        """Every way in which the two could be written."""
        day = self.day
        return [
            self.digits, self.dashed, self.spaced, self.dashed.replace("-", "."), self.dashed.replace("-", "\u2013"),
            f"{day:%Y-%m-%d}", self.us_day, f"{day:%m-%d-%Y}", f"{day:%d.%m.%Y}", f"{day:%Y%m%d}", f"{day:%m%d%Y}",
            self.long_day, f"{day:%B} {day.day}, {day:%Y}", f"{day.month}/{day.day}/{day:%Y}", f"{day:%Y/%m/%d}",
        ]  # fmt: skip


class Garden:
    """What was planted, in order."""

    def __init__(self) -> None:
        self.planted: list[Planted] = []

    def plant(self, where: str) -> Planted:
        """The next number and day, of people who never were."""
        place = len(self.planted) + 1
        digits = f"{301 + place:03}{11 + place % 80:02}{4107 + 53 * place % 5000:04}"
        self.planted.append(Planted(where, digits, date(1931, 1, 13) + timedelta(days=97 * place)))
        return self.planted[-1]

    def found_in(self, content: bytes) -> list[str]:
        """Where what stands in the content was planted; UTF-16 is read as well."""
        where = {form: one.where for one in self.planted for form in one.forms}
        texts = [content.decode("utf-8", "replace"), content.replace(b"\0", b"").decode("utf-8", "replace")]
        found = pl.Series(texts).str.extract_many([*where], overlapping=True).explode().drop_nulls().unique()
        return sorted({where[form] for form in found})


def write_csv(path: Path, heading: Sequence[str], *rows: Sequence[str]) -> Path:
    """Writes a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heading, *rows])
    return path


def make_home(folder: Path) -> Path:
    """A home with the profile of patients."""
    home = folder / "home"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "patients.yaml").write_text(yaml.safe_dump(PATIENTS, sort_keys=False))
    return home


def swapped(garden: Garden, folder: Path) -> Path:
    """An outreach file with the values where they belong, and in every other column."""
    right = garden.plant("the right column")
    rows = [("Rosa", "(202) 555-0178", right.dashed, "Delgado", right.us_day, "AC-1", "rosa@example.com", "02139")]
    cells = ("Ida", "(202) 555-0143", "", "Berg", "", "AC-2", "ida@example.com", "02139-7781")
    for column, heading in enumerate(OUTREACH):
        for form in ("digits", "dashed", "spaced", "us_day", "long_day"):
            if (heading, form) in {("Account number", "digits"), ("Account number", "us_day"),
                                   ("Account number", "long_day"), ("Zip code", "digits")}:  # fmt: skip
                continue  # those are values that the column takes: nothing says that they are anything else
            one = garden.plant(f"{form} in {heading}")
            row = [*cells]
            row[5], row[6] = f"AC-{len(rows) + 10}", f"ida{len(rows) + 10}@example.com"
            row[column] = getattr(one, form)
            rows.append(tuple(row))
    again = garden.plant("a number twice")
    twice = ("Kim", "", again.dashed, "Park", again.us_day)
    rows += [(*twice, f"AC-{number}", f"kim{number}@example.com", "") for number in (90, 91)]
    return write_csv(folder / "swapped.csv", OUTREACH, *rows)


def without_heading(garden: Garden, folder: Path, name: str) -> Path:
    """A file whose first row of data stands where the heading should be."""
    one, other = garden.plant("instead of a heading"), garden.plant("a row below no heading")
    row = ("Rosa", "", one.dashed, "Delgado", one.us_day, "AC-1", "rosa@example.com", one.digits)
    return write_csv(folder / name, row, ("Ida", "", other.digits, "Berg", other.us_day, "", "", ""))


def patients(garden: Garden, folder: Path) -> tuple[Path, Path]:
    """Two files of the same people: unmapped columns, notes, and values that the second displaces."""
    plant = garden.plant
    extra = plant("an unmapped heading")
    heading = (
        "Name",
        "Email",
        "Phone",
        "SSN",
        "Born",
        "Company",
        "Notes",
        "Zip",
        "Comment",
        "DOB",
        "Number",
        extra.dashed,
    )
    rows, later = [], []
    for n, form in enumerate(("digits", "dashed", "spaced", "us_day", "long_day")):
        right, company = plant(f"{form}, another right column"), plant(f"{form} in Company")
        notes, phone, comment = plant(f"{form} in Notes"), plant(f"{form} in Phone"), plant(f"{form} in Comment")
        email = f"ada{n}@example.com"
        said = f"born {comment.long_day}, SSN {comment.digits}"
        rows.append(("Ada", email, getattr(phone, form), right.dashed, right.us_day, getattr(company, form),
                     getattr(notes, form), "02139", said, comment.us_day, comment.digits, comment.dashed))  # fmt: skip
        wrong = plant(f"{form}, a wrong value in its own column")
        later.append(
            ("Ada", email, "(202) 555-0143", f"{wrong.dashed}0", f"{wrong.us_day}0", "Acme", "VIP", "", "", "", "", "")
        )
    broken = plant("a row that does not split")
    one = write_csv(folder / "patients_1.csv", heading, *rows, ("Bob", broken.dashed, broken.us_day, *"123456789abc"))
    return one, write_csv(folder / "patients_2.csv", heading, *later)


def leads(garden: Garden, folder: Path) -> Path:
    """Leads, whose profile knows nothing sensitive, with a column of days of birth and a row that does not split."""
    one, other = garden.plant("unmapped in a profile without"), garden.plant("a broken row of a profile without")
    heading = ("Name", "Phone", "Email", "Date of birth", "Social security number", "Notes")
    return write_csv(
        folder / "leads.csv",
        heading,
        ("Jo", one.dashed, "jo@example.com", one.us_day, one.digits, f"SSN {one.digits}, born {one.long_day}"),
        ("Al", "", "al@example.com", "", "", "", other.dashed, f"dob {other.us_day}"),
    )


def contents(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every place of a home outside those that may hold what was planted: its name, and its name and bytes."""
    allowed = {path for pattern in FILES_OF_ROWS for path in home.glob(pattern)}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        yield f"the name of {name}", name.encode()
        if path.suffix == ".duckdb":
            yield from _tables(path, TABLES_OF_CONTACTS if path.parent == home else TABLES_OF_ROWS)
        elif path.is_file() and path not in allowed:
            yield name, path.read_bytes()
            if path.suffix == ".parquet":
                yield f"{name} unpacked", pl.read_parquet(path, glob=False).write_json().encode()


def _tables(path: Path, allowed: set[str]) -> Iterator[tuple[str, bytes]]:
    with open_database(path, Settings(home=path.parent), read_only=True) as database:
        names = database.rows(
            """SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary
               UNION SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal"""
        )
        for (name,) in names:
            columns = " ".join(database.columns(f'"{name}"'))
            rows = [] if name in allowed else database.rows(f'FROM "{name}"')
            yield f"{name} of {path.parent.name}/{path.name}", f"{columns} {rows}".encode()
