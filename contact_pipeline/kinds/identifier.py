"""Numbers that identify: SSN, CNPJ, CPF and medical council registrations, each in one form.

Only the form is made here; whether check digits and numbers are right is for validation to say. Zeros that a
spreadsheet took from the front of a CNPJ or CPF are put back where the check digits then are right.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from contact_pipeline.kinds.distinct import change_where, fill_where
from contact_pipeline.kinds.identifier_brazil import STATES, has_check_digits

_SSN_WHOLE = "^(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{9})$"
_SSN_UNDASHED = r"^(?:[0-9]{7,9}|[0-9]{3} [0-9]{2} [0-9]{4})$"
_BETWEEN = r"[ /:.\-]*"
_NUMBER = r"(?:N[ºO°]?\.? *)?([0-9]{1,3}(?:\.[0-9]{3}){1,3}|[0-9]{1,10})"
_CRM_STATE_FIRST = f"^(?:CRM)?{_BETWEEN}({STATES}){_BETWEEN}{_NUMBER}$"
_CRM_NUMBER_FIRST = f"^(?:CRM)?{_BETWEEN}{_NUMBER}{_BETWEEN}({STATES})$"


def ssn(text: pl.Expr) -> pl.Expr:
    """A US social security number as 123-45-6789; seven or eight bare digits have lost their leading zeros."""
    return text.map_batches(_ssn, return_dtype=pl.String)


def ssn_at_a_glance(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The same of tidy texts with all nine digits, and which they are."""
    whole = texts.str.contains(_SSN_WHOLE)
    return change_where(texts.clone(), whole & (texts.str.len_bytes() == 9), _dashed), whole


def ssn_repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether leading zeros were restored."""
    return (before != after) & before.str.len_bytes().is_between(7, 8)


def identifier(text: pl.Expr, kinds: Collection[str]) -> pl.Expr:
    """The canonical form of the first kind whose shape the text has, else the text as given."""
    forms = {"cnpj": _cnpj, "cpf": _cpf, "crm": _crm}
    return pl.coalesce([*(forms[kind](text) for kind in ("crm", "cnpj", "cpf") if kind in kinds), text])


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether leading zeros were restored, or left out."""
    return (before != after) & ((_digits(before) != _digits(after)).fill_null(False))


def why(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Which of the two."""
    restored = _digits(after).str.len_bytes() > _digits(before).str.len_bytes()
    return pl.when(restored).then(pl.lit("leading zeros restored")).otherwise(pl.lit("leading zeros left out"))


def _digits(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all("[^0-9]", "")


def _ssn(values: pl.Series) -> pl.Series:
    return change_where(values, values.str.contains(_SSN_UNDASHED), _filled)


def _filled(values: pl.Series) -> pl.Series:
    return _dashed(values.str.replace_all(" ", "", literal=True).str.zfill(9))


def _dashed(nine: pl.Series) -> pl.Series:
    digits = pl.col("digits")
    parts = [digits.str.slice(0, 3), digits.str.slice(3, 2), digits.str.slice(5)]
    return nine.to_frame("digits").select(pl.concat_str(parts, separator="-")).to_series()


def _cnpj(text: pl.Expr) -> pl.Expr:
    """Receita Federal's company number: 14 characters, letters among the first twelve from 2026 on."""
    bare = text.str.replace_all(r"[ ./\-]", "").str.to_uppercase()
    whole = pl.when(bare.str.contains("^[0-9A-Z]{12}[0-9]{2}$")).then(bare)
    return pl.coalesce(whole, _restored(text, "^[0-9]{12,13}$", 14, "cnpj"))


def _cpf(text: pl.Expr) -> pl.Expr:
    """Receita Federal's number of a person: 11 digits."""
    bare = text.str.replace_all(r"[ ./\-]", "")
    whole = pl.when(bare.str.contains("^[0-9]{11}$")).then(bare)
    return pl.coalesce(whole, _restored(text, "^[0-9]{9,10}$", 11, "cpf"))


def _restored(text: pl.Expr, shape: str, length: int, kind: str) -> pl.Expr:
    """Bare digits with the zeros put back that make it a number with right check digits; null where none do."""

    def restore(values: pl.Series) -> pl.Series:
        filled = values.str.zfill(length)
        right = filled.to_frame("number").select(has_check_digits(pl.col("number"), kind)).to_series()
        return filled.set(~right, None)

    def restore_few(values: pl.Series) -> pl.Series:
        nothing = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
        return fill_where(nothing, values.str.contains(shape), values, restore)

    return text.map_batches(restore_few, return_dtype=pl.String)


def _crm(text: pl.Expr) -> pl.Expr:
    """A medical council registration, number and state: CRM/SP 123456 and the like become 123456-SP."""
    upper = text.str.to_uppercase()
    state_first = upper.str.extract_groups(_CRM_STATE_FIRST)
    number_first = upper.str.extract_groups(_CRM_NUMBER_FIRST)
    number = pl.coalesce(state_first.struct.field("2"), number_first.struct.field("1"))
    state = pl.coalesce(state_first.struct.field("1"), number_first.struct.field("2"))
    return number.str.replace_all(".", "", literal=True).str.replace("^0+([1-9])", "${1}") + "-" + state
