"""Stage 1: the uploaded file as raw rows."""

import dagster as dg

from contact_pipeline.orchestration.metadata import staged
from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource


@dg.asset(
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"duckdb"},
)
def raw_upload(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> None:
    """The rows of the file, every cell the text that was read, with their row numbers."""
    opened = pipeline.open()
    for key in context.partition_keys:
        upload = opened.read(key)
        context.add_asset_metadata(staged("raw_upload", upload, opened), partition_key=key)
