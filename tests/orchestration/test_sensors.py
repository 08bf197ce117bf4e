"""Ticks of the sensors on a temporary home."""

import errno
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.runs.schema import KeyValueStoreTable
from dagster._core.test_utils import freeze_time
from dagster._utils.tags import TagConcurrencyLimitsCounter

from contact_pipeline.errors import MachineFault
from contact_pipeline.orchestration import partitions, reporting, sensors, turns
from contact_pipeline.orchestration.inbox import Settling, look_through
from contact_pipeline.orchestration.metadata import facts
from contact_pipeline.orchestration.partitions import in_ranges, keys_of
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.serve import SHIPPED
from contact_pipeline.orchestration.turns import BY_PROFILE
from contact_pipeline.pipeline import Pipeline, committing, receiving, stages
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import change_line
from contact_pipeline.store.source import Source
from tests.trust import record

ASSETS = ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset", "applied_contacts")

Tick = Callable[[], Any]


@pytest.fixture
def ticks(
    definitions: dg.Definitions, instance: dg.DagsterInstance, resource: PipelineResource
) -> Callable[[str], Tick]:
    """Ticks of a sensor one after the other, each with the cursor of the one before; keys are added as asked for."""

    def of(name: str) -> Tick:
        sensor = definitions.resolve_sensor_def(name)
        cursor: list[str | None] = [None]

        def tick() -> Any:
            with dg.build_sensor_context(
                instance=instance, cursor=cursor[0], resources={"pipeline": resource}, definitions=definitions
            ) as context:
                result = sensor(context)
                cursor[0] = getattr(result, "cursor", None) or context.cursor
            for wanted in getattr(result, "dynamic_partitions_requests", None) or ():
                instance.add_dynamic_partitions("uploads", list(wanted.partition_keys))
            return result

        return tick

    return of


@pytest.fixture
def stage(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Callable[..., dg.ExecuteInProcessResult]:
    """Carries out a run request."""

    def run(request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        assert request.job_name is not None
        where = {"partition_key": request.partition_key} if request.partition_key else {"tags": request.tags}
        job = definitions.resolve_job_def(request.job_name)
        return job.execute_in_process(instance=instance, run_config=request.run_config, **where)

    return run


def test_a_file_is_taken_when_it_has_stood_still_for_one_tick(
    ticks: Callable[[str], Tick], dropped: Callable[..., Path], outreach_file: Callable[..., Path], pipeline: Pipeline
) -> None:
    """B1: a file dropped in the folder is the same as uploading it."""
    tick = ticks("inbox")
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "Spring"})
    assert isinstance(tick(), dg.SkipReason)
    path.write_text(path.read_text() + "\n")
    assert isinstance(tick(), dg.SkipReason)
    assert pipeline.uploads() == []
    result = tick()
    upload = pipeline.uploads()[0]
    assert (upload.state, upload.group, upload.user) == ("received", "Spring", Path(pipeline.settings.home).owner())
    assert facts(upload)["came_by"].value == "inbox"
    assert [request.partition_key for request in result.run_requests] == [upload.upload_id]
    assert list(path.parent.iterdir()) == []
    assert isinstance(tick(), dg.SkipReason)


def test_many_files_are_staged_in_few_runs(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partitions, "RANGE_SIZE", 2)
    tick = ticks("inbox")
    for name in "abc":
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "Spring"})
    tick()
    result = tick()
    first, second = result.run_requests
    ordered = instance.get_dynamic_partitions("uploads")
    assert keys_of(first.tags, ordered) == ordered[:2]
    assert second.partition_key == ordered[2]
    assert len({request.run_key for request in result.run_requests}) == 2


