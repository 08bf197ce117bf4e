"""The whole system: the real `serve` on a temporary home, files dropped into its inbox, GraphQL to look and to act.

One server for all tests. What happens is told once, in `story`; each test looks at one side of how it ended.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import xlsxwriter
import yaml

from contact_pipeline.pipeline import Pipeline
from tests.e2e.browser import started
from tests.trust import record

pytestmark = [pytest.mark.serve, pytest.mark.timeout(900)]

PATIENCE_SECONDS = 240  # for one thing to happen, on a machine that has other things to do

OUTREACH = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"
LAUNCH_BUTTON_IS_DISABLED = """return [...document.querySelectorAll("button")].some(
    button => button.innerText.includes("Launch Run") && button.disabled)"""
CLICK_IN_THIS_TAB = """const link = [...document.querySelectorAll("a")].find(link => link.innerText.startsWith("TEXT"));
    if (link) { link.target = ""; link.click(); } return Boolean(link)"""
LAUNCH = """const launch = [...document.querySelectorAll("button")].find(
    button => button.innerText.includes("Launch Run") && !button.disabled);
    if (launch) launch.click(); return Boolean(launch)"""
ASSETS = ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset", "applied_contacts")
STAGED = ASSETS[:4]
CHECKS = {
    "file_accepted": "raw_upload",
    "error_count": "validated_rows",
    "duplicate_count": "matched_changeset",
    "reconciliation": "matched_changeset",
    "encoding_guard": "matched_changeset",
    "deactivation_guard": "matched_changeset",
    "rejection_guard": "matched_changeset",
    "change_guard": "matched_changeset",
    "apply_gates": "applied_contacts",
}


@dataclass
class Served:
    """A running server and what it is asked."""

    home: Path
    process: subprocess.Popen[str]
    url: str

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.load(answer)
        assert "errors" not in document, document["errors"]
        return document["data"]

    def materialized(self, asset: str) -> dict[str, dict[str, Any]]:
        """Partition → metadata of the newest materialization of an asset."""
        query = """query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
            assetMaterializations { partition metadataEntries { label
                ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } } } } } }"""
        newest: dict[str, dict[str, Any]] = {}
        for event in self.ask(query, path=asset.split("/"))["assetNodeOrError"].get("assetMaterializations", []):
            entries = event["metadataEntries"]
            shown = {entry["label"]: entry.get("text", entry.get("intValue")) for entry in entries}
            newest.setdefault(event["partition"], shown)
        return newest

    def checked(self, name: str) -> dict[str, set[str]]:
        """Partitions in which the newest result of a check has passed and has failed."""
        query = """query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
            assetChecksOrError { ... on AssetChecks { checks { name partitionStatuses {
                ... on AssetCheckDefaultPartitionStatuses { succeededPartitions failedPartitions } } } } } } } }"""
        node = self.ask(query, path=[CHECKS[name]])["assetNodeOrError"]
        found = next(check for check in node["assetChecksOrError"]["checks"] if check["name"] == name)
        statuses = found["partitionStatuses"]
        return {"passed": set(statuses["succeededPartitions"]), "failed": set(statuses["failedPartitions"])}

    def launch(self, job: str, key: str, op: str, config: dict[str, Any], ends: str = "SUCCESS") -> None:
        """Launches a job for one partition and waits until it ends so."""
        query = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
            ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
            ... on RunConfigValidationInvalid { errors { message } } } }"""
        where = {"repositoryLocationName": "contact_pipeline", "repositoryName": "__repository__", "jobName": job}
        params = {
            "selector": where,
            "runConfigData": {"ops": {op: {"config": config}}},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": key}]},
        }
        launched = self.ask(query, params=params)["launchRun"]
        if ends in {"RunConfigValidationInvalid", "PythonError"}:
            assert launched["__typename"] == ends
            return
        assert launched["__typename"] == "LaunchRunSuccess", launched
        status = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        run_id = launched["run"]["runId"]
        ended = wait_for(
            f"{job} to end",
            lambda: self.ask(status, id=run_id)["runOrError"]["status"],
            lambda found: found in {"SUCCESS", "FAILURE", "CANCELED"},
        )
        assert ended == ends


