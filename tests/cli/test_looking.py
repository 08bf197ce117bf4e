"""Commands that look: the dashboard, an upload row by row, contacts, accounts, groups; sensitive values hidden."""

import csv
import json
import re

import pytest

from contact_pipeline.cli import console
from tests.homes import fill_once

ROSA = "Rosa,(202) 555-0178,219-09-9990,Delgado,04/17/1984,AC-1,rosa@example.com,02139"
BAD = "Ann,(202) 555-0179,219-09-99,Poe,02/30/1980,AC-3,ann@example.com,02139"
TWIN = "Rosa,(202) 555-0178,,Delgado,,AC-1,rosa@example.com,02139"
SECRETS = ("219-09-9990", "219-09-99", "04/17/1984", "1984-04-17", "02/30/1980")


@pytest.fixture
def imported(home, run, outreach):
    """An upload with a new contact, a rejected row and a duplicate."""
    file = outreach(ROSA, BAD, TWIN)

    def fill():
        ended = run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes", "--json")
        assert ended.status == 0
        return ended.out

    return json.loads(fill_once(home, fill))


def test_the_dashboard_keeps_what_became_of_each_upload(run, imported):
    """B7: file name, date added, group, counts of imports, errors and duplicates."""
    shown = run("uploads").out
    line = next(line for line in shown.splitlines() if imported["upload_id"] in line)
    cells = line.split()
    assert cells[1] == "people.csv"
    assert "Spring" in cells
    assert "applied" in cells
    processed, imports, errors, duplicates = cells[cells.index("applied") + 1 : cells.index("applied") + 5]
    assert (processed, imports, duplicates) == ("3", "1", "1")
    assert int(errors) == 2


def test_a_dashboard_without_uploads_says_how_to_begin(run):
    assert "contact-pipeline plan FILE" in run("uploads").out


def test_a_long_ledger_shows_its_newest_uploads_and_gives_all_as_json(run, imported, monkeypatch):
    monkeypatch.setattr("contact_pipeline.cli.uploads.most", lambda limit: limit or 1)
    again = run("contacts", "deactivate", "1", "--json").document

    shown = run("uploads").out

    assert again["upload_id"] in shown
    assert imported["upload_id"] not in shown
    assert shown.startswith("2 uploads.")
    assert "1 more: contact-pipeline uploads --limit 2" in shown
    listed = [upload["upload_id"] for upload in run("uploads", "--json").document]
    assert listed == [again["upload_id"], imported["upload_id"]]


def test_a_limit_may_be_any_number(run, imported):
    assert imported["upload_id"] in run("uploads", "--limit", "9" * 23).out


def test_the_dashboard_shows_what_is_asked_for(run, imported, outreach):
    """B7: by profile, state and time, and what waits for somebody."""
    options = ("--profile", "outreach_contacts", "--group", "Autumn", "--json")
    waits = run("plan", outreach("Bo,(202) 555-0177,,Dow,,AC-2,bo@example.com,02139", name="b.csv"), *options).document
    by_hand = run("contacts", "deactivate", "1", "--json").document

    def asked(*words):
        return [upload["upload_id"] for upload in run("uploads", "--json", *words).document]

    assert asked("--state", "staged") == [waits["upload_id"]]
    assert asked("--state", "staged", "--state", "Applied", "--profile", "outreach_contacts") == [
        waits["upload_id"],
        imported["upload_id"],
    ]
    assert asked("--since", "2999-01-01") == []
    assert asked("--since", "2020-01-01", "--limit", "1") == [by_hand["upload_id"]]
    assert asked("--waiting") == [waits["upload_id"]]
    assert "approve" in run("uploads", "--waiting").out
    assert "1 planned" in run("uploads", "--waiting").out
    run("cancel", waits["upload_id"])
    assert run("uploads", "--waiting").out.startswith("Nothing waits for anybody.\n")
    assert "No upload." in run("uploads", "--profile", "dealer_leads").out
    unknown = run("uploads", "--profile", "dealer_lead")
    assert (unknown.status, "Did you mean dealer_leads?" in unknown.err) == (1, True)
    wrong = run("uploads", "--state", "done")
    assert (wrong.status, "There is no state 'done'" in wrong.err) == (2, True)


