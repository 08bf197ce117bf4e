import subprocess
import sys

import dagster as dg
import pytest

from contact_pipeline.orchestration.definitions import defs
from contact_pipeline.orchestration.launching import OF_UPLOADS
from contact_pipeline.orchestration.partitions import uploads

REQUESTS = tuple(f"{what}_upload" for what in ("withdraw", "finalize", "undo", "redo", "cancel", "replan", "resolve"))


def test_the_public_surface_is_the_one_of_the_interface() -> None:
    repository = defs.get_repository_def()
    graph = defs.resolve_asset_graph()
    jobs = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        "raw_upload",
        "normalized_frame",
        "validated_rows",
        "matched_changeset",
        "applied_contacts",
        "awaiting_approval",
        "contacts",
    }
    assert {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys} == {
        ("raw_upload", "file_accepted"),
        ("validated_rows", "error_count"),
        ("matched_changeset", "duplicate_count"),
        ("matched_changeset", "reconciliation"),
        ("matched_changeset", "encoding_guard"),
        ("matched_changeset", "deactivation_guard"),
        ("matched_changeset", "rejection_guard"),
        ("matched_changeset", "change_guard"),
        ("applied_contacts", "apply_gates"),
    }
    assert jobs == {"stage_upload", "apply_upload", "import_upload", "expire", *REQUESTS}
    assert jobs - {"expire"} == OF_UPLOADS, "what launching looks at"
    sensors = {sensor.name for sensor in repository.sensor_defs}
    assert sensors == {
        "inbox",
        "apply_automatic",
        "command_line_uploads",
        "notices",
        "waiting_uploads",
        "contact_totals",
    }
    assert uploads.name == "uploads"


def test_every_asset_and_check_has_one_partition_per_upload_and_takes_a_range_in_one_run() -> None:
    graph = defs.resolve_asset_graph()
    assert len(graph.materializable_asset_keys) == 5
    assert len(graph.asset_check_keys) >= 5
    for key in graph.materializable_asset_keys:
        assert graph.get(key).partitions_def == uploads
        assert graph.get(key).backfill_policy == dg.BackfillPolicy.single_run()
    for key in graph.asset_check_keys:
        assert graph.get(key).partitions_def == uploads
        assert graph.get_check_spec(key).blocking is False


def test_the_assets_follow_the_stages() -> None:
    graph = defs.resolve_asset_graph()
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.materializable_asset_keys
    }
    assert parents == {
        "raw_upload": set(),
        "normalized_frame": {"raw_upload"},
        "validated_rows": {"normalized_frame"},
        "matched_changeset": {"validated_rows"},
        "applied_contacts": {"matched_changeset"},
    }


def test_the_sensors_run_from_the_start() -> None:
    statuses = {sensor.name: sensor.default_status for sensor in defs.get_repository_def().sensor_defs}
    assert {"inbox", "apply_automatic"} <= statuses.keys()
    assert {*statuses.values()} == {dg.DefaultSensorStatus.RUNNING}


@pytest.mark.parametrize("job", ["apply_upload", *REQUESTS])
def test_whoever_launches_a_job_that_changes_something_must_say_who(job: str) -> None:
    """The launchpad scaffolds what is required, and launches nothing without it."""
    op = "applied_contacts" if job == "apply_upload" else job.removesuffix("_upload")
    config = defs.resolve_job_def(job).run_config_schema.config_type.fields["ops"].config_type.fields[op]
    assert config.is_required
    assert config.config_type.fields["config"].config_type.fields["approved_by"].is_required


@pytest.mark.parametrize("job", ["apply_upload", *REQUESTS])
def test_jobs_that_commit_share_the_pool_of_the_contact_database(job: str) -> None:
    pools = {node.definition.pool for node in defs.resolve_job_def(job).nodes}
    assert pools == {"contact_database"}


def test_importing_the_library_does_not_import_dagster() -> None:
    code = "import sys, contact_pipeline.pipeline; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
