"""E-mail addresses: the domain in lower case and ASCII, as DNS has it; the local part as given.

`mailto:`, angle brackets and a display name around an address are taken off, and of several addresses the first is
kept, if that leaves an address (RFC 5321, 2.4; RFC 5322, 3.4; RFC 6068).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds import email_addresses, placeholders
from contact_pipeline.kinds.cell_rules import CellRule
from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct
from contact_pipeline.kinds.email_typos import MEANT, MISTAKEN_DOMAIN
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.profiles import Column
from contact_pipeline.terms import FURTHER

_SEVERAL_SIGNS: Final = "@[^@]*@"
_UNUSUAL: Final = r"[^a-z0-9@._+\-]"
_PLAIN: Final = r"^[A-Za-z0-9._+\-]+@[a-z0-9._+\-]+$"  # if it is an address, it is in canonical form
_AROUND: Final = r'[\s<>,;:"|/?]'
_FOREIGN: Final = r"[^ -~]"
_MAILBOX: Final = f"^(?i:{'|'.join(each.replace('.', '[.]') for each in placeholders.MAILBOXES)})@"

_ADDRESS: Final = r'[^\s<>()\[\],;:"@|/]+@[^\s<>()\[\],;:"@|/?]+'
_NAMED: Final = r'(?:"[^"@<>]*"\s*|[^"@<>]*)<\s*(?:mailto:)?' + _ADDRESS + r"(?:\?[^>]*)?\s*>"
_ITEM: Final = rf"(?:{_NAMED}|(?:mailto:)?{_ADDRESS}(?:\?\S*)?)"
_ONE: Final = rf"(?i)^{_ITEM}[;,]?$"
_SEVERAL: Final = rf"(?i)^{_ITEM}(?:(?:\s*(?:[;,|/]|:::)\s*|\s+(?:(?:and|or|e|ou|y|o|&)\s+)?){_ITEM})+\s*[;,]?$"


def _normalize(text: pl.Expr, *_: object) -> pl.Expr:
    """The address, the first of several; the text as given where it holds none."""
    return text.map_batches(_normalized, return_dtype=pl.String)


def _further(text: pl.Expr) -> pl.Expr:
    """The addresses after the first one, with commas between them; null where there is only one, or none."""
    return text.map_batches(_further_of, return_dtype=pl.String)


def _repaired(before: pl.Expr, *_: object) -> pl.Expr:
    """Whether more than the case of the domain changed."""
    return before.str.contains(f"{_AROUND}|{_FOREIGN}")


def _why(before: pl.Expr, *_: object) -> pl.Expr:
    """The reason of a repair, in words."""
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
    """The first address of each text that holds only addresses and what may surround them."""
    holds = values.str.contains(_ONE) | values.str.contains(_SEVERAL)
    first = _lower_domain(values.set(~holds, None).str.extract_all(_ADDRESS).list.first())
    return first.zip_with(email_addresses.are_addresses(first).fill_null(False), values)


def _further_of(values: pl.Series) -> pl.Series:
    nothing = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
    return fill_where(nothing, values.str.contains(_SEVERAL_SIGNS), values, _after_the_first)


def _after_the_first(values: pl.Series) -> pl.Series:
    kept = values.str.contains(_SEVERAL) & (_bared(values) != values)
    rest = values.str.extract_all(_ADDRESS).list.slice(1).list.join(", ")
    return rest.set(~kept, None)


def _in_ascii(values: pl.Series) -> pl.Series:
    return pl.Series([email_addresses.verdict(text) or text for text in values], dtype=pl.String)


def _is_address(value: pl.Expr) -> pl.Expr:
    return value.map_batches(email_addresses.are_addresses, return_dtype=pl.Boolean)


def _has_right_domain(value: pl.Expr) -> pl.Expr:
    return ~value.str.contains(MISTAKEN_DOMAIN)


def _is_placeholder(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_MAILBOX)


def _passes_quickly(value: pl.Expr) -> pl.Expr:
    return email_addresses.is_plain(value) & _has_right_domain(value) & ~_is_placeholder(value)


def _meant(code: str, named: pl.Series, *_: object) -> pl.Expr | None:
    """The domain that a mistyped one probably means."""
    if code != "email-domain-typo":
        return None
    domain = named.str.extract("@(.+)$")
    return pl.lit(domain.replace_strict(list(MEANT), list(MEANT.values()), default="a well-known domain"))


def _beside(text: pl.Expr, column: Column, *_: object) -> list[pl.Expr]:
    return [_further(text).alias(f"{FURTHER}{column.field}")]


EMAIL: Final = Kind(
    normalize=_normalize,
    fast_path=lambda texts, *_: (texts, texts.str.contains(_PLAIN)),
    beside=_beside,
    repaired=_repaired,
    why=_why,
    taken_apart=False,
    rules=lambda *_: [CellRule("email-syntax", _is_address), CellRule("email-domain-typo", _has_right_domain)],
    quick_rule=lambda *_: _passes_quickly,
    is_placeholder=_is_placeholder,
    expected=_meant,
    further_code="email-several",
)
