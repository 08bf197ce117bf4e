"""The jobs: stage an upload, apply it, finalize it, undo it. Each carries one upload or several, in one process."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from contact_pipeline.errors import Refusal
from contact_pipeline.orchestration.metadata import counts, facts
from contact_pipeline.orchestration.partitions import CONTACT_DATABASE, keys_of, uploads
from contact_pipeline.orchestration.resources import PipelineResource

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

STAGE, APPLY, FINALIZE, UNDO = "stage_upload", "apply_upload", "finalize_upload", "undo_upload"

stage_upload = dg.define_asset_job(
    STAGE,
    selection=["raw_upload", "normalized_frame", "validated_rows", "matched_changeset"],
    executor_def=dg.in_process_executor,
    description="Reads, normalizes, validates and matches an upload, and freezes its changeset. Changes no contact.",
)

apply_upload = dg.define_asset_job(
    APPLY,
    selection=["applied_contacts"],
    executor_def=dg.in_process_executor,
    description="Applies an upload's frozen changeset. Launching it with approved_by in its config is the approval.",
)


class Asking(dg.Config):
    """Who asks for it."""

    approved_by: str | None = Field(default=None, description="Login of whoever asks for it; self-declared.")


Doing = Callable[["Pipeline", str, str | None], "Upload"]


def _do(context: dg.OpExecutionContext, config: Asking, pipeline: PipelineResource, doing: Doing, done: str) -> None:
    """Does something to every upload of a run and notes it as an observation of applied_contacts."""
    opened = pipeline.open()
    for key in keys_of(context.run.tags, context.instance.get_dynamic_partitions("uploads")):
        try:
            upload, said = doing(opened, key, config.approved_by), done
        except Refusal as refusal:
            upload, said = opened.show(key), f"Nothing was done: {refusal}"
        context.log.info("%s: %s", key, said)
        seen = {"ending": dg.MetadataValue.text(said)} | facts(upload) | counts(upload)
        context.log_event(dg.AssetObservation("applied_contacts", partition=key, metadata=seen))


@dg.op(pool=CONTACT_DATABASE)
def finalize(context: dg.OpExecutionContext, config: Asking, pipeline: PipelineResource) -> None:
    """Makes what an upload changed visible in the published contacts."""
    _do(context, config, pipeline, lambda opened, key, user: opened.finalize(key, user=user), "Finalized.")


@dg.op(pool=CONTACT_DATABASE)
def undo(context: dg.OpExecutionContext, config: Asking, pipeline: PipelineResource) -> None:
    """Takes back what an upload applied, or the undoing of it; what changed since is left alone."""
    _do(context, config, pipeline, lambda opened, key, user: opened.undo(key, user=user), "Done.")


@dg.job(name=FINALIZE, partitions_def=uploads, executor_def=dg.in_process_executor)
def finalize_upload() -> None:
    """Makes an applied upload that is held back visible in the published contacts."""
    finalize()


# Never retried by itself: a run that had committed before it died would take back the undoing.
@dg.job(name=UNDO, partitions_def=uploads, executor_def=dg.in_process_executor, tags={"dagster/max_retries": "0"})
def undo_upload() -> None:
    """Takes back what an upload applied, in one commit; launched again, it takes back the undoing."""
    undo()


JOBS = (stage_upload, apply_upload, finalize_upload, undo_upload)
