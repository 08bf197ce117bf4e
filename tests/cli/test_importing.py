"""`plan`, `apply` and `import`: what is shown, what is asked, what is done, and how it ends."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.pipeline import committing

ROSA = "Rosa,(202) 555-0178,219-09-9990,Delgado,04/17/1984,AC-1,rosa@example.com,02139"
IAN = "Ian,,,Moss,,AC-2,ian@example.com,"


def import_outreach(run, file, *options, answer=""):
    return run("import", file, "--profile", "outreach_contacts", *options, answer=answer)


def contacts(run, *options):
    return run("contacts", "list", "--json", *options).document


def test_a_plan_changes_nothing(run, plan_outreach):
    """A9, E7: nothing is imported before the approval; the result can be looked at first."""
    upload = plan_outreach()
    assert upload["state"] == "staged"
    assert upload["outcomes"]["created"] == 2
    assert contacts(run) == []


def test_a_plan_shows_the_file_and_the_next_command(run, outreach, home):
    """B3: the chosen file and its pairing with a group are shown for checking."""
    ended = run("plan", outreach(ROSA), "--profile", "outreach_contacts", "--group", "Spring")
    assert ended.status == 0
    upload_id = run("uploads", "--json").document[0]["upload_id"]
    for shown in ("people.csv", "bytes", "Spring", "staged", f"contact-pipeline apply {upload_id} --home {home}"):
        assert shown in ended.out


def test_applying_makes_the_contacts(run, plan_outreach):
    upload = plan_outreach()
    ended = run("apply", upload["upload_id"], "--json", "--user", "kim")
    assert ended.status == 0
    assert ended.document["state"] == "applied"
    assert ended.document["approved_by"] == "kim"
    assert [contact["first_name"] for contact in contacts(run)] == ["Rosa", "Ian"]


def test_applying_twice_changes_nothing_and_says_so(run, plan_outreach):
    """X2: the second apply does nothing; its document is the first one's, with a warning."""
    upload = plan_outreach()
    first = run("apply", upload["upload_id"], "--json")
    second = run("apply", upload["upload_id"], "--json")
    assert (first.status, second.status) == (0, 0)
    said = "It was applied before; nothing was changed now."
    assert first.document["warnings"] == []
    assert second.document == first.document | {"warnings": [said]}
    assert said in run("apply", upload["upload_id"]).out


def test_only_the_changeset_that_was_looked_at_is_applied(run, plan_outreach):
    """X2: what is approved is what is applied."""
    upload = plan_outreach()
    ended = run("apply", upload["upload_id"], "--changeset", "0" * 64, "--json")
    assert ended.status == 1
    assert ended.document["error"]["code"] == "changeset-differs"
    assert contacts(run) == []
    assert run("apply", upload["upload_id"], "--changeset", upload["changeset_sha256"]).status == 0


def test_a_contact_that_changed_in_between_makes_the_upload_stale(run, workbook):
    """X2: applying refuses when a contact has changed since."""
    program = ("--profile", "program_contacts", "--json")
    assert run("import", workbook(("dana@example.com", "Dana", "", "", "", "")), *program, "--yes").status == 0
    held = run("plan", workbook(("dana@example.com", "", "Whitfield", "", "", ""), name="b.xlsx"), *program).document
    other = workbook(("dana@example.com", "", "Cole", "", "", ""), name="c.xlsx")
    assert run("import", other, *program, "--yes").status == 0
    ended = run("apply", held["upload_id"], "--json")
    assert ended.status == 1
    assert ended.document["state"] == "stale"
    assert "2" in ended.document["reason"]["message"]
    assert contacts(run)[0]["last_name"] == "Cole"


def test_import_asks_and_applies_on_yes(run, outreach):
    """B3, C5, D6: import shows file, size, group and counts, asks, and says how it ended."""
    ended = import_outreach(run, outreach(ROSA, IAN), "--group", "Spring", answer="y\n")
    assert ended.status == 0
    for shown in ("people.csv", "bytes", "Spring", "created"):
        assert shown in ended.err
    assert "Apply people.csv?" in ended.err
    assert "applied" in ended.out
    assert len(contacts(run)) == 2


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_import_without_a_yes_cancels(answer, run, outreach, home):
    """B5, C1: cancelled, nothing is imported, and only the ledger line stays."""
    ended = import_outreach(run, outreach(ROSA), "--group", "Spring", "--json", answer=answer)
    assert ended.status == 1
    assert ended.document["state"] == "cancelled"
    assert contacts(run) == []
    assert list((home / "staging").iterdir()) == []
    assert [upload["state"] for upload in run("uploads", "--json").document] == ["cancelled"]


