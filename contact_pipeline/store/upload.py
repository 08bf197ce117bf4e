"""An upload for people and programs: its ledger line and its staged tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar, cast

from contact_pipeline.contracts.actors import is_same
from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.states import NOTHING_CAME_IN, PLANNED
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.errors import ContactPipelineError, MachineFault, number_of
from contact_pipeline.machine import damaged
from contact_pipeline.masking import TOLD, is_label, mask_column, mask_value, mask_within
from contact_pipeline.profiles import Profile, looks_in
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.store.changes import touches
from contact_pipeline.store.corrections import Corrected
from contact_pipeline.store.staging import Staging
from contact_pipeline.terms import COLUMN_OF, FURTHER, IMPORTED, LEFT_OUT, OUTCOMES, UNREAD

if TYPE_CHECKING:
    import polars as pl

SHOWN_ERRORS = 100  # and as many warnings of rows

_IS_ERROR: Final = "severity <> 'warning'"
_IS_WARNING: Final = "severity = 'warning'"
CHANGED: Final = ("account", "contact", "membership", "link")


_Method = TypeVar("_Method", bound=Callable[..., Any])


def _unreadable_as(nothing: Callable[[], object]) -> Callable[[_Method], _Method]:
    """Lets a method return an empty value if the staged data cannot be read, so that other uploads still show."""

    def lenient(method: _Method) -> _Method:
        @wraps(method)
        def read(self: Upload, *arguments: Any, **options: Any) -> object:
            try:
                with self.reading():
                    return method(self, *arguments, **options)
            except MachineFault as fault:
                self.continue_unstaged(fault)
                return nothing()

        return cast(_Method, read)

    return lenient


class Upload:
    """One upload. Its tables are Polars frames, read from the staging database on demand."""

    def __init__(
        self, line: LedgerLine, staging: Staging, names: Callable[[Iterable[int]], dict[int, str]] | None = None
    ) -> None:
        self.line = line
        self.staging = staging
        self._names = names  # of contacts that are there already, by id
        self.upload_id = line.upload_id
        self.profile = line.profile
        self.file_name = line.file_name
        self.file_size = line.file_size
        self.sha256 = line.sha256
        self.group = line.group_name
        self.state = line.state
        self.reason = line.reason
        self.repeats = line.repeats
        self.continues = line.continues
        self.added_at = line.added_at
        self.finished_at = line.finished_at
        self.user = line.user_login
        self.approved_by = line.approved_by
        self.approved_as = line.approved_as
        self.approvals = line.approvals or 1
        holds = line.first_approval is not None  # the approval is of the present changeset
        self.first_approved_by = line.first_approved_by if holds else None
        self.first_approved_as = line.first_approved_as if holds else None
        self.first_approved_at = line.first_approved_at if holds else None
        self.replanned_by = line.replanned_by
        self.replanned_as = line.replanned_as
        self.processed = line.processed
        counts = {outcome: getattr(line, outcome) for outcome in OUTCOMES}
        # `left_out` is only there where rows are left out: older scripts do not know it.
        self.outcomes: dict[str, int] = {name: count for name, count in counts.items() if name != LEFT_OUT or count}
        self.corrections = line.corrections
        self.corrected: Corrected | None = None  # set by the call that corrected the upload
        self.planned_imports = sum(self.outcomes[outcome] for outcome in IMPORTED)
        self.imports = 0 if line.state in NOTHING_CAME_IN else self.planned_imports
        self.deactivated = line.deactivated
        self.contacts_created = line.contacts_created
        self.changeset_sha256 = line.changeset_sha256
        self.duplicates = {"of_existing": line.duplicates_of_existing, "within_file": line.duplicates_within_file}
        self.encoding = line.encoding
        self.delimiter = line.delimiter
        self.sheet = line.sheet
        self.mapping = line.mapping or {}
        self.ignored = line.ignored or []
        self.warnings = line.warnings or []
        self.repairs = line.repairs
        self.error_count = line.error_count
        self.row_warning_count = line.row_warning_count
        self.held = line.held
        self.feed = line.feed
        self.expired = line.expired
        self.was_done_before = False  # whether the request had been granted before, and nothing was changed now
        self.inverse_sha256: str | None = None  # hash of the planned undo or redo

    def __repr__(self) -> str:
        return f"<Upload {self.upload_id} {self.file_name!r} {self.state}>"

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Opens the staging database once for all reads within the block, if it can be read."""
        try:
            with self.reading(), self.staging.look():
                pass
        except MachineFault as fault:
            self.continue_unstaged(fault)
        with self.staging.look():
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turns an error into a fault if the staged files have changed: a wrong bit can raise any error.

        Raises:
            MachineFault: the staged files have changed, and cannot be read (code `damaged`).
        """
        try:
            yield
        except ContactPipelineError:
            raise
        except Exception as error:
            if self.line.staged_files and self.staging.differences(self.line.staged_files):
                raise damaged(self.staging.folder) from error
            raise

    def continue_unstaged(self, fault: MachineFault) -> None:
        """Continues as if nothing were staged, with a warning; for staged data that cannot be read.

        Raises:
            MachineFault: the fault is of another kind.
        """
        if not fault.is_damage:
            raise fault
        self.warnings = [*self.warnings, f"{fault.message} What was staged for the upload cannot be shown."]
        self.staging = self.staging.nothing()

    @property
    def new_warnings(self) -> list[str]:
        """The warnings that the ledger does not have."""
        return [warning for warning in self.warnings if warning not in (self.line.warnings or ())]

    @property
    def to_confirm(self) -> list[str]:
        """What somebody has to confirm before the upload can be applied; empty if confirming does not help."""
        return list((self.reason or {}).get("confirm", ()))

    @property
    def is_by_hand(self) -> bool:
        """Whether the changeset was made by hand, without a file."""
        return self.line.resolved_profile is None and self.line.stage == "matched"

    @property
    def waits_for(self) -> str:
        """What somebody has to do before the upload can go on; empty: nothing."""
        rows = self.outcomes["review"]
        decide = f"decide {number_of(rows, 'row')}" if rows else ""
        match self.state:
            case "staged":
                first = f"approve{self._as_which}"
            case "blocked" if "confirm" in (self.reason or {}):
                first = f"confirm{self._as_which} or correct"
            case "blocked":
                first = "" if (self.reason or {}).get("code") == "rows-in-review" else "correct"
            case "stale":
                first = "plan again"
            case "applied" if self.held:
                first = "finalize"
            case "applied" | "finalized":
                first = ""
            case _:
                return ""
        return ", ".join(part for part in (first, decide) if part)

    @property
    def is_half_approved(self) -> bool:
        """Whether the first of two people has approved the plan, and the second has not yet."""
        return self.state in PLANNED and self.first_approved_by is not None

    def is_half_approved_by(self, login: str | None) -> bool:
        """Whether this person gave the first approval, and the second is missing."""
        return self.is_half_approved and is_same(login, self.first_approved_by)

    @property
    def _as_which(self) -> str:
        if not self.line.needs_two:
            return ""
        return f" as the second, after {self.first_approved_by}" if self.is_half_approved else " as the first of two"

    @property
    def resolved_profile(self) -> Profile | None:
        """The profile as resolved for this upload; None if there was none."""
        resolved = self.line.read_profile()
        return None if resolved is None else Profile.model_validate(resolved)

    @property
    def options(self) -> UploadOptions:
        """The options of the upload."""
        return UploadOptions.model_validate(self.line.options or {})

    @property
    def apply_mode(self) -> str | None:
        """`automatic` or `approval`."""
        resolved = self.line.read_profile()
        return None if resolved is None else str(resolved["apply"])

    @property
    def raw_rows(self) -> pl.DataFrame:
        """The file's rows as read (contracts.RAW_ROWS)."""
        return self.staging.table("raw_rows")

    @property
    def normalized_rows(self) -> pl.DataFrame:
        """The normalized rows (contracts.NORMALIZED_ROWS)."""
        return self.staging.table("normalized_rows")

    @property
    def rejections(self) -> pl.DataFrame:
        """The defects (contracts.REJECTIONS), sensitive values masked."""
        return self.staging.table("rejections")

    @property
    def outcome_rows(self) -> pl.DataFrame:
        """The outcome of every row (contracts.OUTCOME_ROWS)."""
        return self.staging.table("outcome_rows")

    @property
    def changes(self) -> pl.DataFrame:
        """The changeset: target, id, action, row_number and a list of {field, before, after} as text; not masked."""
        import polars as pl

        nothing = pl.DataFrame(schema={"target": pl.String, "action": pl.String, "row_number": pl.UInt32})
        with self.staging.look() as database:
            frames = [database.frame(changes_to(target, database)) for target in CHANGED if _has(database, target)]
        return pl.concat([nothing, *frames], how="diagonal_relaxed")

    @property
    @_unreadable_as(int)
    def change_count(self) -> int:
        """How many changes the changeset holds, without reading them."""
        with self.staging.look():
            return sum(self.staging.count(f"{target}_changes") for target in CHANGED)

    @_unreadable_as(dict)
    def count_by_action(self) -> dict[str, dict[str, int]]:
        """How many changes the changeset holds: contact, account, membership or link → action → changes."""
        found = {}
        with self.staging.look() as database:
            for target in CHANGED:
                if _has(database, target):
                    counted = f"SELECT action, count(*) FROM {target}_changes GROUP BY action ORDER BY action"
                    found[target] = dict(database.rows(counted))
        return {target: actions for target, actions in found.items() if actions}

    @_unreadable_as(int)
    def count_changes(self, *actions: str) -> int:
        """How many contacts, or accounts where rows are accounts, have one of these actions in the changeset."""
        profile = self.resolved_profile
        target = profile.target if profile else "contact"
        with self.staging.look() as database:
            if not _has(database, target):
                return 0
            chosen = ", ".join(map(literal, actions))
            count: int = database.value(f"SELECT count(*) FROM {target}_changes WHERE action IN ({chosen})")
        return count

    @_unreadable_as(list)
    def first_changes(self, limit: int | None) -> list[dict[str, Any]]:
        """The first changes as JSON documents, sensitive values masked; None: all of them."""
        shown: list[dict[str, Any]] = []
        with self.staging.look() as database:
            for target in CHANGED:
                left = None if limit is None else limit - len(shown)
                if left != 0 and _has(database, target):
                    shown += self._shown(database.records(changes_to(target, database, left)))
        return self._named(shown)

    @_unreadable_as(list)
    def changes_by(self, row_number: int) -> list[dict[str, Any]]:
        """The changes that a row makes as JSON documents, sensitive values masked."""
        shown: list[dict[str, Any]] = []
        with self.staging.look() as database:
            for target in CHANGED:
                if _has(database, target):
                    shown += self._shown(database.records(changes_to(target, database, row_number=row_number)))
        return self._named(shown)

    @_unreadable_as(list)
    def changes_among(self, target: str, ids: Iterable[int]) -> list[dict[str, Any]]:
        """The changes to these contacts or accounts as JSON documents, sensitive values masked.

        Args:
            target: contact, account, membership or link.
            ids: of the accounts, or else of the contacts.
        """
        with self.staging.look() as database:
            if not _has(database, target):
                return []
            return self._named([*self._shown(database.records(changes_to(target, database, among=ids)))])

    def rows_of(self, table: str, row_numbers: Iterable[int]) -> pl.DataFrame:
        """These rows of a staged table, in their order, masked like a preview; none if there is no such table."""
        import polars as pl

        wanted = ", ".join(str(number) for number in sorted({*row_numbers})) or "NULL"
        with self.staging.look() as database:
            if database is None or not database.has(table):
                return pl.DataFrame(schema={"row_number": pl.UInt32})
            rows = database.frame(f"FROM {quoted(table)} WHERE row_number IN ({wanted}) ORDER BY row_number")
        return self.masked(rows, as_read=table == "raw_rows")

    def corrected_rows(self, among: str) -> pl.DataFrame:
        """The raw rows whose numbers a query gives, in their order, with their corrections; not masked."""
        from contact_pipeline.store.corrected import corrected

        with self.staging.open(read_only=True) as database:
            rows = database.frame(f"FROM raw_rows WHERE row_number IN ({among}) ORDER BY row_number")
        return corrected(rows, self.staging.table("corrected_cells"))

    @_unreadable_as(lambda: None)
    def row(self, table: str, row_number: int) -> dict[str, Any] | None:
        """One row of a staged table, masked like a preview; None where the table has no such row."""
        with self.staging.look() as database:
            if database is None or not database.has(table):
                return None
            rows = database.frame(f"FROM {quoted(table)} WHERE row_number = {row_number} LIMIT 1")
        return next(self.masked(rows, as_read=table == "raw_rows").iter_rows(named=True), None)

    @property
    def inverse(self) -> Upload:
        """The planned or executed inverse of the changeset: its `changes` and `conflicts`."""
        return Upload(self.line, self.staging.for_undo(), self._names)

    @property
    def conflicts(self) -> pl.DataFrame:
        """What an inverse leaves alone: target, id, field, upload_id that changed it since, reason."""
        return self.staging.table("conflicts")

    def rejections_by_code(self) -> dict[str, int]:
        """Code → number of defects, most frequent first; warnings left out."""
        return self._by_code(_IS_ERROR)

    def row_warnings_by_code(self) -> dict[str, int]:
        """Code → number of warnings of rows and cells, most frequent first."""
        return self._by_code(_IS_WARNING)

    def first_errors(self, limit: int | None) -> list[dict[str, Any]]:
        """The first defects as JSON documents, sensitive values masked; None: all of them."""
        return self._first_defects(_IS_ERROR, limit)

    def first_row_warnings(self, limit: int | None) -> list[dict[str, Any]]:
        """The first warnings of rows and cells, like errors; None: all of them."""
        return self._first_defects(_IS_WARNING, limit)

    def preview(self, table: str, rows: int) -> pl.DataFrame:
        """The first rows of a staged table, masked: sensitive fields, and what looks sensitive elsewhere."""
        return self.masked(self.staging.table(table, limit=rows), as_read=table == "raw_rows")

    def as_dict(
        self, *, all_errors: bool = False, all_warnings: bool = False, rows: bool = False, changes: bool = False
    ) -> dict[str, Any]:
        """The upload as a JSON document; sensitive values masked."""
        errors = self.first_errors(None if all_errors else SHOWN_ERRORS)
        row_warnings = self.first_row_warnings(None if all_warnings else SHOWN_ERRORS)
        document: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "upload_id", "profile", "file_name", "file_size", "sha256", "group", "state", "reason", "repeats",
                "continues", "processed", "imports", "outcomes", "deactivated", "contacts_created", "changeset_sha256",
                "duplicates", "encoding", "delimiter", "sheet", "mapping", "ignored", "warnings", "repairs",
                "corrections", "user", "approvals", "first_approved_by", "first_approved_as", "approved_by",
                "approved_as", "replanned_by", "replanned_as", "held", "feed", "expired",
            )
        }  # fmt: skip
        document["added_at"] = _time(self.added_at)
        document["first_approved_at"] = _time(self.first_approved_at)
        document["finished_at"] = _time(self.finished_at)
        document["errors"] = errors
        document["row_warnings"] = row_warnings
        if self.corrected is not None:
            document |= self.corrected.as_dict()
        if rows:
            document["rows"] = self._rows()
        if changes:
            document["changes"] = self.first_changes(None)
        return document

    def _by_code(self, which: str) -> dict[str, int]:
        counts = self._defects(which, "SELECT code, count(*) AS defects", "GROUP BY code ORDER BY defects DESC, code")
        return {count["code"]: count["defects"] for count in counts}

    def _first_defects(self, which: str, limit: int | None) -> list[dict[str, Any]]:
        columns = 'SELECT row_number, "column", value, code, message, fix'
        return self._defects(which, columns, f"ORDER BY row_number, rowid LIMIT {'ALL' if limit is None else limit}")

    @_unreadable_as(list)
    def _defects(self, which: str, select: str, rest: str) -> list[dict[str, Any]]:
        if (self.error_count if which == _IS_ERROR else self.row_warning_count) == 0:
            return []  # nothing to open the staging database for
        with self.staging.look() as database:
            if database is None or not database.has("rejections"):
                return []
            return database.records(f"{select} FROM rejections WHERE {which} {rest}")

    @_unreadable_as(list)
    def _rows(self) -> list[dict[str, Any]]:
        """Every row with its outcome; a row in review with its candidates and the fields that they share."""
        candidates: dict[int, list[dict[str, Any]]] = {}
        for record in self.staging.records("review_candidates"):
            candidate = {
                f"{record['entity']}_id": record["candidate"],
                "row_number": record["other_row"],
                "shares": record["shares"],
                "active": record["active"],
            }
            known = {name: value for name, value in candidate.items() if value is not None}
            candidates.setdefault(record["row_number"], []).append(known)
        several = [each for found in candidates.values() for each in found if "contact_id" in each]
        names = self.names(each["contact_id"] for each in several) if several else {}
        for each in several:
            if each["contact_id"] in names:
                each["name"] = names[each["contact_id"]]
        rows = self.staging.records("outcome_rows")
        return [
            row | {"candidates": candidates.get(row["row_number"], [])} if row["outcome"] == "review" else row
            for row in rows
        ]

    def _shown(self, changes: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        profile = self.resolved_profile
        for change in changes:
            fields = {}
            for field in change.pop("fields", None) or ():
                looks = looks_in(profile, field["field"]) if profile else TOLD
                fields[field["field"]] = [mask_value(value, looks) for value in (field["before"], field["after"])]
            named = {name: mask_within(value) for name, value in change.items() if value is not None}
            yield named | {"fields": fields}

    def names(self, contact_ids: Iterable[int]) -> dict[int, str]:
        """Id → name of contacts, masked; contacts without a name, or not made yet, are left out."""
        found = self._names(contact_ids) if self._names else {}
        return {contact_id: name for contact_id, name in found.items() if name}

    def _named(self, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The changes with the names of their contacts: `name`, and for a link also `linked_to_name`."""
        ids = {change[key] for change in changes for key in ("contact_id", "linked_to") if key in change}
        names = self.names(ids) if ids else {}
        for change in changes:  # contacts that the upload creates have no other name yet
            given = _given_name(change)
            if given and change.get("contact_id") not in names:
                names[change["contact_id"]] = given
        for change in changes:
            for key, called in (("contact_id", "name"), ("linked_to", "linked_to_name")):
                if change.get(key) in names:
                    change[called] = names[change[key]]
        return changes

    def masked(self, frame: pl.DataFrame, *, as_read: bool) -> pl.DataFrame:
        """Rows of a staged table, masked like a preview; `as_read`: those of raw_rows."""
        import polars as pl

        profile = self.resolved_profile
        if profile is None:
            return frame
        fields = self.staging.facts().fields if as_read and self.staging.exists() else {}
        shown = []
        for name, kind in frame.schema.items():
            field = fields.get(name) if as_read else field_of(name, profile)
            looks = None if as_read and is_label(name) else looks_in(profile, field, as_read=as_read)
            if kind == pl.List(pl.String):
                shown.append(pl.col(name).list.eval(mask_column(pl.element(), looks)))
            elif kind == pl.String or looks is None:
                shown.append(mask_column(pl.col(name).cast(pl.String), looks))
        return frame.with_columns(shown)


def _given_name(change: dict[str, Any]) -> str:
    """The name that a change gives to the contact that it makes."""
    if change["target"] != "contact" or change["action"] != "create":
        return ""
    fields = change["fields"]
    whole, *parts = ((fields.get(name) or [None, None])[1] for name in ("full_name", "first_name", "last_name"))
    return whole or " ".join(part for part in parts if part)


def _has(database: Tables | None, target: str) -> TypeGuard[Tables]:
    return database is not None and database.has(f"{target}_changes")


def changes_to(
    target: str,
    database: Tables,
    limit: int | None = None,
    *,
    row_number: int | None = None,
    among: Iterable[int] | None = None,
) -> str:
    """The query for the changes to contacts, accounts, memberships or links, ordered by row."""
    table = f"{target}_changes"
    kinds = dict(database.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table})"))
    fields = [name.removeprefix("after_") for name in kinds if name.startswith("after_")]
    identity = "account_id" if target == "account" else "contact_id"
    rest = "* EXCLUDE (action, row_number)"
    if fields:
        sides = (
            f"""CASE WHEN {touches(field)} THEN {{
                'field': {literal(field)},
                'before': {_as_text(f"before_{field}", kinds)},
                'after': {_as_text(f"after_{field}", kinds)}}} END"""
            for field in fields
        )
        rest = f"{identity}, list_filter([{', '.join(sides)}], lambda side: side IS NOT NULL) AS fields"
    where = "true" if row_number is None else f"row_number = {row_number}"
    if among is not None:
        where += f" AND {identity} IN ({', '.join(map(str, among)) or 'NULL'})"
    return f"""
        SELECT {literal(target)} AS target, action, row_number, {rest}
        FROM {table} WHERE {where}
        ORDER BY row_number, {identity} LIMIT {"ALL" if limit is None else limit}"""


def _as_text(column: str, kinds: dict[str, str]) -> str:
    name = quoted(column)
    return f"array_to_string({name}, '; ')" if kinds[column].endswith("[]") else f"{name}::VARCHAR"


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def field_of(column: str, profile: Profile) -> str:
    """The field whose values, or parts of them, a staged column holds."""
    prefixes = ("before_", "after_", "key_", UNREAD, FURTHER, COLUMN_OF)
    prefix = "" if column in profile.column_of else next(filter(column.startswith, prefixes), "")
    return column.removeprefix(prefix)
