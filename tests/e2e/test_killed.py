"""`serve` and all that it started, killed while a file is imported: served again, the file is applied as ever."""

import os
import signal
import time
from pathlib import Path

import pytest
import yaml

from contact_pipeline.pipeline import Pipeline
from tests.e2e.test_serve import OUTREACH, PATIENCE_SECONDS, ending, processes_of, start
from tests.trust import record

pytestmark = [pytest.mark.serve, pytest.mark.timeout(900)]

ROWS = 20_000


def kill_everything(home: Path, first: int) -> None:
    """No process gets to do anything more, whatever it was at."""
    for pid in [first, *processes_of(home)]:
        os.kill(pid, signal.SIGKILL)


def wait_until(true, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_file_is_applied_though_everything_was_killed_while_it_was_imported(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    users = [{"login": home.owner(), "name": "Test", "roles": ["director"], "can_import": True}]
    (tmp_path / "users.yaml").write_text(yaml.safe_dump(users))
    pipeline = Pipeline(home=home)
    pipeline.store.load_users(tmp_path / "users.yaml")
    inbox = home / "inbox" / "outreach_contacts"
    with ending(start(home), home) as process:
        wait_until(inbox.is_dir, "there is an inbox")
        (inbox / "people.csv.options.yaml").write_text("group: Spring\n")
        rows = "".join(f"Rosa,,,Delgado,04/17/1984,AC-{n},rosa{n}@example.com,02139\n" for n in range(ROWS))
        (inbox / "people.part").write_text(OUTREACH + rows)
        (inbox / "people.part").rename(inbox / "people.csv")
        wait_until(lambda: any((home / "staging").glob("*/raw-*.parquet")), "the file is being staged")
        kill_everything(home, process.pid)
    (upload,) = pipeline.uploads()
    killed_at = upload.line.stage
    with ending(start(home), home):
        wait_until(lambda: pipeline.show(upload.upload_id).state == "applied", "it is applied after all")
    (found,) = pipeline.uploads()
    whole = found.outcomes["created"] == ROWS and not pipeline.verify().findings
    record("kill-in-serve", tried=1, failed=int(not whole), where=f"after {killed_at}")
    assert whole, (found.outcomes, pipeline.verify().findings)