def test_short_files_do_not_wait_until_a_long_one_that_came_with_them_is_staged(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    program_file: Callable[..., Path],
    pipeline: Pipeline,
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each long file has a run of its own, of which one runs at a time where `dagster.yaml` says so."""
    tick = ticks("inbox")
    names = "a", "long-b", "c", "long-d"
    for name in names:
        many = 2_000 if "long" in name else 1
        emails = [f"{name}.{number}@example.com" for number in range(many)]
        dropped(outreach_file(f"{name}.csv", *emails), "outreach_contacts", {"group": "G"})
    dropped(program_file("e.xlsx", "e@example.com"), "program_contacts")
    monkeypatch.setattr(turns, "SHORT_BYTES", 50_000)
    tick()
    requests = tick().run_requests
    ids = {upload.file_name.partition(".")[0]: upload.upload_id for upload in pipeline.uploads()}
    ordered = instance.get_dynamic_partitions("uploads")
    jobs = [(request.job_name, keys_of({**request.tags, **part(request)}, ordered)) for request in requests]
    assert jobs == [
        ("stage_upload", [ids["a"], ids["c"], ids["e"]]),
        ("stage_upload", [ids["long-b"]]),
        ("stage_upload", [ids["long-d"]]),
    ]
    assert [partitions.LONG in request.tags for request in requests] == [False, True, True]
    shutil.copy(SHIPPED, tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as shipped:
        limits = shipped.get_concurrency_config().run_queue_config.tag_concurrency_limits
    job = definitions.resolve_job_def("stage_upload")
    runs = [instance.create_run_for_job(job, tags={**request.tags, **part(request)}) for request in requests]
    counter = TagConcurrencyLimitsCounter(limits, [runs[1]])
    assert [counter.is_blocked(run) for run in runs] == [False, True, True]


def part(request: dg.RunRequest) -> dict[str, str]:
    return {"dagster/partition": request.partition_key} if request.partition_key else {}


def test_a_refused_file_is_put_aside_with_its_reason_and_its_options(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    instance: dg.DagsterInstance,
) -> None:
    """B4: a group is picked or created for every upload."""
    tick = ticks("inbox")
    dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"colour": "green"})
    tick()
    assert isinstance(tick(), dg.SkipReason)
    upload = pipeline.uploads()[0]
    refused = pipeline.settings.inbox / "outreach_contacts" / "refused"
    assert upload.state == "refused"
    assert {path.name.removeprefix(f"{upload.upload_id}-") for path in refused.iterdir()} == {
        "a.csv",
        "a.csv.txt",
        "a.csv.options.yaml",
    }
    assert "colour" in next(refused.glob("*.txt")).read_text()
    ticks("command_line_uploads")()
    assert instance.get_dynamic_partitions("uploads") == [upload.upload_id]


def test_an_options_file_that_cannot_be_read_refuses_its_file(
    ticks: Callable[[str], Tick], dropped: Callable[..., Path], outreach_file: Callable[..., Path], pipeline: Pipeline
) -> None:
    tick = ticks("inbox")
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {})
    path.with_name("a.csv.options.yaml").write_text("group: [")
    tick()
    tick()
    upload = pipeline.uploads()[0]
    assert upload.state == "refused"
    assert upload.reason is not None
    assert upload.reason["code"] == "options-file"


def test_options_are_given_back_with_a_file_that_is_refused_while_it_is_read(
    ticks: Callable[[str], Tick], dropped: Callable[..., Path], outreach_file: Callable[..., Path], pipeline: Pipeline
) -> None:
    tick = ticks("inbox")
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "Spring"})
    path.write_bytes(b"")
    tick()
    tick()
    upload = pipeline.read(pipeline.uploads()[0].upload_id)
    refused = path.parent / "refused"
    assert (upload.state, upload.reason and upload.reason["code"]) == ("refused", "file-empty")
    assert (refused / f"{upload.upload_id}-a.csv.options.yaml").read_text() == "group: Spring\n"
    assert "is empty" in (refused / f"{upload.upload_id}-a.csv.txt").read_text()
    assert list(path.parent.iterdir()) == [refused]


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.csv",
        "név 山 😀.csv".encode(),
        b"a b;c'd\"e$(f).csv",
        b"two\nlines.csv",
        b"-rf.csv",
        b"no ending",
        b"x" * 251 + b".csv",
        "ü".encode() * 125 + b".csv",
        b"x." + b"y" * 250,
    ],
)
def test_any_name_is_data_and_no_path(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    name: bytes,
) -> None:
    tick = ticks("inbox")
    path = dropped(outreach_file("a.csv", "a@example.com"), "dealer_leads")
    path.rename(path.with_name(os.fsdecode(name)))
    tick()
    tick()
    (upload,) = pipeline.uploads()
    assert upload.file_name == name.decode("utf-8", "replace")
    assert upload.reason is not None
    assert upload.reason["code"] == "option-missing"
    refused = list((path.parent / "refused").iterdir())
    assert len(refused) == 2
    assert all(found.name.startswith(upload.upload_id) for found in refused)
    assert list(path.parent.iterdir()) == [path.parent / "refused"]


def test_what_cannot_be_read_or_is_too_large_is_refused_unread(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Unreadable(Source):
        def __init__(self, path: Path, **options: Any) -> None:
            if path.name == "b.csv":
                raise PermissionError(13, "Permission denied")
            super().__init__(path, **options)

    monkeypatch.setattr(receiving, "Source", Unreadable)
    tick = ticks("inbox")
    large = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "Spring"})
    with large.open("r+b") as sparse:
        sparse.truncate(1 << 40)
    dropped(outreach_file("b.csv", "b@example.com"), "outreach_contacts", {"group": "Spring"})
    tick()
    tick()
    told = {upload.file_name: upload.reason and upload.reason["code"] for upload in pipeline.uploads()}
    assert told == {"a.csv": "limit", "b.csv": "file-unreadable"}
    assert len(list((large.parent / "refused").iterdir())) == 6


def test_a_folder_of_no_profile_refuses_its_files(
    ticks: Callable[[str], Tick], dropped: Callable[..., Path], outreach_file: Callable[..., Path], pipeline: Pipeline
) -> None:
    tick = ticks("inbox")
    path = dropped(outreach_file("a.csv", "a@example.com"), "out_reach", {"group": "Spring"})
    tick()
    tick()
    (upload,) = pipeline.uploads()
    assert (upload.state, upload.reason and upload.reason["code"]) == ("refused", "profile-unknown")
    assert {found.suffix for found in (path.parent / "refused").iterdir()} == {".csv", ".txt", ".yaml"}


@pytest.mark.parametrize(("trusted", "user"), [("true", "m.keane"), ("false", None)])
def test_a_user_in_the_options_file_is_believed_only_where_the_folder_is_trusted(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    home: Path,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    trusted: str,
    user: str | None,
) -> None:
    monkeypatch.setenv("CONTACT_PIPELINE_TRUST_INBOX_USER", trusted)
    tick = ticks("inbox")
    dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "G", "user": "m.keane"})
    tick()
    tick()
    assert pipeline.uploads()[0].user == (user or home.owner())


@pytest.mark.parametrize(
    ("error", "said", "tried"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No file is taken: The disk is full", 1),
        (PermissionError(errno.EACCES, "Permission denied"), "2 files are still arriving", 2),
    ],
)
def test_files_that_cannot_be_taken_wait_for_a_later_tick(
    error: OSError,
    said: str,
    tried: int,
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk stops all of them with one sentence; a fault of one file does not."""
    tick = ticks("inbox")
    for name in ("a", "b"):
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "G"})
    tick()
    with monkeypatch.context() as patched:
        received = []

        def fails(*_arguments: object, **_options: object) -> None:
            received.append(1)
            raise error

        patched.setattr(Pipeline, "receive", fails)
        assert said in tick().skip_message
        assert len(received) == tried
    assert carried_by(tick()) == 2


def test_with_little_room_left_no_file_is_taken_and_people_are_told_once(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    home: Path,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [disk_low]}]\n")
    tick = ticks("inbox")
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "G"})
    tick()
    with monkeypatch.context() as patched:
        patched.setenv("CONTACT_PIPELINE_MIN_FREE_BYTES", str(10**18))
        for _ in range(2):
            assert "No file is taken: The disk has" in tick().skip_message
    assert path.exists()
    assert pipeline.uploads() == []
    assert [(told.news.event, told.news.reason_code) for told in pipeline.notices()] == [("disk_low", "disk-full")]
    assert carried_by(tick()) == 1


