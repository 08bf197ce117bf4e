"""The layout of a file to export, from an import profile, which can read the file, or from an export profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from contact_pipeline.exports.model import ExportProfile, Filter, Format, Of
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.reports.sheet import Heading
from contact_pipeline.reports.template import laid_out, sheet_heading
from contact_pipeline.terms import ACCOUNT_FIELDS, CANONICAL, CONTACT_FIELDS, FieldKind

Stored = FieldKind | Literal["number"]

_OF_ACCOUNT: Final = ("account_name", "account_type", "portfolio", "status")  # fields of a contact's account
_OWN: Final[dict[Of, dict[str, Stored]]] = {
    "contacts": {"contact_id": "number", "address_book": "text", "active": "boolean", "groups": "list"},
    "accounts": {"account_id": "number", "address_book": "text"},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the file.

    Attributes:
        heading: its heading.
        field: the field of its values; None: it is empty, as the second of several columns for one field is.
        stored: how its values are stored.
        column: the column of the import profile that reads the cells back; None: there is none.
        sensitive: whether its values are masked everywhere else.
    """

    heading: str
    field: str | None
    stored: Stored = "text"
    column: Column | None = None
    sensitive: bool = False

    @property
    def in_sheet(self) -> Heading:
        """Its heading as a sheet has it."""
        return Heading(self.heading, wide=12) if self.column is None else sheet_heading(self.column)


@dataclass(frozen=True, slots=True)
class Layout:
    """A file to export.

    Attributes:
        name: of the export profile.
        title: its name for people.
        of: what a row is.
        cells: the columns; None is a column without a heading.
        format: of the file, if its ending tells none.
        made_by: its origin: the home's `export_profiles`, an import profile, or the program itself.
        filter: which contacts or accounts are in the file.
        order: fields by which rows are sorted.
        delimiter: of CSV files.
        profile: the import profile that reads the file; None: there is none.
        has_all: whether all other fields of the contacts are added.
        filterable: the fields for filters and sorting, and how each is stored.
    """

    name: str
    title: str
    of: Of
    cells: tuple[Cell | None, ...]
    format: Format
    made_by: Literal["own", "import", "built-in"]
    filter: Filter = field(default=Filter())
    order: tuple[str, ...] = ()
    delimiter: str = ","
    profile: Profile | None = None
    has_all: bool = False
    filterable: Mapping[str, Stored] = field(default_factory=dict)

    @property
    def filled(self) -> list[Cell]:
        """The columns with values."""
        return [cell for cell in self.cells if cell is not None and cell.field is not None]

    def as_dict(self) -> dict[str, Any]:
        """The export profile as a JSON document."""
        return {
            "name": self.name,
            "title": self.title,
            "of": self.of,
            "made_by": self.made_by,
            "format": self.format,
            "columns": [
                {"field": cell.field, "heading": cell.heading, "sensitive": cell.sensitive}
                for cell in self.cells
                if cell is not None
            ],
            "filter": self.filter.model_dump(exclude_defaults=True),
            "order": list(self.order),
        }


def known_fields(of: Of, profiles: Iterable[Profile]) -> dict[str, Stored]:
    """The fields that a file can have, and how each is stored: canonical ones, and those that profiles declare."""
    if of == "accounts":
        return {**_OWN[of], **ACCOUNT_FIELDS}
    declared = {name: kind for profile in profiles for name, kind in profile.contact_fields.items()}
    return {**dict.fromkeys(_OF_ACCOUNT, "text"), **_OWN[of], **declared, **CONTACT_FIELDS}


def layout_of_import(profile: Profile) -> Layout:
    """The file that an import profile reads: its template, filled in."""
    seen: set[str] = set()
    cells: list[Cell | None] = []
    for column in laid_out(profile):
        if column is None:
            cells.append(None)
            continue
        name = None if column.field in seen else column.field
        seen.add(column.field)
        sensitive = column.field in profile.sensitive_fields
        cells.append(Cell(column.heading, name, profile.row_fields[column.field], column, sensitive))
    return Layout(
        profile.name,
        profile.title,
        "accounts" if profile.target == "account" else "contacts",
        tuple(cells),
        profile.file.types[0],
        "import",
        Filter(address_book=profile.address_book),
        delimiter=profile.file.delimiter or ",",
        profile=profile,
        filterable=known_fields("accounts" if profile.target == "account" else "contacts", [profile]),
    )


def layout_of_own(name: str, own: ExportProfile, profiles: Iterable[Profile]) -> Layout:
    """The file of an export profile, whose fields are known."""
    profiles = list(profiles)
    known = known_fields(own.of, profiles)
    cells = [_cell(column.field, column.heading, known, profiles) for column in own.columns]
    return Layout(
        name,
        own.title,
        own.of,
        tuple(cells),
        own.format,
        "own",
        own.filter,
        tuple(own.order),
        own.delimiter,
        filterable=known,
    )


def built_in_layouts(profiles: Iterable[Profile]) -> dict[str, Layout]:
    """`contacts` and `accounts`: every field under its own name."""
    profiles = list(profiles)

    def layout(of: Of, title: str, fields: Mapping[str, Stored]) -> Layout:
        known = known_fields(of, profiles)
        cells = tuple(_cell(name, name, known, profiles) for name in fields)
        return Layout(of, title, of, cells, "csv", "built-in", has_all=of == "contacts", filterable=known)

    contacts: dict[str, Stored] = {**_OWN["contacts"], **CONTACT_FIELDS}
    return {
        "accounts": layout("accounts", "Accounts, every field", known_fields("accounts", ())),
        "contacts": layout("contacts", "Contacts, every field", contacts),
    }


def further_cell(name: str, stored: Stored, *, sensitive: bool) -> Cell:
    """The column of a field that only the contacts of a home have."""
    return Cell(name, name, stored, None, sensitive)


def _cell(name: str, heading: str, known: Mapping[str, Stored], profiles: list[Profile]) -> Cell:
    canonical = CANONICAL.get(name)
    declared = any(name in profile.sensitive_fields for profile in profiles)
    return Cell(heading, name, known[name], None, declared or (canonical is not None and canonical.sensitive))