def test_import_with_yes_asks_nothing(run, outreach):
    ended = import_outreach(run, outreach(ROSA), "--group", "Spring", "--yes", "--json")
    assert ended.status == 0
    assert ended.document["state"] == "applied"
    assert ended.err == ""


def test_a_plan_that_ends_blocked_is_done_but_an_import_is_not(run, workbook):
    """A5, C3, D6: with an error nothing can be confirmed."""
    file = workbook(("dana@example.com", "Dana", "", "", "", ""), ("dana@", "Dan", "", "", "", ""))
    planned = run("plan", file, "--profile", "program_contacts", "--json")
    assert (planned.status, planned.document["state"]) == (0, "blocked")
    imported = run("import", file, "--profile", "program_contacts", "--yes", "--json")
    assert (imported.status, imported.document["state"]) == (1, "blocked")
    applied = run("apply", planned.document["upload_id"], "--json")
    assert (applied.status, applied.document["state"]) == (1, "blocked")
    assert contacts(run) == []


def test_the_same_file_again_changes_nothing_and_says_so(run, outreach):
    """X3: the same file dropped twice changes nothing the second time."""
    file = outreach(ROSA)
    first = import_outreach(run, file, "--group", "Spring", "--yes", "--json").document
    again = import_outreach(run, file, "--group", "Spring", "--yes", "--json")
    assert again.status == 0
    assert (again.document["state"], again.document["repeats"]) == ("repeated", first["upload_id"])
    planned = run("plan", file, "--profile", "outreach_contacts", "--group", "Spring")
    assert planned.status == 0
    assert f"contact-pipeline show {first['upload_id']}" in planned.out


def test_too_many_deactivations_wait_for_a_confirmation(run, workbook):
    """A6, A8: deactivating the missing is a choice; a guard stops too many until that is confirmed."""
    people = [(f"p{n}@example.com", f"P{n}", "", "", "", "") for n in range(4)]
    program = ("--profile", "program_contacts", "--json")
    assert run("import", workbook(*people), *program, "--yes").status == 0
    fewer = workbook(*people[:2], name="fewer.xlsx")
    planned = run("plan", fewer, *program, "--deactivate-missing").document
    assert (planned["state"], planned["deactivated"]) == ("blocked", 2)
    assert "--confirm-deactivations" in run("show", planned["upload_id"]).out
    assert run("apply", planned["upload_id"]).status == 1
    applied = run("apply", planned["upload_id"], "--confirm-deactivations", "--json")
    assert (applied.status, applied.document["state"]) == (0, "applied")
    assert [contact["active"] for contact in contacts(run)] == [True, True, False, False]


def test_deactivations_may_be_allowed_beforehand(run, workbook):
    """A8: the share can be confirmed at plan."""
    people = [(f"p{n}@example.com", f"P{n}", "", "", "", "") for n in range(4)]
    program = ("--profile", "program_contacts", "--json")
    assert run("import", workbook(*people), *program, "--yes").status == 0
    allowed = run(
        "plan", workbook(*people[:2], name="b.xlsx"), *program, "--deactivate-missing", "--allow-deactivations", 50
    )
    assert allowed.document["state"] == "staged"


def test_what_is_held_is_published_when_finalized(run, tmp_path, users):
    """E9, E10: finished at has a time; nothing is visible to others until it is finalized."""
    file = tmp_path / "leads.csv"
    file.write_text("Name;Phone;Email\nJordan Avery;(202) 555-0166;jordan@example.com\n", encoding="utf-8")
    ended = run(
        "import", file, "--profile", "dealer_leads", "--lead-type", "SMS", "--rule", "merge", "--user", "dora",
        "--yes", "--json",
    )  # fmt: skip
    assert ended.status == 0
    assert ended.document["finished_at"]
    assert ended.document["delimiter"] == ";"
    assert len(contacts(run)) == 1
    assert contacts(run, "--published") == []
    finalized = run("finalize", ended.document["upload_id"], "--user", "dora", "--json")
    assert (finalized.status, finalized.document["state"]) == (0, "finalized")
    assert len(contacts(run, "--published")) == 1


