"""Answers a user's own SQL query over the staged tables of an upload, and the contacts as they are now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from contact_pipeline.contracts.kept import KEPT
from contact_pipeline.contracts.tables import STAGED, Table
from contact_pipeline.engines import Database, answer, masked, must_read, quoted
from contact_pipeline.masking import ANY, TOLD, Looks, is_label
from contact_pipeline.profiles import Profile, looks_in, looks_in_contacts
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.expiries import not_kept
from contact_pipeline.store.masked_rows import field_of

if TYPE_CHECKING:
    import polars as pl

LooksOf = Callable[[str], "Looks | None"]  # column → what its texts are masked for; None: the column is hidden

BASE: Final = "base_"  # before the name of a table of the contact database
_OF_THE_BASE: Final = (
    "contacts", "contact_changes", "accounts", "account_changes", "groups", "memberships", "links", "commits",
)  # fmt: skip
_STAGED: Final = {table.name: table for table in STAGED}
_KEPT: Final = {BASE + table.name: table for table in KEPT if table.name in _OF_THE_BASE}
_MASKED_ALREADY: Final = {"value", "message", "fix", "notes", "import_notes"}  # masked when they were made
_MADE_OF_TEXTS: Final = {"query", "query_table"}  # functions that can take the name of a table in parts
_OF_ANY_FIELD: Final = {"keys", "text"}  # hidden: their texts can be of any field


@dataclass(frozen=True, slots=True)
class Asked:
    """A table that a query can name.

    Attributes:
        name: its name in a query.
        rows: how many it has; None: tables of the contact database are not counted.
        holds: what a row is.
        columns: names of the columns; for the contact database, of those that always exist.
    """

    name: str
    rows: int | None
    holds: str
    columns: list[str]


def tables(store: Store, line: LedgerLine) -> list[Asked]:
    """The tables that a query can name: the staged tables of the upload, and those of the contact database.

    Raises:
        Refusal: the upload has no staged data (code `nothing-staged`).
    """
    _must_be_staged(store, line)
    with store.staging(line.upload_id).open(read_only=True) as database:
        staged = [
            Asked(name, int(database.value(f"SELECT count(*) FROM {name}")), table.holds, database.columns(name))
            for name, table in _STAGED.items()
            if database.has(name)
        ]
    kept = [Asked(name, None, table.holds, [each.name for each in table.columns]) for name, table in _KEPT.items()]
    return staged + kept


def ask(store: Store, line: LedgerLine, query: str, *, unmasked: bool = False) -> pl.DataFrame:
    """The rows of a query of the staged tables, and of `base_contacts` and the other tables of the contact database.

    Tables of the contact database are copied first, so that nobody waits for the query. Nothing is written.

    Raises:
        Refusal: the upload has no staged data (code `nothing-staged`), or the query is not valid, names something
            unknown or would change something (`sql`).
        StoreBusy: the contact database was in use for longer than the settings allow.
    """
    must_read(query)
    named = set(re.findall(r"\w+", query.lower()))  # more words than tables, which does no harm
    if named & _MADE_OF_TEXTS:
        named |= _STAGED.keys() | _KEPT.keys()
    _must_be_staged(store, line)
    upload = Upload(line, store.staging(line.upload_id), store.names)
    with upload.staging.open(read_only=True) as database:
        for name in sorted(named & _STAGED.keys()):
            if database.has(name) and not unmasked:
                _make_masked_view(database, name, database.in_file(name), _looks_of(upload, _STAGED[name]))
        wanted = sorted(named & _KEPT.keys())
        if wanted:
            _copy_tables(database, store, wanted, unmasked=unmasked)
        return answer(database, query)


def _must_be_staged(store: Store, line: LedgerLine) -> None:
    if not store.staging(line.upload_id).exists():
        raise not_kept(line, "Plan the file again to ask for its tables.")


def _make_masked_view(database: Database, name: str, source: str, looks_of: LooksOf) -> None:
    """Makes a view with the name of a table that masks its texts."""
    columns = ", ".join(
        f"{masked(quoted(column), kind, looks)} AS {quoted(column)}"
        if (looks := looks_of(column)) is None or kind in {"VARCHAR", "VARCHAR[]", "JSON"}
        else quoted(column)
        for column, kind in database.types(source).items()
    )
    database.view(name, f"SELECT {columns} FROM {source}")


def _copy_tables(database: Database, store: Store, wanted: list[str], *, unmasked: bool) -> None:
    """Copies tables of the contact database, masked or not."""
    copied = f"_{token_hex(4)}_"  # a copy is not masked, so no query names it
    with database.attached(store.settings.contacts_path, "base", wait_seconds=store.settings.lock_wait_seconds):
        fields: Mapping[str, bool] = dict(database.rows("SELECT name, sensitive FROM base.fields"))
        for name in wanted:
            database.make(f"{copied}{name}", f"FROM base.{name.removeprefix(BASE)}")
    for name in wanted:
        if unmasked:
            database.view(name, f"FROM {copied}{name}")
        else:
            _make_masked_view(database, name, f"{copied}{name}", _looks_of_base(_KEPT[name], fields))


def _looks_of(upload: Upload, table: Table) -> LooksOf:
    """How the columns of a staged table are masked."""
    profile, personal = upload.resolved_profile, {column.name: column.personal for column in table.columns}
    fields = upload.staging.facts().fields if table.name == "raw_rows" else None

    def looks_of(column: str) -> Looks | None:
        if not personal.get(column, True) or column in _MASKED_ALREADY:
            return TOLD
        if column in _OF_ANY_FIELD or profile is None:
            return None
        if column in personal and column != "account_number":
            return ANY
        return _in_column(profile, column, fields)

    return looks_of


def _in_column(profile: Profile, column: str, fields: Mapping[str, str] | None) -> Looks | None:
    if fields is None:
        return looks_in(profile, field_of(column, profile))
    return None if is_label(column) else looks_in(profile, fields.get(column), as_read=True)


def _looks_of_base(table: Table, fields: Mapping[str, bool]) -> LooksOf:
    """How the columns of a table of the contact database are masked."""
    personal = {column.name: column.personal for column in table.columns}

    def looks_of(column: str) -> Looks | None:
        field = column.removeprefix("before_").removeprefix("after_")
        return looks_in_contacts(field, sensitive=fields.get(field, False)) if personal.get(column, True) else TOLD

    return looks_of
