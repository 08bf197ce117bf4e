"""Feeds in Dagster: their assets, what makes them, and when they are overdue."""

import os
import shutil
import socket
import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.freshness import FreshnessDaemon
from dagster._utils.schedules import cron_string_iterator
from dagster._utils.tags import TagConcurrencyLimitsCounter

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.errors import Refusal, StoreBusy
from contact_pipeline.feeds import status
from contact_pipeline.feeds.calendar import next_run
from contact_pipeline.feeds.model import Feed
from contact_pipeline.feeds.status import record
from contact_pipeline.orchestration import feeds, steps
from contact_pipeline.orchestration.components import ContactFeed
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.feeds import feed_definitions
from contact_pipeline.orchestration.health import Check
from contact_pipeline.orchestration.metadata import counts, facts
from contact_pipeline.orchestration.metrics import Metrics
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.serve import SHIPPED
from contact_pipeline.pipeline import committing, stages
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import change_line
from tests.homes import new_home

LEADS = "Name,Phone,Email\nJordan Avery,,jordan@example.com\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTACT_PIPELINE_INBOX_SETTLE_SECONDS", "0")
    (tmp_path / "drop").mkdir()
    (tmp_path / "users.yaml").write_text("- {login: crm, name: CRM, roles: [director], can_import: true}\n")
    Pipeline(new_home(tmp_path / "home")).store.load_users(tmp_path / "users.yaml")
    return tmp_path / "home"


def feed_of(tmp_path, **said):
    options = {"rule": "merge", "lead_type": "SMS"}
    return Feed(source=f"{tmp_path}/drop/*.csv", profile="dealer_leads", options=options, **said)


@pytest.fixture
def dagster():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def fetch(definitions, dagster):
    return definitions.resolve_job_def("fetch_partners").execute_in_process(instance=dagster, raise_on_error=False)


def test_what_has_come_is_applied_and_makes_the_asset_and_nothing_new_does_not(tmp_path, home, dagster):
    definitions = feed_definitions("partners", feed_of(tmp_path, owner="crm"), PipelineResource(home=str(home)))
    key = dg.AssetKey(["partners", "fetched_files"])
    assert fetch(definitions, dagster).success
    assert dagster.fetch_materializations(key, limit=9).records == []

    (tmp_path / "drop" / "a|b_c.csv").write_text(LEADS)
    assert fetch(definitions, dagster).success
    (upload,) = Pipeline(home).uploads()
    assert (upload.state, upload.line.feed, upload.user) == ("applied", "partners", "crm")
    assert facts(upload)["came_by"].value == "feed partners"
    assert "rejected_rows" not in counts(upload, "matched_changeset"), "there are none"
    (made,) = dagster.fetch_materializations(key, limit=9).records
    shown = made.asset_materialization.metadata
    assert shown["fetched"].value == 1
    assert (
        f"| a\\|b\\_c.csv | [{upload.upload_id}](/pages/uploads/{upload.upload_id}) | applied | 1 |"
        in shown["files"].value
    )

    (tmp_path / "drop" / "b.csv").write_text("Nothing,that,is,known\n1,2,3,4\n")
    assert fetch(definitions, dagster).success  # a file that is refused is a state, no failure
    assert [upload.state for upload in Pipeline(home).uploads()] == ["refused", "applied"]
    assert len(dagster.fetch_materializations(key, limit=9).records) == 1
    observed = dagster.fetch_observations(key, limit=1).records[0].asset_observation
    assert "refused" in observed.metadata["files"].value


def test_a_source_that_is_not_there_fails_the_run_with_one_sentence(tmp_path, home, dagster):
    feed = feed_of(tmp_path)
    (tmp_path / "drop").rmdir()
    ended = fetch(feed_definitions("partners", feed, PipelineResource(home=str(home))), dagster)
    (failure,) = [event for event in ended.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert "drop" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("due", "policy"),
    [
        ({"within": "26h"}, dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26))),
        (
            {"at": "09:05", "time_zone": "Europe/Berlin"},
            dg.FreshnessPolicy.cron("5 9 * * 0,1,2,3,4,5,6", timedelta(days=1), "Europe/Berlin"),
        ),
        ({"at": "18:00", "days": ["mon"]}, dg.FreshnessPolicy.cron("0 18 * * 1", timedelta(days=7), "UTC")),
        ({"at": "18:00", "days": ["sat", "wed"]}, dg.FreshnessPolicy.cron("0 18 * * 3,6", timedelta(days=3), "UTC")),
        (None, None),
    ],
)
def test_a_silent_feed_is_overdue_in_dagster(tmp_path, due, policy):
    definitions = feed_definitions("partners", feed_of(tmp_path, due=due), PipelineResource())
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["partners", "fetched_files"]))
    assert node.freshness_policy == policy