@dataclass
class Story:
    """What was done: the uploads by file name, and what was seen before the held ones were finalized."""

    served: Served
    pipeline: Pipeline
    before_finalizing: list[dict[str, Any]] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, str]:
        return {upload.file_name: upload.upload_id for upload in self.pipeline.uploads()}


def wait_for(what: str, look: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not enough(seen := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for {what}; seen last: {seen}"
        time.sleep(1)
    return seen


def processes_of(home: Path) -> list[int]:
    """Processes that were started for this home, be they ours or Dagster's children."""
    mark = f"DAGSTER_HOME={home / 'dagster'}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            found += [int(folder.name)] if mark in environment else []
    return found


def start(home: Path, *options: str, python: str | Path = sys.executable) -> subprocess.Popen[str]:
    command = [str(python), "-m", "contact_pipeline", "--home", str(home), "serve", "--port", "0", *options]
    given = {"CONTACT_PIPELINE_INBOX_SETTLE_SECONDS": "1", "CONTACT_PIPELINE_DECIDE_LOCALLY": "true"}
    environment = {**os.environ, **given}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, umask=0, env=environment)


@contextmanager
def ending(process: subprocess.Popen[str], home: Path) -> Iterator[subprocess.Popen[str]]:
    """Ends a server and whatever it has started, by their ids, however the block ends."""
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(60)
            finally:
                for pid in processes_of(home):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "home"
    folder.mkdir()
    users = folder.parent / "users.yaml"
    users.write_text(
        yaml.safe_dump([{"login": folder.owner(), "name": "Test", "roles": ["director"], "can_import": True}])
    )
    Pipeline(home=folder).store.load_users(users)
    (folder.parent / "partners").mkdir()
    (folder / "feeds").mkdir()
    (folder / "feeds" / "partners.yaml").write_text(
        "{source: ../partners/, profile: dealer_leads, options: {lead_type: SMS}, every: 10s, after: {move: fetched}}\n"
    )
    return folder


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    with ending(start(home), home) as process:
        assert process.stderr is not None
        said = ""
        while "http://" not in said:
            said = process.stderr.readline()
            assert said, f"serve ended with status {process.wait()}"
        yield Served(home, process, "http://" + said.split("http://")[1].split()[0].rstrip("."))


@pytest.fixture(scope="module")
def story(served: Served, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Drops four files, plans one by hand, approves, and finalizes."""
    told = Story(served, Pipeline(home=home))
    make_files(home)
    by_hand = tmp_path_factory.mktemp("files") / "by-hand.csv"
    by_hand.write_text(OUTREACH + "Hana,,,Sato,,,hana@example.com,02139\n")
    told.pipeline.plan(by_hand, "outreach_contacts", group="By hand")
    wait_for("all uploads to be staged", lambda: served.materialized("matched_changeset"), lambda seen: len(seen) == 5)
    wait_for(
        "the automatic ones to be applied", lambda: served.materialized("applied_contacts"), lambda seen: len(seen) == 2
    )
    approval = {
        "approved_by": home.owner(),
        "changeset": served.materialized("matched_changeset")[told.keys["program.xlsx"]]["changeset_sha256"],
    }
    served.launch("apply_upload", told.keys["program.xlsx"], "applied_contacts", approval)
    told.before_finalizing = told.pipeline.store.contacts(published=True)
    served.launch("finalize_upload", told.keys["leads.csv"], "finalize", {"approved_by": home.owner()})
    return told


def make_files(home: Path) -> None:
    """Puts the files into the inbox that `serve` has made, options first."""
    inbox = home / "inbox"
    (inbox / "outreach_contacts" / "outreach.csv.options.yaml").write_text("group: Spring\n")
    (inbox / "outreach_contacts" / "outreach.csv").write_text(
        OUTREACH
        + "Rosa,,219-09-9990,Delgado,04/17/1984,AC-1,rosa@example.com,02139\n"
        + "Rosa,,,Delgado,,AC-1,rosa@example.com,02139\n"
        + "Ximena,,,Eastwood,,,,02139\n"
    )
    for name, emails in (
        ("program.xlsx", ("dana@example.com", "omar@example.com")),
        ("blocked.xlsx", ("", "x@example.com")),
    ):
        unfinished = inbox / "program_contacts" / f"{name}.part"
        with xlsxwriter.Workbook(unfinished) as workbook:
            sheet = workbook.add_worksheet()
            sheet.write_row(0, 0, ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title"))
            for row, email in enumerate(emails, 1):
                sheet.write_row(row, 0, (email, "Dana", "Whitfield"))
        unfinished.rename(unfinished.with_suffix(""))
    (inbox / "dealer_leads" / "leads.csv.options.yaml").write_text("lead-type: SMS\n")
    (inbox / "dealer_leads" / "leads.csv").write_text("Name,Phone,Email\nJordan Avery,,jordan@example.com\n")


def test_every_upload_ends_in_its_state_in_the_ledger(story: Story, home: Path) -> None:
    """B1: a dropped file is applied; A9: another waits for approval; C3: a defective one is blocked."""
    assert {upload.file_name: upload.state for upload in story.pipeline.uploads()} == {
        "outreach.csv": "applied",
        "program.xlsx": "applied",
        "blocked.xlsx": "blocked",
        "leads.csv": "finalized",
        "by-hand.csv": "staged",
    }
    outreach = story.pipeline.show(story.keys["outreach.csv"]).outcomes
    assert (outreach["created"], outreach["duplicate"], outreach["rejected"]) == (1, 1, 1)
    assert {upload.user for upload in story.pipeline.uploads()} == {home.owner()}
    assert list((home / "inbox").rglob("*.*")) == []


def test_the_contacts_are_those_of_the_applied_uploads(story: Story) -> None:
    """E10: leads are not available to others until they are finalized."""
    emails = ["dana@example.com", "jordan@example.com", "omar@example.com", "rosa@example.com"]
    assert sorted(contact["email"] for contact in story.pipeline.store.contacts()) == emails
    assert sorted(contact["email"] for contact in story.before_finalizing) == [emails[0], *emails[2:]]
    assert sorted(contact["email"] for contact in story.pipeline.store.contacts(published=True)) == emails


def test_every_upload_is_a_partition_materialized_as_far_as_it_came(story: Story) -> None:
    keys = story.keys
    for asset in STAGED:
        assert story.served.materialized(asset).keys() == set(keys.values())
    applied = story.served.materialized("applied_contacts")
    assert {name for name, key in keys.items() if key in applied} == {"outreach.csv", "leads.csv", "program.xlsx"}
    for upload in story.pipeline.uploads():
        shown = story.served.materialized("matched_changeset")[upload.upload_id]
        assert shown["changeset_sha256"] == upload.changeset_sha256
        assert shown["file"] == upload.file_name


def test_the_checks_tell_the_uploads_apart(story: Story) -> None:
    """X1: the reconciliation of every upload is counted from its stored rows."""
    names = {key: name for name, key in story.keys.items()}
    failed = {check: {names[key] for key in story.served.checked(check)["failed"]} for check in CHECKS}
    passed = {check: {names[key] for key in story.served.checked(check)["passed"]} for check in CHECKS}
    assert failed == {
        "file_accepted": set(),
        "error_count": {"outreach.csv", "blocked.xlsx"},
        "duplicate_count": {"outreach.csv"},
        "reconciliation": set(),
        "encoding_guard": set(),
        "deactivation_guard": set(),
        "rejection_guard": set(),
        "change_guard": set(),
        "apply_gates": set(),
    }
    assert passed["reconciliation"] == set(names.values())
    assert passed["apply_gates"] == {"outreach.csv", "leads.csv", "program.xlsx"}


def test_no_run_has_failed(story: Story) -> None:
    query = "query { runsOrError { ... on Runs { results { jobName status } } } }"
    runs = story.served.ask(query)["runsOrError"]["results"]
    assert {run["status"] for run in runs} == {"SUCCESS"}
    assert {run["jobName"] for run in runs} == {
        "stage_upload", "import_upload", "apply_upload", "finalize_upload",
    }  # fmt: skip


def test_nothing_sensitive_is_kept_by_dagster(story: Story, home: Path) -> None:
    """B: SSN and date of birth are masked wherever they are shown, never in logs or metadata."""
    kept = {}
    for path in (home / "dagster").rglob("*"):
        with suppress(FileNotFoundError):  # the server goes on working
            kept |= {path: path.read_bytes()} if path.is_file() else {}
    assert any(len(content) > 100_000 for content in kept.values())
    for secret in (b"219-09-9990", b"219099990", b"04/17/1984", b"1984-04-17"):
        assert [path for path, content in kept.items() if secret in content] == []


def test_everything_in_the_home_is_for_its_owner_only(story: Story, home: Path) -> None:
    """Dagster's storage included, and the folders of the inbox as they are made."""
    modes = {}
    for path in (home, *home.rglob("*")):
        with suppress(FileNotFoundError):  # the server goes on working
            modes[path] = path.lstat().st_mode
    assert len(modes) > 50
    assert [f"{mode:o} {path}" for path, mode in modes.items() if mode & 0o077] == []


def test_without_an_approval_nothing_is_launched_and_nothing_is_green(story: Story, tmp_path: Path) -> None:
    """A9: in a real browser. What is not applied is missing or failed among the partitions, never materialized."""
    served, key = story.served, story.keys["by-hand.csv"]
    for config, ends in (({}, "RunConfigValidationInvalid"), ({"approved_by": ""}, "PythonError")):
        served.launch("apply_upload", key, "applied_contacts", config, ends)
    assert story.pipeline.show(key).state == "staged"
    assert key not in served.materialized("applied_contacts")
    with started(tmp_path) as browser:
        browser.open(served.url)
        assert "undo_upload" in browser.see("apply_upload"), "the start page lists what can be done"
        browser.open(f"{served.url}/locations/contact_pipeline/jobs/apply_upload/playground")
        browser.see('Missing required config entry "approved_by"')
        assert browser.run(LAUNCH_BUTTON_IS_DISABLED)
        given = quote(yaml.safe_dump({"ops": {"applied_contacts": {"config": {"approved_by": "ana"}}}}))
        browser.open(f"{served.url}/locations/contact_pipeline/jobs/apply_upload/playground/setup?config={given}")
        browser.await_true(LAUNCH)
        browser.see("Nothing was launched: choose a partition of `uploads`")
        browser.open(f"{served.url}/assets/applied_contacts?view=partitions")
        browser.see("Materialized (3)")
        assert "Failed (1)" in browser.see("Missing (1)")
        browser.open(story.pipeline.review(key, tmp_path / "review.html").file.as_uri())
        browser.await_true(CLICK_IN_THIS_TAB.replace("TEXT", "Open the launchpad"))
        seen = browser.see(str(story.pipeline.show(key).changeset_sha256))
        assert key in seen, "the partition is chosen"
        assert browser.run(LAUNCH_BUTTON_IS_DISABLED), "a login is missing"
    record("green-though-nothing-happened", tried=2, failed=0, where="apply_upload in Chromium")


def test_an_undone_upload_is_not_green_any_more(story: Story, home: Path) -> None:
    """X4: whether it is undone by the job, which shows its plan first, or on the command line."""
    served, who = story.served, home.owner()
    by_job, by_hand = story.keys["program.xlsx"], story.keys["outreach.csv"]
    served.launch("undo_upload", by_job, "undo", {"approved_by": who})
    assert by_job in served.materialized("applied_contacts")
    served.launch("undo_upload", by_job, "undo", {"approved_by": who, "plan_only": False})
    story.pipeline.undo(by_hand)
    wait_for(
        "the undo on the command line to be reported",
        lambda: served.checked("apply_gates")["failed"],
        lambda failed: failed >= {by_job, by_hand},
    )
    assert served.materialized("applied_contacts").keys() == {story.keys["leads.csv"]}


def test_an_upload_is_approved_and_taken_back_on_its_page(story: Story, home: Path, tmp_path: Path) -> None:
    """A5, A9, X2, X4: in a real browser, at the same address as Dagster; reloading a page does nothing again."""
    press = """const found = [...document.querySelectorAll("main button[type=submit]")]
        .find(button => button.innerText.trim().startsWith(arguments_text)); found.click();"""
    key = story.keys["by-hand.csv"]
    with started(tmp_path) as browser:
        browser.open(f"{story.served.url}/pages/")
        browser.see("by-hand.csv")
        browser.run("[...document.querySelectorAll('a')].find(link => link.innerText === 'by-hand.csv').click()")
        browser.see("Nothing is changed yet.")
        browser.run(press.replace("arguments_text", "'Approve and apply'"))
        browser.see("Applied: 1 created")
        browser.run("location.reload()")
        browser.see("Applied: 1 created")
        assert (story.pipeline.show(key).approved_by, story.pipeline.show(key).approved_as) == (home.owner(), "claimed")
        browser.run(press.replace("arguments_text", "'Undo'"))
        browser.see("This would be written, or nothing")
        browser.run(press.replace("arguments_text", "'Undo the upload'"))
        browser.see("Undone.")
        assert browser.logged() == []
    assert story.pipeline.show(key).state == "undone"


def test_a_file_of_a_feed_is_fetched_applied_and_a_partition(story: Story, home: Path) -> None:
    """A sensor looks every ten seconds; the run that fetches stages and applies as well."""
    source = home.parent / "partners"
    (source / "monday.csv").write_text("Name,Phone,Email\nAva Lindqvist,,ava@example.com\n")
    served = story.served
    wait_for("the feed's asset", lambda: served.materialized("partners/fetched_files"), lambda seen: len(seen) == 1)
    key = story.keys["monday.csv"]
    wait_for("its upload to be shown", lambda: served.materialized("applied_contacts"), lambda seen: key in seen)
    assert story.pipeline.show(key).state == "applied"
    assert [file.name for file in source.rglob("*.csv")] == ["monday.csv"]
    assert (source / "fetched" / "monday.csv").exists()


def test_what_another_site_asks_of_dagster_is_refused(story: Story) -> None:
    """Dagster itself runs mutations by GET, so that an image of any page could launch a job."""
    address = f"{story.served.url}/graphql?query=%7Bversion%7D"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.net"}, {"Host": "example.net"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60)
        with refused.value:  # it holds the connection
            assert refused.value.code in {403, 421}


def test_a_home_is_served_once(story: Story, home: Path) -> None:
    with start(home) as second:
        _, said = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 1
    assert "already" in said


def test_serve_stops_cleanly_and_leaves_no_process(story: Story, home: Path) -> None:
    """Last: it ends the server. C5: its terminal has said what became of every file."""
    assert len(processes_of(home)) > 1
    story.served.process.send_signal(signal.SIGINT)
    assert story.served.process.wait(60) == 0
    assert processes_of(home) == []
    assert story.served.process.stderr is not None
    said = story.served.process.stderr.read()
    for line in (
        "outreach_contacts/outreach.csv → applied: 1 created, 1 duplicate, 1 rejected (contact-pipeline show ",
        "program_contacts/program.xlsx → staged, waits for approval: 2 created (contact-pipeline show ",
        "program_contacts/program.xlsx → applied: 2 created (contact-pipeline show ",
        "program_contacts/blocked.xlsx → blocked: ",
        "dealer_leads/leads.csv → applied: 1 created (contact-pipeline show ",
        "dealer_leads/leads.csv → finalized (contact-pipeline show ",
    ):
        assert said.count(line) == 1, said


def test_serve_ends_with_an_error_when_one_of_its_processes_dies(tmp_path: Path) -> None:
    with ending(start(tmp_path), tmp_path) as process:
        children = wait_for("both processes", lambda: processes_of(tmp_path), lambda found: len(found) > 1)
        os.kill(children[-1], signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 1
        assert "has ended with status -9" in said
        assert processes_of(tmp_path) == []
