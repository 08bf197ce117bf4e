"""Stage 2: the raw rows in the profile's fields."""

import dagster as dg

from contact_pipeline.orchestration.metadata import staged
from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource


@dg.asset(
    deps=["raw_upload"],
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"polars"},
)
def normalized_frame(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> None:
    """The rows in the profile's fields, values in canonical form; what changed in meaning is listed as a repair."""
    opened = pipeline.open()
    for key in context.partition_keys:
        upload = opened.normalize(key)
        context.add_asset_metadata(staged("normalized_frame", upload, opened), partition_key=key)