def test_dagster_itself_calls_a_feed_overdue_whose_file_does_not_come(tmp_path, home, monkeypatch):
    """Its own daemon looks, three hours after the newest file came."""
    monkeypatch.setenv("CONTACT_PIPELINE_HOME", str(home))
    (home / "feeds").mkdir()
    (home / "feeds" / "partners.yaml").write_text(
        f"source: {tmp_path}/drop/\nprofile: dealer_leads\ndue: {{within: 2h}}\n"
    )
    key = dg.AssetKey(["partners", "fetched_files"])
    target = ModuleTarget("contact_pipeline.orchestration.definitions", None, None, "contacts")
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as dagster,
        create_test_daemon_workspace_context(target, dagster) as workspace,
    ):

        def look():
            list(FreshnessDaemon().run_iteration(workspace))
            return dagster.get_freshness_state_records([key])[key].freshness_state

        dagster.report_runless_asset_event(dg.AssetMaterialization(key))
        assert look() == FreshnessState.PASS
        with freeze_time(datetime.now(UTC) + timedelta(hours=3)):
            assert look() == FreshnessState.FAIL


def test_people_are_told_of_a_feed_of_a_project_that_is_overdue(tmp_path, home, monkeypatch):
    """No file of the home describes it, so its own sensor looks."""
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: []\n")
    pipeline, tree = Pipeline(home), dg.ComponentTree.for_test()

    def sensors(**said):
        feed = ContactFeed("partners", feed_of(tmp_path, **said), str(home))
        return [*(feed.build_defs(tree.load_context).sensors or ())]

    (overdue,) = sensors(due={"within": "1d"}, notices=["desk"])

    def look():
        with dg.build_sensor_context() as context:
            return overdue(context).skip_message

    def told():
        with pipeline.store.open(read_only=True) as contacts:
            return contacts.rows("SELECT feed, event, targets FROM news")

    assert (overdue.name, look()) == ("fetch_partners_overdue", "It is not overdue.")
    later = status.now() + timedelta(days=2)
    monkeypatch.setattr(status, "now", lambda: later)
    assert "was due" in look()
    assert "was due" in look()
    assert told() == [("partners", "missed", ["desk"])]
    assert sensors() == []


def test_feeds_of_a_project_are_listed_by_the_home_that_they_fill(tmp_path, home, dagster, capsys):
    """They can be checked and run on the command line; a file of the home with the same name comes first."""
    pipeline, tree = Pipeline(home), dg.ComponentTree.for_test()
    feed = feed_of(tmp_path, every="15m", owner="crm", due={"within": "8d"})
    definitions = ContactFeed("partners", feed, str(home), "/srv/theirs/defs/partners").build_defs(tree.load_context)
    assert pipeline.feeds() == []
    with dg.build_sensor_context() as context:
        next(sensor for sensor in definitions.sensors if sensor.name == "fetch_partners_overdue")(context)
    (status,) = pipeline.feeds()
    assert (status.name, status.place, status.feed) == ("partners", "/srv/theirs/defs/partners", feed)
    assert status.as_dict()["described_in"] == "/srv/theirs/defs/partners"
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    assert fetch(definitions, dagster).success
    assert pipeline.feeds()[0].as_dict()["ended"] == "fetched"
    (tmp_path / "drop" / "more.csv").write_text(LEADS.replace("jordan@", "dana@"))

    for command in (["feeds"], ["feeds", "check"], ["feeds", "run", "partners"]):
        assert run([*command, "--home", str(home)]) == 0, command
    said = capsys.readouterr().out
    assert "partners is described in /srv/theirs/defs/partners." in " ".join(said.split())
    assert "1 file would be fetched" in said
    assert "1 file fetched by partners" in said
    text = (
        Metrics(Settings(home=home), dagster, lambda: {"contacts": Check(is_good=True, message="")})
        .text("")[0]
        .decode()
    )
    assert 'contact_pipeline_feed_overdue{feed="partners"} 0.0' in text

    (home / "feeds" / "partners.yaml").write_text(f"source: {tmp_path}/drop/\nprofile: dealer_leads\n")
    assert [each.place for each in pipeline.feeds()] == ["feeds/partners.yaml"]
    (home / "feeds" / "partners.yaml").unlink()
    (home / "feeds" / ".elsewhere" / "partners.json").unlink()
    assert pipeline.feeds() == []