def test_a_file_without_room_keeps_only_those_of_its_profile_waiting(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    program_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = outreach_file("a.csv", *(f"{number}@example.com" for number in range(500)))
    waiting = [dropped(path, "outreach_contacts") for path in (large, outreach_file("b.csv", "b@example.com"))]
    other = dropped(program_file("c.xlsx", "c@example.com"), "program_contacts")
    tick = ticks("inbox")
    tick()
    free = 100_000_000 + other.stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: (10**12, 0, free))
    assert carried_by(tick()) == 1
    assert not other.exists()
    assert all(path.exists() for path in waiting)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: (0, 0, 0))  # a disk of a network that does not say
    assert carried_by(tick()) == 2


def test_what_a_dead_tick_received_is_staged_by_a_later_one(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts")
    upload = pipeline.receive(path, "outreach_contacts", move=True, group="G")
    tick = ticks("inbox")
    assert isinstance(tick(), dg.SkipReason)
    monkeypatch.setattr(sensors, "LOST_AFTER", timedelta(0))
    result = tick()
    assert [request.partition_key for request in result.run_requests] == [upload.upload_id]
    assert isinstance(tick(), dg.SkipReason)


def carried_by(result: dg.SensorResult) -> int:
    """How many uploads a tick hands to runs."""
    return sum(len(each.partition_keys) for each in result.dynamic_partitions_requests or ())


def carried(instance: dg.DagsterInstance, requests: list[dg.RunRequest]) -> list[tuple[str | None, int]]:
    """Job and number of uploads of each request."""
    ordered = instance.get_dynamic_partitions("uploads")
    return [(each.job_name, len(keys_of(each.tags, ordered)) or 1) for each in requests]


def test_runs_that_ended_are_found_though_the_clock_was_set_back(
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = {"until": (datetime.now(UTC) + timedelta(days=2)).isoformat(), "seen": [], "waiting": []}
    tick = ticks("inbox")
    dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "G"})
    monkeypatch.setattr(turns, "SHORT_BYTES", 0)
    tick()
    stage(tick().run_requests[0])
    waiting = turns.Turns(json.dumps(ahead))
    (key,) = waiting.ready(instance, pipeline)
    assert key == pipeline.uploads()[0].upload_id

    for config, again in (({"ops": {"applied_contacts": {"config": {"approved_by": "ana"}}}}, []), (BY_PROFILE, [key])):
        job, tags = definitions.resolve_job_def("apply_upload"), {"dagster/partition": key}
        instance.report_run_failed(instance.create_run_for_job(job, run_config=config, tags=tags))
        assert waiting.ready(instance, pipeline) == [], "a run that failed to apply it is not repeated at once"
        with monkeypatch.context() as an_hour_later:
            an_hour_later.setattr(turns, "_APPLIED_AGAIN_AFTER", timedelta(0))
            assert waiting.ready(instance, pipeline) == again


def test_an_upload_that_came_when_the_clock_was_ahead_is_staged_and_keeps_no_other_waiting(
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its tick died, and then its run fails; nobody waits two days until the clock is there again."""
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts")
    key = pipeline.receive(path, "outreach_contacts", move=True, group="G").upload_id
    with pipeline.store.change() as database:
        change_line(database, key, added_at=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2))
    tick = ticks("inbox")

    def fails(request: dg.RunRequest) -> None:
        tags = {"dagster/run_key": str(request.run_key), "dagster/partition": key}
        job = definitions.resolve_job_def(str(request.job_name))
        instance.report_run_failed(instance.create_run_for_job(job, run_config=request.run_config, tags=tags))

    (request,) = tick().run_requests
    assert request.partition_key == key
    fails(request)
    dropped(outreach_file("b.csv", "b@example.com"), "outreach_contacts", {"group": "G"})
    (again,) = tick().run_requests
    assert (again.job_name, again.partition_key) == ("stage_upload", key)
    fails(again)
    (later,) = tick().run_requests
    assert later.partition_key != key, "not twice in an hour"
    stage(later)
    for applying in getattr(ticks("apply_automatic")(), "run_requests", ()):
        stage(applying)
    assert [upload.state for upload in pipeline.uploads(oldest_first=True)] == ["received", "applied"]
    with pipeline.store.change() as database:
        change_line(database, key, added_at=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1))
    with monkeypatch.context() as tried_out:
        tried_out.setattr(sensors, "TRIES", 1)
        assert isinstance(tick(), dg.SkipReason)
    (again,) = tick().run_requests
    stage(again)
    assert pipeline.show(key).state == "staged"


def test_an_upload_whose_run_failed_when_the_clock_was_ahead_is_applied(
    outreach_file: Callable[..., Path],
    dropped: Callable[..., Path],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts")
    key = pipeline.receive(path, "outreach_contacts", move=True, group="G").upload_id
    pipeline.plan_again(key, automatic=True)
    instance.add_dynamic_partitions("uploads", [key])
    job = definitions.resolve_job_def("apply_upload")
    with freeze_time(datetime.now(UTC) + timedelta(days=2)):
        instance.report_run_failed(
            instance.create_run_for_job(job, run_config=BY_PROFILE, tags={"dagster/partition": key})
        )
    waiting = turns.Turns(None)
    assert [waiting.ready(instance, pipeline), waiting.ready(instance, pipeline)] == [[key], []]


def test_of_runs_that_still_stage_others_uploads_are_applied_when_there_are_many(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None twice, none before an earlier one of its profile, and what failed not again at once."""
    monkeypatch.setattr(turns, "MANY", 2)
    monkeypatch.setattr(turns, "FEW", 0)
    tick, apply = ticks("inbox"), ticks("apply_automatic")
    for name in "abcde":
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "Spring"})
    tick()
    (request,) = tick().run_requests
    staging = instance.create_run_for_job(definitions.resolve_job_def("stage_upload"), tags=request.tags)
    a, b, c, d, e = instance.get_dynamic_partitions("uploads")

    def requested() -> list[str]:
        result = apply()
        if isinstance(result, dg.SkipReason):
            return []
        ordered = instance.get_dynamic_partitions("uploads")
        return [key for each in result.run_requests for key in keys_of(each.tags, ordered) or [each.partition_key]]

    pipeline.plan_again(a, automatic=True)
    assert requested() == [], "one is not many"
    with monkeypatch.context() as one_is_many:
        one_is_many.setattr(turns, "MANY", 1)
        by_hand = instance.create_run_for_job(
            definitions.resolve_job_def("apply_upload"), run_config=BY_PROFILE, tags={"dagster/partition": a}
        )
        assert requested() == [], "a run applies it already"
        instance.delete_run(by_hand.run_id)
    pipeline.plan_again(c, automatic=True)
    assert requested() == [], "b, which came before c, is not staged"
    pipeline.plan_again(b, automatic=True)
    assert requested() == [a, b, c]
    assert requested() == []
    ends = {"dagster/asset_partition_range_start": a, "dagster/asset_partition_range_end": c}
    applying = instance.create_run_for_job(
        definitions.resolve_job_def("apply_upload"), run_config=BY_PROFILE, tags=ends
    )
    pipeline.apply_automatic(a)
    for key in (d, e):
        pipeline.plan_again(key, automatic=True)
    assert requested() == [], "the run that applies could end, and be done again after theirs"
    instance.report_run_failed(applying)  # of it, b and c are not applied
    assert requested() == [d, e]
    instance.report_run_failed(staging)
    assert requested() == []
    assert {upload.upload_id: upload.state for upload in pipeline.uploads()}[b] == "staged"


