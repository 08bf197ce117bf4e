"""`verify` finds nothing in a home that is whole, and in a damaged one what was damaged."""

import random

import pytest

from contact_pipeline.cli.app import run
from tests.homes import fill_once
from tests.pipeline.conftest import contacts, leads, outreach, pipeline, write  # noqa: F401 - fixtures
from tests.trust import record

SSN = "219-09-9998"
DIRECTOR = "d.rivers"


@pytest.fixture
def home(pipeline, outreach, leads):  # noqa: F811
    """A home in which everything has been done: undone, redone, decided later, held, deactivated and erased."""

    def fill():
        first = pipeline.apply(outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN}).upload_id)
        pipeline.resolve(first.upload_id, 3, "new")
        leads(("Ann Bee", "(202) 555-0143", "ann@example.com"), ("Cy Dee", "(202) 555-0144", "cy@example.com"))
        second = leads(("Ann Bee", "(202) 555-0143", "ann.bee@example.com"), rule="create")
        third = leads(("Ann Bee", "(202) 555-0143", "ann.third@example.com"))
        pipeline.undo(second.upload_id, user=DIRECTOR)
        pipeline.undo(third.upload_id, user=DIRECTOR)
        pipeline.redo(third.upload_id, user=DIRECTOR)
        ids = [contact["contact_id"] for contact in pipeline.store.contacts()]
        pipeline.set_active(ids[0], active=False)
        pipeline.erase(ids[-1])
        outreach({"account": "A-9", "email": "nine@example.com"}, name="staged.csv")

    fill_once(pipeline.settings.home, fill)
    return pipeline


def codes(pipeline):  # noqa: F811
    return {finding.code for finding in pipeline.verify().findings}


def test_a_home_that_is_whole_has_no_findings(home):
    verified = home.verify()
    assert verified.findings == []
    assert verified.checked["uploads"] == 6


def test_a_home_that_was_never_used_has_no_findings(pipeline):  # noqa: F811
    assert pipeline.verify().findings == []


DAMAGES = {
    "UPDATE contacts SET email = 'mallory@example.com' WHERE contact_id = 1": "history",
    "UPDATE contacts SET active = NOT active WHERE contact_id = 3": "history",
    "DELETE FROM contacts WHERE contact_id = 3": "history",
    "INSERT INTO contacts (contact_id, address_book, active) VALUES (999, 'leads', true)": "history",
    "INSERT INTO contacts FROM contacts WHERE contact_id = 1": "history",
    "UPDATE contact_changes SET after_phone = '+12025550199' WHERE contact_id = 3 AND action = 'create'": "history",
    "DELETE FROM memberships": "history",
    "INSERT INTO links VALUES (1, 3)": "history",
    "DELETE FROM groups": "history",
    "UPDATE contacts SET full_name = 'Back Again' WHERE contact_id IN (SELECT contact_id FROM erasures)": "erasure",
    "UPDATE commits SET committed_at = committed_at - INTERVAL 1 DAY WHERE commit_number = 3": "commits",
    "UPDATE uploads SET state = 'undone' WHERE number = 2": "ledger",
    "UPDATE uploads SET state = 'applied' WHERE state = 'undone'": "ledger",
    "UPDATE uploads SET created = created + 1, data_rows = data_rows + 1 WHERE number = 1": "counts",
    "UPDATE uploads SET blank = blank + 1 WHERE number = 1": "counts",
}


@pytest.mark.parametrize(("damage", "code"), DAMAGES.items())
def test_what_was_altered_in_the_contact_database_is_found(home, damage, code):
    with home.store.change() as database:
        database.run(damage)

    assert code in codes(home)
    record("altered-tables", tried=1, failed=0, where="verify")


@pytest.mark.parametrize("more", [1, -1])
def test_counts_are_compared_with_the_history_and_with_what_is_staged(home, more):
    line = home.uploads()[-1].line
    with home.store.change() as database:
        database.run(f"UPDATE uploads SET created = created + {more}, data_rows = data_rows + {more} WHERE number = 1")

    found = {(each.where, each.message) for each in home.verify().findings if each.code == "counts"}

    history, staged = f"upload {line.upload_id}", f"staging/{line.upload_id}"
    assert {where for where, _ in found} == {history, staged}
    said = f"Upload {line.upload_id} created {line.created + more} contacts; its history has {line.created}."
    assert (history, said) in found


def test_what_was_altered_in_files_is_found(home):
    applied, staged = home.uploads()[-1], home.uploads()[0]
    next(staged.staging.folder.glob("normalized-*")).unlink()
    original = home.originals.path(applied.upload_id)
    original.write_bytes(original.read_bytes() + b"\n")
    (home.settings.home / "staging" / "nobody").mkdir()

    found = {(finding.code, finding.where) for finding in home.verify().findings}

    assert found == {
        ("staged-changed", f"staging/{staged.upload_id}"),
        ("original", f"uploads/{applied.upload_id}"),
        ("left-over", "staging/nobody"),
    }


def test_the_original_is_missed_where_it_is_still_to_be_read(home, write):  # noqa: F811
    file = write("later.csv", ["Name", "Phone", "Email"], [("Di Eff", "", "di@example.com")])
    received = home.receive(file, "dealer_leads", user=DIRECTOR, lead_type="SMS")
    assert codes(home) == set()
    home.originals.path(received.upload_id).unlink()

    assert codes(home) == {"original"}


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"no database" * 1_000, lambda whole: whole[:20_000]])
def test_a_contact_database_that_is_none_is_found(home, damage):
    path = home.settings.contacts_path
    path.write_bytes(damage(path.read_bytes()))
    (finding,) = home.verify().findings
    assert finding.code == "database"
    assert "contact-pipeline restore" in finding.fix
    record("altered-tables", tried=1, failed=0, where="the database file")


def test_a_changed_block_of_the_contact_database_is_found_or_holds_nothing(home):
    """Blocks that DuckDB does not use any more are not read by anybody."""
    path, chosen, tried = home.settings.contacts_path, random.Random(1), 20
    whole, before, found = path.read_bytes(), home.store.contacts(), 0
    for _ in range(tried):
        place = chosen.randrange(len(whole) - 100)
        path.write_bytes(whole[:place] + chosen.randbytes(100) + whole[place + 100 :])
        findings = home.verify().findings
        found += bool(findings)
        assert findings or home.store.contacts() == before
        assert {finding.code for finding in findings} <= {"database"}
    assert found
    record("altered-tables", tried=tried, failed=0, where="the database file")


def test_a_command_says_in_one_sentence_that_the_contact_database_is_damaged(home, tmp_path, capsys):
    home.settings.contacts_path.write_bytes(b"no database" * 1_000)
    for command in (["uploads"], ["contacts", "list"], ["backup", str(tmp_path / "home.tar.gz")]):
        assert run([*command, "--home", str(home.settings.home)]) == 1
        said = "".join(capsys.readouterr().err.split())
        assert "contacts.duckdbisdamagedorwascutoff" in said
        assert "Traceback" not in said
    assert not (tmp_path / "home.tar.gz").exists()


def test_no_finding_quotes_a_value(home):
    with home.store.change() as database:
        database.run("UPDATE contacts SET ssn = '078-05-1120', email = 'mallory@example.com' WHERE contact_id = 1")

    told = str(home.verify().as_dict())

    assert "contact 1" in told
    assert "078-05-1120" not in told
    assert "mallory" not in told