def test_on_a_narrow_terminal_an_upload_is_three_lines_and_no_word_is_broken(run, imported, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    total, *shown = run("uploads").out.splitlines()
    assert total == "1 upload."
    assert shown[0].split() == [imported["upload_id"], "applied", "people.csv"]
    assert shown[1].startswith("  outreach_contacts · group Spring · added ")
    assert shown[2] == "  3 rows · 1 import · 2 errors · 1 duplicate"
    assert max(map(len, shown[:3])) <= 80


def test_what_waits_for_whom_is_said_of_each_upload(run, tmp_path, users):
    """A stale plan waits for a new one, and what is held back to be finalized."""
    leads = tmp_path / "leads.csv"
    leads.write_text("Name,Phone,Email\nAnn Bee,(202) 555-0143,ann@example.com\n", encoding="utf-8")
    words = (
        "plan",
        leads,
        "--profile",
        "dealer_leads",
        "--lead-type",
        "SMS",
        "--rule",
        "merge",
        "--user",
        "dora",
        "--json",
    )
    uploads = [run(*words).document["upload_id"] for _ in range(2)]
    for upload_id in uploads:
        run("apply", upload_id, "--user", "dora")
    shown = {line.split()[0]: line for line in run("uploads", "--waiting").out.splitlines() if line.strip()}
    assert ["finalize" in shown[uploads[0]], "plan again" in shown[uploads[1]]] == [True, True]


def test_errors_are_shown_by_type_and_row(run, imported):
    """B8, D6: each error with its row, its reason and what to do."""
    shown = run("show", imported["upload_id"]).out
    for error in imported["errors"]:
        assert error["code"] in shown
    assert "Date of birth" in shown
    assert f"contact-pipeline rejected {imported['upload_id']}" in shown


def test_every_row_has_a_check_or_a_cross(run, imported):
    """B9, C2: every row with a green check or a red cross and the reason; a duplicate says of what."""
    lines = run("show", imported["upload_id"], "--rows").out.splitlines()
    rows = {words[0]: words for words in (line.split() for line in lines) if len(words) > 2 and words[1] in "✓✗"}
    assert rows["2"][1:3] == ["✓", "created"]
    assert rows["3"][1:3] == ["✗", "rejected"]
    assert rows["4"][1:3] == ["✓", "duplicate"]
    assert any("same person as row 2" in line for line in lines)


def test_rows_and_changes_are_in_the_document_when_asked_for(run, imported):
    """X1: every row ends in exactly one outcome."""
    document = run("show", imported["upload_id"], "--json", "--rows", "--changes", "--all-errors").document
    assert [(row["row_number"], row["outcome"]) for row in document["rows"]] == [
        (2, "created"),
        (3, "rejected"),
        (4, "duplicate"),
    ]
    change = next(change for change in document["changes"] if change["target"] == "contact")
    assert change["fields"]["first_name"] == [None, "Rosa"]
    plain = run("show", imported["upload_id"], "--json").document
    assert not {"rows", "changes"} & set(plain)


def test_rejected_rows_come_back_in_the_columns_of_the_file(run, imported, tmp_path):
    """B8: the rows that were not uploaded, with the reason, ready to be corrected and dropped again."""
    file = tmp_path / "rejected.csv"
    ended = run("rejected", imported["upload_id"], "-o", file, "--json")
    assert ended.document == {"upload_id": imported["upload_id"], "file": str(file), "rows": 1}
    with file.open(encoding="utf-8-sig", newline="") as opened:
        headings, row = csv.reader(opened)
    assert headings[-1] == "errors"
    assert headings[:2] == ["First name", "Phone number"]
    assert row[2] == "219-09-99"
    assert "Date of birth" in row[-1]
    assert file.stat().st_mode & 0o077 == 0


def test_corrected_rows_can_be_sent_again_and_continue_their_upload(run, imported, tmp_path, monkeypatch):
    """B8: the corrected file is taken with its column of errors; each of the two uploads names the other."""
    monkeypatch.setenv("COLUMNS", "80")
    file = tmp_path / "rejected.csv"
    run("rejected", imported["upload_id"], "-o", file)
    text = file.read_text(encoding="utf-8").replace("219-09-99,", "219-09-9998,").replace("02/30/1980", "02/28/1980")
    file.write_text(text, encoding="utf-8")
    ended = run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes", "--json")
    assert (ended.status, ended.document["outcomes"]["created"]) == (0, 1)
    first, second = imported["upload_id"], ended.document["upload_id"]
    assert ended.document["continues"] == first
    assert run("show", first, "--json").document["continued_by"] == [second]
    assert [each["continues"] for each in run("uploads", "--json").document] == [first, None]
    assert f"  continues {first}" in run("uploads").out.splitlines()
    assert re.search(rf"continues +{first}", run("show", second).out)
    assert re.search(rf"continued by +{second} \(applied\)", run("show", first).out)
    named = run("plan", file, "--profile", "outreach_contacts", "--group", "Spring", "--continues", "nobody", "--json")
    assert (named.status, named.document["error"]["code"]) == (1, "option-value")


def test_without_rejected_rows_there_is_no_file(run, plan_outreach):
    upload = plan_outreach()
    assert run("rejected", upload["upload_id"], "--json").document["file"] is None
    assert "No row" in run("rejected", upload["upload_id"]).out


def test_rejected_rows_of_a_cancelled_upload_are_gone(run, plan_outreach):
    upload = plan_outreach()
    run("cancel", upload["upload_id"])
    ended = run("rejected", upload["upload_id"], "--json")
    assert (ended.status, ended.document["error"]["code"]) == (1, "nothing-staged")


def test_nothing_sensitive_is_shown(run, outreach):
    """B2: SSN and date of birth are masked wherever they are shown."""
    ended = run(
        "import", outreach(ROSA, BAD, TWIN), "--profile", "outreach_contacts", "--group", "Spring", answer="y\n"
    )
    upload_id = run("uploads", "--json").document[0]["upload_id"]
    shown = [ended.out, ended.err]
    for words in (
        ["show", upload_id, "--rows", "--changes", "--all-errors"],
        ["show", upload_id, "--rows", "--changes", "--all-errors", "--json"],
        ["contacts", "list"],
        ["contacts", "list", "--json"],
        ["contacts", "show", "1"],
        ["contacts", "show", "1", "--json"],
        ["uploads", "--json"],
    ):
        again = run(*words)
        shown += [again.out, again.err]
    assert not [secret for secret in SECRETS for text in shown if secret in text]
    assert "***-**-****" in "".join(shown)


def test_what_a_file_smuggles_in_reaches_no_terminal(run, outreach):
    hostile, plain = "\x1b[31mRosa,,,Delgado,,AC-1,[bold]r@example.com,", "Ann,,,Poe,,AC-2,ann@example.com,"
    run(
        "import", outreach(hostile, plain), "--profile", "outreach_contacts", "--group", "Sp\x1b[2Jring",
        "--allow-rejected", "100", "--yes",
    )  # fmt: skip
    upload_id = run("uploads", "--json").document[0]["upload_id"]
    for words, shown in (
        (["uploads"], "people.csv"),
        (["show", upload_id, "--rows"], "[bold]r@example.com"),
        (["contacts", "list"], "ann@example.com"),
        (["groups", "list"], "\\x1b[2Jring"),
    ):
        said = run(*words).out
        assert shown in said, words
        assert "\x1b" not in said


def test_contacts_groups_and_single_contacts(run, imported):
    listed = run("contacts", "list", "--json").document
    assert [contact["email"] for contact in listed] == ["rosa@example.com"]
    assert {"contact_id", "active", "revision", "groups", "notes", "links"} <= set(listed[0])
    one = run("contacts", "show", listed[0]["contact_id"], "--json").document
    assert one == listed[0] | {"noted": [], "linked": []}
    assert "rosa@example.com" in run("contacts", "list").out
    assert "Delgado" in run("contacts", "show", listed[0]["contact_id"]).out
    assert run("groups", "list", "--json").document == [{"address_book": "outreach", "group": "Spring", "contacts": 1}]
    assert "Spring" in run("groups", "list").out


def test_many_rows_say_the_same_as_few(run, outreach, monkeypatch):
    """Too many to draw are written as plain lines."""
    file = outreach(ROSA, "Ann,,,Poe,,AC-3,ann@example.com,02139")
    run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes")
    drawn = run("contacts", "list").out
    monkeypatch.setattr(console, "_DRAWN", 1)
    written = run("contacts", "list").out.split()
    assert written == drawn.replace("─", "").split()


def test_accounts_are_listed_with_their_contacts(run, workbook, tmp_path):
    """D5: the columns F to I make the account's contact."""
    headings = (
        "Account Number", "Account Name", "Account Type", "Portfolio", "Status", "Contact Name", "Contact Type",
        "Contact Phone", "Contact Email",
    )  # fmt: skip
    row = ("123456-SP", "Clinica", "MEDICAL", "Without Portfolio", "", "Ana Souza", "DOCTOR", "", "ana@example.com")
    ended = run("import", workbook(row, headings=headings), "--profile", "portfolio_accounts", "--yes", "--json")
    assert (ended.status, ended.document["contacts_created"]) == (0, 1)
    (account,) = run("accounts", "list", "--json").document
    assert (account["account_name"], account["status"], len(account["contacts"])) == ("Clinica", "ACTIVE", 1)
    assert run("accounts", "show", account["account_number"], "--json").document == account
    assert "Clinica" in run("accounts", "list").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nothing"], "upload-unknown"),
        (["apply", "nothing"], "upload-unknown"),
        (["cancel", "nothing"], "upload-unknown"),
        (["finalize", "nothing"], "upload-unknown"),
        (["rejected", "nothing"], "upload-unknown"),
        (["contacts", "show", "7"], "contact-unknown"),
        (["accounts", "show", "nothing"], "account-unknown"),
    ],
)
def test_what_is_not_there_is_refused(words, code, run):
    ended = run(*words, "--json")
    assert (ended.status, ended.document["error"]["code"]) == (1, code)
    plain = run(*words)
    assert plain.status == 1
    assert plain.out == ""
    assert len(plain.err.splitlines()) == 2


