"""`--where` and `--limit`: of a list what fits, and how many there are; a wrong name is refused with the right ones."""

import pytest

LINES = (
    "Rosa,,,Delgado,,AC-1,rosa@example.com,",
    "Omar,,,Haddad,,AC-2,omar@example.com,",
    "Hana,,,Sato,,AC-3,hana@,",
    "Ximena,,,Moss,,AC-4,x@example.com,ABCDE",
)


@pytest.fixture
def planned(plan_outreach):
    return plan_outreach(lines=LINES)["upload_id"]


def test_errors_of_one_column_are_shown(run, planned):
    shown = run("show", planned, "--where", "column=Zip*")
    assert shown.status == 0
    assert "1 error of upload" in shown.out
    assert "ABCDE" in shown.out
    assert "hana@" not in shown.out
    document = run("show", planned, "--where", "code=email-syntax", "--json").document
    assert [error["row_number"] for error in document["errors"]] == [4]


def test_changes_and_rows_are_narrowed_and_the_others_counted(run, planned):
    few = run("show", planned, "--changes", "--limit", "1").out
    assert few.startswith("4 changes of upload")  # two contacts, and their group
    assert "3 more:" in few
    found = run("show", planned, "--changes", "--where", "name=Omar*", "--json").document
    assert {change["name"] for change in found["changes"]} == {"Omar Haddad"}
    assert "changes" not in run("show", planned, "--rows", "--where", "outcome=rejected", "--json").document
    rows = run("show", planned, "--rows", "--where", "outcome=rejected", "--json").document["rows"]
    assert [row["row_number"] for row in rows] == [4, 5]


def test_a_name_that_nothing_has_is_refused_with_those_there_are(run, planned):
    refused = run("show", planned, "--where", "colour=blue")
    assert refused.status == 2
    assert "column" in refused.err


def test_lists_are_narrowed_in_one_way(run, planned):
    run("apply", planned)
    found = run("contacts", "list", "--where", "last_name=h*", "--json").document
    assert [contact["last_name"] for contact in found] == ["Haddad"]
    assert len(run("contacts", "list", "--limit", "1", "--json").document) == 1
    one = run("contacts", "list", "--limit", "1").out
    assert one.startswith("2 contacts.")
    assert "1 more" in one
    assert run("contacts", "list", "--where", "colour=blue").status == 2
    assert run("contacts", "list", "--limit", "0").status == 2
