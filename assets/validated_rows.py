"""Stage 3: which rows are valid, and what is wrong with the others."""

import dagster as dg

from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import stage_each


@dg.asset(
    deps=["normalized_frame"],
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"polars", "pandera"},
)
def validated_rows(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.Output[None]:
    """The rejections: row, column, masked value, what is wrong and what to do about it; the other rows are valid."""
    opened = pipeline.open()
    return stage_each(context, opened, opened.validate)
