"""What notices keep in the home: nobody's data, known to backups, migrated into, and ended where a home is restored."""

import tarfile
from pathlib import Path

import pytest
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run as run_command
from contact_pipeline.contracts.kept import KEPT
from tests.notices.conftest import ALL, NOBODY, PERSONAL, ROSA, hook_address
from tests.notices.servers import port_of

OLD_HOME = Path(__file__).parents[1] / "store" / "home_of_first_schema.tgz"


def kept_text(pipeline):
    """All that the tables of news and notices hold, as text."""
    with pipeline.store.open(read_only=True) as contacts:
        return str([contacts.rows(f"FROM {table}") for table in ("news", "notices")])


def test_the_tables_hold_nobodys_data(by_hook, hook, plan, run, pipeline):
    by_hook()
    hook.answers = 500
    run("apply", plan(ROSA, NOBODY)["upload_id"])

    kept = kept_text(pipeline)
    assert "outreach" not in kept
    assert [value for value in (*PERSONAL, "people.csv", "Spring") if value in kept] == []
    tables = [table for table in KEPT if table.name in {"news", "notices"}]
    assert [column.name for table in tables for column in table.columns if column.personal] == []


def test_what_an_erasure_makes_of_a_name_is_what_a_later_notice_says(by_hook, hook, plan, run, pipeline):
    posts = by_hook()
    hook.answers = 500
    upload = plan(name="rosa@example.com.csv")["upload_id"]
    run("apply", upload)
    (contact,) = run("contacts", "list", "--json").document
    assert run("contacts", "erase", contact["contact_id"], "--yes").status == 0
    hook.answers = 200
    posts.clear()
    run("notices", "send")

    assert len(posts) == 1
    assert [value for value in (*PERSONAL, "rosa") if value in str(posts)] == []


def test_a_restored_home_sends_nothing_that_may_have_been_sent_since(by_hook, hook, plan, run, tmp_path, states):
    posts = by_hook()
    hook.answers = 500
    upload = plan()["upload_id"]
    backup = tmp_path / "home.tar.gz"
    assert run("backup", backup).status == 0
    hook.answers = 200
    run("notices", "send")
    sent = len(posts)

    assert run("restore", backup, "--replace").status == 0
    assert run("notices", "send", "--json").document["sent"] == 0
    assert states() == [("staged", "dropped")]
    assert len(posts) == sent
    assert run("verify").status == 0

    run("apply", upload)  # and goes on telling, as notices.yaml is in the backup
    assert [post["title"] for post in posts[sent:]] == ["people.csv: applied"]


def test_a_home_with_notices_is_whole(by_hook, plan, run):
    by_hook()
    run("apply", plan()["upload_id"])

    assert run("verify").status == 0


@pytest.mark.slow
def test_an_older_home_tells_from_its_next_change_on(tmp_path, hook, monkeypatch):
    with tarfile.open(OLD_HOME) as packed:
        packed.extractall(home := tmp_path / "home", filter="data")
    monkeypatch.setenv("DESK", hook_address(port_of(hook)))
    rules = {"targets": {"desk": {"env": "DESK"}}, "notices": [{"to": ["desk"], "on": ALL}]}
    (home / "notices.yaml").write_text(yaml.safe_dump(rules))
    applied = next(upload for upload in Pipeline(home).uploads() if upload.state == "applied")

    assert run_command(["undo", applied.upload_id, "--user", "d.rivers", "--home", str(home)]) == 0
    assert [post["title"].rpartition(": ")[2] for post in hook.posts] == ["undone"]
