"""Feeds in Dagster: their assets, what makes them, and when they are overdue."""

from datetime import timedelta

import dagster as dg
import pytest

from contact_pipeline import Pipeline
from contact_pipeline.feeds.model import Feed
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.feeds import feed_definitions
from contact_pipeline.orchestration.resources import PipelineResource
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


def test_a_feed_runs_by_its_schedule_or_as_often_as_it_says(tmp_path, dagster):
    cron = {"cron": "30 6 * * 1-5", "time_zone": "America/New_York"}
    (schedule,) = feed_definitions("partners", feed_of(tmp_path, schedule=cron), PipelineResource()).schedules
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 6 * * 1-5", "America/New_York")


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