@pytest.mark.parametrize("until", ["2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "never"])
def test_a_cursor_that_cannot_be_used_is_begun_anew(
    instance: dg.DagsterInstance, pipeline: Pipeline, home: Path, until: str
) -> None:
    kept = json.dumps({"until": until, "seen": [], "waiting": []})
    assert turns.Turns(kept).ready(instance, pipeline) == []
    (home / "inbox" / "p").mkdir(parents=True)
    (home / "inbox" / "p" / "a.csv").touch()
    (drop,) = look_through(home / "inbox").drops
    for since in (5, []):
        assert not Settling(json.dumps({"since": {drop.key: since}}), 0).has_settled(drop)


def test_a_run_with_half_a_range_stops_no_sensor(
    instance: dg.DagsterInstance, definitions: dg.Definitions, ticks: Callable[[str], Tick]
) -> None:
    """Dagster keeps such a run as not started, though it was never launched: somebody gave it one of the two tags."""
    instance.add_dynamic_partitions("uploads", ["planned"])
    with pytest.raises(dg.DagsterInvariantViolationError):
        instance.create_run_for_job(
            definitions.resolve_job_def("stage_upload"), tags={"dagster/asset_partition_range_start": "planned"}
        )
    assert turns.carried(instance) == set()
    for sensor in ("apply_automatic", "command_line_uploads"):
        assert isinstance(ticks(sensor)(), dg.SkipReason)


def test_a_file_that_a_dead_tick_received_is_applied_before_later_ones(
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its partition is added after those of the later ones."""
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts")
    pipeline.receive(path, "outreach_contacts", move=True, group="G")
    dropped(outreach_file("b.csv", "b@example.com"), "outreach_contacts", {"group": "G"})
    tick = ticks("inbox")
    tick()
    (later,) = tick().run_requests
    stage(later)
    apply = ticks("apply_automatic")
    assert isinstance(apply(), dg.SkipReason), "the earlier one may be about to be staged"
    monkeypatch.setattr(sensors, "LOST_AFTER", timedelta(0))
    stage(tick().run_requests[0])
    for request in apply().run_requests:
        stage(request)
    assert [upload.line.commit_number for upload in pipeline.uploads(oldest_first=True)] == [1, 2]


def test_few_short_files_that_apply_themselves_are_staged_and_applied_by_one_run(
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    program_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "FEW", 3)
    for name in ("a", "b"):
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "G"})
    dropped(program_file("c.xlsx", "c@example.com"), "program_contacts")
    tick = ticks("inbox")
    tick()
    requests = tick().run_requests
    assert carried(instance, requests) == [("import_upload", 2), ("stage_upload", 1)]
    for each in requests:
        assert stage(each).success
    assert sorted(upload.state for upload in pipeline.uploads()) == ["applied", "applied", "staged"]
    assert len(instance.get_materialized_partitions(dg.AssetKey("applied_contacts"))) == 2
    assert isinstance(ticks("apply_automatic")(), dg.SkipReason)


@pytest.mark.parametrize("became", ["staged", "never staged"])
def test_files_of_a_profile_are_applied_in_the_order_in_which_they_came(
    became: str,
    monkeypatch: pytest.MonkeyPatch,
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    """The second file is staged before the first one, which is larger or has a slower run; it waits for its turn."""
    tick, apply = ticks("inbox"), ticks("apply_automatic")

    def taken(name: str, last_name: str) -> dg.RunRequest:
        path = outreach_file(f"{name}.csv", "rosa@example.com")
        path.write_text(path.read_text().replace("Delgado", last_name))
        dropped(path, "outreach_contacts", {"group": "G"})
        tick()
        (request,) = tick().run_requests
        return request

    monkeypatch.setattr(turns, "SHORT_BYTES", 0)
    first = taken("a", "First")
    monkeypatch.undo()
    monkeypatch.setenv("CONTACT_PIPELINE_INBOX_SETTLE_SECONDS", "0")
    assert isinstance(apply(), dg.SkipReason)
    slow = instance.create_run_for_job(
        definitions.resolve_job_def("stage_upload"), tags=dict(first.tags) | {"dagster/partition": first.partition_key}
    )
    second = taken("b", "Second")
    assert [first.job_name, second.job_name] == ["stage_upload", "stage_upload"]
    stage(second)
    assert isinstance(apply(), dg.SkipReason)
    if became == "staged":
        stage(first)
        instance.delete_run(slow.run_id)
    else:
        instance.report_run_failed(slow)
        assert isinstance(apply(), dg.SkipReason)  # the run may be tried once more
        with pipeline.store.change() as database:
            earlier = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=6)
            change_line(database, str(first.partition_key), added_at=earlier)
        assert [each.partition_key for each in tick().run_requests] == [first.partition_key]
        assert isinstance(apply(), dg.SkipReason)  # it is, before a later one is applied
        monkeypatch.setattr(turns, "_NEW", timedelta(0))
    (request,) = apply().run_requests
    stage(request)
    states = [upload.state for upload in pipeline.uploads(oldest_first=True)]
    assert states == ["applied" if became == "staged" else "received", "applied"]
    # Of two files, this profile keeps what the earlier one says.
    kept = "First" if became == "staged" else "Second"
    assert [contact["last_name"] for contact in pipeline.store.contacts()] == [kept]
    assert isinstance(apply(), dg.SkipReason)


def test_what_a_run_staged_before_it_failed_is_applied_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
    definitions: dg.Definitions,
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    for name in ("a", "b"):
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "G"})
    tick = ticks("inbox")
    tick()
    (request,) = tick().run_requests
    matched = Pipeline.plan_again

    def fails_once(self: Pipeline, upload_id: str, **options: Any) -> Any:
        if self.show(upload_id).file_name == "a.csv":
            raise MachineFault("disk-full", "There is no room.", "Make some.")
        return matched(self, upload_id, **options)

    monkeypatch.setattr(Pipeline, "plan_again", fails_once)
    with pytest.raises(dg.Failure, match="no room"):
        stage(request)
    monkeypatch.undo()
    assert [upload.state for upload in pipeline.uploads(oldest_first=True)] == ["received", "staged"]
    monkeypatch.setattr(turns, "_NEW", timedelta(0))
    (applying,) = ticks("apply_automatic")().run_requests
    stage(applying)
    assert [upload.state for upload in pipeline.uploads(oldest_first=True)] == ["received", "applied"]

    assert isinstance(tick(), dg.SkipReason), "it is tried again after a while"
    key = pipeline.uploads(oldest_first=True)[0].upload_id
    for hours, is_tried in ((0.3, True), (25, False)):
        with pipeline.store.change() as database:
            change_line(database, key, added_at=datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=hours))
        result = tick()
        assert isinstance(result, dg.SensorResult) is is_tried
        if is_tried:
            (again,) = result.run_requests
            assert again.run_key != request.run_key
            tags = {"dagster/run_key": again.run_key, "dagster/partition": key}
            failed = instance.create_run_for_job(definitions.resolve_job_def("stage_upload"), tags=tags)
            instance.report_run_failed(failed)
            assert isinstance(tick(), dg.SkipReason), "not twice in an hour"
    stage(again)
    (applying,) = ticks("apply_automatic")().run_requests
    stage(applying)
    assert [upload.state for upload in pipeline.uploads(oldest_first=True)] == ["applied", "applied"]


def test_a_defect_while_applying_is_tried_three_times_and_then_waits_for_somebody(
    ticks: Callable[[str], Tick],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says what happened and what to do, is listed, is told of once, and keeps no later file waiting."""
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [staged]}]\n")
    for name in ("a", "b"):  # the same person: once b is applied, a is stale, and is planned again before each try
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "G"})
    tick, apply = ticks("inbox"), ticks("apply_automatic")
    tick()
    (request,) = tick().run_requests
    really = committing.write_changeset
    first = instance.get_dynamic_partitions("uploads")[0]

    def defective(contacts: Any, **given: Any) -> int:
        if given["upload_id"] == first:
            raise IndexError("pop from an empty list")
        return really(contacts, **given)

    def carry_out(request: dg.RunRequest) -> None:
        where = {"partition_key": request.partition_key} if request.partition_key else {"tags": request.tags}
        job = definitions.resolve_job_def(str(request.job_name))
        job.execute_in_process(instance=instance, run_config=request.run_config, raise_on_error=False, **where)

    def news() -> list[Any]:
        with pipeline.store.open(read_only=True) as contacts:
            return contacts.rows("SELECT upload_id, event, reason_code FROM news WHERE event = 'staged'")

    monkeypatch.setattr(committing, "write_changeset", defective)
    monkeypatch.setattr(turns, "_APPLIED_AGAIN_AFTER", timedelta(0))
    carry_out(request)
    assert [upload.state for upload in pipeline.uploads(oldest_first=True)] == ["staged", "applied"]
    tried = 1
    for _ in range(6):
        result = apply()
        for again in getattr(result, "run_requests", ()):
            assert "tried again" in str(pipeline.show(first).reason)
            assert news() == []
            carry_out(again)
            tried += 1
    assert tried == 3
    upload = pipeline.show(first)
    assert upload.reason is not None
    assert upload.reason["message"].startswith("IndexError while applying (3 times): a defect of the program")
    assert upload.reason["fix"].startswith("Report it")
    assert (upload.state, upload.waits_for) == ("staged", "apply once a defect is mended")
    assert news() == [(first, "staged", "apply-defect")]
    monkeypatch.undo()
    assert pipeline.apply(first).reason is None


