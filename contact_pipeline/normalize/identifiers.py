"""Numbers that identify: SSN, ZIP code, CNPJ, CPF and medical council registrations, each in one form.

Only the form is made here; whether check digits and numbers are right is for validation to say.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from contact_pipeline.normalize.distinct import change_where

STATES: Final = "AC|AL|AM|AP|BA|CE|DF|ES|GO|MA|MG|MS|MT|PA|PB|PE|PI|PR|RJ|RN|RO|RR|RS|SC|SE|SP|TO"

_SSN_UNDASHED = r"^(?:[0-9]{7,9}|[0-9]{3} [0-9]{2} [0-9]{4})$"
_BETWEEN = r"[ /:.\-]*"
_NUMBER = r"(?:N[ºO°]?\.? *)?([0-9]{1,3}(?:\.[0-9]{3}){1,3}|[0-9]{1,10})"
_CRM_STATE_FIRST = f"^(?:CRM)?{_BETWEEN}({STATES}){_BETWEEN}{_NUMBER}$"
_CRM_NUMBER_FIRST = f"^(?:CRM)?{_BETWEEN}{_NUMBER}{_BETWEEN}({STATES})$"


def ssn(text: pl.Expr) -> pl.Expr:
    """A US social security number as 123-45-6789; seven or eight bare digits have lost their leading zeros."""
    return text.map_batches(_ssn, return_dtype=pl.String)


def ssn_repaired(before: pl.Expr) -> pl.Expr:
    """Whether leading zeros were restored."""
    return before.str.contains("^[0-9]{7,8}$")


def zip_code(text: pl.Expr) -> pl.Expr:
    """A US ZIP code as 02139 or 02139-4307; three or four bare digits have lost their leading zeros."""
    return (
        pl.when(text.str.contains("^[0-9]{3,4}$"))
        .then(text.str.zfill(5))
        .when(text.str.contains("^[0-9]{9}$"))
        .then(text.str.slice(0, 5) + "-" + text.str.slice(5))
        .when(text.str.contains("^[0-9]{5} ?- ?[0-9]{4}$|^[0-9]{5} [0-9]{4}$"))
        .then(text.str.slice(0, 5) + "-" + text.str.tail(4))
        .otherwise(text)
    )


def zip_code_repaired(before: pl.Expr) -> pl.Expr:
    """Whether leading zeros were restored."""
    return before.str.contains("^[0-9]{3,4}$")


def identifier(text: pl.Expr, kinds: Collection[str]) -> pl.Expr:
    """The canonical form of the first kind whose shape the text has, else the text as given."""
    forms = {"cnpj": _cnpj, "cpf": _cpf, "crm": _crm}
    return pl.coalesce([*(forms[kind](text) for kind in ("crm", "cnpj", "cpf") if kind in kinds), text])


def _ssn(values: pl.Series) -> pl.Series:
    return change_where(values, values.str.contains(_SSN_UNDASHED), _dashed)


def _dashed(values: pl.Series) -> pl.Series:
    digits = pl.col("digits")
    parts = [digits.str.slice(0, 3), digits.str.slice(3, 2), digits.str.slice(5)]
    nine = values.str.replace_all(" ", "", literal=True).str.zfill(9)
    return nine.to_frame("digits").select(pl.concat_str(parts, separator="-")).to_series()


def _cnpj(text: pl.Expr) -> pl.Expr:
    """Receita Federal's company number: 14 characters, letters among the first twelve from 2026 on."""
    bare = text.str.replace_all(r"[ ./\-]", "").str.to_uppercase()
    return pl.when(bare.str.contains("^[0-9A-Z]{12}[0-9]{2}$")).then(bare)


def _cpf(text: pl.Expr) -> pl.Expr:
    """Receita Federal's number of a person: 11 digits."""
    bare = text.str.replace_all(r"[ ./\-]", "")
    return pl.when(bare.str.contains("^[0-9]{11}$")).then(bare)


def _crm(text: pl.Expr) -> pl.Expr:
    """A medical council registration, number and state: CRM/SP 123456 and the like become 123456-SP."""
    upper = text.str.to_uppercase()
    state_first = upper.str.extract_groups(_CRM_STATE_FIRST)
    number_first = upper.str.extract_groups(_CRM_NUMBER_FIRST)
    number = pl.coalesce(state_first.struct.field("2"), number_first.struct.field("1"))
    state = pl.coalesce(state_first.struct.field("1"), number_first.struct.field("2"))
    return number.str.replace_all(".", "", literal=True) + "-" + state
