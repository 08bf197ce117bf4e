"""Stage 2: raw rows → normalized rows. One canonical form for every value; what changes its meaning is a repair.

Which columns there are and what they hold is the profile's to say; how a family of values is written is in the
module of that family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from contact_pipeline.contracts import BLANK_ROWS, CELL_ERRORS, REPAIRS, empty
from contact_pipeline.normalize import choice, country, date, email, identifiers, name, phone, postal_code, text
from contact_pipeline.normalize.repairs import is_repaired, why
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import FURTHER, UNREAD


@dataclass(frozen=True, slots=True)
class _Around:
    """What the form of a value may depend on besides itself: the profile, what is registered, the row's country."""

    profile: Profile
    reference: Reference
    country: pl.Expr | None  # two letters; None where no column of the file says it


_Values = Callable[[pl.Expr, Column, _Around], pl.Expr]
_VALUES: Mapping[str, _Values] = {
    "text": lambda given, *_: given,
    "name": lambda given, column, _: name.normalized(given, title_case=column.title_case),
    "email": lambda given, *_: email.normalized(given),
    "phone": lambda given, _, around: phone.normalized(given, around.profile.region, around.country),
    "date": lambda given, column, _: date.normalized(given, column.formats, column.pivot),
    "ssn": lambda given, *_: identifiers.ssn(given),
    "zip_code": lambda given, _, around: postal_code.normalized(given, around.profile.region, around.country),
    "country": lambda given, *_: country.normalized(given),
    "identifier": lambda given, column, _: identifiers.identifier(given, _kinds(column)),
    "choice": lambda given, column, around: choice.choice(given, around.reference.registered(column)),
    "list": lambda given, column, around: choice.listed(given, column.separator, around.reference.registered(column)),
    "login": lambda given, column, around: choice.login(given, around.reference.registered(column)),
    "boolean": lambda given, *_: choice.boolean(given),
}


