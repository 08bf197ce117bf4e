"""`contacts find`, and commands that take whatever identifies somebody and name the person."""

import json

import pytest


@pytest.fixture
def people(run, outreach):
    """Rosa, contact 1; two people called Ann Example, 2 and 3, who share an address."""
    file = outreach(
        "Rosa,(202) 555-0101,219-09-9991,Delgado,,AC-1,rosa@example.com,",
        "Ann,,,Example,,AC-2,family@example.com,",
        "Ann,,,Example,,AC-3,family@example.com,",
    )
    assert run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes").status == 0


def test_people_are_found_at_eighty_columns(run, people, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    ended = run("contacts", "find", "family@example.com")

    assert ended.status == 0
    assert "family@example.com" in ended.out
    assert "2 contacts" in ended.out
    assert max(len(line) for line in ended.out.splitlines() if "contact-pipeline " not in line) <= 80


def test_words_need_no_quotes_and_json_is_a_list_of_contacts(run, people):
    document = run("contacts", "find", "rosa", "delg", "--json").document

    assert [(each["contact_id"], each["ssn"], each["found_by"]) for each in document] == [(1, "***-**-****", ["name"])]
    assert run("contacts", "find", "nobody", "--json").document == []


@pytest.mark.parametrize(
    "who", ["1", "rosa@example.com", "202.555.0101", "rosa delgado", "'+12025550101", "tel:+1-202-555-0101"]
)
def test_commands_take_what_identifies_somebody(run, people, who):
    assert run("contacts", "show", who, "--json").document["contact_id"] == 1
    assert run("contacts", "history", who, "--json").document[0]["name"] == "Rosa Delgado"
    assert run("contacts", "deactivate", who, "--json").document["deactivated"] == 1
    assert run("groups", "remove", "Spring", who, "--yes").status == 0


def test_several_are_listed_and_nothing_is_done(run, people):
    ended = run("contacts", "erase", "Ann Example", "--yes", "--json")

    assert (ended.status, ended.document["error"]["code"]) == (1, "contact-ambiguous")
    assert [each["contact_id"] for each in ended.document["error"]["candidates"]] == [2, 3]
    assert run("contacts", "deactivate", "family@example.com").status == 1
    assert [each["active"] for each in run("contacts", "list", "--json").document] == [True, True, True]


def test_somebody_at_a_terminal_is_asked_which(run, people, monkeypatch):
    from contact_pipeline.cli import person

    monkeypatch.setattr(person, "may_ask", lambda _invocation: True)

    ended = run("contacts", "deactivate", "ann example", answer="7\n3\n")

    assert ended.status == 0, ended.err
    assert [each["active"] for each in run("contacts", "list", "--json").document] == [True, True, False]


def test_erasing_shows_whom_it_found(run, people):
    ended = run("contacts", "erase", "rosa@example.com", answer="n\n")

    assert ended.status == 1
    assert "Rosa Delgado" in ended.err
    assert run("contacts", "show", "1").status == 0


def test_changes_name_the_person(run, people):
    (upload,) = run("uploads", "--json").document

    changes = run("show", upload["upload_id"], "--changes", "--json").document["changes"]
    planned = run("undo", upload["upload_id"], "--plan", "--changes", "--json").document["inverse"]

    assert {change["name"] for change in changes} == {"Rosa Delgado", "Ann Example"}
    assert "Rosa Delgado" in {change.get("name") for change in planned}
    assert "Rosa Delgado" in run("show", upload["upload_id"]).out


def test_rows_in_review_stand_beside_their_candidates_and_are_resolved_by_name(run, people, outreach):
    file = outreach("Rose,,219-09-9991,Delgado,,AC-9,rose@example.com,", name="later.csv")
    upload = run("plan", file, "--profile", "outreach_contacts", "--group", "A", "--json").document["upload_id"]

    drawn = run("in-review", upload)
    (row,) = run("in-review", upload, "--json").document["in_review"]

    assert "Contact 1" in drawn.out
    assert "rosa@example.com" in drawn.out
    assert "219-09-9991" not in drawn.out
    (candidate,) = row["candidates"]
    assert (candidate["name"], candidate["shares"], candidate["values"]["ssn"]) == (
        "Rosa Delgado",
        ["ssn"],
        "***-**-****",
    )
    assert run("resolve", upload, "--row", 2, "--to", "nobody at all").status == 1
    assert run("resolve", upload, "--row", 2, "--to", "rosa delgado").status == 0
    (decision,) = run("decisions", "--json").document
    assert (decision["contact_id"], decision["name"]) == (1, "Rosa Delgado")


def test_an_export_says_where_it_is_and_refuses_what_is_no_page(run, people, tmp_path):
    file = tmp_path / "rosa.json"

    document = run("contacts", "export", "rosa@example.com", "-o", file, "--json").document

    assert (document["file"], document["contact_ids"], document["rows"]) == (str(file), [1], 1)
    held = json.loads(file.read_text(encoding="utf-8"))
    assert held["contacts"][0]["current"]["ssn"] == "219-09-9991"
    assert run("contacts", "export", 1, "-o", file).status == 2
    assert run("contacts", "export", 1, "-o", tmp_path / "rosa.txt").status == 2
    assert run("contacts", "export", "ann example", "-o", file, "--overwrite").status == 1