def test_headings_are_mapped_by_hand(run, tmp_path, users):
    """E6: file columns are mapped to fields; the mapping can be overridden and saved."""
    file = tmp_path / "leads.csv"
    file.write_text("Who,How to call,Email\nJordan Avery,(202) 555-0166,j@example.com\n", encoding="utf-8")
    leads = ("--profile", "dealer_leads", "--lead-type", "SMS", "--user", "dora", "--json")
    ended = run("plan", file, *leads, "--map", "Who=full_name", "--map", "How to call=phone", "--save-mapping")
    assert ended.status == 0
    assert ended.document["mapping"] == {"Who": "full_name", "How to call": "phone", "Email": "email"}
    again = tmp_path / "again.csv"
    again.write_text("Who,How to call,Email\nRobin Vale,(202) 555-0167,r@example.com\n", encoding="utf-8")
    assert run("plan", again, *leads).document["mapping"]["Who"] == "full_name"


def test_a_tab_can_be_named(run, tmp_path, users):
    """E3: the delimiter is chosen."""
    file = tmp_path / "leads.csv"
    file.write_text("Name\tPhone\nJordan Avery\t(202) 555-0166\n", encoding="utf-8")
    ended = run(
        "plan",
        file,
        "--profile",
        "dealer_leads",
        "--lead-type",
        "SMS",
        "--user",
        "dora",
        "--delimiter",
        "tab",
        "--json",
    )
    assert (ended.status, ended.document["delimiter"]) == (0, "\t")


def test_a_finished_upload_cannot_be_cancelled(run, plan_outreach):
    upload = plan_outreach()
    assert run("apply", upload["upload_id"]).status == 0
    ended = run("cancel", upload["upload_id"], "--json")
    assert ended.status == 1
    assert ended.document["error"]["code"] == "wrong-state"


def test_cancelling_leaves_nothing_but_the_ledger_line(run, plan_outreach, home):
    """B5: a cancelled upload leaves nothing behind but its ledger line."""
    upload = plan_outreach()
    ended = run("cancel", upload["upload_id"], "--json")
    assert (ended.status, ended.document["state"]) == (0, "cancelled")
    assert list((home / "staging").iterdir()) == []
    assert [path for path in (home / "uploads").rglob("*") if path.name != ".arriving"] == []


def test_accounts_move_from_one_portfolio_to_another_and_to_none(run, workbook, users):
    """D4: the column of portfolios is edited and the file imported again; the status stays, and undoing moves back."""
    headings = (
        "Account Number", "Account Name", "Account Type", "Portfolio", "Status", "Contact Name", "Contact Type",
        "Contact Phone", "Contact Email",
    )  # fmt: skip

    def moved(name, *portfolios, status=""):
        rows = [
            (f"12345{n}-SP", f"Clinic {n}", "MEDICAL", portfolio, status, "", "", "", "")
            for n, portfolio in enumerate(portfolios)
        ]
        file = workbook(*rows, name=name, headings=headings)
        return run("import", file, "--profile", "portfolio_accounts", "--yes", "--json")

    def accounts():
        return [(a["portfolio"], a["status"]) for a in run("accounts", "list", "--json").document]

    assert moved("a.xlsx", "dora", "dora", "nils", status="INACTIVE").document["outcomes"]["created"] == 3
    second = moved("b.xlsx", "NILS", "Without Portfolio", "nils").document
    assert (second["outcomes"]["updated"], second["outcomes"]["unchanged"]) == (2, 1)
    assert accounts() == [("nils", "INACTIVE"), (None, "INACTIVE"), ("nils", "INACTIVE")]
    assert moved("c.xlsx", "nobody").document["state"] == "blocked"
    assert run("undo", second["upload_id"]).status == 0
    assert accounts() == [("dora", "INACTIVE"), ("dora", "INACTIVE"), ("nils", "INACTIVE")]


@pytest.mark.parametrize(("words", "answer", "state"), [(["--yes"], "", "applied"), ([], "y\n", "stale")])
def test_an_import_that_others_made_stale_at_the_same_moment_is_planned_again_once(
    run, workbook, home, monkeypatch, words, answer, state
):
    """X2: as told beforehand; where somebody agreed to what was shown, the new plan is to be approved."""
    others = workbook(("ann@example.com", "Ann", "Bee", "", "", ""), name="others.xlsx")
    file = workbook(("ann@example.com", "Ann", "Oak", "", "Acme", ""))
    commit, done = committing.commit, []

    def commit_after_others(*given):
        if not done:
            done.append(True)
            other = Pipeline(home=home)
            other.apply(other.plan(others, "program_contacts").upload_id)
        return commit(*given)

    monkeypatch.setattr(committing, "commit", commit_after_others)
    ended = run("import", file, "--profile", "program_contacts", "--json", *words, answer=answer)

    assert (ended.status, ended.document["state"]) == (0 if state == "applied" else 1, state)
    (contact,) = run("contacts", "list", "--json").document
    assert contact["company"] == ("Acme" if state == "applied" else None)
