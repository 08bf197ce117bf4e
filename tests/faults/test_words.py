"""Files that are damaged or gone: what happened, what is true and what to do, and nothing else stops working."""

import json
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import MachineFault
from tests.faults.sweep import KINDS, copy_home
from tests.thorough import spread
from tests.trust import record

LOOKS = [["uploads"], ["contacts", "list"], ["groups", "list"], ["users", "list"]]


@pytest.fixture
def home(ground, tmp_path):
    """A copy of the filled home."""
    return copy_home(ground.folder / "home", tmp_path / "home")


def said(ground, home, *words):
    """What a command ends with: status, and its error as JSON gives it."""
    (ended,) = ground.worker.ask(home, [*words, "--json"])["ended"]
    assert "Traceback" not in ended["err"]
    return ended["status"], json.loads(ended["out"])


def cut_off(path):
    path.write_bytes(path.read_bytes()[:1000])


def overwritten(path):
    path.write_bytes(b"\xff" * path.stat().st_size)


def emptied(path):
    path.write_bytes(b"")


def made_a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = (cut_off, overwritten, emptied)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_contact_database_is_named_with_what_to_do(damage, ground, home):
    damage(home / "contacts.duckdb")
    status, document = said(ground, home, "uploads")
    record("damaged-files", tried=1, failed=int(status != 1), where="contacts.duckdb")
    assert (status, document["error"]["code"]) == (1, "contacts-damaged")
    assert "backup" in document["error"]["fix"]


def test_the_newest_copy_is_named_where_there_is_one(home):
    copy = home / "backups" / "contacts-before-a-change-20260101-000000-000000.duckdb"
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes((home / "contacts.duckdb").read_bytes())
    emptied(home / "contacts.duckdb")
    with pytest.raises(MachineFault, match=copy.name):
        Pipeline(home).uploads()


@pytest.mark.parametrize("words", [("uploads",), ("contacts", "list"), ("users", "list")])
def test_a_home_that_lost_its_contact_database_says_so_and_gets_no_new_one(words, ground, home):
    (home / "contacts.duckdb").unlink()
    status, document = said(ground, home, *words)
    assert (status, document["error"]["code"]) == (1, "contacts-missing")
    assert not (home / "contacts.duckdb").exists()


@pytest.mark.parametrize(
    ("harm", "code"), [(Path.unlink, "missing"), (lambda file: file.write_bytes(b"PAR1 cut PAR1"), "damaged")]
)
def test_a_staged_file_that_cannot_be_read_is_named_and_is_not_taken_for_the_contact_database(harm, code, ground, home):
    """Where an upload expires while it is undone. Who is told so in error puts an old backup in place."""
    staged = home / "staging" / ground.made["planned"]
    for file in staged.glob("*.parquet"):
        harm(file)
    opened = Pipeline(home).store.open(staged=staged / "staging.duckdb")
    with pytest.raises(MachineFault, match=r"contact_changes-.*parquet") as fault, opened as contacts:
        contacts.rows("FROM staged.contact_changes")
    assert (fault.value.code, "contacts.duckdb" in str(fault.value)) == (code, False)
    named = "UPLOAD" if code == "missing" else staged.name  # what DuckDB says of one that is gone has no folder
    assert f"`contact-pipeline replan {named}` makes it anew" in fault.value.fix
    assert said(ground, home, "replan", staged.name)[1]["state"] == "staged"


@pytest.mark.parametrize("damage", [*DAMAGES, made_a_folder])
def test_a_damaged_staging_database_stops_neither_the_list_nor_another_erasure(damage, ground, home):
    damage(home / "staging" / ground.made["planned"] / "staging.duckdb")
    done = ground.worker.ask(
        home,
        ["uploads", "--json"],
        ["show", ground.made["planned"]],
        ["apply", ground.made["other"]],
        ["contacts", "erase", "2", "--yes"],
        ["show", ground.made["planned"], "--json"],
    )["ended"]
    record("damaged-files", tried=1, failed=sum(ended["status"] != 0 for ended in done[:4]), where="staging.duckdb")
    assert [ended["status"] for ended in done[:4]] == [0] * 4, [ended["err"] for ended in done]
    assert json.loads(done[4]["out"])["reason"]["code"] == "staging-damaged"


def test_an_upload_whose_staged_files_are_gone_is_not_applied(ground, home):
    for path in (home / "staging" / ground.made["planned"]).iterdir():
        path.unlink()
    status, document = said(ground, home, "apply", ground.made["planned"])
    assert (status, document["error"]["code"]) == (1, "staged-changed")
    assert "replan" in document["error"]["fix"]