def test_a_feed_runs_by_its_schedule_or_as_often_as_it_says(tmp_path, dagster):
    cron = {"cron": "30 6 * * 1-5", "time_zone": "America/New_York"}
    (schedule,) = feed_definitions("partners", feed_of(tmp_path, schedule=cron), PipelineResource()).schedules
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 6 * * 1-5", "America/New_York")


def changes_of_clock(time_zone):
    """The hours of 2026 after which a clock of that zone is put forward, and back."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(8760)]
    offsets = [hour.astimezone(ZoneInfo(time_zone)).utcoffset() for hour in hours]
    return [hours[at] for at in range(1, len(hours)) if offsets[at] != offsets[at - 1]]


@pytest.mark.parametrize(
    "time_zone", ["Europe/Berlin", "America/New_York", "Europe/London", "America/Santiago", "Australia/Adelaide", "UTC"]
)
@pytest.mark.parametrize(
    "cron",
    [
        "30 3 * * *", "30 2 * * *", "0 2 * * *", "30 1 * * *", "30 0 * * *", "30 2 * * 0", "15,45 2 * * *",
        "0 */2 * * *", "30 1,2,3 * * *", "*/7 * * * *", "30 * * * *", "0 6 * * 1-5",
        "0 0 1,15 * 1", "0 0 * * 5-7", "0 0 */2 * *",
    ],
)  # fmt: skip
def test_feeds_say_the_next_time_at_which_dagster_runs_them(cron, time_zone):
    """Across the nights in which a clock is changed, too: of an hour that comes twice, the second one counts."""
    feed = Feed.model_validate(
        {"source": "in", "profile": "dealer_leads", "schedule": {"cron": cron, "time_zone": time_zone}}
    )
    for change in changes_of_clock(time_zone) or [datetime(2026, 3, 29, 1, tzinfo=UTC)]:
        begin = change - timedelta(hours=5)
        theirs = (
            due.astimezone(UTC).replace(tzinfo=None) for due in cron_string_iterator(begin.timestamp(), cron, time_zone)
        )
        expected = [*islice((due for due in theirs if due > begin.replace(tzinfo=None)), 5)]
        moment = begin.replace(tzinfo=None)
        assert [moment := next_run(feed, None, moment) for _ in expected] == expected
    for before, after in pairwise(expected):  # whenever somebody asks between two
        assert next_run(feed, None, before + (after - before) / 2) == after


def test_polling_costs_no_run_unless_something_is_new_or_went_wrong(tmp_path, home, dagster):
    feed = feed_of(tmp_path, every="15m", owner="crm@example.com")
    definitions = feed_definitions("partners", feed, PipelineResource(home=str(home)))
    (polling,) = definitions.sensors
    (spec,) = definitions.assets[0].specs
    assert (polling.minimum_interval_seconds, spec.owners, spec.group_name) == (900, ["crm@example.com"], "partners")
    cursor = ""

    def look():
        nonlocal cursor
        context = dg.build_sensor_context(instance=dagster, cursor=cursor)
        asked, cursor = polling(context), context.cursor
        return "run" if isinstance(asked, dg.RunRequest) else asked.skip_message

    assert look() == "Nothing is new."
    (tmp_path / "drop").rmdir()
    assert look() == "run"  # which fails, and has people told, once
    assert "drop" in look()
    (tmp_path / "drop").mkdir()
    assert [look(), look()] == ["run", "Nothing is new."]
    (tmp_path / "drop" / "latest.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert look().startswith("Nothing is new. latest.csv is a link")
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    assert look() == "run"
    dagster.create_run_for_job(definitions.resolve_job_def("fetch_partners"), status=dg.DagsterRunStatus.STARTED)
    assert "not finished" in look()


def test_feeds_of_the_home_are_loaded_and_one_that_cannot_be_used_hides_no_other(tmp_path, home):
    (home / "feeds").mkdir()
    (home / "feeds" / "partners.yaml").write_text(
        f"source: {tmp_path}/drop/\nprofile: dealer_leads\ndue: {{within: 10s}}\n"
    )
    (home / "feeds" / "broken.yaml").write_text("sauce: x\n")
    pipeline = PipelineResource(home=str(home))
    definitions = build_definitions({"pipeline": pipeline})
    own = [key.to_user_string() for key in definitions.resolve_all_asset_keys() if len(key.path) > 1]
    assert own == ["partners/fetched_files"]
    overdue = next(sensor for sensor in definitions.sensors if sensor.name == "overdue_feeds")
    with dg.build_sensor_context(resources={"pipeline": pipeline}) as context:
        assert overdue(context).skip_message == "No feed is overdue."
    assert not any(
        sensor.name == "overdue_feeds"
        for sensor in build_definitions({"pipeline": PipelineResource(home=str(tmp_path))}).sensors
    )


@pytest.mark.parametrize("owner", ["crm@example.com", "a@b", "@", "odd@@x y", "plain"])
def test_an_owner_that_dagster_does_not_take_hides_no_feed(tmp_path, owner):
    (asset,) = feed_definitions("partners", feed_of(tmp_path, owner=owner), PipelineResource()).assets
    (spec,) = asset.specs
    assert (list(spec.owners), spec.metadata["owner"]) == ([owner] if owner == "crm@example.com" else [], owner)


def test_a_source_of_a_scheme_that_dagster_does_not_take_hides_no_feed(tmp_path):
    feed = Feed(source="git+ssh2://example.com/people/*.csv", profile="dealer_leads")
    (asset,) = feed_definitions("partners", feed, PipelineResource()).assets
    assert "git_ssh2" in next(iter(asset.specs)).kinds


@pytest.fixture
def silent_port():
    """A port of a server that lets everybody connect and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("source", ["https://127.0.0.1:{}/people.csv", "sftp://127.0.0.1:{}/out/*.csv", "s3://b/*.csv"])
