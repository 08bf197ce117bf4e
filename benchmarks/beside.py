"""What `serve` loads where from_drop measures: all that it loads, and a job that does nothing, started by a sensor."""

import os
from pathlib import Path

import dagster as dg

from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.sensors import TICK_SECONDS

ASKED = Path(os.environ["CONTACT_PIPELINE_HOME"]) / "empty"  # a file in it asks for a run, which deletes it


@dg.op
def delete_asked(context: dg.OpExecutionContext) -> None:
    """Ends the wait."""
    (ASKED / context.run.tags["asked"]).unlink()


@dg.job(executor_def=dg.in_process_executor)
def empty() -> None:
    """Does nothing else."""
    delete_asked()


@dg.sensor(job=empty, minimum_interval_seconds=TICK_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def empty_asked() -> list[dg.RunRequest]:
    """Looks for files, as the inbox does."""
    names = sorted(path.name for path in ASKED.iterdir()) if ASKED.is_dir() else []
    return [dg.RunRequest(run_key=name, tags={"asked": name}) for name in names]


defs = dg.Definitions.merge(build_definitions(), dg.Definitions(jobs=[empty], sensors=[empty_asked]))
