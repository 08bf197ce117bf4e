"""Export profiles of a user's own: found by name, and all that is wrong with one is said, each with its line."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.exports import check_export_profile, find_export_profile, find_export_profiles
from contact_pipeline.settings import Settings

GOOD = """\
title: Doctors
of: contacts
columns:
  - full_name
  - {field: phone, heading: Telephone}
filter:
  where:
    - {field: contact_type, equals: DOCTOR}
order: [full_name]
"""
SHIPPED = {
    "dealer_leads", "outreach_contacts", "portfolio_accounts", "portfolio_contacts", "program_contacts",
    "property_contacts", "suppression_list",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def problems(tmp_path, settings):
    """What is wrong with the profile in which texts are exchanged: place → reason."""

    def find(*exchanged, name="doctors"):
        text = GOOD
        for old, new in exchanged:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        try:
            check_export_profile(tmp_path / f"{name}.yaml", settings)
        except Refusal as refused:
            return {
                f"line {each['line']}, {each['key']}" if each["line"] else each["key"]: each["message"]
                for each in refused.details["problems"]
            }
        return {}

    return find


def test_every_import_profile_and_two_built_in_ones_are_export_profiles(settings):
    """D1: export profiles are listed."""
    found, broken = find_export_profiles(settings)

    assert found.keys() == SHIPPED | {"contacts", "accounts"}
    assert broken == []
    assert {layout.name for layout in found.values() if layout.of == "accounts"} == {"accounts", "portfolio_accounts"}


def test_own_ones_are_found_and_a_broken_one_hides_no_other(settings):
    """D1: any number can be created and chosen by name."""
    folder = settings.export_profiles_path
    folder.mkdir(parents=True)
    (folder / "doctors.yaml").write_text(GOOD)
    (folder / "contacts.yaml").write_text(GOOD)
    (folder / "broken.yaml").write_text("title: [")
    (folder / "letters.yml").write_text(GOOD)

    found, broken = find_export_profiles(settings)

    assert (found["doctors"].title, found["doctors"].made_by) == ("Doctors", "own")
    assert found["contacts"].made_by == "own"
    assert [problem.file.name for problem in broken] == ["broken.yaml", "letters.yml"]
    with pytest.raises(Refusal, match=r"broken\.yaml, line 2") as refused:
        find_export_profile("broken", settings)
    assert refused.value.code == "profile-broken"


@pytest.mark.parametrize(
    ("exchanged", "place", "reason"),
    [
        (("full_name\n  -", "full_nam\n  -"), "line 4, columns.0.field", "did you mean 'full_name'?"),
        (("heading: Tel", "headin: Tel"), "line 5, columns.1.headin", "did you mean 'heading'?"),
        (("equals", "equal"), "line 8, filter.where.0.equal", "did you mean 'equals'?"),
        (("contacts\n", "contact\n"), "line 2, of", "did you mean 'contacts'?"),
        (("order: [full_name]", "order: [-full_nam]"), "line 9, order.0", "did you mean 'full_name'?"),
        (("equals: DOCTOR", "equals: DOCTOR, blank: true"), "line 8, filter.where.0", "one of: equals, one_of, blank"),
        (("equals: DOCTOR", "equals: 5"), "line 8, filter.where.0.equals", "Put it in quotes"),
        (("title: Doctors\n", ""), "title", "is missing"),
        (("of: contacts\n", 'of: contacts\ndelimiter: "\\""\n'), "line 3, delimiter", "does not part cells"),
        (("of: contacts\n", 'of: contacts\ndelimiter: "\\n"\n'), "line 3, delimiter", "does not part cells"),
        (("of: contacts\n", "of: contacts\ndelimiter: x\n"), "line 3, delimiter", "does not part cells"),
        (("heading: Telephone", "heading: full_name"), "", "stands in two columns"),
        (("of: contacts", "of: accounts"), "line 4, columns.0.field", "'full_name' is no field of accounts"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_what_was_meant(problems, exchanged, place, reason):
    found = problems(exchanged)

    assert place in found
    assert reason in found[place]


def test_every_problem_of_an_export_profile_is_listed(problems):
    assert len(problems(("heading: Tel", "headin: Tel"), ("equals", "equal"), ("of: contacts", "of: contact"))) == 3
    assert len(problems(("- full_name\n", "- full_nam\n"), ("contact_type", "contct_type"))) == 2


@pytest.mark.parametrize("name", ["dealer_leads", "My Doctors", "a.b"])
def test_a_name_that_is_taken_or_none_is_refused(problems, name):
    assert len(problems(name=name)) == 1


def test_a_good_one_needs_no_home(problems, settings):
    assert problems() == {}
    assert not settings.home.exists()


def test_fields_that_an_own_import_profile_declares_are_known(problems, settings):
    settings.profiles_path.mkdir(parents=True)
    (settings.profiles_path / "club.yaml").write_text(
        "name: club\ntitle: Club\naddress_book: club\nfile: {types: [csv]}\nheadings: mapped\ncolumns:\n"
        "  - {field: email, heading: Email, type: email}\n  - {field: badge, heading: Badge, sensitive: true}\n"
        "match: [{equal: [email]}]\non_error: reject\napply: approval\n"
    )

    assert problems(("- full_name\n", "- badge\n")) == {}
