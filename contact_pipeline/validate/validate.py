"""Stage 3: normalized rows → rejections. Runs the profile's schema and lists every failure by row and column.

The profile's `on_error` decides: under `note` a bad cell is taken out and written to the notes, and the rest of the row
is judged; otherwise the row is rejected (and the upload may be blocked). A wish not to be contacted that cannot be
understood always rejects its row: without the wish, the contact would be contacted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from contact_pipeline.codes import CODES
from contact_pipeline.contracts.frames import REJECTIONS, empty, filled
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.masking import mask_column
from contact_pipeline.profiles import Column, Profile, looks_in
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import COLUMN_OF, CONSENT, ERROR, FURTHER, UNREAD
from contact_pipeline.validate.schema import in_doubt, schema_for
from contact_pipeline.validate.wording import quoted, worded

_NAMES_COLUMNS = frozenset({"differs-from", "required-together", "end-before-start"})


@dataclass(frozen=True, slots=True)
class Failure:
    """The rows of a frame that fail one check.

    Attributes:
        code: name of the check.
        field: field in error; None: the row as a whole.
        expected: what would be right, in words.
        rows: True at each row that fails.
    """

    code: str
    field: str | None
    expected: str
    rows: pl.Series


def validate(
    normalized: pl.DataFrame,
    profile: Profile,
    reference: Reference,
    headings: Mapping[str, str],
    cell_errors: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every defect of some rows, at most one for each cell, by row and in the profile's order of columns.

    Args:
        normalized: contracts.NORMALIZED_ROWS.
        profile: the columns and the rules.
        reference: known logins and registered values.
        headings: field → heading in the file.
        cell_errors: contracts.CELL_ERRORS of the whole file.

    Returns:
        contracts.REJECTIONS, without line numbers.
    """
    doubtful = find_doubtful(normalized, profile, reference, cell_errors)
    return reject(doubtful, profile, reference, headings, cell_errors)


