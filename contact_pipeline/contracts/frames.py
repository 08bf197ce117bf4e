"""The frames that pass between the stages, in flow order; the words that they use are in terms.py.

Every frame is a Polars DataFrame. Columns named here are always there; frames marked "open" have one more
column per heading or field. `row_number` (UInt32) is a record's place as a spreadsheet shows it: a heading on
line 1 makes the first record row 2. `line_number` (UInt32) is the physical line on which the record begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandera.polars as pa
import polars as pl

from contact_pipeline.terms import OUTCOMES

ROW_NUMBER: Final = pl.UInt32
CONTACT_ID: Final = pl.Int64

# 1. upload → raw rows. Open: one String column per heading, the cell's text exactly as read, null where the cell is
#    empty or missing. Every physical row is here (blank ones with all cells null), except rows that could not be split
#    into the heading's columns: those are rejections.
RAW_ROWS: Final = pa.DataFrameSchema(
    {"row_number": pa.Column(ROW_NUMBER, unique=True), "line_number": pa.Column(ROW_NUMBER)}, strict=False
)

#    What stands in a cell of a workbook instead of a value: an error such as #N/A, or a formula (after "=") without a
#    result. The raw row holds the same text, but only here is it told from a text that merely reads so.
CELL_ERRORS: Final = pa.DataFrameSchema(
    {
        "row_number": pa.Column(ROW_NUMBER),
        "column": pa.Column(pl.String),  # the raw rows' column
        "field": pa.Column(pl.String, nullable=True),  # the field that it fills, once that is known
        "text": pa.Column(pl.String),
    },
    strict=True,
)

# 2. normalize → normalized rows. Open: one column per mapped field (String, List(String) or Boolean by its kind), and
#    beside it what of its text it could not hold (UNREAD, FURTHER). validate.schema_for has them all, with checks.
#    A value that cannot be normalized stays as it was given, for validation to reject; null is blank (or a cell with an
#    error, which validation rejects by CELL_ERRORS); the empty string is an explicit "nothing" (a word such as "Without
#    Portfolio" was given). `repaired` is a bitmap: bit i is set where the value of the i-th mapped column changed its
#    meaning (not merely its form). Blank rows (all cells blank, or the heading repeated) are not here but in
#    BLANK_ROWS.
NORMALIZED_ROWS: Final = pa.DataFrameSchema(
    {"row_number": pa.Column(ROW_NUMBER, unique=True), "repaired": pa.Column(pl.UInt64)}, strict=False
)
BLANK_ROWS: Final = pa.DataFrameSchema({"row_number": pa.Column(ROW_NUMBER, unique=True)}, strict=True)

#    A repair, listed when asked for: the value as read and the value as stored.
REPAIRS: Final = pa.DataFrameSchema(
    {
        "row_number": pa.Column(ROW_NUMBER),
        "column": pa.Column(pl.String),  # the heading in the file
        "field": pa.Column(pl.String),
        "before": pa.Column(pl.String),
        "after": pa.Column(pl.String, nullable=True),
        "why": pa.Column(pl.String),
    },
    strict=True,
)

# 3. validate → rejections (also made by reading and matching). `severity` is "error" (the row is rejected), "noted"
#    (the cell is taken out and written to the notes) or "warning". `value` is masked where the field is sensitive.
REJECTIONS: Final = pa.DataFrameSchema(
    {
        "row_number": pa.Column(ROW_NUMBER),
        "line_number": pa.Column(ROW_NUMBER, nullable=True),
        "column": pa.Column(pl.String, nullable=True),  # the heading in the file
        "field": pa.Column(pl.String, nullable=True),
        "value": pa.Column(pl.String, nullable=True),
        "code": pa.Column(pl.String),
        "message": pa.Column(pl.String),
        "fix": pa.Column(pl.String),
        "severity": pa.Column(pl.String, pa.Check.isin(["error", "noted", "warning"])),
    },
    strict=True,
)

# 4. match → outcomes, one line for every physical row of the file, and the changeset (see store.py for its tables).
OUTCOME_ROWS: Final = pa.DataFrameSchema(
    {
        "row_number": pa.Column(ROW_NUMBER, unique=True),
        "outcome": pa.Column(pl.String, pa.Check.isin(OUTCOMES)),
        "contact_id": pa.Column(CONTACT_ID, nullable=True),
        "account_id": pa.Column(CONTACT_ID, nullable=True),
        "duplicate_of_row": pa.Column(ROW_NUMBER, nullable=True),
        "duplicate_of_contact": pa.Column(CONTACT_ID, nullable=True),
        "reason": pa.Column(pl.String, nullable=True),
    },
    strict=True,
)


def raw_rows(columns: Iterable[str]) -> pa.DataFrameSchema:
    """The raw rows of a file with these columns."""
    cells = {name: pa.Column(pl.String, nullable=True) for name in columns}
    return pa.DataFrameSchema({**RAW_ROWS.columns, **cells}, name="raw_rows", strict=True)


def empty(schema: pa.DataFrameSchema) -> pl.DataFrame:
    """A frame of that schema without rows."""
    return pl.DataFrame(schema={name: column.dtype.type for name, column in schema.columns.items()})
