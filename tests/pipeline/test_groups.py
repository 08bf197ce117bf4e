"""Whom an upload's group takes in, and that its name is compared without case and spaces."""

import pytest

from tests.homes import fill_once

CLUB = """
name: club
title: Club
address_book: club
file: {{types: [csv]}}
headings: mapped
columns:
  - {{field: email, heading: Email, type: email, required: true}}
  - {{field: company, heading: Company}}
match: [{{equal: [email]}}]
matched: {matched}
on_error: reject
apply: approval
group: {{default: Everybody{members}}}
"""


@pytest.fixture
def club(pipeline, write):
    """Plans and applies a file of the members of a club, given by name."""

    def send(*names, apply=True, matched="update", members="", **options):
        pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
        profile = CLUB.format(matched=matched, members=members and f", members: {members}")
        (pipeline.settings.profiles_path / "club.yaml").write_text(profile)
        rows = [(f"{name}@example.com" if name else "no address", "") for name in names]
        upload = pipeline.plan(write("club.csv", ["Email", "Company"], rows), "club", user="d.rivers", **options)
        return pipeline.apply(upload.upload_id, user="d.rivers") if apply else upload

    return send


@pytest.fixture
def old(pipeline, club):
    """Ana and Ben, in the group Old."""

    def fill():
        club("ana", "ben", group="Old")

    fill_once(pipeline.settings.home, fill)


@pytest.fixture
def groups(pipeline):
    """The names of the contacts in each group."""

    def read():
        found = {}
        for contact in pipeline.store.contacts():
            for name in contact["groups"]:
                found.setdefault(name, set()).add(contact["email"].partition("@")[0])
        return found

    return read


@pytest.mark.parametrize(
    ("profile", "option", "expected"),
    [
        ({}, None, {"cy"}),
        ({"members": "created"}, None, {"cy"}),
        ({"members": "all"}, None, {"ana", "cy"}),
        ({}, "all", {"ana", "cy"}),
        ({"members": "all"}, "created", {"cy"}),
        ({"members": "all", "matched": "ignore"}, None, {"ana", "cy"}),
        ({"members": "all", "matched": "create"}, None, {"ana", "cy"}),
    ],
)
def test_a_group_takes_in_new_contacts_or_all_that_rows_reach(old, club, groups, profile, option, expected):
    club("ana", "ana", "cy", "", group="Spring", group_members=option, **profile)

    assert groups()["Spring"] == expected


def test_the_summary_says_how_many_of_the_people_are_in_the_group_and_how_many_are_not(old, club):
    some = club("ana", "ben", "cy", group="Spring")
    everybody = club("ana", "ben", "cy", group="Autumn", group_members="all")

    said = (
        "Of 3 people in the file 1 are in the group 'Spring' then; 2 were contacts before and are not. "
        "`--group-members all` takes them in."
    )
    assert some.line.warnings == [said]
    assert everybody.line.warnings == []


def test_who_is_in_the_group_already_joins_it_only_once(club, groups, pipeline):
    club("ana", group="Spring")

    upload = club("ana", "ben", group="Spring", group_members="all")

    assert groups() == {"Spring": {"ana", "ben"}}
    assert upload.changes.filter(target="membership").height == 1


def test_two_plans_that_take_in_the_same_contact_do_it_once(club, groups, pipeline):
    club("ana", group="Old")
    first = club("ana", apply=False, group="Spring", group_members="all")
    second = club("ana", apply=False, group="spring", group_members="all")
    for upload in (first, second):
        pipeline.apply(upload.upload_id, user="d.rivers")

    with pipeline.store.open(read_only=True) as database:
        rows = database.rows("SELECT group_name FROM memberships ORDER BY ALL")

    assert rows == [("Old",), ("Spring",)]
    assert [entry["group"] for entry in pipeline.store.groups()] == ["Old", "Spring"]


@pytest.mark.parametrize("name", ["spring 2026", "SPRING  2026", "Spring2026", " Spring 2026 "])
def test_a_group_is_the_same_whatever_the_case_and_the_spaces_of_its_name(club, groups, pipeline, name):
    club("ana", group="Spring 2026")

    upload = club("ben", group=name)

    assert groups() == {"Spring 2026": {"ana", "ben"}}
    assert upload.group == "Spring 2026"


def test_a_group_of_another_address_book_has_its_own_spelling(club, outreach, pipeline):
    club("ana", group="Spring")
    upload = outreach({"first": "Bo", "last": "Lee", "email": "bo@example.com"}, group="SPRING", user="d.rivers")
    pipeline.apply(upload.upload_id, user="d.rivers")

    assert {entry["group"] for entry in pipeline.store.groups()} == {"Spring", "SPRING"}


def test_undo_takes_those_out_whom_the_upload_took_in_and_redo_brings_them_back(club, groups, pipeline):
    club("ana", group="Old")
    upload = club("ana", "ben", group="Spring", group_members="all")

    pipeline.undo(upload.upload_id, user="d.rivers")
    assert groups() == {"Old": {"ana"}}

    pipeline.redo(upload.upload_id, user="d.rivers")
    assert groups() == {"Old": {"ana"}, "Spring": {"ana", "ben"}}
