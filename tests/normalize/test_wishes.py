"""Headings that say who is not to be contacted: each such column counts, and one that does not is named."""

import pytest

from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.profiles import load_profile


def mapped(*headings, profile="suppression_list"):
    return map_headings(list(headings), [f"c{n}" for n in range(len(headings))], load_profile(profile))


OF_EXPORTS = ["DNC", "E-mail opt-out", "HasOptedOutOfEmail", "Has Opted Out Of Email", "Do Not Allow Emails"]
OF_LANGUAGES = [
    "Werbesperre", "Nicht kontaktieren", "Ne pas contacter", "Désabonné", "No contactar", "Non contattare",
    "Niet benaderen", "Nie dzwonić", "Kontakta inte", "Afmeldt", "Nekontaktovat", "Не звонить", "配信停止", "退订",
]  # fmt: skip


@pytest.mark.parametrize("heading", [*OF_EXPORTS, *OF_LANGUAGES])
def test_headings_of_exports_and_languages_say_who_is_not_to_be_contacted(heading):
    assert mapped("Email", heading).fields == {"c0": "email", "c1": "do_not_contact"}


def test_every_column_of_a_wish_is_taken():
    found = mapped("Email", "Email Opt Out", "Do Not Call", "HasOptedOutOfEmail")
    assert [column for column, field in found.fields.items() if field == "do_not_contact"] == ["c1", "c2", "c3"]


@pytest.mark.parametrize(
    "heading", ["OK to contact", "Opt-in", "Marketing Consent", "Einwilligung", "Согласие", "Baja", "Reservert"]
)
def test_a_heading_that_says_the_contrary_fills_nothing_and_is_named(heading):
    found = mapped("Email", heading)
    assert found.fields == {"c0": "email"}
    assert found.warnings[0].startswith(f"Heading '{heading}' is ignored; it seems to say who may be contacted.")


def test_a_wish_that_the_profile_has_no_field_for_is_named():
    found = mapped("First name", "Last name", "Email", "Do not call", profile="dealer_leads")
    assert "do_not_contact" not in found.fields.values()
    assert found.wishes == ["Do not call"]


def test_other_headings_are_not_taken_for_wishes():
    found = mapped("Email", "Notes", "Status", "Contact person", "Call time", "Comments")
    assert (found.fields, found.wishes) == ({"c0": "email"}, [])