@pytest.fixture
def hour(
    ticks: Callable[[str], Tick],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., None]:
    """Lets an hour pass, and carries out what the sensors ask for; runs of the job `crashing` end without a word."""
    monkeypatch.setattr(turns, "_APPLIED_AGAIN_AFTER", timedelta(0))
    monkeypatch.setattr(turns, "_NEW", timedelta(0))
    tick, apply = ticks("inbox"), ticks("apply_automatic")

    def passes(crashing: str = "") -> None:
        with pipeline.store.change() as database:
            database.run("UPDATE uploads SET added_at = added_at - INTERVAL 1 HOUR WHERE state = 'received'")
        for request in (*getattr(tick(), "run_requests", ()), *getattr(apply(), "run_requests", ())):
            job, config = definitions.resolve_job_def(str(request.job_name)), dict(request.run_config)
            if request.job_name == crashing:
                key = {"dagster/partition": request.partition_key} if request.partition_key else request.tags
                run = instance.create_run_for_job(job, run_config=config, tags=dict(key))
                instance.report_run_failed(run)
            else:
                where = {"partition_key": request.partition_key} if request.partition_key else {"tags": request.tags}
                job.execute_in_process(instance=instance, run_config=config, raise_on_error=False, **where)

    return passes


@pytest.fixture
def told(home: Path, pipeline: Pipeline) -> Callable[[], list[Any]]:
    """What people are told of uploads that the machine stops: the codes."""
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [stopped]}]\n")

    def codes() -> list[Any]:
        with pipeline.store.open(read_only=True) as contacts:
            return contacts.rows("SELECT reason_code FROM news WHERE event = 'stopped' ORDER BY number")

    return codes


