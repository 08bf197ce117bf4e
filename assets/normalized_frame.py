"""Stage 2: the raw rows in the profile's fields."""

import dagster as dg

from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import stage_each


@dg.asset(
    deps=["raw_upload"],
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"polars"},
)
def normalized_frame(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.Output[None]:
    """The rows in the profile's fields, values in canonical form; what changed in meaning is listed as a repair."""
    opened = pipeline.open()
    return stage_each(context, opened, opened.normalize)
