"""The jobs: stage an upload, apply it, finalize it. Each carries one upload or a range of them, in one process."""

import dagster as dg
from pydantic import Field

from contact_pipeline.errors import Refusal
from contact_pipeline.orchestration.metadata import counts, facts
from contact_pipeline.orchestration.partitions import CONTACT_DATABASE, keys_of, uploads
from contact_pipeline.orchestration.resources import PipelineResource

STAGE, APPLY, FINALIZE = "stage_upload", "apply_upload", "finalize_upload"

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


class Finalizing(dg.Config):
    """Who makes held changes visible."""

    approved_by: str | None = Field(default=None, description="Login of whoever finalizes; self-declared.")


@dg.op(pool=CONTACT_DATABASE)
def finalize(context: dg.OpExecutionContext, config: Finalizing, pipeline: PipelineResource) -> None:
    """Makes what an upload changed visible in the published contacts; noted as an observation of applied_contacts."""
    opened = pipeline.open()
    for key in keys_of(context.run.tags, context.instance.get_dynamic_partitions("uploads")):
        try:
            upload, said = opened.finalize(key, user=config.approved_by), "Finalized."
        except Refusal as refusal:
            upload, said = opened.show(key), f"Nothing was finalized: {refusal}"
        context.log.info("%s: %s", key, said)
        seen = {"ending": dg.MetadataValue.text(said)} | facts(upload) | counts(upload)
        context.log_event(dg.AssetObservation("applied_contacts", partition=key, metadata=seen))


@dg.job(name=FINALIZE, partitions_def=uploads, executor_def=dg.in_process_executor)
def finalize_upload() -> None:
    """Makes an applied upload that is held back visible in the published contacts."""
    finalize()


JOBS = (stage_upload, apply_upload, finalize_upload)
