"""One word means one person, or those it can mean; nothing is guessed."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.finding.who import SHOWN, Fitting, SeveralFit, must_be_one, who
from tests.finding.test_find import filled, linked  # noqa: F401 - fixtures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [1]),
        ("zoe.m@EXAMPLE.com", [1]),
        ("(202) 555-0101", [1]),
        ("202 555 0102", [2]),
        ("zoe muller grun", [1]),
        ("ann oneil", [2]),
    ],
)
def test_whatever_identifies_somebody_means_them(filled, text, expected):  # noqa: F811
    assert [each.contact_id for each in filled.who(text)] == expected


@pytest.mark.parametrize("text", ["ann", "99", "ann.second@example.com", "AC-1", "", "😀", "9" * 5000])
def test_what_does_not_identify_anybody_is_refused_with_a_way_to_find_them(filled, text):  # noqa: F811
    with pytest.raises(Refusal, match="contacts find") as refused:
        filled.who(text)

    assert refused.value.code == "contact-unknown"


def test_several_are_named_and_none_is_chosen(filled):  # noqa: F811
    found = [*filled.who("1"), *filled.who("2")]

    with pytest.raises(SeveralFit) as refused:
        must_be_one("somebody", found)

    assert "1 Zoë Müller-Grün (Zoe.M@Example.com)" in refused.value.message or "1 Zoë Müller-Grün" in str(refused.value)
    assert [each["contact_id"] for each in refused.value.as_dict()["candidates"]] == [1, 2]


def test_somebody_of_another_address_book_does_not_count(filled):  # noqa: F811
    with pytest.raises(Refusal, match="address book leads"):
        filled.who("ann@example.com", address_book="leads")


def test_linked_contacts_are_one_and_somebody_else_of_their_name_is_another(linked):  # noqa: F811
    def fitting(text):
        return [each.contact_id for each in who(linked.store, text, linked_are_one=True)]

    assert fitting("202 555 0109") == [1]
    assert fitting("Bo Link") == [1, 2, 3]


@pytest.mark.parametrize(("count", "ending"), [(SHOWN, f"{SHOWN} B"), (SHOWN + 1, "and 1 more")])
def test_a_refusal_names_some_and_counts_the_others(count, ending):
    fitting = [Fitting(number, "B", None, None, None, active=True) for number in range(1, count + 1)]

    assert SeveralFit("B", fitting).message.endswith(f"; {ending}.")