def test_a_server_that_says_nothing_costs_a_look_little_and_has_each_look_ask_for_a_run(
    tmp_path, home, dagster, silent_port, source, monkeypatch
):
    (tmp_path / "known_hosts").touch()
    monkeypatch.setenv("CONTACT_PIPELINE_FEED_PARTNERS_KNOWN_HOSTS", str(tmp_path / "known_hosts"))
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent_port}")
    monkeypatch.setattr(feeds, "LOOK_SECONDS", 0.2)
    options = {"rule": "merge", "lead_type": "SMS"}
    feed = Feed(source=source.format(silent_port), profile="dealer_leads", options=options, every="15m")
    (polling,) = feed_definitions("partners", feed, PipelineResource(home=str(home))).sensors
    cursor, began = "", time.monotonic()
    for _ in range(2):
        context = dg.build_sensor_context(instance=dagster, cursor=cursor)
        assert isinstance(polling(context), dg.RunRequest)
        cursor = context.cursor
        assert "did not answer in time" in cursor
    assert time.monotonic() - began < 8


def test_feeds_are_fetched_one_after_the_other_where_dagster_yaml_says_so(tmp_path, home):
    shutil.copy(SHIPPED, tmp_path / "dagster.yaml")
    job = feed_definitions("partners", feed_of(tmp_path), PipelineResource()).resolve_job_def("fetch_partners")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        limits = instance.get_concurrency_config().run_queue_config.tag_concurrency_limits
        one, other = (instance.create_run_for_job(job, tags={"contact_pipeline/fetch": name}) for name in "ab")
        plain = instance.create_run_for_job(job, tags={"contact_pipeline/fetch": ""}).with_tags({})
        counter = TagConcurrencyLimitsCounter(limits, [one])
    assert job.tags["contact_pipeline/fetch"] == "partners"
    assert (counter.is_blocked(other), counter.is_blocked(plain)) == (True, False)


def test_a_fetch_that_finds_the_contact_database_locked_is_done_again(tmp_path, home, dagster, monkeypatch):
    monkeypatch.setattr(steps, "BUSY_SECONDS", 0)
    definitions = feed_definitions("partners", feed_of(tmp_path, owner="crm"), PipelineResource(home=str(home)))
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    stage, tried = Pipeline._stage_fetched, []

    def busy_at_first(self, upload):
        tried.append(upload.upload_id)
        if len(tried) == 1:
            raise StoreBusy("contacts.duckdb has been in use by another process.")
        return stage(self, upload)

    monkeypatch.setattr(Pipeline, "_stage_fetched", busy_at_first)
    assert fetch(definitions, dagster).success
    assert [(upload.upload_id, upload.state) for upload in Pipeline(home).uploads()] == [(tried[0], "applied")]
    assert len(tried) == 2