def a_day_later(pipeline: Pipeline) -> None:
    """As far as news is concerned."""
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE news SET happened_at = happened_at - INTERVAL 25 HOUR")


@pytest.mark.parametrize(
    ("room", "call", "state"), [(stages, "match", "received"), (committing, "write_changeset", "staged")]
)
def test_of_a_full_disk_people_are_told_once_a_day_as_long_as_uploads_are_tried_again(
    room: Any,
    call: str,
    state: str,
    hour: Callable[..., None],
    told: Callable[[], list[Any]],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_given: Any, **_named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/srv/home/contacts.duckdb")

    really = getattr(room, call)
    monkeypatch.setattr(room, call, full)
    for name in ("a", "b"):  # one notice serves both
        dropped(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", {"group": "G"})
    for _ in range(5):
        hour()
    assert told() == [("disk-full",)]
    for upload in pipeline.uploads():
        assert upload.state == state
        assert upload.reason is not None
        assert "The disk is full: /srv/home/contacts.duckdb." in upload.reason["message"]
    a_day_later(pipeline)
    for _ in range(2):
        hour()
    assert told() == [("disk-full",)] * 2
    monkeypatch.setattr(room, call, really)
    for _ in range(3):
        hour()
    assert [(upload.state, upload.reason) for upload in pipeline.uploads()] == [("applied", None)] * 2


def test_of_an_upload_whose_runs_crash_people_are_told_once_a_day(
    hour: Callable[..., None],
    told: Callable[[], list[Any]],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "FEW", 0)  # the run that stages does not apply
    dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts", {"group": "G"})
    for _ in range(5):
        hour(crashing="apply_upload")
    assert told() == [("run-ended",)]
    (upload,) = pipeline.uploads()
    assert upload.state == "staged"
    assert upload.reason is not None
    assert upload.reason["message"] == "Not applied yet. Its run ended before it could say why."
    a_day_later(pipeline)
    for _ in range(2):
        hour(crashing="apply_upload")
    assert told() == [("run-ended",)] * 2
    for _ in range(2):
        hour()
    assert [(upload.state, upload.reason) for upload in pipeline.uploads()] == [("applied", None)]


def test_what_may_not_be_applied_by_itself_says_so_and_waits_for_somebody(
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    leads_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    home: Path,
    tmp_path: Path,
) -> None:
    """The role was taken away between staging and applying. The run ended as a success, and nobody was told."""
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [staged]}]\n")
    options = {"rule": "merge", "lead_type": "SMS"}
    dropped(leads_file("a.csv", "a@example.com"), "dealer_leads", options)
    tick, apply, waiting = ticks("inbox"), ticks("apply_automatic"), ticks("waiting_uploads")
    tick()
    (request,) = tick().run_requests
    (tmp_path / "users.yaml").write_text("- {login: ana, name: Ana, roles: [director], can_import: true}\n")
    pipeline.store.load_users(tmp_path / "users.yaml")
    ended = stage(request)

    assert ended.success, "nothing is wrong with the machine"
    (gates,) = [each for each in ended.get_asset_check_evaluations() if each.check_name == "apply_gates"]
    assert not gates.passed
    said = [entry for entry in instance.all_logs(ended.run_id) if "is no known user" in entry.user_message]
    assert logging.WARNING in {entry.level for entry in said}
    (upload,) = pipeline.uploads()
    assert upload.state == "staged"
    assert upload.reason is not None
    assert "is no known user" in upload.reason["message"]
    assert upload.waits_for == "approve, as applying it by itself was refused (not-authorized)"
    (listed,) = waiting().asset_events
    assert "not-authorized" in listed.metadata["uploads"].value
    assert "is no known user" in pipeline.review_page(upload.upload_id)
    with pipeline.store.open(read_only=True) as contacts:
        assert contacts.rows("SELECT event, reason_code FROM news") == [("staged", "not-authorized")]
    assert isinstance(apply(), dg.SkipReason), "it is not tried again"
    assert pipeline.apply(upload.upload_id, user="ana").state == "applied"


