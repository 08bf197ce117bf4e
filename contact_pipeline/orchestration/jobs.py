"""The jobs: stage an upload and apply it, and one for each request that somebody makes of an upload.

A request that is not granted fails its run with one sentence. Each job carries one upload or a range, in one process.
"""

from collections.abc import Sequence
from functools import partial

import dagster as dg
from pydantic import Field

from contact_pipeline.orchestration.approval import CLAIMED
from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.events import APPLIED
from contact_pipeline.orchestration.metadata import STAGED
from contact_pipeline.orchestration.partitions import CONTACT_DATABASE, STAGES, uploads
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import Plan, grant_each, plan_again

STAGE, APPLY, IMPORT = "stage_upload", "apply_upload", "import_upload"

stage_upload = dg.define_asset_job(
    STAGE,
    selection=list(STAGED),
    tags={STAGES: "yes"},
    executor_def=dg.in_process_executor,
    description="Reads, normalizes, validates and matches an upload, and freezes its changeset. Changes no contact.",
)

apply_upload = dg.define_asset_job(
    APPLY,
    selection=[APPLIED],
    executor_def=dg.in_process_executor,
    description="Applies an upload's frozen changeset. Launching it with approved_by in its config is the approval.",
)

import_upload = dg.define_asset_job(
    IMPORT,
    selection=[*STAGED, APPLIED],
    tags={STAGES: "yes"},
    executor_def=dg.in_process_executor,
    description="Stages an upload and applies it; launching it with approved_by in its config approves whatever is "
    "planned. The inbox launches it for short files that are applied by themselves.",
)


class Request(dg.Config):
    """Who makes the request."""

    approved_by: str = Field(description=f"Login of whoever asks for it; {CLAIMED}.")


class Reversal(Request):
    """Who asks to undo or redo, and whether to write or only to show the plan."""

    plan_only: bool = Field(
        default=True, description="Only show what would be written. Look at it, then launch again with false."
    )


class Undoing(Reversal):
    """Who asks to undo, and whether people may be contacted again."""

    clear_do_not_contact: bool = Field(
        default=False, description="Let people be contacted again whom the upload set to be left alone."
    )


class Decision(dg.Config):
    """What is decided about one row in review."""

    row_number: int = Field(description="The row, as the file counts it.")
    to: str = Field(description="Id of the contact that it is (in quotes), or new, or skip.")


class Decisions(Request):
    """Who decides, and what about which rows."""

    decisions: list[Decision] = Field(description="The rows that are decided.")


def request_jobs(checks: Sequence[UploadCheck]) -> list[dg.JobDefinition]:
    """The jobs by which somebody asks for something; those that plan anew judge the changeset by these checks."""

    @dg.op(pool=CONTACT_DATABASE)
    def withdraw(context: dg.OpExecutionContext, config: Request, pipeline: PipelineResource) -> None:
        """Takes back the first of two approvals, for whoever gave it."""
        opened = pipeline.open()
        grant_each(context, opened, config.approved_by, lambda key, user: opened.withdraw_approval(key, user=user))

    @dg.op(pool=CONTACT_DATABASE)
    def finalize(context: dg.OpExecutionContext, config: Request, pipeline: PipelineResource) -> None:
        """Makes what an upload changed visible in the published contacts."""
        opened = pipeline.open()
        grant_each(context, opened, config.approved_by, lambda key, user: opened.finalize(key, user=user))

    @dg.op(pool=CONTACT_DATABASE)
    def undo(context: dg.OpExecutionContext, config: Undoing, pipeline: PipelineResource) -> None:
        """Shows what taking an upload out of effect would write, or writes it; what changed since is left alone."""
        opened = pipeline.open()
        plan = Plan("undo", opened.plan_undo) if config.plan_only else None
        grant_each(
            context,
            opened,
            config.approved_by,
            lambda key, user: opened.undo(key, user=user, clear_do_not_contact=config.clear_do_not_contact),
            plan,
        )

    @dg.op(pool=CONTACT_DATABASE)
    def redo(context: dg.OpExecutionContext, config: Reversal, pipeline: PipelineResource) -> None:
        """Shows what bringing an undone upload back would write, or writes it."""
        opened = pipeline.open()
        plan = Plan("redo", opened.plan_redo) if config.plan_only else None
        grant_each(context, opened, config.approved_by, lambda key, user: opened.redo(key, user=user), plan)

    @dg.op(pool=CONTACT_DATABASE)
    def cancel(context: dg.OpExecutionContext, config: Request, pipeline: PipelineResource) -> None:
        """Ends an upload that is not applied; only its ledger line stays."""
        opened = pipeline.open()
        grant_each(context, opened, config.approved_by, lambda key, user: opened.cancel(key, user=user))

    @dg.op(pool=CONTACT_DATABASE)
    def replan(context: dg.OpExecutionContext, config: Request, pipeline: PipelineResource) -> None:
        """Matches a stale upload anew with the contacts as they are now."""
        opened = pipeline.open()
        again = partial(plan_again, opened)
        grant_each(context, opened, config.approved_by, again, checks=checks)

    @dg.op(pool=CONTACT_DATABASE)
    def resolve(context: dg.OpExecutionContext, config: Decisions, pipeline: PipelineResource) -> None:
        """Decides rows in review; the changeset is frozen anew, or one more is applied."""
        opened = pipeline.open()
        choices = {decision.row_number: decision.to for decision in config.decisions}
        grant_each(
            context,
            opened,
            config.approved_by,
            lambda key, user: opened.resolve_many(key, choices, user=user),
            checks=checks,
        )

    descriptions = {
        withdraw: "Takes back the first of two approvals. Only whoever gave it can.",
        finalize: "Makes an applied upload that is held back visible in the published contacts.",
        undo: "Takes an applied upload out of effect, in one commit. Shows the plan first: launch it again with "
        "plan_only: false.",
        redo: "Brings an undone upload back into effect, in one commit. Shows the plan first: launch it again with "
        "plan_only: false.",
        cancel: "Gives up an upload that is not applied: its staged data is deleted.",
        replan: "Matches a stale upload anew with the contacts as they are now; the new changeset is to be approved.",
        resolve: "Decides rows in review: each is a contact by its id, or new, or skip.",
    }
    return [_job(op, description) for op, description in descriptions.items()]


def _job(op: dg.OpDefinition, description: str) -> dg.JobDefinition:
    """The job `<op>_upload`, of this one step."""
    graph = dg.GraphDefinition(name=f"{op.name}_upload", node_defs=[op])
    return graph.to_job(partitions_def=uploads, executor_def=dg.in_process_executor, description=description)