def test_a_defect_of_the_program_with_one_file_keeps_no_other_from_being_fetched(tmp_path, home, dagster, monkeypatch):
    definitions = feed_definitions("partners", feed_of(tmp_path, owner="crm"), PipelineResource(home=str(home)))
    for number, name in enumerate("abc"):
        path = tmp_path / "drop" / f"{name}.csv"
        path.write_text(f"Name,Phone,Email\nJordan Avery,,{name}@example.com\n")
        os.utime(path, (number, number))
    really = stages.match

    def defective(store, line):
        if line.file_name == "b.csv":
            raise IndexError("pop from an empty list")
        return really(store, line)

    monkeypatch.setattr(stages, "match", defective)
    ended = fetch(definitions, dagster)
    (failure,) = [event for event in ended.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert said.startswith("An upload has failed by a defect of the program (IndexError)")
    assert [upload.state for upload in Pipeline(home).uploads()] == ["applied", "failed", "applied"]
    assert "in defective" in "".join(entry.user_message for entry in dagster.all_logs(ended.run_id))
    assert Pipeline(home).run_feed("partners", described=feed_of(tmp_path, owner="crm")).known == 3


@pytest.mark.parametrize("step", ["match", "read again"])
def test_a_defect_of_the_program_with_an_upload_that_was_cut_off_fails_it(tmp_path, home, dagster, monkeypatch, step):
    """Else it stayed received, and each later run of the feed failed."""
    feed = feed_of(tmp_path, owner="crm")
    definitions = feed_definitions("partners", feed, PipelineResource(home=str(home)))
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    pipeline = Pipeline(home)
    (upload,) = pipeline.run_feed("partners", described=feed).uploads
    if step == "read again":
        pipeline.read(upload)
        shutil.rmtree(pipeline.store.staging(upload.upload_id).folder)

    def defective(store, line):
        raise IndexError("pop from an empty list")

    monkeypatch.setattr(stages, "read" if step == "read again" else "match", defective)
    assert not fetch(definitions, dagster).success
    assert "defect of the program" in str(pipeline.show(upload.upload_id).reason)
    assert pipeline.show(upload.upload_id).state == "failed"
    assert fetch(definitions, dagster).success


def test_what_a_run_staged_and_did_not_apply_is_applied_by_the_next(tmp_path, home, dagster, monkeypatch):
    """As where the contact database stayed locked. What somebody has taken in hand, or is older, waits for somebody."""
    feed = feed_of(tmp_path, owner="crm")
    definitions = feed_definitions("partners", feed, PipelineResource(home=str(home)))
    pipeline, really = Pipeline(home), Pipeline.apply_automatic

    def fetched(name):
        (tmp_path / "drop" / f"{name}.csv").write_text(LEADS.replace("jordan@", f"{name}@"))
        fetch(definitions, dagster)
        return {upload.file_name: upload.state for upload in pipeline.uploads()}

    def busy(self, upload_id):
        raise StoreBusy("contacts.duckdb has been in use by another process.")

    monkeypatch.setattr(steps, "BUSY_RETRIES", 0)
    monkeypatch.setattr(Pipeline, "apply_automatic", busy)
    assert fetched("a") == {"a.csv": "staged"}
    (upload,) = pipeline.uploads()
    with pipeline.store.change() as contacts:
        change_line(contacts, upload.upload_id, replanned_by="ana")
    monkeypatch.setattr(Pipeline, "apply_automatic", really)
    assert fetched("b") == {"a.csv": "staged", "b.csv": "applied"}
    with pipeline.store.change() as contacts:
        change_line(contacts, upload.upload_id, replanned_by=None)
    assert fetched("c") == {"a.csv": "staged", "b.csv": "applied", "c.csv": "applied"}
    monkeypatch.setattr(Pipeline, "apply_automatic", busy)
    assert fetched("d")["d.csv"] == "staged"
    monkeypatch.setattr(Pipeline, "apply_automatic", really)
    assert fetched("e") == {"a.csv": "staged", **dict.fromkeys(("b.csv", "c.csv", "d.csv", "e.csv"), "applied")}
    order = {upload.file_name: upload.line.commit_number for upload in pipeline.uploads()}
    assert order["d.csv"] < order["e.csv"]


def test_a_defect_while_a_fetched_file_is_applied_waits_for_somebody(tmp_path, home, dagster, monkeypatch):
    """No later run of the feed takes it up."""
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [staged]}]\n")
    definitions = feed_definitions("partners", feed_of(tmp_path, owner="crm"), PipelineResource(home=str(home)))
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)

    def defective(*_given, **_more):
        raise IndexError("pop from an empty list")

    monkeypatch.setattr(committing, "write_changeset", defective)
    assert not fetch(definitions, dagster).success
    (upload,) = Pipeline(home).uploads()
    assert (upload.state, upload.waits_for) == ("staged", "apply once a defect is mended")
    assert upload.reason["message"] == "IndexError while applying: a defect of the program, not of the file."
    with Pipeline(home).store.open(read_only=True) as contacts:
        assert contacts.rows("SELECT event, reason_code FROM news") == [("staged", "apply-defect")]


