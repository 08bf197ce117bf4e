"""A line of the ledger: its fields are the columns of the table `uploads`, declared here and nowhere else.

A new field needs `since`: homes that were made before get its column by the migration of that name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from contact_pipeline.contracts.actors import IDENTITY
from contact_pipeline.contracts.states import State
from contact_pipeline.contracts.tables import Column


@dataclass(frozen=True, slots=True)
class Holds:
    """Describes the column of a field.

    Attributes:
        what: what it holds, in words.
        personal: whether it can hold a value of somebody in the file.
        type: its DuckDB type; empty: derived from the type of the field.
        since: the migration that adds it to homes made before; empty: none does.
    """

    what: str
    personal: bool = False
    type: str = ""
    since: str = ""


_SQL_TYPE: Final[dict[type, str]] = {
    str: "VARCHAR", int: "INTEGER", bool: "BOOLEAN", datetime: "TIMESTAMP", dict: "JSON", list: "JSON",
}  # fmt: skip
DEFECTS_BORNE: Final = 3  # of the program, while an upload is applied by itself; then it waits for somebody

_DEFAULT: Final = {"INTEGER": "0", "BOOLEAN": "false"}  # a count begins at 0


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An upload as the ledger knows it. A field that may be None has a column that may be null."""

    upload_id: Annotated[str, Holds("the upload; its folders are called so")]
    number: Annotated[int, Holds("counts the uploads in the order in which they were received", type="BIGINT")]
    profile: Annotated[str, Holds("the name of its profile")]
    address_book: Annotated[str | None, Holds("the address book of the profile")]
    file_name: Annotated[str, Holds("the name of the file as it was sent", personal=True)]
    file_size: Annotated[int, Holds("bytes of the file", type="BIGINT")]
    file_type: Annotated[str | None, Holds("csv, tsv, xlsx, …")]
    sha256: Annotated[str, Holds("SHA-256 of the file")]
    group_name: Annotated[str | None, Holds("the group that its contacts join", personal=True)]
    state: Annotated[State, Holds("its state")]
    stage: Annotated[str, Holds("how far it came: received, read, normalized, validated or matched")]
    reason: Annotated[
        dict[str, Any] | None, Holds("why it is in that state: code, message and fix, masked", personal=True)
    ]
    repeats: Annotated[str | None, Holds("the applied upload that it repeats")]
    added_at: Annotated[datetime, Holds("when it was received")]
    finished_at: Annotated[datetime | None, Holds("when it was applied or given up")]
    user_login: Annotated[str | None, Holds("login of who sent it")]
    approved_by: Annotated[str | None, Holds("login of who approved it")]
    data_rows: Annotated[int, Holds("rows of the file below the heading")]
    processed: Annotated[int, Holds("of these, those that are not blank")]
    created: Annotated[int, Holds("rows with that outcome")]
    updated: Annotated[int, Holds("rows with that outcome")]
    unchanged: Annotated[int, Holds("rows with that outcome")]
    linked: Annotated[int, Holds("rows with that outcome")]
    duplicate: Annotated[int, Holds("rows with that outcome")]
    rejected: Annotated[int, Holds("rows with that outcome")]
    review: Annotated[int, Holds("rows with that outcome")]
    blank: Annotated[int, Holds("rows with that outcome")]
    duplicates_of_existing: Annotated[int, Holds("duplicates of a contact that is left as it is")]
    duplicates_within_file: Annotated[int, Holds("duplicates of another row of the file")]
    deactivated: Annotated[int, Holds("contacts that it deactivates")]
    contacts_created: Annotated[int, Holds("contacts that it creates")]
    repairs: Annotated[int, Holds("values that are a repair")]
    error_count: Annotated[int, Holds("defects that are no warnings")]
    changeset_sha256: Annotated[str | None, Holds("hash of its frozen changeset")]
    encoding: Annotated[str | None, Holds("encoding in which the file was read")]
    delimiter: Annotated[str | None, Holds("delimiter by which it was split")]
    sheet: Annotated[str | None, Holds("the sheet of a workbook that was read", personal=True)]
    mapping: Annotated[dict[str, str] | None, Holds("heading → field; a heading can be data", personal=True)]
    ignored: Annotated[list[str] | None, Holds("headings that fill no field", personal=True)]
    warnings: Annotated[list[str] | None, Holds("what is to be looked at, in words", personal=True)]
    resolved_profile: Annotated[
        str | None, Holds("JSON of the profile as it held for the upload; null: made by hand", type="JSON")
    ]
    options: Annotated[dict[str, Any] | None, Holds("what was chosen for the upload", personal=True)]
    repeat_key: Annotated[str | None, Holds("hash of all that decides what the file means")]
    snapshot: Annotated[int | None, Holds("the newest commit that matching saw", type="BIGINT")]
    commit_number: Annotated[int | None, Holds("the commit that applied it", type="BIGINT")]
    held: Annotated[bool, Holds("whether its changes are held back until it is finalized")]
    finalized_at: Annotated[datetime | None, Holds("when it was finalized")]
    finalized_by: Annotated[str | None, Holds("login of who finalized it")]
    inbox: Annotated[bool, Holds("whether it came through the inbox")]
    staged_files: Annotated[
        dict[str, str] | None, Holds("file of its staging folder → SHA-256, as its changeset was frozen")
    ]
    row_warning_count: Annotated[
        int | None,
        Holds("warnings of rows; null: staged before they were counted", since="warnings of rows are counted"),
    ]
    left_out: Annotated[int, Holds("rows with that outcome", since="rows are left out of a plan")]
    corrections: Annotated[
        int, Holds("cells that are corrected, and columns that are left out", since="corrections are counted")
    ]
    approved_as: Annotated[str | None, Holds(f"of who approved it, {IDENTITY}", since="how approvers are known")]
    finalized_as: Annotated[str | None, Holds(f"of who finalized it, {IDENTITY}", since="how finalizers are known")]
    feed: Annotated[str | None, Holds("the feed that fetched it; null: none did", since="feeds of uploads")]
    continues: Annotated[
        str | None, Holds("the upload whose rejected rows it brings, corrected", since="uploads continue others")
    ]
    replanned_by: Annotated[
        str | None, Holds("login of who had it planned again; null: nobody", since="who plans again")
    ]
    replanned_as: Annotated[
        str | None, Holds(f"of who had it planned again, {IDENTITY}", since="how those are known who plan again")
    ]

    approvals: Annotated[
        int | None, Holds("how many people have to approve it; null: one", since="how many people approve")
    ]
    first_approved_by: Annotated[
        str | None,
        Holds("login of the first of two who approved it; null: nobody, or it does not hold", since="first approvals"),
    ]
    first_approved_as: Annotated[
        str | None, Holds(f"of the first who approved it, {IDENTITY}", since="how first approvers are known")
    ]
    first_approved_at: Annotated[datetime | None, Holds("when that was", since="when first approvals were given")]
    first_approved_sha256: Annotated[
        str | None, Holds("hash of the changeset that the first approved", since="what first approvals are of")
    ]
    expired: Annotated[
        dict[str, dict[str, str]] | None,
        Holds("what of it was deleted by age: kind → when and by which rule", since="uploads expire"),
    ]

    @property
    def needs_two(self) -> bool:
        """Whether two people have to approve it."""
        return (self.approvals or 1) > 1

    @property
    def first_approval(self) -> tuple[str, datetime] | None:
        """Who approved, as the first of two, the changeset that is frozen now, and when; None: nobody."""
        if not self.first_approved_by or not self.first_approved_at:
            return None
        is_of_this = self.first_approved_sha256 == self.changeset_sha256
        return (self.first_approved_by, self.first_approved_at) if is_of_this else None

    @property
    def is_automatic_refused(self) -> bool:
        """Whether applying it by itself was refused: its sender lacks the role, for example."""
        return bool((self.reason or {}).get("automatic_refused", False))

    @property
    def defects(self) -> int:
        """How often a defect of the program kept its changeset from being applied by itself."""
        return int((self.reason or {}).get("defects", 0))

    @property
    def is_given_up(self) -> bool:
        """Whether it is not applied by itself any more, and waits for somebody: it was refused, or met these defects.

        After a defect, only an upload of the inbox is tried again.
        """
        return self.is_automatic_refused or self.defects >= (DEFECTS_BORNE if self.inbox else 1)

    @property
    def applies_itself(self) -> bool:
        """Whether its profile applies it without an approval."""
        return (self.read_profile() or {}).get("apply") == "automatic"

    def read_profile(self) -> dict[str, Any] | None:
        """The profile as it held for the upload, read when it is asked for since it is large; None without one."""
        return None if self.resolved_profile is None else dict(json.loads(self.resolved_profile))


def _columns() -> Iterator[Column]:
    for name, hint in get_type_hints(LedgerLine, include_extras=True).items():
        kind, holds = get_args(hint)
        sql_type = holds.type or _SQL_TYPE[_plain_type(kind)]
        required = not isinstance(kind, UnionType)
        default = _DEFAULT.get(sql_type, "") if required else ""
        yield Column(name, sql_type, holds.what, holds.personal, required, default, holds.since)


def _plain_type(kind: Any) -> type:
    """The class of a field's values: `dict` of `dict[str, str] | None`, `str` of a literal."""
    plain = get_args(kind)[0] if isinstance(kind, UnionType) else kind
    origin = get_origin(plain)
    return str if origin is Literal else origin or plain


COLUMNS: Final = tuple(_columns())

# JSON columns that a line holds as parsed values; the profile stays text.
READ_AS_VALUES: Final = {column.name for column in COLUMNS if column.type == "JSON"} - {"resolved_profile"}