def normalize(
    raw: pl.DataFrame,
    fields: Mapping[str, str],
    profile: Profile,
    reference: Reference,
    headings: Mapping[str, str] | None = None,
    cell_errors: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The normalized rows of a slice, and the rows that are blank.

    Args:
        raw: contracts.RAW_ROWS.
        fields: raw column → field, for the mapped columns.
        profile: what the columns hold.
        reference: known logins and registered values.
        headings: raw column → heading in the file, where the two differ.
        cell_errors: contracts.CELL_ERRORS of the whole file; a mapped cell with one has no value, but its row is no
            blank row.

    Returns:
        contracts.NORMALIZED_ROWS, with the columns row_number, repaired, the mapped fields in the profile's order
        (and the names that others make), `unread_<field>` for each boolean field and `further_<field>` for each
        e-mail field; and contracts.BLANK_ROWS.
    """
    columns = dict(_mapped(fields, profile))
    cells = [heading for heading in raw.columns if heading not in {"row_number", "line_number"}]
    errors = _errors_in(raw, fields, cell_errors)
    raw = _without(raw, errors)
    given = raw.select("row_number", *(text.tidied(pl.col(heading)).alias(heading) for heading in cells))
    tidy = given.with_columns(
        text.blanked(pl.col(heading), profile.blanks_in(columns.get(heading))) for heading in cells
    )
    blank = _is_blank(tidy, cells, headings or {}) & ~tidy["row_number"].is_in(errors["row_number"].implode())
    if blank.any():
        blank_rows = tidy.filter(blank).select("row_number")
        given, tidy = given.filter(~blank), tidy.filter(~blank)
    else:
        blank_rows = empty(BLANK_ROWS)
    around = _Around(profile, reference, _country(columns))
    values = tidy.select(
        "row_number",
        *(_value(heading, column, around).alias(column.field) for heading, column in columns.items()),
        *(beside for heading, column in columns.items() for beside in _beside(heading, column)),
    )
    repaired = _repaired(given, values, columns)
    return _in_order(values.with_columns(repaired), profile), blank_rows


def repairs_of(
    raw: pl.DataFrame,
    normalized: pl.DataFrame,
    fields: Mapping[str, str],
    profile: Profile,
    reference: Reference,  # noqa: ARG001 - a repair may come to depend on it; the stages share one signature
    headings: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """The repairs of a slice, by row and in the profile's order of columns: contracts.REPAIRS.

    Args:
        raw: the raw rows from which `normalized` was made.
        normalized: the normalized rows; only those whose `repaired` is not zero are looked at.
        fields: raw column → field.
        profile: what the columns hold.
        reference: known logins and registered values.
        headings: raw column → heading in the file, where the two differ.
    """
    rows = normalized.filter(pl.col("repaired") != 0)
    rows = rows.join(raw.select("row_number", *(pl.col(name).alias(f"raw {name}") for name in fields)), on="row_number")
    listed = [
        rows.filter((pl.col("repaired") & (1 << place)) != 0).select(
            "row_number",
            column=pl.lit((headings or {}).get(heading, heading)),
            field=pl.lit(column.field),
            before=f"raw {heading}",
            after=_as_text(column),
            why=why(text.tidied(pl.col(f"raw {heading}")), pl.col(column.field), column),
        )
        for place, (heading, column) in enumerate(_mapped(fields, profile))
    ]
    return pl.concat([empty(REPAIRS), *listed]).sort("row_number", maintain_order=True)


def _mapped(fields: Mapping[str, str], profile: Profile) -> Iterator[tuple[str, Column]]:
    """Raw column and column of the profile, in the profile's order."""
    raw_of = {field: heading for heading, field in fields.items()}
    return ((raw_of[column.field], column) for column in profile.columns if column.field in raw_of)


def _errors_in(raw: pl.DataFrame, fields: Mapping[str, str], cell_errors: pl.DataFrame | None) -> pl.DataFrame:
    """The errors in mapped cells of a slice."""
    if cell_errors is None or cell_errors.is_empty():
        return empty(CELL_ERRORS)
    mapped = cell_errors.filter(pl.col("column").is_in(list(fields)))
    return mapped.join(raw.select("row_number"), on="row_number", how="semi")


def _without(raw: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """The rows with those cells blank."""
    return raw.with_columns(
        pl.when(~pl.col("row_number").is_in(part["row_number"].implode())).then(pl.col(str(column))).alias(str(column))
        for (column,), part in errors.partition_by("column", as_dict=True).items()
    )


def _is_blank(tidy: pl.DataFrame, cells: list[str], headings: Mapping[str, str]) -> pl.Series:
    """Rows in which every cell is blank, or every cell repeats its heading."""
    if not cells:
        return pl.Series([True], dtype=pl.Boolean).new_from_index(0, tidy.height)
    repeats = [pl.col(name).fill_null("") == " ".join(headings.get(name, name).split()) for name in cells]
    blank = tidy.select(pl.all_horizontal(pl.col(cells).is_null())).to_series()
    # Few rows begin like the heading, so only these are compared cell by cell.
    if tidy.select(repeats[0]).to_series().any():
        blank = blank | tidy.select(pl.all_horizontal(repeats)).to_series()
    return blank


def _country(columns: Mapping[str, Column]) -> pl.Expr | None:
    found = [heading for heading, column in columns.items() if column.field == "country" and column.type == "country"]
    return country.normalized(pl.col(found[0])) if found else None


def _value(heading: str, column: Column, around: _Around) -> pl.Expr:
    given = pl.col(heading)
    value = _VALUES[column.type](given, column, around)
    if column.nothing and column.type not in {"list", "boolean"}:
        return choice.emptied(given, column.nothing, value)
    return value


def _beside(heading: str, column: Column) -> Iterator[pl.Expr]:
    """What is kept beside a value: text that could not be read, and addresses after the first."""
    if column.type == "boolean":
        unread = pl.when(choice.boolean(pl.col(heading)).is_null()).then(pl.col(heading))
        yield unread.alias(f"{UNREAD}{column.field}")
    elif column.type == "email":
        yield email.further(pl.col(heading)).alias(f"{FURTHER}{column.field}")


def _kinds(column: Column) -> set[str]:
    return {*column.identifiers, *(kind for kinds in column.identifiers_by.values() for kind in kinds)}


def _as_text(column: Column) -> pl.Expr:
    value = pl.col(column.field)
    return value.list.join(f"{column.separator} ") if column.type == "list" else value.cast(pl.String)


def _repaired(given: pl.DataFrame, values: pl.DataFrame, columns: Mapping[str, Column]) -> pl.Series:
    """The bitmap: bit i for the i-th mapped column, in the profile's order."""
    bits = pl.Series("repaired", [0], dtype=pl.UInt64).new_from_index(0, values.height)
    for place, (heading, column) in enumerate(columns.items()):
        before, after = given[heading], values[column.field]
        changed = is_repaired(before, after, column)
        if changed.any():
            bits = bits | pl.select(pl.when(changed).then(pl.lit(1 << place, pl.UInt64)).otherwise(0)).to_series()
    return bits.alias("repaired")


def _in_order(values: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The columns as the contract orders them, with the names that others make."""
    values = name.completed(values, profile)
    there = set(values.columns)
    in_profile = [column.field for column in profile.columns if column.field in there]
    return values.select(
        "row_number", "repaired", *in_profile, *(each for each in values.columns if each.startswith((UNREAD, FURTHER)))
    )
