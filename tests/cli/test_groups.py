"""`groups add` and `groups remove`: shown, asked for, applied, and taken back."""

import pytest


@pytest.fixture
def imported(run, outreach):
    """Rosa and Ian, contacts 1 and 2, in the group Spring."""
    file = outreach("Rosa,,,Delgado,,AC-1,rosa@example.com,", "Ian,,,Moss,,AC-2,ian@example.com,")
    assert run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes").status == 0


@pytest.fixture
def groups(run):
    def read():
        return {entry["group"]: entry["contacts"] for entry in run("groups", "list", "--json").document}

    return read


def test_what_would_change_is_shown_and_a_no_changes_nothing(run, imported, groups):
    ended = run("groups", "add", "Autumn", 1, 2, answer="n\n")

    assert ended.status == 1
    assert "contact 2 in group Autumn" in ended.err
    assert "Note: The group 'Autumn' is new in the address book outreach." in ended.err
    assert "Apply add 2 contacts to group Autumn?" in ended.err
    assert "give the command for it again" in " ".join(ended.out.split())
    assert groups() == {"Spring": 2}


def test_a_yes_applies_it_and_undo_takes_it_back(run, imported, groups):
    ended = run("groups", "remove", "spring", 2, answer="y\n")
    upload = run("uploads", "--json").document[0]["upload_id"]

    assert (ended.status, groups()) == (0, {"Spring": 1})
    assert f"contact-pipeline undo {upload}" in ended.out
    assert run("undo", upload).status == 0
    assert groups() == {"Spring": 2}
    assert run("redo", upload).status == 0
    assert groups() == {"Spring": 1}


def test_json_gives_the_upload_with_its_changes(run, imported):
    document = run("groups", "add", "SPRING late", 1, 2, "--yes", "--json", "--user", "dora").document

    assert (document["profile"], document["state"], document["group"]) == ("by_hand", "applied", "SPRING late")
    assert (document["user"], document["approved_by"]) == ("dora", "dora")
    assert [(change["action"], change["contact_id"]) for change in document["changes"]] == [
        ("create", 1),
        ("create", 2),
    ]


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("add", "Spring", 1, 2), 1, "nothing-to-do"),
        (("remove", "Sprung", 1), 1, "group-unknown"),
        (("add", "Spring", 3), 1, "contact-unknown"),
        (("add", "Spring"), 2, "usage"),
        (("add", "Spring", "Rosa"), 1, "contact-unknown"),
    ],
)
def test_what_cannot_be_done_is_refused(run, imported, words, status, code):
    ended = run("groups", *words, "--yes", "--json")

    assert (ended.status, ended.document["error"]["code"]) == (status, code)


def test_a_stale_change_of_a_group_is_not_planned_again_but_says_what_to_do(run, imported, home):
    from contact_pipeline import Pipeline

    planned = Pipeline(home=home).plan_group_add("Autumn", [1])
    assert run("contacts", "erase", 1, "--yes").status == 0

    ended = run("apply", planned.upload_id)

    assert ended.status == 1
    assert "give the command for it again" in " ".join(ended.out.split())
    assert "replan" not in ended.out
