"""The facts of a file are what was staged, and those that an earlier version staged are understood."""

import pytest

from contact_pipeline.errors import MachineFault
from contact_pipeline.profiles.reference import Meaning, Reference
from contact_pipeline.store.facts import FileFacts, facts_from
from contact_pipeline.store.staging import keep_facts

READ = FileFacts(
    headings=("Téléphone", "Email", "Email"),
    columns=("Téléphone", "Email", "Email_2"),
    mapped={"Téléphone": "phone", "Email_2": "email", "Email": "email"},
    places={"Téléphone": "work"},
    joined=False,
    doubt="It may be mac-roman.",
)
NORMALIZED = READ.normalized(
    ("phone", "email"),
    {"born": ["MM/DD/YYYY"]},
    Reference(
        frozenset({"d.rivers"}),
        {"specialties": ("Law", "Tax")},
        {"specialty": {"advocate": Meaning("Law", "remembered value: d.rivers said so on 2026-03-01")}},
    ),
)
FIRST_VERSION = {
    "headings": ["Email"], "columns": ["Email"], "fields": {"Email": "email"}, "columns_normalized": ["email"],
    "logins": ["d.rivers"], "vocabularies": {"specialties": ["Law"]},
}  # fmt: skip


@pytest.fixture
def staging(store):
    staging = store.staging("20260101-000000-abcdef")
    staging.make()
    return staging


def kept(staging, facts):
    with staging.open() as database:
        keep_facts(database, facts)
    return staging.facts()


@pytest.mark.parametrize("facts", [READ, NORMALIZED, FileFacts()], ids=["read", "normalized", "of no file"])
def test_facts_are_read_as_they_were_kept(staging, facts):
    assert kept(staging, facts) == facts


def test_the_columns_of_one_field_stay_in_their_order_of_preference(staging):
    assert [*kept(staging, READ).fields] == ["Téléphone", "Email_2", "Email"]


def test_facts_of_an_earlier_version_are_understood():
    facts = facts_from(FIRST_VERSION)

    assert (facts.places, facts.joined, facts.doubt, facts.formats) == ({}, True, None, {})
    assert facts.reference == Reference(frozenset({"d.rivers"}), {"specialties": ("Law",)})


def test_names_that_no_version_of_today_knows_are_passed_over():
    assert facts_from({"fields": {}, "commits": [1], "snapshot": 1}) == FileFacts()


def test_rows_that_are_not_normalized_have_no_facts_of_that(staging):
    kept(staging, READ)

    with pytest.raises(MachineFault, match="damaged"):
        staging.normalized_facts()
