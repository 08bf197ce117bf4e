"""The JSON documents have the keys that scripts rely on, and stdout holds nothing else."""

import json

import pytest

from contact_pipeline.terms import LEFT_OUT, OUTCOMES

UPLOAD = {
    "upload_id", "profile", "file_name", "file_size", "sha256", "group", "state", "reason", "repeats", "added_at",
    "finished_at", "processed", "imports", "outcomes", "deactivated", "contacts_created", "changeset_sha256",
    "duplicates", "encoding", "delimiter", "mapping", "repairs", "errors",
}  # fmt: skip
MORE = {
    "corrections", "sheet", "ignored", "warnings", "user", "approved_by", "approved_as", "replanned_by", "replanned_as",
    "held", "row_warnings", "continues", "feed", "expired", "approvals", "first_approved_by", "first_approved_as",
    "first_approved_at",
}  # fmt: skip
ERROR = {"row_number", "column", "value", "code", "message", "fix"}


def is_upload(document, *more):
    return (
        set(document) == UPLOAD | MORE | set(more)
        and set(document["outcomes"]) == {*OUTCOMES} - {LEFT_OUT}
        and set(document["duplicates"]) == {"of_existing", "within_file"}
        and all(set(error) == ERROR for error in [*document["errors"], *document["row_warnings"]])
    )


def test_an_upload_has_the_keys_of_the_interface_wherever_it_is_printed(run, plan_outreach):
    planned = plan_outreach(lines=("Rosa,,,Delgado,,AC-1,rosa@,", "Ian,,,Moss,,AC-2,ian@example.com,"))
    upload_id = planned["upload_id"]
    assert is_upload(planned)
    assert planned["errors"]
    assert is_upload(run("show", upload_id, "--json").document, "corrections_list", "continued_by", "expiries")
    more = {"corrections_list", "continued_by", "expiries", "rows", "changes"}
    assert is_upload(run("show", upload_id, "--json", "--rows", "--changes").document, *more)
    assert is_upload(run("apply", upload_id, "--json").document)
    uploads = run("uploads", "--json").document
    assert uploads
    assert all(is_upload(upload) for upload in uploads)
    cancelled = plan_outreach("--force", lines=("Ann,,,Poe,,AC-3,ann@example.com,",))
    assert is_upload(run("cancel", cancelled["upload_id"], "--json").document)


def test_rows_and_changes_say_which_and_what(run, plan_outreach):
    document = run("show", plan_outreach()["upload_id"], "--json", "--rows", "--changes").document
    contacts = [change for change in document["changes"] if change["target"] == "contact"]
    assert (len(document["rows"]), len(contacts)) == (2, 2)
    assert all({"row_number", "outcome", "contact_id"} <= set(row) for row in document["rows"])
    assert all({"contact_id", "action", "fields"} <= set(change) for change in contacts)
    assert {change["target"] for change in document["changes"]} == {"contact", "membership"}


def test_errors_are_the_first_hundred_unless_all_are_asked_for(run, plan_outreach):
    lines = [f"Rosa,,,Delgado,,AC-{n},rosa@,".replace("rosa@", f"rosa{n}@") for n in range(120)]
    upload = plan_outreach(lines=lines)
    assert len(upload["errors"]) == 100
    assert len(run("show", upload["upload_id"], "--json", "--all-errors").document["errors"]) == 120


def test_inspect_says_what_stands_below_headings_that_are_not_known(run, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("Kto,Kam,Email\nAda Lovelace,(202) 555-0143,x\nBo Dahl,(202) 555-0144,y\nCy Ode,,z\n")

    assert run("inspect", file, "--json").document["warnings"] == [
        "Heading 'Kto' is not known; its cells look like names of people.",
        "Heading 'Kam' is not known; its cells look like telephone numbers.",
    ]


def test_inspect_has_the_keys_of_the_interface(run, workbook):
    document = run("inspect", workbook(("a@example.com", "", "", "", "", "")), "--json").document
    assert set(document) == {
        "file_type", "encoding", "delimiter", "sheet", "sheets", "headings", "heading_row", "data_rows", "rows",
        "unreadable", "warnings",
    }  # fmt: skip
    assert set(document["rows"][0]) == {"row_number", "cells"}
    assert document["rows"][0]["row_number"] == 2


@pytest.mark.parametrize("name", ["newcomers.xlsx", "newcomers.csv"])
def test_a_template_is_written_where_it_is_asked_for(name, run, tmp_path):
    """A2, B2, C1, D3: a blank template and an example can be had."""
    profile = {"xlsx": "program_contacts", "csv": "outreach_contacts"}[name.split(".")[1]]
    file = tmp_path / name
    for example in ([], ["--example", "--overwrite"]):
        ended = run("template", profile, "-o", file, "--json", *example)
        assert ended.document == {"file": str(file), "profile": profile, "example": bool(example)}
        seen = run("inspect", file, "--json").document
        assert seen["data_rows"] == bool(example)
        fields = run("profiles", "show", profile, "--json").document["fields"]
        assert seen["headings"] == [field["heading"] for field in fields]


def test_a_template_of_another_type_is_a_mistake_in_the_command(run, tmp_path):
    ended = run("template", "program_contacts", "-o", tmp_path / "people.csv", "--json")
    assert (ended.status, ended.document["error"]["code"]) == (2, "file-type")
    nowhere = run("template", "program_contacts", "-o", tmp_path / "nowhere" / "people.xlsx", "--json")
    assert (nowhere.status, nowhere.document["error"]["code"]) == (2, "folder-missing")


@pytest.mark.parametrize(
    "words",
    [
        ["profiles"], ["profiles", "show", "dealer_leads"], ["uploads"], ["contacts", "list"], ["accounts", "list"],
        ["groups", "list"], ["users", "list"], ["vocabularies", "list"], ["show", "nothing"], ["nonsense"],
    ],
)  # fmt: skip
def test_stdout_holds_one_document_and_nothing_else(words, run):
    ended = run(*words, "--json")
    json.loads(ended.out)
    assert ended.out.startswith(("{", "["))
    assert ended.err == ""
