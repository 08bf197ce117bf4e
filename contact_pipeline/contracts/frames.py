"""The frames that pass between the stages, in flow order: Pandera schemas of the staged tables in tables.py.

Every frame is a Polars DataFrame. The columns of the table are always there; frames of an open table have one more
column per heading or field. `row_number` (UInt32) is a record's place as a spreadsheet shows it: a heading on
line 1 makes the first record row 2. `line_number` (UInt32) is the physical line on which the record begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandera.polars as pa
import polars as pl

from contact_pipeline.contracts.tables import REPAIRED, STAGED, Table

POLARS: Final[dict[str, pl.DataType]] = {
    "UINTEGER": pl.UInt32(), "UBIGINT": pl.UInt64(), "BIGINT": pl.Int64(), "VARCHAR": pl.String(),
    "VARCHAR[]": pl.List(pl.String), "BOOLEAN": pl.Boolean(),
}  # fmt: skip

ROW_NUMBER: Final = pl.UInt32


def _frame(table: Table) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                POLARS[column.type],
                pa.Check.isin(column.words) if column.words else None,
                nullable=not column.required,
                unique=table.key == (column.name,),
            )
            for column in table.columns
        },
        strict=not table.open,
    )


_STAGED: Final = {table.name: table for table in STAGED}

# 1. upload → raw rows. Open: one String column per heading, the cell's text exactly as read, null where the cell is
#    empty or missing. Every physical row is here (blank ones with all cells null), except rows that could not be split
#    into the heading's columns: those are rejections.
RAW_ROWS: Final = _frame(_STAGED["raw_rows"])

#    Cells of a workbook without a value: an error such as #N/A, or a formula (after "=") without a result. The raw row
#    holds the same text; only this table tells the error from a text that looks like one.
CELL_ERRORS: Final = _frame(_STAGED["cell_errors"])

# 2. normalize → normalized rows. Open: one column per mapped field (String, List(String) or Boolean by its kind), and
#    beside it the part of the text that it could not hold (UNREAD, FURTHER). validate.schema_for has all, with checks.
#    A value that cannot be normalized stays as it was given, for validation to reject; null is blank (or a cell with an
#    error, which validation rejects by CELL_ERRORS); the empty string is an explicit "nothing" (a word such as "Without
#    Portfolio" was given). `repaired` is a bitmap: bit i is set where the value of the i-th mapped column changed its
#    meaning (not merely its form). Blank rows (all cells blank, or the heading repeated) are not here but in
#    BLANK_ROWS.
NORMALIZED_ROWS: Final = _frame(_STAGED["normalized_rows"])
BLANK_ROWS: Final = _frame(_STAGED["blank_rows"])

#    Texts of corrections, which are read in place of the cells of the raw rows.
CORRECTED_CELLS: Final = _frame(_STAGED["corrected_cells"])

#    A repair, listed when asked for: the value as read and the value as stored.
REPAIRS: Final = _frame(REPAIRED)

# 3. validate → rejections (also made by reading and matching). `value` is masked where the field is sensitive.
REJECTIONS: Final = _frame(_STAGED["rejections"])

# 4. match → outcomes, one line for every physical row of the file, and the changeset (see tables.py).
OUTCOME_ROWS: Final = _frame(_STAGED["outcome_rows"])


def raw_rows(columns: Iterable[str]) -> pa.DataFrameSchema:
    """The raw rows of a file with these columns."""
    cells = {name: pa.Column(pl.String, nullable=True) for name in columns}
    return pa.DataFrameSchema({**RAW_ROWS.columns, **cells}, name="raw_rows", strict=True)


def empty(schema: pa.DataFrameSchema) -> pl.DataFrame:
    """A frame of that schema without rows."""
    return pl.DataFrame(schema={name: column.dtype.type for name, column in schema.columns.items()})


def filled(schema: pa.DataFrameSchema, **given: pl.Expr) -> list[pl.Expr]:
    """The columns of a schema in their order and types, as these expressions have them; the others are null."""
    return [
        given.get(name, pl.lit(None)).cast(column.dtype.type).alias(name) for name, column in schema.columns.items()
    ]
