"""Numbers that identify: CNPJ, CPF and medical council registrations, each in one form.

Leading zeros that a spreadsheet removed from a CNPJ or CPF are put back if the check digits then are right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import NOT_SCIENTIFIC, CellRule, not_too_long
from contact_pipeline.kinds.distinct import fill_where
from contact_pipeline.kinds.identifier_brazil import KINDS, STATES, has_check_digits, has_shape
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.profiles import Column

_BETWEEN = r"[ /:.\-]*"
_NUMBER = r"(?:N[ºO°]?\.? *)?([0-9]{1,3}(?:\.[0-9]{3}){1,3}|[0-9]{1,10})"
_CRM_STATE_FIRST = f"^(?:CRM)?{_BETWEEN}({STATES}){_BETWEEN}{_NUMBER}$"
_CRM_NUMBER_FIRST = f"^(?:CRM)?{_BETWEEN}{_NUMBER}{_BETWEEN}({STATES})$"


def _normalize(text: pl.Expr, column: Column, *_: object) -> pl.Expr:
    """The canonical form of the first kind whose shape the text has, else the text as given."""
    kinds = {*column.identifiers, *(kind for kinds in column.identifiers_by.values() for kind in kinds)}
    forms = {"cnpj": _cnpj, "cpf": _cpf, "crm": _crm}
    return pl.coalesce([*(forms[kind](text) for kind in ("crm", "cnpj", "cpf") if kind in kinds), text])


def _repaired(before: pl.Expr, after: pl.Expr, *_: object) -> pl.Expr:
    """Whether leading zeros were restored, or left out."""
    return _digits(before) != _digits(after)


def _why(before: pl.Expr, after: pl.Expr, *_: object) -> pl.Expr:
    """Which of the two, in words."""
    restored = _digits(after).str.len_bytes() > _digits(before).str.len_bytes()
    return pl.when(restored).then(pl.lit("leading zeros restored")).otherwise(pl.lit("leading zeros left out"))


def _digits(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all("[^0-9]", "")


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
    """Bare digits with leading zeros put back, if the check digits then are right; else null."""

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


def _rules_of_kinds(column: Column) -> list[CellRule]:
    if not column.identifiers_by:
        return list(_identifier_of(column.identifiers, pl.lit(True))) if column.identifiers else []
    decides = pl.col(str(column.identifiers_column))
    every = dict.fromkeys(kind for kinds in column.identifiers_by.values() for kind in kinds)
    undecided = ~decides.is_in(list(column.identifiers_by)).fill_null(False)
    rules = [rule for value, kinds in column.identifiers_by.items() for rule in _identifier_of(kinds, decides == value)]
    return [*rules, *_identifier_of(list(every), undecided)]


def _identifier_of(kinds: Sequence[str], applies: pl.Expr) -> Iterator[CellRule]:
    """Rules for the rows to which they apply: right check digits, and the shape of one of the kinds."""
    for kind in kinds:
        if kind != "crm":
            yield _check_digits(kind, applies)
    code = "crm-format" if list(kinds) == ["crm"] else "identifier-format"
    expected = ", or ".join(KINDS[kind] for kind in kinds)
    yield CellRule(code, lambda value: ~(applies & ~has_shape(value, kinds)), expected)


def _check_digits(kind: str, applies: pl.Expr) -> CellRule:
    def passes(value: pl.Expr) -> pl.Expr:
        return ~(applies & has_shape(value, [kind]) & ~has_check_digits(value, kind))

    return CellRule(f"{kind}-check-digits", passes)


IDENTIFIER: Final = Kind(
    normalize=_normalize,
    repaired=_repaired,
    why=_why,
    dashed=True,
    rules=lambda column, *_: [NOT_SCIENTIFIC, *_rules_of_kinds(column), not_too_long(column)],
)
