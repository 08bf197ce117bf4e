"""Stage 3: which rows are valid, and what is wrong with the others."""

import dagster as dg

from contact_pipeline.orchestration.metadata import staged
from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource


@dg.asset(
    deps=["normalized_frame"],
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"polars", "pandera"},
)
def validated_rows(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> None:
    """The rejections: row, column, masked value, what is wrong and what to do about it; the other rows are valid."""
    opened = pipeline.open()
    for key in context.partition_keys:
        upload = opened.validate(key)
        context.add_asset_metadata(staged("validated_rows", upload, opened), partition_key=key)
