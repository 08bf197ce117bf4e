"""Stage 4: what the upload would change."""

import dagster as dg

from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import stage_each


@dg.asset(
    deps=["validated_rows"],
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="contacts",
    kinds={"duckdb"},
)
def matched_changeset(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.Output[None]:
    """The frozen, hashed changeset: one change per contact, fields before and after, and every row's outcome.

    Materialized again, an upload that has become stale is planned anew; any other stays as it is.
    """
    opened = pipeline.open()
    return stage_each(context, opened, lambda key: opened.plan_again(key, automatic=True))
