"""Stage 5: the contacts after the upload's changeset was applied."""

from collections.abc import Iterator

import dagster as dg

from contact_pipeline.orchestration.approval import Approval
from contact_pipeline.orchestration.partitions import CONTACT_DATABASE, uploads
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import apply_each


@dg.asset(  # type: ignore[call-overload, untyped-decorator]  # Nothing is a dagster type, and annotated as another
    deps=["matched_changeset"],
    partitions_def=uploads,
    dagster_type=dg.Nothing,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[
        dg.AssetCheckSpec(
            "apply_gates",
            asset="applied_contacts",
            partitions_def=uploads,
            description="The upload is applied and not undone. Grave where something stops it or it was refused.",
        )
    ],
    group_name="contacts",
    kinds={"duckdb"},
    pool=CONTACT_DATABASE,
)
def applied_contacts(
    context: dg.AssetExecutionContext, config: Approval, pipeline: PipelineResource
) -> Iterator[dg.Output[None]]:
    """The contacts after the frozen changeset was applied in one commit: on approval, or where the profile says so.

    Only the partition of an upload that is applied is materialized; undoing the upload takes that back.
    """
    yield from apply_each(context, pipeline.open(), config)
