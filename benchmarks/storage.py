"""What an upload leaves in a home, by kind: python -m benchmarks.storage ROWS… prints a table.

Each file goes through Dagster's two jobs into a home whose contacts are there already; then its review page and its
rejected rows are written. The contact database is measured as it is after a checkpoint.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import dagster as dg
from dagster._core.instance.utils import RUNLESS_RUN_ID

from benchmarks.make_contacts import PROFILE, make_contacts
from contact_pipeline import Pipeline
from contact_pipeline.engines import open_database
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.resources import PipelineResource


def size_of(*folders: Path) -> int:
    """Bytes of the files in some folders."""
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def used(pipeline: Pipeline) -> int:
    """Bytes that the contact database uses of its file."""
    with open_database(pipeline.settings.contacts_path, pipeline.settings) as contacts:
        contacts.run("CHECKPOINT")
        (blocks,), *_ = contacts.rows("SELECT used_blocks * block_size FROM pragma_database_size()")
        return int(blocks)


def measure(rows: int, folder: Path) -> dict[str, int]:
    """Imports one file; what it left, in bytes, and how many changes and events."""
    make_contacts(folder / "made", rows, max(rows, 1_000))
    home = shutil.copytree(folder / "made" / "home", folder / "home")
    pipeline = Pipeline(home)
    before = used(pipeline)
    upload = pipeline.receive(folder / "made" / "incoming.csv", PROFILE.stem)
    definitions = build_definitions({"pipeline": PipelineResource(home=str(home))})
    approval = {"ops": {"applied_contacts": {"config": {"approved_by": upload.user}}}}
    (folder / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
        instance.add_dynamic_partitions("uploads", [upload.upload_id])
        empty = size_of(folder / "dagster")
        for job, config in (("stage_upload", {}), ("apply_upload", approval)):
            definitions.resolve_job_def(job).execute_in_process(
                instance=instance, partition_key=upload.upload_id, run_config=config
            )
        runs = [run.run_id for run in instance.get_runs() if run.run_id != RUNLESS_RUN_ID]
        events = sum(len(instance.all_logs(run_id)) for run_id in runs)
        dagster = size_of(folder / "dagster") - empty
    pipeline.review(upload.upload_id)
    uploads = home / "uploads" / upload.upload_id
    original = size_of(uploads) - sum(path.stat().st_size for path in uploads.glob("review*"))
    from contact_pipeline.reports.corrections import give_back_rejected

    give_back_rejected(pipeline.show(upload.upload_id), None, pipeline.settings)
    with pipeline.store.open(read_only=True) as contacts:
        changes = contacts.value("SELECT count(*) FROM contact_changes WHERE upload_id = ?", [upload.upload_id])
    return {
        "rows": rows,
        "original": original,
        "staged": size_of(home / "staging" / upload.upload_id),
        "reports": size_of(uploads) - original,
        "changes": changes,
        "history": used(pipeline) - before,
        "events": events,
        "dagster": dagster,
    }


if __name__ == "__main__":
    for count in map(int, sys.argv[1:] or ("100", "10000")):
        with tempfile.TemporaryDirectory() as made:
            print(measure(count, Path(made)))
