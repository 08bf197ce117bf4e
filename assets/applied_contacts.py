"""Stage 5: the contacts after the upload's changeset was applied."""

from collections.abc import Iterator

import dagster as dg

from contact_pipeline.orchestration.approval import Approval, apply_approved
from contact_pipeline.orchestration.checking import evaluation, log_result
from contact_pipeline.orchestration.metadata import counts, facts
from contact_pipeline.orchestration.partitions import CONTACT_DATABASE, uploads
from contact_pipeline.orchestration.resources import PipelineResource


@dg.asset(
    deps=["matched_changeset"],
    partitions_def=uploads,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[
        dg.AssetCheckSpec(
            "apply_gates",
            asset="applied_contacts",
            partitions_def=uploads,
            description="Nothing that stops an upload stood in the way of applying it; awaiting approval is no fault.",
        )
    ],
    group_name="contacts",
    kinds={"duckdb"},
    pool=CONTACT_DATABASE,
)
def applied_contacts(
    context: dg.AssetExecutionContext, config: Approval, pipeline: PipelineResource
) -> Iterator[dg.MaterializeResult[None] | dg.Output[None]]:
    """The contacts, after the frozen changeset was applied in one commit: on approval, or where the profile says so."""
    endings = {key: apply_approved(pipeline.open(), key, config) for key in context.partition_keys}
    for key, ending in endings.items():
        context.add_asset_metadata(
            {"ending": ending.said} | facts(ending.upload) | counts(ending.upload), partition_key=key
        )
    yield dg.MaterializeResult()
    for key, ending in endings.items():
        result = evaluation(context.instance, "applied_contacts", "apply_gates", key, ending.verdict)
        log_result(context.op_execution_context, result)
    yield dg.Output(None, output_name="applied_contacts_apply_gates")
