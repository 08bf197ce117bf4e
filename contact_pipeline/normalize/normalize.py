"""Stage 2: raw rows → normalized rows. One canonical form for every value; what changes its meaning is a repair.

Which columns there are and what they hold is the profile's to say; how a family of values is written is in the
module of that family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from contact_pipeline.contracts import BLANK_ROWS, REPAIRS, empty
from contact_pipeline.normalize import choice, date, email, identifiers, phone, text
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.reference import Reference

UNREAD = "unread_"  # before a boolean field's name: the text that is neither yes nor no

_Values = Callable[[pl.Expr, Column, Profile, Reference], pl.Expr]
_VALUES: Mapping[str, _Values] = {
    "text": lambda given, *_: given,
    "name": lambda given, *_: given,
    "email": lambda given, *_: email.normalized(given),
    "phone": lambda given, _column, profile, _reference: phone.normalized(given, profile.region),
    "date": lambda given, column, *_: date.normalized(given, column.formats),
    "ssn": lambda given, *_: identifiers.ssn(given),
    "zip_code": lambda given, *_: identifiers.zip_code(given),
    "identifier": lambda given, column, *_: identifiers.identifier(given, _kinds(column)),
    "choice": lambda given, column, _profile, reference: choice.choice(given, reference.registered(column)),
    "list": lambda given, column, _profile, reference: choice.listed(
        given, column.separator, reference.registered(column)
    ),
    "login": lambda given, column, _profile, reference: choice.login(given, reference.registered(column)),
    "boolean": lambda given, *_: choice.boolean(given),
}  # fmt: skip


def normalize(
    raw: pl.DataFrame,
    fields: Mapping[str, str],
    profile: Profile,
    reference: Reference,
    headings: Mapping[str, str] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The normalized rows of a slice, and the rows that are blank.

    Args:
        raw: contracts.RAW_ROWS.
        fields: raw column → field, for the mapped columns.
        profile: what the columns hold.
        reference: known logins and registered values.
        headings: raw column → heading in the file, where the two differ.

    Returns:
        contracts.NORMALIZED_ROWS, with the columns row_number, repaired, the mapped fields in the profile's order
        (and a full name that first and last name make), and `unread_<field>` for each boolean field; and
        contracts.BLANK_ROWS.
    """
    cells = [name for name in raw.columns if name not in {"row_number", "line_number"}]
    tidy = raw.select("row_number", *(text.tidied(pl.col(name)).alias(name) for name in cells))
    blank = _is_blank(tidy, cells, headings or {})
    if blank.any():
        tidy, blank_rows = tidy.filter(~blank), tidy.filter(blank).select("row_number")
    else:
        blank_rows = empty(BLANK_ROWS)
    columns = dict(_mapped(fields, profile))
    values = tidy.select(
        "row_number",
        *(_value(name, column, profile, reference).alias(column.field) for name, column in columns.items()),
        *(
            _unread(name).alias(f"{UNREAD}{column.field}")
            for name, column in columns.items()
            if column.type == "boolean"
        ),
    )
    repaired = _repaired(tidy, values, columns)
    return _in_order(values.with_columns(repaired=repaired), profile), blank_rows


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
            column=pl.lit((headings or {}).get(name, name)),
            field=pl.lit(column.field),
            before=f"raw {name}",
            after=pl.col(column.field).cast(pl.String),
            why=_why(text.tidied(pl.col(f"raw {name}")), column),
        )
        for place, (name, column) in enumerate(_mapped(fields, profile))
        if column.type in _REPAIRABLE
    ]
    return pl.concat([empty(REPAIRS), *listed]).sort("row_number", maintain_order=True)


_REPAIRABLE = frozenset({"date", "ssn", "zip_code", "phone"})


def _mapped(fields: Mapping[str, str], profile: Profile) -> Iterator[tuple[str, Column]]:
    """Raw column and column of the profile, in the profile's order."""
    raw_of = {field: name for name, field in fields.items()}
    return ((raw_of[column.field], column) for column in profile.columns if column.field in raw_of)


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


def _value(name: str, column: Column, profile: Profile, reference: Reference) -> pl.Expr:
    given = pl.col(name)
    value = _VALUES[column.type](given, column, profile, reference)
    if column.nothing and column.type not in {"list", "boolean"}:
        return choice.emptied(given, column.nothing, value)
    return value


def _kinds(column: Column) -> set[str]:
    return {*column.identifiers, *(kind for kinds in column.identifiers_by.values() for kind in kinds)}


def _unread(name: str) -> pl.Expr:
    return pl.when(choice.boolean(pl.col(name)).is_null()).then(pl.col(name))


def _repaired(tidy: pl.DataFrame, values: pl.DataFrame, columns: Mapping[str, Column]) -> pl.Series:
    """The bitmap: bit i for the i-th mapped column, in the profile's order."""
    both = tidy.select(pl.col(name).alias(f"given {column.field}") for name, column in columns.items())
    bits = [pl.lit(0, pl.UInt64)]
    for place, column in enumerate(columns.values()):
        if column.type in _REPAIRABLE:
            changed = _is_repaired(pl.col(f"given {column.field}"), pl.col(column.field), column)
            bits.append(pl.when(changed).then(pl.lit(1 << place, pl.UInt64)).otherwise(pl.lit(0, pl.UInt64)))
    frame = pl.concat([both, values.drop("row_number")], how="horizontal")
    total = frame.select(repaired=pl.sum_horizontal(bits)).to_series()
    return total if total.len() == values.height else total.new_from_index(0, values.height)


def _is_repaired(before: pl.Expr, after: pl.Expr, column: Column) -> pl.Expr:
    match column.type:
        case "date":
            return date.repaired(before, after)
        case "ssn":
            return identifiers.ssn_repaired(before)
        case "zip_code":
            return identifiers.zip_code_repaired(before)
        case _:
            return phone.repaired(before, after)


def _why(before: pl.Expr, column: Column) -> pl.Expr:
    match column.type:
        case "date":
            return pl.format("read as {}", date.format_read(before, column.formats))
        case "phone":
            return pl.lit("letters left out, or read as digits")
        case _:
            return pl.lit("leading zeros restored")


def _in_order(values: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The columns as the contract orders them, the full name made up where none is given."""
    parts = [pl.col(part) for part in ("first_name", "last_name") if part in values.columns]
    if parts and any(column.field == "full_name" for column in profile.columns):
        made = text.full_name(*parts) if len(parts) == 2 else parts[0]
        given = [pl.col("full_name")] if "full_name" in values.columns else []
        values = values.with_columns(full_name=pl.coalesce([*given, made]))
    there = set(values.columns)
    in_profile = [column.field for column in profile.columns if column.field in there]
    return values.select(
        "row_number", "repaired", *in_profile, *(name for name in values.columns if name.startswith(UNREAD))
    )
