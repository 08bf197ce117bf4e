"""Correcting a plan on the command line: what is asked, what is printed, what is refused."""

import pytest


@pytest.fixture
def upload_id(plan_outreach):
    return plan_outreach(lines=("Rosa,,,Delgado,,AC-1,rosa@,", "Ian,,,a=b,,AC-2,ian@example.com,"))["upload_id"]


def test_a_correction_says_what_it_did_and_show_lists_it(run, upload_id):
    ended = run("correct", upload_id, "--row", 2, "--set", "Email=rosa@example.com", "--user", "ann", "--json")

    document = ended.document
    assert (ended.status, document["state"], document["corrections"], document["correction"]) == (0, "staged", 1, 1)
    assert (document["outcomes_before"]["rejected"], document["outcomes"]["rejected"]) == (1, 0)
    assert document["changeset_before"] != document["changeset_sha256"]
    shown = run("show", upload_id)
    assert "rosa@" in shown.out
    assert "ann (claimed), 20" in shown.out
    (listed,) = run("show", upload_id, "--json").document["corrections_list"]
    assert (listed["row_numbers"], listed["after"], listed["withdrawn"]) == ([2], "rosa@example.com", False)
    explained = run("show", upload_id, "--explain", 2).out
    assert "'rosa@' → 'rosa@example.com', by ann" in " ".join(explained.split())


def test_a_value_may_hold_an_equals_sign(run, upload_id):
    ended = run("correct", upload_id, "--where", "Last name=A=B", "--set", "last_name=c=d", "--json")

    assert ended.document["corrected"][0]["after"] == "c=d"


def test_sensitive_values_are_masked(run, upload_id):
    ended = run("correct", upload_id, "--row", 3, "--set", "ssn=219-09-9998")

    assert ended.status == 0
    assert "9998" not in ended.out + run("show", upload_id).out + run("show", upload_id, "--json").out


def test_rows_are_left_out_and_come_back(run, upload_id):
    left = run("leave-out", upload_id, "--row", 2, "--row", 3, "--json").document
    assert left["outcomes"]["left_out"] == 2
    assert "left_out" not in run("leave-out", upload_id, "--withdraw", 1, "--json").document["outcomes"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--row", 2),
        ("--row", 2, "--set", "email"),
        ("--row", 2, "--where", "Email=x", "--set", "email=y"),
        ("--row", 2, "--set", "email=x", "--set", "email=y"),
        ("--from", "x.csv", "--set", "email=y"),
        ("--withdraw", 1, "--remember"),
    ],
)
def test_what_does_not_go_together_is_a_matter_of_usage(run, upload_id, words):
    assert run("correct", upload_id, *words).status == 2
