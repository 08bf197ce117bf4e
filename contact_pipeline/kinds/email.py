"""E-mail addresses: the domain in lower case and ASCII, since DNS knows nothing else; the local part as given.

What stands around an address (`mailto:`, angle brackets, a display name) is taken off, and of several the first is
kept, where that leaves an address (RFC 5321, 2.4; RFC 5322, 3.4; RFC 6068).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds import email_addresses
from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct

_SEVERAL_SIGNS: Final = "@[^@]*@"
_UNUSUAL: Final = r"[^a-z0-9@._+\-]"
PLAIN: Final = r"^[A-Za-z0-9._+\-]+@[a-z0-9._+\-]+$"  # an address, if it is one, in the form that it is given
_AROUND: Final = r'[\s<>,;:"|/?]'
_FOREIGN: Final = r"[^ -~]"

_ADDRESS: Final = r'[^\s<>()\[\],;:"@|/]+@[^\s<>()\[\],;:"@|/?]+'
_NAMED: Final = r'(?:"[^"@<>]*"\s*|[^"@<>]*)<\s*(?:mailto:)?' + _ADDRESS + r"(?:\?[^>]*)?\s*>"
_ITEM: Final = rf"(?:{_NAMED}|(?:mailto:)?{_ADDRESS}(?:\?\S*)?)"
_ONE: Final = rf"(?i)^{_ITEM}[;,]?$"
_SEVERAL: Final = rf"(?i)^{_ITEM}(?:(?:\s*(?:[;,|/]|:::)\s*|\s+(?:(?:and|or|e|ou|y|o|&)\s+)?){_ITEM})+\s*[;,]?$"


def normalized(text: pl.Expr) -> pl.Expr:
    """The address, the first of several; the text as given where it holds none."""
    return text.map_batches(_normalized, return_dtype=pl.String)


def further(text: pl.Expr) -> pl.Expr:
    """The addresses after the first one, with commas between them; null where there is only one, or none."""
    return text.map_batches(_further, return_dtype=pl.String)


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether more than the case of the domain changed."""
    return (before != after) & before.str.contains(f"{_AROUND}|{_FOREIGN}")


def why(before: pl.Expr) -> pl.Expr:
    """What was done to the text."""
    return (
        pl.when(before.str.contains(_SEVERAL))
        .then(pl.lit("first of several addresses"))
        .when(before.str.contains(_AROUND))
        .then(pl.lit("what stood around the address taken off"))
        .otherwise(pl.lit("domain in its ASCII form"))
    )


def _normalized(values: pl.Series) -> pl.Series:
    return change_where(values, values.str.contains(_UNUSUAL), _usual)


def _usual(values: pl.Series) -> pl.Series:
    values = _lower_domain(values)
    values = change_where(values, values.str.contains(_AROUND), _bared)
    return change_where(values, values.str.contains(_FOREIGN), lambda some: map_distinct(some, _in_ascii))


def _lower_domain(values: pl.Series) -> pl.Series:
    parts = values.str.splitn("@", 2).struct
    local, domain = parts.field("field_0"), parts.field("field_1")
    is_address = domain.is_not_null() & ~domain.str.contains("[@<>]")
    return (local + "@" + domain.str.to_lowercase()).zip_with(is_address, values)


def _bared(values: pl.Series) -> pl.Series:
    """The first address of each text that holds nothing but addresses and what may stand around them."""
    holds = values.str.contains(_ONE) | values.str.contains(_SEVERAL)
    first = _lower_domain(values.set(~holds, None).str.extract_all(_ADDRESS).list.first())
    return first.zip_with(email_addresses.are_addresses(first).fill_null(False), values)


def _further(values: pl.Series) -> pl.Series:
    nothing = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
    return fill_where(nothing, values.str.contains(_SEVERAL_SIGNS), values, _after_the_first)


def _after_the_first(values: pl.Series) -> pl.Series:
    kept = values.str.contains(_SEVERAL) & (_bared(values) != values)
    rest = values.str.extract_all(_ADDRESS).list.slice(1).list.join(", ")
    return rest.set(~kept, None)


def _in_ascii(values: pl.Series) -> pl.Series:
    return pl.Series([email_addresses.verdict(text) or text for text in values], dtype=pl.String)
