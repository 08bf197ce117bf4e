"""Identifiers of Brazil: which shape a value has, and whether its check digits are right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Final

import polars as pl

KINDS: Final[dict[str, str]] = {
    "crm": "a medical council registration such as 123456-SP",
    "cnpj": "a CNPJ of 14 characters",
    "cpf": "a CPF of 11 digits",
}

STATES: Final = "AC|AL|AM|AP|BA|CE|DF|ES|GO|MA|MG|MS|MT|PA|PB|PE|PI|PR|RJ|RN|RO|RR|RS|SC|SE|SP|TO"

_CRM: Final = f"^[1-9][0-9]{{0,9}}-(?:{STATES})$"
_SHAPES: Final = {"crm": _CRM, "cnpj": "^[0-9A-Z]{12}[0-9]{2}$", "cpf": "^[0-9]{11}$"}
_CNPJ_WEIGHTS: Final = ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
_CPF_WEIGHTS: Final = (tuple(range(10, 1, -1)), tuple(range(11, 1, -1)))
_ONE_DIGIT: Final = f"^(?:{'|'.join(f'{digit}+' for digit in range(10))})$"  # passes the sums, is never issued
_LETTERS_AFTER_DIGITS: Final = 7  # a letter counts as its ASCII code less that of "0": A is 17, not 10


def has_shape(value: pl.Expr, kinds: Sequence[str]) -> pl.Expr:
    """Whether the value has the canonical shape of one of the kinds."""
    return value.str.contains("|".join(_SHAPES[kind] for kind in kinds))


def has_check_digits(value: pl.Expr, kind: str) -> pl.Expr:
    """Whether a CNPJ or CPF of the right shape ends in the right check digits (Receita Federal)."""
    weights = _CNPJ_WEIGHTS if kind == "cnpj" else _CPF_WEIGHTS
    first, second = (_check_digit(value, row) == _character(value, len(row)) for row in weights)
    return first & second & ~value.str.contains(_ONE_DIGIT)


def _check_digit(value: pl.Expr, weights: Sequence[int]) -> pl.Expr:
    total = reduce(add, (_character(value, place) * weight for place, weight in enumerate(weights)))
    remainder = total % 11
    return pl.when(remainder < 2).then(0).otherwise(11 - remainder)


def _character(value: pl.Expr, place: int) -> pl.Expr:
    number = value.str.slice(place, 1).str.to_integer(base=36, strict=False)
    return pl.when(number >= 10).then(number + _LETTERS_AFTER_DIGITS).otherwise(number)
