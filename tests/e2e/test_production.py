"""A home as it is run in production: Dagster's records in PostgreSQL, a server to look at beside the one that works.

Backups are taken while a file is imported; who is erased since is erased again where one of them is restored.
"""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from contact_pipeline.pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.store.dagster_records import VARIABLE
from tests.e2e.test_killed import wait_until
from tests.e2e.test_serve import OUTREACH, ending, start
from tests.postgres import ask, postgres_server

pytestmark = [pytest.mark.serve, pytest.mark.timeout(900)]

ROWS = 2_000


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = ""
    while "http://" not in said:
        said = process.stderr.readline()
        assert said, f"serve ended with status {process.wait()}"
    return "http://" + said.split("http://")[1].split("/")[0].split()[0].rstrip(".,")


def answer(url: str, body: bytes | None = None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def launched(url: str) -> Any:
    selector = '{repositoryLocationName: "contact_pipeline", repositoryName: "__repository__", jobName: "undo_upload"}'
    query = f"mutation {{ launchRun(executionParams: {{selector: {selector}, runConfigData: {{}}}}) {{ __typename }} }}"
    request = urllib.request.Request(
        f"{url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as found:
        return json.load(found)["data"]["launchRun"]["__typename"]


def test_a_home_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    users = [{"login": home.owner(), "name": "Test", "roles": ["director"], "can_import": True}]
    (tmp_path / "users.yaml").write_text(yaml.safe_dump(users))
    Pipeline(home=home).store.load_users(tmp_path / "users.yaml")
    with postgres_server() as (address, _):
        monkeypatch.setenv(VARIABLE, address)
        pipeline = Pipeline(settings=Settings(home=home))
        with ending(start(home), home) as process:
            url = address_of(process)
            with start(home, "--read-only") as looking:
                try:
                    to_look = address_of(looking)
                    backups = import_and_back_up(pipeline, tmp_path)
                    look(pipeline, url, to_look)
                finally:
                    looking.terminate()
                assert looking.wait(60) == 0
            pipeline.erase(1, user="dpo")
            assert answer(f"{url}/health")[0] == 200
        assert ask(address, "SELECT count(*) FROM event_logs")[0][0] > 0
        assert not list((home / "dagster").rglob("*.db"))
        restore_each(backups, home)


def import_and_back_up(pipeline: Pipeline, folder: Path) -> list[Path]:
    """Drops a file, and takes a backup at its beginning, and whenever there is time until it is applied, and then."""
    inbox = pipeline.settings.inbox / "outreach_contacts"
    (inbox / "people.csv.options.yaml").write_text("group: Spring\n")
    rows = "".join(f"Rosa,,,Delgado,04/17/1984,AC-{n},rosa{n}@example.com,02139\n" for n in range(ROWS))
    (inbox / "people.part").write_text(OUTREACH + rows)
    (inbox / "people.part").rename(inbox / "people.csv")
    wait_until(pipeline.uploads, "the file is taken")
    made: list[Path] = []

    def is_applied() -> bool:
        (upload,) = pipeline.uploads()
        made.append(folder / f"backup-{len(made)}.tar.gz")
        pipeline.backup(made[-1])
        return upload.state == "applied"

    wait_until(is_applied, "the file is applied")
    return made


def restore_each(backups: list[Path], home: Path) -> None:
    """Each of three backups is the home before the file was applied, or after; whoever was erased since is in none."""
    applied = False
    for backup in (backups[0], backups[len(backups) // 2], backups[-1]):
        restored = Pipeline(home=backup.with_suffix(".restored"))
        restored.restore(backup, erasures=home / "erasures.jsonl")
        assert not restored.verify().findings
        (upload,) = restored.uploads()
        applied = upload.state == "applied"
        contacts = restored.store.contacts()
        assert len(contacts) == ROWS * applied
        assert [contact["email"] for contact in contacts if contact["contact_id"] == 1] == [None] * applied
    assert applied, "the last one was made when all was done"


def look(pipeline: Pipeline, url: str, to_look: str) -> None:
    (upload,) = pipeline.uploads()
    wait_until(lambda: answer(f"{url}/health")[0] == 200, "the server that works is well")
    checks = [set(json.loads(answer(f"{each}/health")[1])["checks"]) for each in (url, to_look)]
    assert checks == [{"contacts", "code_location", "daemon"}, {"contacts", "code_location"}]
    counted = f'contact_pipeline_rows{{outcome="created",profile="outreach_contacts",state="applied"}} {ROWS}.0'
    assert counted in answer(f"{url}/metrics")[1]
    step = 'contact_pipeline_step_seconds{job="import_upload",step="applied_contacts"}'
    wait_until(lambda: step in answer(f"{url}/metrics")[1], "the run that applied the file has ended")

    status, page = answer(f"{to_look}/pages/uploads/{upload.upload_id}")
    assert (status, 'method="post"' in page.lower()) == (200, False)
    status, page = answer(f"{to_look}/pages/uploads/{upload.upload_id}/undo", b"")
    assert (status, "serve --read-only" in page) == (403, True)
    assert (launched(to_look), launched(url)) == ("UnauthorizedError", "RunConfigValidationInvalid")