def test_users_and_vocabularies_are_loaded_and_listed(run, tmp_path):
    """E1: roles and the import option are set in the user's entry."""
    users = tmp_path / "users.yaml"
    users.write_text("- {login: dora, name: Dora, roles: [director], can_import: true}\n", encoding="utf-8")
    words = tmp_path / "specialties.txt"
    words.write_text("Cardiology\nNeurology\n", encoding="utf-8")
    entry = {"login": "dora", "name": "Dora", "roles": ["director"], "can_import": True}
    assert run("users", "load", users, "--json").document == [entry]
    assert run("users", "list", "--json").document == [entry]
    assert "dora" in run("users", "list").out
    loaded = {"name": "specialties", "values": ["Cardiology", "Neurology"]}
    assert run("vocabularies", "load", "specialties", words, "--json").document == loaded
    assert run("vocabularies", "list", "--json").document == [loaded]
    assert "Neurology" in run("vocabularies", "list").out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- {login: dora}\n", "name"),
        ("- {login: dora, name: Dora, role: director}\n", "role"),
        ("login: [", "line"),
        (None, "cannot be read"),
    ],
)
def test_a_users_file_that_is_wrong_is_named_and_replaces_nothing(content, said, run, users, tmp_path):
    file = tmp_path / "wrong.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    ended = run("users", "load", file)
    assert ended.status == 1
    assert "wrong.yaml" in ended.err
    assert said in ended.err
    assert len(run("users", "list", "--json").document) == 2


