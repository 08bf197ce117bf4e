"""Finds contradictions within a profile: each key, and the reason. The model refuses a profile with the first one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from contact_pipeline.profiles.base import NAME
from contact_pipeline.profiles.calendar import is_zone
from contact_pipeline.terms import ACCOUNT_FIELDS, COLUMN_OF, ERROR, FURTHER, UNREAD

if TYPE_CHECKING:
    from contact_pipeline.profiles.model import Column, Profile

Found = Iterator[tuple[tuple[str | int, ...], str]]

_MOST_COLUMNS: Final = 64  # the bitmap of repairs has one bit for each
_RESERVED: Final = {  # names that tables and documents have beside the fields
    "row_number", "line_number", "repaired", "noted", "import_notes", "contact_id", "account_id", "address_book",
    "active", "revision", "created_commit", "last_commit", "last_upload_id", "groups", "links", "erased", NAME,
    "check_output",  # Pandera's, while it checks a frame
}  # fmt: skip
_RESERVED_PREFIXES: Final = (UNREAD, FURTHER, COLUMN_OF, ERROR)  # of the columns beside a field in the normalized rows


def is_reserved(field: str) -> bool:
    """Whether the system uses a name itself, so that no field can have it."""
    return field in _RESERVED or field.startswith(_RESERVED_PREFIXES)


def find_in_column(column: Column) -> Found:
    """Each key of a column that contradicts others, and the reason."""
    if is_reserved(column.field):
        yield ("field",), f"field '{column.field}' is a name of the system; choose another"
    if column.headings and column.heading not in column.headings:
        yield ("heading",), f"heading '{column.heading}' is not one of the headings of field '{column.field}'"
    if column.type == "choice" and not (column.choices or column.vocabulary):
        yield ("type",), f"column '{column.heading}' is a choice: give choices or a vocabulary"
    if column.pivot is None and any("%y" in declared for declared in column.formats):
        yield ("formats",), f"column '{column.heading}' reads two-digit years: give pivot, the last of this century"
    if column.zone is not None:
        if column.type != "moment":
            yield ("zone",), f"column '{column.heading}': zone goes with type moment"
        elif not is_zone(column.zone):
            yield ("zone",), f"'{column.zone}' is no time zone that is known: write one such as Europe/Berlin"
    if column.case == "keep" and column.type not in {"text", "identifier"}:
        yield ("case",), f"column '{column.heading}': case: keep goes with type text or identifier"
    if column.identifiers_by and not column.identifiers_column:
        yield ("identifiers_by",), f"column '{column.heading}' has identifiers_by: give identifiers_column too"


def find_in_profile(profile: Profile) -> Found:
    """Each key of a profile that contradicts others, and the reason; contradictions within one column aside."""
    yield from _of_names(profile)
    yield from _of_rules(profile)
    if profile.target == "account" and profile.options.deactivate_missing:
        yield (
            ("options", "deactivate_missing"),
            "accounts cannot be deactivated by being missing: their status says so",
        )
    if profile.apply == "automatic" and profile.approvals > 1:
        yield (
            ("approvals",),
            "apply 'automatic' and approvals 2 exclude each other: write apply: approval, or leave approvals out",
        )
    if profile.options.reactivate and not {profile.matched, *profile.options.rule} & {"update", "merge"}:
        yield (
            ("options", "reactivate"),
            "options.reactivate goes with matched 'update' or 'merge': others leave contacts alone",
        )
    if profile.options.rule and profile.matched not in profile.options.rule:
        yield ("options", "rule"), f"matched '{profile.matched}' is not one of options.rule"
    if profile.target == "account":
        yield from _of_accounts(profile)


def _of_names(profile: Profile) -> Found:
    fields = [((number, "field"), column.field) for number, column in enumerate(profile.columns)]
    headings = [
        ((number, "heading"), heading)
        for number, column in enumerate(profile.columns)
        for heading in column.own_headings
    ]
    yield from _twice("field", fields)
    yield from _twice("heading", headings)
    if len(fields) > _MOST_COLUMNS:
        yield ("columns",), f"{len(fields)} columns are more than the {_MOST_COLUMNS} that a profile can have"


def _twice(kind: str, named: Iterable[tuple[tuple[int, str], str]]) -> Found:
    seen: set[str] = set()
    for place, name in named:
        if name.casefold() in seen:
            yield ("columns", *place), f"{kind} {name.casefold()!r} stands in two columns"
        seen.add(name.casefold())


def _of_rules(profile: Profile) -> Found:
    fields = [column.field for column in profile.columns]
    known = {*fields, NAME} if profile.has_name else {*fields}
    kinds = profile.row_fields
    for key, rules in (("match", profile.match), ("rules", profile.rules)):
        for number, rule in enumerate(rules):
            for name in dict.fromkeys(rule.fields):
                if name not in known:
                    from contact_pipeline.profiles.problems import meant  # only a wrong name needs it

                    hint = meant(name, fields)
                    yield (key, number), f"a rule uses '{name}', which no column fills" + (f"; {hint}" if hint else "")
                elif key == "match" and kinds.get(name, "text") != "text":
                    yield (key, number), f"a match rule compares '{name}', which holds no single text"


def _of_accounts(profile: Profile) -> Found:
    if profile.matched in {"merge", "create"} or profile.within_file == "merge" or profile.on_error == "note":
        yield ("target",), "accounts have neither notes nor links: nothing can be merged, linked or noted"
    people = profile.account_contacts.fields.values() if profile.account_contacts else ()
    for number, column in enumerate(profile.columns):
        if column.field not in ACCOUNT_FIELDS and column.field not in people:
            yield (
                ("columns", number, "field"),
                f"field '{column.field}' is no account's, and account_contacts does not use it",
            )
