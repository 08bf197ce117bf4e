"""Whoever is in the contacts is found by what is known of them, in whatever way it is written."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import Refusal
from contact_pipeline.finding.readings import readings
from contact_pipeline.profiles import find_profiles
from tests.homes import new_home

HEADING = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
PEOPLE = (
    "Zoë,(202) 555-0101,219-09-9991,Müller-Grün,04/18/1984,AC-1,Zoe.M@Example.com,02139",
    "Ann,202.555.0102 x7,,O'Neil,,AC-2,ann@example.com,",
    "Ann,,,Exampleton,,AC-3,ann.e@example.com; ann.second@example.com,",
    "Carla,,,Example,,AC-4,carla@example.com,",
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finding")
    pipeline = Pipeline(folder / "home")
    users = folder / "users.yaml"
    users.write_text("- {login: dora, name: Dora, roles: [director], can_import: true}\n", encoding="utf-8")
    pipeline.store.load_users(users)
    file = folder / "people.csv"
    file.write_text("\n".join([HEADING, *PEOPLE]) + "\n", encoding="utf-8")
    upload = pipeline.plan(file, "outreach_contacts", group="Spring", user="dora")
    pipeline.apply(upload.upload_id, user="dora")
    return pipeline


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """Contact 2 is linked to 1; contact 3 has their name alone."""
    folder = tmp_path_factory.mktemp("linked")
    pipeline = Pipeline(new_home(folder / "home"))
    users = folder / "users.yaml"
    users.write_text("- {login: dora, name: Dora, roles: [director], can_import: true}\n", encoding="utf-8")
    pipeline.store.load_users(users)
    bo = "Bo Link,(202) 555-0109,bo@example.com"
    for name, rule, rows in (("one", "merge", [bo]), ("two", "create", [bo, "Bo Link,(202) 555-0110,b2@example.com"])):
        file = folder / f"{name}.csv"
        file.write_text("\n".join(["Name,Phone,Email", *rows]) + "\n", encoding="utf-8")
        upload = pipeline.plan(file, "dealer_leads", user="dora", lead_type="SMS", rule=rule)
        pipeline.apply(upload.upload_id, user="dora")
    return pipeline


def ids(found):
    return [contact["contact_id"] for contact in found.contacts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ZOE.M@example.COM", [1]),
        ("  zoe.m@example.com ", [1]),
        ("(202) 555-0101", [1]),
        ("+1 202 555 0101", [1]),
        ("202-555-0101", [1]),
        ("001 202 555 0101", [1]),
        ("2025550102", [2]),
        ("202 555 0102 ext. 7", [2]),
        ("ann.second@example.com", [3]),
        ("zoe muller", [1]),
        ("Mull zo", [1]),
        ("ZOË GRÜN", [1]),
        ("oneil", [2]),
        ("ann", [2, 3]),
        ("examp", [3, 4]),
        ("xample", []),
        ("AC-4", [4]),
        ("ac-4", [4]),
        ("3", [3]),
        ("nobody@example.com", []),
        ("' OR 1=1 --", []),
        ("%", []),
    ],
)
def test_one_text_finds_whoever_it_can_mean(filled, text, expected):
    assert ids(filled.find(text)) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"email": "Ann@Example.com"}, [2]),
        ({"phone": "+12025550102"}, [2]),
        ({"phone": "no number"}, []),
        ({"name": "ann", "account": "AC-3"}, [3]),
        ({"name": "ann", "group": "s p r i n g"}, [2, 3]),
        ({"account": "AC"}, []),
        ({"text": "carla", "email": "ann@example.com"}, []),
    ],
)
def test_all_that_is_given_must_fit(filled, known, expected):
    assert ids(filled.find(**known)) == expected


def test_the_people_of_an_upload_are_found(filled):
    (upload,) = filled.uploads()

    assert ids(filled.find(upload=upload.upload_id, name="ann")) == [2, 3]


def test_whom_an_upload_linked_to_is_of_its_people(linked):
    newest, oldest = linked.uploads()

    assert ids(linked.find(upload=newest.upload_id)) == [1, 2, 3]
    assert ids(linked.find(upload=oldest.upload_id)) == [1]


def test_a_national_number_is_read_in_every_country_of_the_home(tmp_path):
    profiles = [find_profiles(tmp_path)[0]["outreach_contacts"]]

    assert "+442079460018" in readings("020 7946 0018", "phone", profiles, ["GB"])
    assert "+442079460018" not in readings("020 7946 0018", "phone", profiles, [])


def test_each_says_by_what_it_was_found_and_shows_nothing_sensitive(filled):
    (by_note,) = filled.find("ann.second@example.com").contacts
    (zoe,) = filled.find("zoe").contacts

    assert by_note["found_by"] == ["notes"]
    assert (zoe["found_by"], zoe["ssn"], zoe["date_of_birth"]) == (["name"], "***-**-****", "****-**-**")


def test_a_limit_gives_fewer_and_says_how_many_there_are(filled):
    found = filled.find("ann", limit=1)

    assert (ids(found), found.count) == ([2], 2)


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({}, "nothing-to-find"),
        ({"text": " "}, "nothing-to-find"),
        ({"group": "Autumn"}, "group-unknown"),
        ({"upload": "none"}, "upload-unknown"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(filled, known, code):
    with pytest.raises(Refusal) as refused:
        filled.find(**known)

    assert refused.value.code == code