def test_a_fetched_file_that_may_not_be_applied_waits_for_somebody_and_is_no_new_file(
    tmp_path, home, dagster, monkeypatch
):
    """Each later run took it up, failed, and made the asset, as if a file had come."""
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [staged]}]\n")
    definitions = feed_definitions("partners", feed_of(tmp_path, owner="crm"), PipelineResource(home=str(home)))
    key, pipeline, really = dg.AssetKey(["partners", "fetched_files"]), Pipeline(home), stages.match

    def load_user(login):
        (tmp_path / "users.yaml").write_text(f"- {{login: {login}, name: N, roles: [director], can_import: true}}\n")
        pipeline.store.load_users(tmp_path / "users.yaml")

    def match_while_the_owner_leaves(store, line):
        load_user("ana")
        return really(store, line)

    def seen():
        (status,) = pipeline.feeds()
        with pipeline.store.open(read_only=True) as contacts:
            news = contacts.rows("SELECT event, reason_code FROM news")
        return len(dagster.fetch_materializations(key, limit=9).records), status.state.ended, news

    monkeypatch.setattr(stages, "match", match_while_the_owner_leaves)
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    (home / "feeds").mkdir()
    (home / "feeds" / "partners.yaml").write_text(f"source: {tmp_path}/drop/*.csv\nprofile: dealer_leads\n")
    assert fetch(definitions, dagster).success  # a file that waits is a state, no failure
    (upload,) = pipeline.uploads()
    assert "approve" in upload.waits_for
    assert "not-authorized" in upload.waits_for
    assert "'crm' is no known user" in upload.reason["message"]
    assert seen() == (1, "fetched", [("staged", "not-authorized")])

    assert fetch(definitions, dagster).success
    assert seen() == (1, "nothing", [("staged", "not-authorized")])

    with pipeline.store.change() as contacts:
        change_line(contacts, upload.upload_id, reason=None)  # as earlier versions left it
    assert fetch(definitions, dagster).success
    assert seen() == (1, "nothing", [("staged", "not-authorized")] * 2)
    assert pipeline.apply(upload.upload_id, user="ana").state == "applied"


def test_a_file_of_a_run_that_was_cut_off_makes_the_asset_once(tmp_path, home, dagster):
    feed = feed_of(tmp_path, owner="crm")
    definitions = feed_definitions("partners", feed, PipelineResource(home=str(home)))
    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    pipeline = Pipeline(home)
    (upload,) = pipeline.run_feed("partners", described=feed).uploads  # received, and no more
    for _ in range(2):
        assert fetch(definitions, dagster).success
        (made,) = dagster.fetch_materializations(dg.AssetKey(["partners", "fetched_files"]), limit=9).records
    assert made.asset_materialization.metadata["fetched"].value == 0, "it came before"
    assert pipeline.show(upload.upload_id).state == "applied"


