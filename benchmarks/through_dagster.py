"""Imports the benchmark's file through Dagster's two jobs, in one process.

python -m benchmarks.through_dagster FILE HOME
"""

from __future__ import annotations

import sys
from pathlib import Path

import dagster as dg

from benchmarks.make_contacts import PROFILE
from contact_pipeline import Pipeline
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.resources import PipelineResource


def main(file: Path, home: Path) -> None:
    """Takes the file in, as the inbox does, and launches stage_upload and, approved, apply_upload."""
    upload = Pipeline(home=home).receive(file, PROFILE.stem, deactivate_missing=True)
    definitions = build_definitions({"pipeline": PipelineResource(home=str(home))})
    approval = {"ops": {"applied_contacts": {"config": {"approved_by": upload.user}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("uploads", [upload.upload_id])
        for job, config in (("stage_upload", {}), ("apply_upload", approval)):
            definitions.resolve_job_def(job).execute_in_process(
                instance=instance, partition_key=upload.upload_id, run_config=config
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
