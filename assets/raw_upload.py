"""Stage 1: the uploaded file as raw rows."""

import dagster as dg

from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import stage_each


@dg.asset(
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"duckdb"},
)
def raw_upload(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.Output[None]:
    """The rows of the file, every cell the text that was read, with their row numbers."""
    opened = pipeline.open()
    return stage_each(context, opened, opened.read)