def test_why_a_row_became_what_it_became(run, imported):
    shown = run("show", imported["upload_id"], "--explain", "4").out
    document = run("show", imported["upload_id"], "--explain", "4", "--json").document

    assert document["explanation"][-1] == {
        "step": "outcome", "entity": None, "says": ["duplicate: it means the same as row 2 (contact 1)."],
    }  # fmt: skip
    assert "Row 4 of people.csv" in shown
    assert "it means the same as row 2" in " ".join(shown.split())
    assert not [secret for secret in SECRETS if secret in shown + str(document)]


def test_a_row_that_the_file_does_not_have_is_refused(run, imported):
    ended = run("show", imported["upload_id"], "--explain", "99", "--json")

    assert (ended.status, ended.document["error"]["code"]) == (1, "row-unknown")


@pytest.mark.parametrize(
    "words",
    [("--json", "uploads"), ("uploads", "--json"), ("--json", "users", "list"), ("users", "--json", "list")],
    ids=" ".join,
)
def test_json_may_stand_before_a_command_and_within_it(run, users, words):
    assert isinstance(run(*words).document, list)


def test_one_row_is_explained_alone(run, imported):
    ended = run("show", imported["upload_id"], "--explain", "4", "--rows")

    assert ended.status == 2
    assert "--explain shows one row and goes alone." in ended.err
