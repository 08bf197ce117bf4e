"""Whether text is an e-mail address: one regular expression for ASCII, email-validator for the distinct rest."""

from __future__ import annotations

from typing import Final

import polars as pl
from email_validator import EmailNotValidError, validate_email

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])$"
_SHORT: Final = 64  # no part of a shorter address can be over its limit (RFC 5321, 4.5.3.1)


def is_address(text: pl.Expr) -> pl.Expr:
    """Whether the text is an address as people use them (RFC 5321 and 5322, without quotes and comments)."""
    return text.map_batches(_are_addresses, return_dtype=pl.Boolean)


def left_open(values: pl.Series) -> pl.Series:
    """The distinct values that the regular expression cannot decide, which are those the library is asked about."""
    plain = values.str.contains(_ADDRESS)
    foreign = ~plain & (values.str.len_bytes() != values.str.len_chars())
    return values.filter(foreign | (values.str.len_bytes() > _SHORT)).unique()


def _are_addresses(values: pl.Series) -> pl.Series:
    asked = left_open(values)
    plain = values.str.contains(_ADDRESS)
    if asked.is_empty():
        return plain
    accepted = asked.filter(pl.Series([_is_accepted(text) for text in asked], dtype=pl.Boolean))
    return (plain & ~values.is_in(asked.implode())) | values.is_in(accepted.implode())


def _is_accepted(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return False
    return True
