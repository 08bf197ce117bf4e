"""The catalogue of the staged tables: what each holds, which step makes it, its columns, and which are personal.

`kept` has the tables of the contact database in the same form.

An upload's staging database has these tables and no others. So have the databases in its folder: for rows that were
decided after it was applied, and for its inverse. The further columns of an open table are the file's or the profile's,
and are personal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from contact_pipeline.terms import OUTCOMES, FieldKind

Lies = Literal["database", "Parquet", "view"]

SQL_TYPE: Final[dict[FieldKind, str]] = {"text": "VARCHAR", "list": "VARCHAR[]", "boolean": "BOOLEAN"}

_NUMBER: Final = "UINTEGER"
_ID: Final = "BIGINT"
_TEXT: Final = "VARCHAR"
_TEXTS: Final = "VARCHAR[]"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: its name.
        type: its DuckDB type.
        holds: what it holds, in words.
        personal: whether it can hold a person's value, which goes when that person is erased.
        required: whether it is never null.
        default: its value where none is given, as SQL; empty: null.
        since: the migration that adds it to databases made before; empty: none does.
        words: the values that it can have; empty: any.
    """

    name: str
    type: str
    holds: str
    personal: bool = False
    required: bool = False
    default: str = ""
    since: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: its name.
        made_by: the step that makes it; of a kept table, the calls that write it.
        holds: what a row of it is.
        columns: the columns that it always has.
        open: its further columns in words, all of them personal; empty: none.
        lies: in the database, as Parquet files beside it (seen through a view), or as a view that computes its rows.
        key: the columns that tell its rows apart; empty: none do.
        read_by: what reads it; of a staged table, the steps, and people, to whom it is shown.
    """

    name: str
    made_by: str
    holds: str
    columns: tuple[Column, ...]
    open: str = ""
    lies: Lies = "database"
    key: tuple[str, ...] = ("row_number",)
    read_by: str = ""


_ROW: Final = Column(
    "row_number", _NUMBER, "the row's place in the file; a heading on line 1 makes the first row 2", required=True
)
_OF_CHANGE: Final = replace(_ROW, required=False)  # some changes come from no row
_LINE: Final = Column("line_number", _NUMBER, "the physical line on which the row begins")
_ACTION: Final = Column("action", _TEXT, "create, update, reactivate, deactivate or remove")
_CONTACT: Final = Column("contact_id", _ID, "the contact")
_ENTITY: Final = Column("entity", _TEXT, "contact or account")
_DEFECT: Final = (
    _ROW,
    _LINE,
    Column("column", _TEXT, "the heading in the file; null: the row as a whole"),
    Column("field", _TEXT, "the field that it fills"),
    Column("value", _TEXT, "the value in error, masked where the field is sensitive", personal=True),
    Column("code", _TEXT, "the kind of defect", required=True),
    Column("message", _TEXT, "what is wrong, in words that may quote the value", personal=True, required=True),
    Column("fix", _TEXT, "what to do, in words that may quote the value", personal=True, required=True),
    Column("severity", _TEXT, "error: the row is rejected; noted: the cell goes to the notes; warning", required=True,
           words=("error", "noted", "warning")),
)  # fmt: skip
_NOTED: Final = (
    Column("noted", _TEXTS, "fields whose cells could not be imported"),
    Column("import_notes", _TEXTS, "the notes of these cells", personal=True),
)
_OF_INVERSE: Final = (
    Column("created_commit", _ID, "of an inverse: the commit that made what comes back"),
    Column("last_upload_id", _TEXT, "of an inverse: the upload of the newest change that is effective then"),
)


def _of_part(entity: str) -> tuple[Table, ...]:
    """The tables of contacts, or of accounts."""
    identity = Column(f"{entity}_id", _ID, f"the {entity}")
    active = (
        (Column("before_active", "BOOLEAN", "whether it was active"), Column("after_active", "BOOLEAN", "and is then"))
        if entity == "contact"
        else ()
    )
    return (
        Table(
            f"{entity}_rows", "match/rows", f"what a row says of its {entity}", (_ROW, *_NOTED),
            "one per field", "view",
            read_by="match/colliding, match/in_turn, match/keys, match/outcomes, match/settled, match/targets",
        ),
        Table(
            f"{entity}_keys", "match/keys", f"by what a row is compared with each {entity}", (_ROW,),
            "`key_<field>` per compared field", "view",
            read_by="match/keys, people",
        ),
        Table(
            f"{entity}_pairs", "match/snapshot", f"a row and a stored {entity} that agree by a match rule",
            (
                _ROW,
                Column("candidate", _ID, f"the {entity}"),
                Column("representative", _ID, "the oldest of those that are linked with it"),
                Column("rank", _ID, "lower is better: rule × 4096 + disagreeing fields × 64 + steps not passed"),
                Column("differs", _TEXT, "whether a key of an earlier rule differs: no, review or another"),
            ),
            key=("row_number", "candidate", "rank"),
            read_by="match/colliding, match/decide, match/in_turn, match/outcomes, match/reviews, match/snapshot, "
                    "people",
        ),
        Table(
            f"{entity}_decisions", "match/decide", "what the stored contacts alone make of a row",
            (
                _ROW,
                Column("decision", _TEXT, "matched, new or review"),
                Column("target", _ID, f"the {entity} that is matched"),
            ),
            read_by="match/colliding, match/settled, match/targets, people",
        ),
        Table(
            f"{entity}_changes", "match/changeset",
            f"the change to one {entity}; of an inverse (apply/effect) what takes it back",
            (_OF_CHANGE, identity, _ACTION, Column("base_revision", "INTEGER", "the revision that it changes"), *active,
             *_OF_INVERSE),
            "`before_<field>` and `after_<field>` per field that the upload writes", "Parquet",
            (identity.name,),
            read_by="apply/commit, apply/effect, apply/stale, match/changeset, match/match, match/outcomes, people",
        ),
    )  # fmt: skip


STAGED: Final[tuple[Table, ...]] = (
    Table("facts", "upload, normalize", "one fact about the file",
          (Column("name", _TEXT, "its name"),
           Column("value", "JSON", "its value; examples of doubtful readings are the file's", personal=True)),
          key=("name",),
          read_by="apply, match, normalize, people, validate"),
    Table("raw_rows", "upload", "a row as read", (_ROW, replace(_LINE, required=True)), "one per heading", "Parquet",
          read_by="normalize, people"),
    Table("unreadable_rows", "upload", "a row that could not be split into columns", _DEFECT,
          read_by="people, validate"),
    Table("cell_errors", "upload", "an error or an uncalculated formula in a cell of a workbook",
          (_ROW, Column("column", _TEXT, "the raw column", required=True),
           Column("field", _TEXT, "the field that it fills"),
           Column("text", _TEXT, "the error, or the formula", personal=True, required=True)),
          key=("row_number", "column"),
          read_by="normalize, validate"),
    Table("normalized_rows", "normalize", "a row that is not blank, in canonical form",
          (_ROW,
           Column("repaired", "UBIGINT", "bit i: the value of the i-th mapped column is a repair", required=True)),
          "one per mapped field, and beside it `unread_`, `further_` and `column_of_`", "Parquet",
          read_by="apply, match/rows, people, validate, validate/unique"),
    Table("corrected_cells", "normalize", "a cell of the file in whose place another text is read",
          (_ROW, Column("column", _TEXT, "the raw column", required=True),
           Column("text", _TEXT, "the text; null: none", personal=True)),
          key=("row_number", "column"),
          read_by="people, validate"),
    Table("left_out_rows", "normalize", "a row that somebody took out of the plan", (_ROW,),
          read_by="match/outcomes, match/rows, validate, validate/unique"),
    Table("blank_rows", "normalize", "a blank row, or one that repeats the heading", (_ROW,),
          read_by="apply, match/match, match/outcomes, people"),
    Table("rejections", "validate, match", "a defect or a warning of a row or cell", _DEFECT, key=(),
          read_by="apply, match, match/match, match/outcomes, match/plan, match/rows, people, validate, "
                  "validate/doubtful_dates, validate/unique"),
    Table("noted_cells", "validate", "the cells of a row that could not be imported",
          (_ROW, Column("fields", _TEXTS, "their fields"), Column("notes", _TEXTS, "their notes", personal=True)),
          read_by="apply, match/match, match/rows, validate/unique"),
    Table("cleaned_rows", "match/rows", "a normalized row without the cells that went to the notes", (_ROW, *_NOTED),
          "one per field", "view",
          read_by="match/rows"),
    Table("contact_fields", "match/snapshot", "a field that the changeset brings",
          (Column("name", _TEXT, "the field"), Column("kind", _TEXT, "text, list or boolean"),
           Column("sensitive", "BOOLEAN", "whether its values are masked")), key=("name",),
          read_by="apply"),
    Table("resolutions", "match/snapshot", "what a person decided about a row",
          (_ENTITY, _ROW, Column("choice", _TEXT, "contact, new, row or skip"), _CONTACT,
           Column("other_row", _NUMBER, "the row that it is the same as"),
           Column("own", "BOOLEAN", "whether it was decided in this upload"),
           Column("decided_in", _TEXT, "else the row and the upload in which it was")), key=("entity", "row_number"),
          read_by="match/colliding, match/decide, match/in_turn, match/outcomes, match/resolutions, match/settled, "
                  "match/snapshot, people"),
    Table("named_accounts", "match/outcomes", "the account that a row of contacts names",
          (_ROW, Column("account_number", _TEXT, "its key", personal=True),
           Column("known", "BOOLEAN", "whether there is such an account")),
          read_by="match/outcomes"),
    *_of_part("contact"),
    *_of_part("account"),
    Table("rows_in_turn", "match/colliding", "a row that is decided after the rows before it", (_ROW,),
          read_by="match/colliding, match/erased, match/in_turn, match/required, match/reviews, match/settled, "
                  "people"),
    Table("reviews", "match/reviews", "a row that a person must judge",
          (_ROW, _ENTITY, Column("keys", _TEXT, "its keys, as decisions are remembered by", personal=True),
           Column("why", _TEXT, "who it could be")), key=("row_number", "entity"),
          read_by="match/erased, match/outcomes, match/targets, people"),
    Table("review_candidates", "match/reviews", "whom such a row could be",
          (_ROW, _ENTITY, Column("candidate", _ID, "the contact or account"),
           Column("other_row", _NUMBER, "or the row of the file"), Column("shares", _TEXTS, "fields that agree"),
           Column("active", "BOOLEAN", "whether the contact is active")), key=(),
          read_by="match/reviews, people"),
    Table("membership_changes", "match/changeset", "a contact that joins or leaves a group",
          (_OF_CHANGE, _ACTION, Column("group_name", _TEXT, "the group"), _CONTACT), key=("group_name", "contact_id"),
          read_by="apply/commit, match/freeze, people"),
    Table("link_changes", "match/changeset, merge", "a contact that is linked with another, or is no more",
          (_OF_CHANGE, _ACTION, _CONTACT, Column("linked_to", _ID, "the one that stands for this person")),
          key=("contact_id", "linked_to"),
          read_by="apply/commit, match/freeze, people"),
    Table("outcome_rows", "match/outcomes", "what became of a row",
          (_ROW, Column("outcome", _TEXT, "its outcome", required=True, words=tuple(OUTCOMES)), _CONTACT,
           Column("account_id", _ID, "the account"),
           Column("duplicate_of_row", _NUMBER, "the row that counts for the same target"),
           Column("duplicate_of_contact", _ID, "the contact that is left as it is"),
           Column("reason", _TEXT, "why, where that needs words")),
          read_by="apply, match/match, people"),
    Table("conflicts", "apply/effect", "of an inverse: what is left alone, and why",
          (Column("target", _TEXT, "contact, account, membership or link"), Column("id", _ID, "its id"),
           Column("field", _TEXT, "the field"), Column("upload_id", _TEXT, "the upload that changed it since"),
           Column("left_as", _TEXT, "what it stays"), Column("reason", _TEXT, "why")), key=(),
          read_by="people"),
)  # fmt: skip

# Staged nowhere: worked out from raw and normalized rows when somebody asks.
REPAIRED: Final = Table(
    "repairs", "pipeline/frames", "a value that was stored otherwise than it was read",
    (_ROW, Column("column", _TEXT, "the heading in the file", required=True),
     Column("field", _TEXT, "the field that it fills", required=True),
     Column("before", _TEXT, "the value as read", personal=True, required=True),
     Column("after", _TEXT, "the value as stored; null: none", personal=True),
     Column("why", _TEXT, "why", required=True)),
    lies="view", key=(),
)  # fmt: skip

_BY_NAME: Final = {table.name: table for table in STAGED}


def declared(table: str) -> dict[str, Column]:
    """The columns of a staged table that the catalogue has: not those of contact fields, nor those of the file."""
    known = _BY_NAME.get(table)
    return {column.name: column for column in known.columns} if known else {}


def is_personal(table: str, column: str) -> bool:
    """Whether a column of a staged table can hold values of a person; a column that the catalogue lacks can."""
    found = declared(table).get(column)
    return found is None or found.personal
