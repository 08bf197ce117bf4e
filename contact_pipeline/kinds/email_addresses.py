"""Tests e-mail addresses by RFC 5321 and 5322 as people use them, without quotes and comments.

One regular expression settles ASCII addresses of usual length; what it leaves open, email-validator decides.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds.distinct import fill_where, map_distinct

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_LAST_LABEL: Final = "(?:[A-Za-z0-9][A-Za-z0-9-]*)?[A-Za-z]"
_ADDRESS: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LAST_LABEL}$"
_PLAIN_LABEL: Final = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_PLAIN: Final = (  # no `--`, and not under a name of special use
    rf"^[A-Za-z0-9_+]+(?:[.\-][A-Za-z0-9_+]+)*@(?:{_PLAIN_LABEL}\.)+(?:com|net|org|edu|gov|info|biz|[a-z][a-z])$"
)
_OPEN: Final = "--"  # as in labels such as xn--…, which only IDNA can judge (RFC 5890, 2.3.1)
NO_MAIL: Final = ("arpa", "invalid", "local", "localhost", "onion", "test")  # RFC 6761, 6762, 7686, as the library
_SPECIAL_USE: Final = rf"(?i)[@.](?:{'|'.join(NO_MAIL)})$"
_SHORT: Final = 64  # no part of a shorter address can be over its limit (RFC 5321, 4.5.3.1)


def is_plain(text: pl.Expr) -> pl.Expr:
    """Whether one pattern, which most addresses fit, shows a text to be an address; false decides nothing."""
    return (text.str.len_bytes() <= _SHORT) & text.str.contains(_PLAIN)


def are_addresses(values: pl.Series) -> pl.Series:
    """Whether each text is an address that somebody can have; null stays null."""
    certain = _are_certain(values)
    return fill_where(certain, ~certain, values, _are_accepted)


def left_open(values: pl.Series) -> pl.Series:
    """The distinct values that regular expressions cannot decide; the library decides them."""
    rest = values.filter(~_are_certain(values))
    return rest.filter(_are_open(rest)).unique()


def _are_certain(values: pl.Series) -> pl.Series:
    """Whether each text is an address beyond doubt."""
    is_short = values.str.len_bytes() <= _SHORT
    doubtful = values.str.contains(_SPECIAL_USE) | values.str.contains(_OPEN, literal=True)
    return is_short & values.str.contains(_ADDRESS) & ~doubtful


def _are_open(values: pl.Series) -> pl.Series:
    foreign = values.str.len_bytes() != values.str.len_chars()
    is_open = foreign | (values.str.len_bytes() > _SHORT) | values.str.contains(_OPEN, literal=True)
    return is_open & values.str.contains("@", literal=True)


def _are_accepted(values: pl.Series) -> pl.Series:
    """Whether each doubtful text is an address after all."""
    is_open = _are_open(values)
    wrong = pl.Series([False]).new_from_index(0, values.len())
    return fill_where(wrong, is_open, values, lambda some: map_distinct(some, _verdicts))


def _verdicts(values: pl.Series) -> pl.Series:
    return pl.Series([verdict(text) is not None for text in values], dtype=pl.Boolean)


def verdict(text: str) -> str | None:
    """The library's reading of one address, its domain in lower case and ASCII, or None where it is none."""
    from email_validator import EmailNotValidError, validate_email  # few files need it

    try:
        found = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return None
    return f"{found.local_part}@{found.ascii_domain}"