def test_what_a_scheduled_run_left_is_tried_again_before_the_next_night(tmp_path, home, dagster, monkeypatch):
    feed = feed_of(tmp_path, schedule={"cron": "0 6 * * *"}, owner="crm")
    definitions = ContactFeed("partners", feed, str(home)).build_defs(dg.ComponentTree.for_test().load_context)
    (again,) = definitions.sensors
    pipeline, job, cursor = Pipeline(home), definitions.resolve_job_def("fetch_partners"), ""

    def look(after=timedelta(0)):
        nonlocal cursor
        monkeypatch.setattr(feeds, "TRIED_AGAIN_AFTER", -after)
        monkeypatch.setattr(feeds, "AND_EVERY", timedelta(hours=1) - after)
        context = dg.build_sensor_context(instance=dagster, cursor=cursor)
        asked, cursor = again(context), context.cursor
        return "run" if isinstance(asked, dg.SensorResult) else asked.skip_message

    def broke(code):
        record(pipeline.store, "partners", feed, "broken", Refusal(code, "files.example.com is away.", ""))

    assert look() == "Nothing is left to do."
    broke("feed-login")
    assert look() == "Nothing is left to do.", "somebody has to put that right first"
    broke("feed-timeout")
    assert "tried again at" in look(timedelta(minutes=-5))
    assert look() == "run"
    assert "tried again at" in look(timedelta(minutes=50))
    assert [look(timedelta(hours=1)) for _ in range(23)] == ["run"] * 23
    assert "for a day" in look(timedelta(hours=1))
    record(pipeline.store, "partners", feed, "nothing", None)
    assert (look(), cursor) == ("Nothing is left to do.", "")

    dagster.report_run_failed(run := dagster.create_run_for_job(job))  # it could not record why
    assert look() == "run"
    dagster.delete_run(run.run_id)
    assert look() == "Nothing is left to do."

    (tmp_path / "drop" / "leads.csv").write_text(LEADS)
    (upload,) = pipeline.run_feed("partners", described=feed).uploads  # received, and cut off before it was staged
    dagster.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert "not finished" in look()
    dagster.wipe()
    with pipeline.store.change() as contacts:
        change_line(contacts, upload.upload_id, added_at=status.now() + timedelta(days=2))  # the clock was ahead
    assert look(timedelta(minutes=-5)) == "run"
    assert fetch(definitions, dagster).success
    assert pipeline.show(upload.upload_id).state == "applied"
    assert look() == "Nothing is left to do."


def test_one_look_at_the_home_serves_all_of_its_feeds(tmp_path, home, dagster, monkeypatch):
    """However many there are, the sensors open the contact database once or twice a tick, and write nothing."""
    (home / "feeds").mkdir()
    for number in range(3):
        (home / "feeds" / f"partners_{number}.yaml").write_text(
            f"source: {tmp_path}/drop/\nprofile: dealer_leads\nowner: crm\ndue: {{within: 8d}}\n"
            "schedule: {cron: '0 6 * * *'}\n"
        )
    pipeline = PipelineResource(home=str(home))
    definitions = build_definitions({"pipeline": pipeline})
    sensors = {sensor.name: sensor for sensor in definitions.sensors}
    assert not [name for name in sensors if "partners" in name]
    store = pipeline.open().store
    opened, really = [], Store.open
    monkeypatch.setattr(Store, "open", lambda self, **how: opened.append(how) or really(self, **how))

    def look(name):
        opened.clear()
        with dg.build_sensor_context(instance=dagster, resources={"pipeline": pipeline}) as context:
            return sensors[name](context)

    assert look("overdue_feeds").skip_message == "No feed is overdue."
    assert look("overdue_feeds").skip_message == "No feed is overdue."
    assert len(opened) == 1
    assert look("feeds_again").skip_message == "Nothing is left to do."
    assert len(opened) == 2  # the uploads, and the feeds
    for number in (0, 2):
        record(store, f"partners_{number}", None, "broken", Refusal("feed-timeout", "It is away.", ""))
    monkeypatch.setattr(feeds, "TRIED_AGAIN_AFTER", timedelta(0))
    asked = [request.job_name for request in look("feeds_again").run_requests]
    assert asked == ["fetch_partners_0", "fetch_partners_2"]


def test_a_feed_whose_file_is_spoilt_is_told_of_though_no_other_is_left(tmp_path, home, caplog):
    (home / "feeds").mkdir()
    file, pipeline = home / "feeds" / "partners.yaml", Pipeline(home)
    file.write_text(f"sauce: {tmp_path}/drop/\nprofile: dealer_leads\n")
    resource = PipelineResource(home=str(home))
    with caplog.at_level("WARNING", "dagster"):
        definitions = build_definitions({"pipeline": resource})
    assert "partners.yaml, line 1, sauce" in caplog.text
    overdue = next(sensor for sensor in definitions.sensors if sensor.name == "overdue_feeds")
    with dg.build_sensor_context(resources={"pipeline": resource}) as context:
        overdue(context)
    assert pipeline.feeds()[0].state.problem["code"] == "feed-broken"
