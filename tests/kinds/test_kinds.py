"""What holds for every kind of value: each type of a profile has one, with words and known defects."""

from datetime import date
from typing import get_args

import pytest

from contact_pipeline.codes import CODES
from contact_pipeline.kinds import placeholders
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.kinds.words import in_words
from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.profiles.model import FieldType
from contact_pipeline.profiles.reference import Reference

TYPES = get_args(FieldType)
NEEDED = {"choice": {"choices": ["A"]}, "identifier": {"identifiers": ["cnpj", "cpf", "crm"]}}


def test_every_type_of_a_column_has_a_kind():
    assert set(KINDS) == set(TYPES)


@pytest.mark.parametrize("type_", TYPES)
def test_a_kind_has_words_and_its_defects_are_in_the_catalogue(type_, one_column):
    profile = one_column(type=type_, **NEEDED.get(type_, {}))
    column, kind = profile.column_of["value"], KINDS[type_]
    rules = kind.rules(column, Context(profile, Reference()), date(2026, 1, 1))
    named = {rule.code for rule in rules} | {kind.further_code} | ({kind.unread_code} - {None})

    assert in_words(column, profile)
    assert named <= set(CODES)


def test_matching_and_validation_know_placeholders_of_the_same_types():
    assert {type_ for type_, kind in KINDS.items() if kind.is_placeholder} == placeholders.TYPES


def test_a_word_for_nothing_in_a_column_whose_blanks_mean_no_is_listed_as_such(one_column, raw):
    profile, rows = one_column(type="boolean", kind="boolean", blank_means="no"), raw(value=["n/a"], key=["kept"])
    clean, _ = normalize(rows, {"value": "value"}, profile, Reference())
    repairs = repairs_of(rows, clean, {"value": "value"}, profile, Reference())

    assert clean["value"].to_list() == [False]
    assert repairs.select("before", "after", "why").row(0) == ("n/a", "false", "a word for nothing: blank")


def test_scientific_notation_is_never_guessed(values_of):
    """X5: what a spreadsheet destroyed stays as it was given."""
    for kind in ("ssn", "zip_code", "identifier"):
        column = {"identifiers": ["cnpj"]} if kind == "identifier" else {}
        assert values_of(["4.479E+11"], type=kind, **column) == ["4.479E+11"]


def test_dashes_of_word_processors_are_hyphens(values_of, repairs_in):
    texts = ["219\u201309\u20139998", "219\u221209\u22129998", "219\u201409\u20149998"]
    assert values_of(texts, type="ssn") == ["219-09-9998"] * 3
    assert repairs_in(texts, type="ssn") == [False] * 3
    assert values_of(["02139\u20134307"], type="zip_code") == ["02139-4307"]
    assert values_of(["11.222.333/0001\u201381"], type="identifier", identifiers=["cnpj"]) == ["11222333000181"]