def find_doubtful(
    normalized: pl.DataFrame, profile: Profile, reference: Reference, cell_errors: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The rows of a slice that have a defect, for `reject` to name; the arguments are those of `validate`."""
    normalized = _with_deciding(normalized, profile)
    # A count shows quickly whether a row number repeats. If not, Pandera tests an empty frame: the types alone.
    repeats = normalized["row_number"].n_unique() < normalized.height
    contract = schema_for(profile, reference, cells=False, rows=False)
    contract.validate(normalized if repeats else normalized.clear(), lazy=True)
    return normalized.filter(in_doubt(normalized, profile, reference) | _is_among(cell_errors))


def reject(
    doubtful: pl.DataFrame,
    profile: Profile,
    reference: Reference,
    headings: Mapping[str, str],
    cell_errors: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every defect of the rows that `find_doubtful` found, in words; arguments and result are those of `validate`."""
    if doubtful.is_empty():
        return empty(REJECTIONS)
    wording = _Wording(profile, reference, headings)
    rows, errors = _with_errors(doubtful, profile, cell_errors)
    if profile.on_error != "note":
        failures = errors + failures_of(rows, schema_for(profile, reference))
        return _in_order([wording.reject(rows, failure, "error") for failure in failures])
    cells = errors + failures_of(rows, schema_for(profile, reference, rows=False))
    left = taken_out(rows, cells)
    whole = failures_of(left, schema_for(profile, reference, cells=False))
    noted = [wording.reject(rows, failure, "error" if failure.field == CONSENT else "noted") for failure in cells]
    return _in_order([*noted, *(wording.reject(left, failure, "error") for failure in whole)])


def failures_of(normalized: pl.DataFrame, schema: pa.DataFrameSchema) -> list[Failure]:
    """The failures of every check, in the schema's order.

    Raises:
        SchemaErrors: the frame itself is not what the contract says (the type of a column, a row_number twice).
    """
    try:
        schema.validate(normalized, lazy=True)
    except SchemaErrors as found:
        if any(not _is_of_data(error) for error in found.schema_errors):
            raise
        return [_failure(error) for error in found.schema_errors]
    return []


def taken_out(normalized: pl.DataFrame, failures: Sequence[Failure]) -> pl.DataFrame:
    """The frame with every failing cell made blank."""
    failing: dict[str, list[pl.Series]] = {}
    for failure in failures:
        is_error = CODES[failure.code].severity == "error"
        if is_error and failure.field is not None and failure.field in normalized.columns:
            failing.setdefault(failure.field, []).append(failure.rows)
    return normalized.with_columns(
        pl.when(~reduce(or_, rows)).then(pl.col(field)).alias(field) for field, rows in failing.items()
    )


def _with_deciding(normalized: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The frame with the columns that rules of other columns need, blank where the file lacks them."""
    deciding = {"country", *(column.identifiers_column for column in profile.columns)} & set(profile.column_of)
    missing = deciding - set(normalized.columns)
    return normalized.with_columns(pl.lit(None, pl.String).alias(str(field)) for field in sorted(map(str, missing)))


def _is_among(cell_errors: pl.DataFrame | None) -> pl.Expr:
    if cell_errors is None or cell_errors.is_empty():
        return pl.lit(False)
    return pl.col("row_number").is_in(cell_errors["row_number"].unique().implode())


def _with_errors(
    normalized: pl.DataFrame, profile: Profile, cell_errors: pl.DataFrame | None
) -> tuple[pl.DataFrame, list[Failure]]:
    """The frame with the errors of the file's cells beside their fields, and a failure for each kind of error."""
    if cell_errors is None or cell_errors.is_empty():
        return normalized, []
    parts = cell_errors.drop_nulls("field").partition_by("field", as_dict=True)
    failures = []
    for field in (column.field for column in profile.columns if (column.field,) in parts):
        texts = parts[field,].select("row_number", pl.col("text").alias(f"{ERROR}{field}"))
        texts = texts.unique("row_number", keep="first", maintain_order=True)
        normalized = normalized.join(texts, on="row_number", how="left", maintain_order="left")
        rows = normalized[f"{ERROR}{field}"].is_not_null()
        if f"{COLUMN_OF}{field}" in normalized.columns:  # then another column may have filled the field
            rows &= normalized[field].is_null()
        is_formula = normalized[f"{ERROR}{field}"].str.starts_with("=").fill_null(False)
        for code, failing in (("excel-error", rows & ~is_formula), ("formula-not-calculated", rows & is_formula)):
            if failing.any():
                failures.append(Failure(code, field, "", failing))
    return normalized, failures


def _is_of_data(error: SchemaError) -> bool:
    return isinstance(error.check, pa.Check) and error.reason_code is SchemaErrorReason.DATAFRAME_CHECK


def _failure(error: SchemaError) -> Failure:
    check, passed = error.check, error.check_output
    name = error.schema.name if isinstance(error.schema, pa.Column) else None
    field = None if name is None else name.removeprefix(UNREAD).removeprefix(FURTHER)
    return Failure(str(check.name), field, check.description or "", ~passed.to_series())


class _Wording:
    """Words failures as rejections, with the texts of the catalogue and the headings of the file."""

    def __init__(self, profile: Profile, reference: Reference, headings: Mapping[str, str]) -> None:
        self._profile = profile
        self._columns = profile.column_of
        self._order = {field: place for place, field in enumerate(self._columns)}
        self._reference = reference
        self._headings = {field: column.heading for field, column in self._columns.items()} | dict(headings)

    def reject(self, rows: pl.DataFrame, failure: Failure, severity: str) -> pl.DataFrame:
        """The rejections of one failure, with the column's place for sorting."""
        field, code = failure.field, CODES[failure.code]
        column = self._columns[field] if field else None
        heading = self._heading(column, rows.columns)
        failing = rows.filter(failure.rows).select("row_number", heading=heading, **self._cell(column, failure.code))
        words = {
            "column": pl.col("heading").fill_null("The row"),
            "value": quoted(pl.col("named")),
            "expected": self._expected(failing["named"], failure, column),
        }
        return failing.select(
            *filled(
                REJECTIONS,
                row_number=pl.col("row_number"),
                column=pl.col("heading"),
                field=pl.lit(field),
                value=pl.col("value"),
                code=pl.lit(failure.code),
                message=worded(code.message, words),
                fix=worded(code.fix, words),
                severity=pl.lit("warning" if code.severity == "warning" else severity),
            ),
            place=pl.lit(self._order[field] if field else len(self._order), pl.UInt32),
        )

    def _heading(self, column: Column | None, there: Collection[str]) -> pl.Expr:
        """The heading of the cell in error: of several columns of a field, the one that the row's value comes from."""
        if column is None:
            return pl.lit(None, pl.String)
        first = pl.lit(self._headings[column.field])
        name = f"{COLUMN_OF}{column.field}"
        return pl.coalesce(name, first) if name in there else first

    def _cell(self, column: Column | None, code: str) -> dict[str, pl.Expr]:
        """The cell as text, and the part that a message names (of a list, unregistered values only); both masked."""
        if column is None:
            return {"value": pl.lit(None, pl.String), "named": pl.lit(None, pl.String)}
        cell = pl.col(column.field)
        if code == "formula-not-calculated" and column.sensitive:  # a formula can contain values
            return {"value": pl.lit(None, pl.String), "named": pl.lit(None, pl.String)}
        if code in {"excel-error", "formula-not-calculated"}:  # no value, so nothing to hide
            return dict.fromkeys(("value", "named"), pl.col(f"{ERROR}{column.field}"))
        if code in {"email-several", "several-values"}:
            value = named = pl.col(f"{FURTHER}{column.field}")
        else:
            value, named = KINDS[column.type].quoted(cell, column, code, self._reference)
        looks = looks_in(self._profile, column.field, is_rejected=True)
        return {"value": mask_column(value, looks), "named": mask_column(named, looks)}

    def _expected(self, named: pl.Series, failure: Failure, column: Column | None) -> pl.Expr:
        if failure.code in _NAMES_COLUMNS:
            return pl.lit(" and ".join(self._headings.get(name, name) for name in failure.expected.split(",")))
        if column is None:
            return pl.lit(failure.expected)
        expected = KINDS[column.type].expected(failure.code, named, column, self._reference)
        return pl.lit(failure.expected) if expected is None else expected


def _in_order(found: list[pl.DataFrame]) -> pl.DataFrame:
    """By row and column; of several defects of a cell only the first of each severity, but every warning."""
    if not found:
        return empty(REJECTIONS)
    rejections = pl.concat(found)
    warning = pl.when(pl.col("severity") == "warning").then("code")
    cell = pl.struct("row_number", pl.coalesce("field", "code"), "severity", warning.alias("warning"))
    first = rejections.filter(cell.is_first_distinct())
    return first.sort("row_number", "place", maintain_order=True).drop("place")