def test_too_little_memory_is_told_in_words(ground, home):
    (ended,) = ground.worker.ask(
        home,
        ["apply", ground.made["planned"], "--json"],
        environment={"CONTACT_PIPELINE_MEMORY_LIMIT": "1MB"},
    )["ended"]
    assert ended["status"] == 1
    assert json.loads(ended["out"])["error"]["code"] == "memory"


def test_a_wrong_bit_anywhere_is_damage_in_words_and_stops_no_erasure(ground, home):
    """In every staged file and in the contact database: no traceback, whatever is asked for."""
    planned = home / "staging" / ground.made["planned"]
    wrong, tried = [], 0
    for path in (home / "contacts.duckdb", *sorted(planned.iterdir())):
        whole = path.read_bytes()
        for place in spread(range(len(whole) // 6, len(whole), len(whole) // 3), 1):
            tried += 1
            altered = copy_home(home, home.parent / "altered")
            (altered / path.relative_to(home)).write_bytes(
                whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
            )
            done = ground.worker.ask(
                altered,
                ["uploads"],
                ["show", planned.name],
                ["rejected", planned.name],
                ["apply", planned.name],
                ["contacts", "erase", "2", "--yes"],
            )["ended"]
            said = "".join(ended["out"] + ended["err"] for ended in done)
            stopped = path.parent == planned and done[-1]["status"] != 0
            if len(done) < 5 or stopped or "Traceback" in said:
                wrong.append((path.name, place, said[-500:]))
    record("damaged-files", tried=tried, failed=len(wrong), where="wrong bits")
    assert not wrong


def test_a_read_only_home_can_be_looked_at(ground, home):
    done = ground.worker.ask(home, *LOOKS, ["verify"], kind=KINDS["read-only"], at=1)["ended"]
    assert [ended["status"] for ended in done] == [0] * len(done)
    assert len(done) == len(LOOKS) + 1


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ({"kind": KINDS["read-only"], "at": 1}, "read-only"),
        ({"kind": KINDS["forbidden"], "at": 5}, "no-permission"),
        ({"kind": KINDS["broken"], "at": 5}, "disk-error"),
        ({"limits": {"RLIMIT_FSIZE": 100_000}}, "disk-full"),
        ({"limits": {"RLIMIT_NOFILE": 12}}, "too-many-files"),
    ],
)
def test_what_the_machine_does_not_allow_is_said_with_where_the_upload_stands(made, code, ground, home):
    """`import` and `contacts erase` end with one sentence, and go on once it is allowed."""
    new = ["import", str(ground.folder / "new.csv"), "--profile", "outreach_contacts", "--group", "Summer", "--yes"]
    for words in (new, ["contacts", "erase", "2", "--yes"]):
        (ended,) = ground.worker.ask(home, [*words, "--json"], **made)["ended"]
        error = json.loads(ended["out"])["error"]
        assert (ended["status"], error["code"]) == (1, code), ended
        assert any(true in error["message"] for true in ("is not planned yet", "Nothing was begun", "erased in part"))
        (again,) = ground.worker.ask(home, words)["ended"]
        assert again["status"] == 0, again


@pytest.mark.parametrize("room", spread([0, 4_096, 8_192, 16_384, 100_000, 600_000, 1_500_000, 6_000_000], 3))
def test_with_so_many_bytes_left_a_command_is_done_wholly_or_says_what_is_not(room, ground, home):
    """What an import says is so, and the same apply and erasure go on once there is room."""
    made = ground.made
    commands = [
        ["apply", made["planned"]],
        ["import", str(ground.folder / "new.csv"), "--profile", "outreach_contacts", "--group", "Summer", "--yes"],
        ["contacts", "erase", "2", "--yes"],
    ]
    problems = []
    for words in commands:
        (ended,) = ground.worker.ask(home, words, kind=KINDS["room"], room=room)["ended"]
        said = ended["out"] + ended["err"]
        if ended["status"] not in {0, 1} or (ended["status"] and "disk is full" not in said):
            problems.append(said)
        (again,) = ground.worker.ask(home, words)["ended"]
        if again["status"] and "erased already" not in again["err"]:
            problems.append(again["err"])
    (verified,) = ground.worker.ask(home, ["verify"])["ended"]
    if verified["status"]:
        problems.append(verified["out"])
    record("disk-full", tried=len(commands), failed=len(problems), where=f"{room:,} bytes left")
    assert not problems