def test_an_upload_planned_on_the_command_line_is_reported_but_not_applied(
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    """B3: what is planned by hand is checked by hand before it is imported."""
    upload = pipeline.plan(outreach_file("a.csv", "a@example.com"), "outreach_contacts", group="G")
    tick = ticks("command_line_uploads")
    tick()
    key = upload.upload_id
    assert instance.get_dynamic_partitions("uploads") == [key]
    for asset in ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset"):
        assert instance.get_materialized_partitions(dg.AssetKey(asset)) == {key}
    assert instance.get_materialized_partitions(dg.AssetKey("applied_contacts")) == set()
    stage(dg.RunRequest(job_name="stage_upload", partition_key=key))
    assert isinstance(ticks("apply_automatic")(), dg.SkipReason)


def test_an_upload_that_is_damaged_is_named_and_keeps_no_other_from_being_shown(
    ticks: Callable[[str], Tick],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = []
    for name in ("damaged", "changed", "whole"):
        upload = pipeline.plan(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", group="G")
        keys.append(upload.upload_id)
    damaged, changed, whole = keys
    pipeline.apply(damaged)
    show = reporting.show_stage

    def fail(events: Any, opened: Any, asset: str, upload: Any) -> None:
        if asset == "matched_changeset" and upload.upload_id != whole:
            raise MachineFault("damaged", "staging.duckdb is damaged or was cut off.", "Put it back.")
        show(events, opened, asset, upload)

    monkeypatch.setattr(reporting, "show_stage", fail)
    tick = ticks("command_line_uploads")
    assert tick().skip_message == "3 reported."
    assert instance.get_materialized_partitions(dg.AssetKey("matched_changeset")) == {whole}
    assert instance.get_materialized_partitions(dg.AssetKey("applied_contacts")) == {damaged}
    (shown,) = instance.fetch_observations(
        dg.AssetRecordsFilter(dg.AssetKey("matched_changeset"), asset_partitions=[changed]), limit=5
    ).records
    assert "cannot be shown" in str(shown.asset_observation.metadata["ending"].value)
    assert "is damaged" in str(shown.asset_observation.metadata["ending"].value)
    assert tick().skip_message == "Nothing was done on the command line."


def test_a_tick_that_is_cut_off_is_done_again(
    ticks: Callable[[str], Tick],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {
        pipeline.plan(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts").upload_id
        for name in ("one", "two", "three")
    }
    shown = reporting.show_checks

    def cut_off(events: Any, checks: Any, upload: Any) -> None:
        if upload.file_name == "two.csv":
            raise KeyboardInterrupt
        shown(events, checks, upload)

    monkeypatch.setattr(reporting, "show_checks", cut_off)
    tick = ticks("command_line_uploads")
    with pytest.raises(KeyboardInterrupt):
        tick()
    monkeypatch.undo()
    tick()
    for asset in ("raw_upload", "matched_changeset"):
        assert instance.get_materialized_partitions(dg.AssetKey(asset)) == keys


def test_what_was_applied_on_the_command_line_is_reported_once_with_its_checks(
    ticks: Callable[[str], Tick], outreach_file: Callable[..., Path], instance: dg.DagsterInstance, pipeline: Pipeline
) -> None:
    upload = pipeline.plan(outreach_file("a.csv", "a@example.com"), "outreach_contacts", group="G")
    pipeline.apply(upload.upload_id)
    tick = ticks("command_line_uploads")
    assert "1 reported" in tick().skip_message
    assert "Nothing" in tick().skip_message
    assert instance.get_materialized_partitions(dg.AssetKey("applied_contacts")) == {upload.upload_id}
    for asset, check in (("matched_changeset", "reconciliation"), ("applied_contacts", "apply_gates")):
        infos = instance.event_log_storage.get_asset_check_partition_info([dg.AssetCheckKey(dg.AssetKey(asset), check)])
        assert [(info.partition_key, info.is_current) for info in infos] == [(upload.upload_id, True)]


def test_the_cursor_remembers_only_what_lies_in_the_inbox(
    definitions: dg.Definitions,
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    resource: PipelineResource,
) -> None:
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts")
    with dg.build_sensor_context(instance=instance, resources={"pipeline": resource}) as context:
        sensors.inbox(context)
        found = path.stat()
        since, *look = json.loads(context.cursor or "")["since"].pop(f"outreach_contacts/a.csv:{found.st_ino}")
        assert since <= time.monotonic()
        assert look == [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def test_a_run_carries_fifty_uploads_at_most() -> None:
    keys = [str(number) for number in range(120)]
    assert [len(stretch) for stretch in in_ranges(keys, keys)] == [50, 50, 20]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("", []), ("a", ["a"]), ("abc", ["abc"]), ("acd", ["a", "cd"]), ("xyz", []), ("dbc", ["d", "bc"])],
)
def test_ranges_are_contiguous_and_keep_the_order_of_what_is_wanted(wanted: str, expected: list[str]) -> None:
    assert ["".join(keys) for keys in in_ranges([*wanted], "abcd")] == expected


def green(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    return {asset: instance.get_materialized_partitions(dg.AssetKey(asset)) for asset in ASSETS}


def last_words(instance: dg.DagsterInstance, asset: str = "applied_contacts") -> str:
    """How the newest observation of an asset says that its upload ended."""
    observation = instance.fetch_observations(dg.AssetKey(asset), limit=1).records[0].event_log_entry.asset_observation
    assert observation is not None
    return str(observation.metadata["ending"].value)


def test_undo_redo_and_finalize_on_the_command_line_are_reported(
    ticks: Callable[[str], Tick],
    leads_file: Callable[..., Path],
    home: Path,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    """X4: nothing stays green that is undone."""
    tick = ticks("command_line_uploads")
    who = home.owner()
    key = pipeline.plan(leads_file("l.csv", "a@example.com"), "dealer_leads", user=who, lead_type="SMS").upload_id
    tick()
    pipeline.apply(key, user=who)
    for act, is_green, said in (
        (pipeline.undo, False, f"Undone by {who}"),
        (pipeline.redo, True, "hidden from the published"),
        (pipeline.finalize, True, f"finalized by {who}"),
        (pipeline.undo, False, f"Undone by {who}"),
    ):
        tick()
        act(key, user=who)
        assert "1 reported" in tick().skip_message
        assert "Nothing" in tick().skip_message
        assert green(instance)["applied_contacts"] == ({key} if is_green else set())
        if is_green:
            newest = instance.get_latest_materialization_event(dg.AssetKey("applied_contacts"))
            assert newest is not None
            assert newest.asset_materialization is not None
            assert said in str(newest.asset_materialization.metadata["ending"].value)
        else:
            assert last_words(instance).startswith(said)
            record("green-though-nothing-happened", tried=1, failed=0, where="undone on the command line")


def test_a_run_of_something_else_does_not_keep_changes_from_being_reported(
    ticks: Callable[[str], Tick],
    outreach_file: Callable[..., Path],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    """A team's Dagster always has some run at work; only a run that carries the upload may be about to show it."""
    tick = ticks("command_line_uploads")
    key = pipeline.plan(outreach_file("one.csv", "one@example.com"), "outreach_contacts", group="Spring").upload_id
    tick()
    pipeline.apply(key)

    @dg.job
    def nothing() -> None:
        pass

    def run_with(**tags: str) -> dg.DagsterRun:
        return instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED, tags=tags)

    run_with()
    run_with(**{"dagster/partition": "2026-11-29"})
    carrying = run_with(**{"dagster/partition": key})
    assert "Nothing" in tick().skip_message
    instance.delete_run(carrying.run_id)
    assert "1 reported" in tick().skip_message


def test_what_became_of_staged_uploads_on_the_command_line_is_reported(
    ticks: Callable[[str], Tick], program_file: Callable[..., Path], instance: dg.DagsterInstance, pipeline: Pipeline
) -> None:
    """X2: a stale upload is planned again, with another hash to approve."""
    first, second, third = (
        pipeline.plan(program_file(f"{name}.xlsx", "a@example.com", f"{name}@example.com"), "program_contacts")
        for name in "pqr"
    )
    tick = ticks("command_line_uploads")
    assert "3 reported" in tick().skip_message
    pipeline.apply(first.upload_id)
    pipeline.apply(second.upload_id)
    pipeline.cancel(third.upload_id)
    assert "3 reported" in tick().skip_message
    assert green(instance)["applied_contacts"] == {first.upload_id}
    pipeline.plan_again(second.upload_id)
    assert "1 reported" in tick().skip_message
    newest = instance.get_latest_materialization_event(dg.AssetKey("matched_changeset"))
    assert newest is not None
    assert newest.asset_materialization is not None
    assert (
        newest.asset_materialization.metadata["changeset_sha256"].value
        == pipeline.show(second.upload_id).changeset_sha256
    )


def test_a_refused_and_a_repeated_file_of_the_command_line_are_not_green(
    ticks: Callable[[str], Tick],
    outreach_file: Callable[..., Path],
    tmp_path: Path,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    refused = pipeline.plan(tmp_path / "empty.csv", "outreach_contacts", group="G")
    file = outreach_file("o.csv", "a@example.com")
    applied = pipeline.apply(pipeline.plan(file, "outreach_contacts", group="G").upload_id).upload_id
    repeated = pipeline.plan(file, "outreach_contacts", group="G").upload_id
    by_hand = pipeline.set_active(1, active=False).upload_id
    joined = pipeline.plan_group_add("H", [1]).upload_id
    ticks("command_line_uploads")()
    shown = green(instance)
    assert refused.state == "refused"
    assert shown["raw_upload"] == {applied, repeated}
    assert shown["normalized_frame"] == shown["validated_rows"] == {applied}
    assert shown["applied_contacts"] == {applied, by_hand}
    assert shown["matched_changeset"] == {applied, by_hand, joined}
    infos = instance.event_log_storage.get_asset_check_partition_info(
        [dg.AssetCheckKey(dg.AssetKey("raw_upload"), "file_accepted")]
    )
    assert {info.partition_key: info.latest_execution_status.value for info in infos} == {
        refused.upload_id: "FAILED",
        applied: "SUCCEEDED",
        repeated: "SUCCEEDED",
    }


def test_what_is_reported_later_is_plotted_at_the_time_of_its_upload(
    ticks: Callable[[str], Tick], outreach_file: Callable[..., Path], instance: dg.DagsterInstance, pipeline: Pipeline
) -> None:
    key = pipeline.plan(outreach_file("o.csv", "a@example.com"), "outreach_contacts", group="G").upload_id
    long_ago = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    with pipeline.store.change() as contacts:
        change_line(contacts, key, added_at=long_ago.replace(tzinfo=None))
    ticks("command_line_uploads")()
    check = dg.AssetCheckKey(dg.AssetKey("validated_rows"), "error_count")
    (record,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=2)
    newest = instance.fetch_materializations(dg.AssetKey("raw_upload"), limit=1).records[0]
    assert record.event is not None
    assert record.event.timestamp == newest.timestamp == long_ago.timestamp()


def test_an_older_home_is_not_reported_all_over_again(
    ticks: Callable[[str], Tick], outreach_file: Callable[..., Path], instance: dg.DagsterInstance, pipeline: Pipeline
) -> None:
    """Of what an earlier version has shown it is not known how; only what is shown wrongly is shown anew."""
    pipeline.plan(outreach_file("o.csv", "a@example.com"), "outreach_contacts", group="G")
    undone = pipeline.apply(
        pipeline.plan(outreach_file("p.csv", "b@example.com"), "outreach_contacts", group="G").upload_id
    )
    tick = ticks("command_line_uploads")
    tick()
    pipeline.undo(undone.upload_id)
    with instance.run_storage.connect() as connection:
        connection.execute(KeyValueStoreTable.delete())
    assert "1 reported" in tick().skip_message
    assert green(instance)["applied_contacts"] == set()


def test_no_tick_and_no_check_reads_the_whole_ledger(
    monkeypatch: pytest.MonkeyPatch,
    ticks: Callable[[str], Tick],
    stage: Callable[..., dg.ExecuteInProcessResult],
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
    pipeline: Pipeline,
) -> None:
    """It has a line for each upload there ever was; to read 20,000 of them takes five seconds."""
    lines = Store.lines

    def some_lines(store: Store, limit: int | None = None, **asked: Any) -> Any:
        assert limit or any(asked.get(what) for what in ("states", "waiting", "upload_ids", "feed")), "reads all lines"
        return lines(store, limit, **asked)

    monkeypatch.setattr(Store, "lines", some_lines)
    pipeline.plan(outreach_file("a.csv", "a@example.com"), "outreach_contacts", group="G")
    dropped(outreach_file("b.csv", "b@example.com"), "outreach_contacts", {"group": "G"})
    tick = ticks("inbox")
    tick()
    assert stage(tick().run_requests[0]).success
    for name in ("apply_automatic", "command_line_uploads", "notices", "waiting_uploads", "contact_totals", "inbox"):
        ticks(name)()
