"""The steps of a run: each handles the uploads of the run one by one, and one that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import dagster as dg

from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.errors import MachineFault, Refusal, StoreBusy
from contact_pipeline.orchestration.approval import AUTOMATIC, Approval, Ending, apply_approved, describe_state
from contact_pipeline.orchestration.events import APPLIED, fail, logged_output, of_run, sentence_of
from contact_pipeline.orchestration.launching import vouched
from contact_pipeline.orchestration.metadata import STAGED, inverse_preview, reason
from contact_pipeline.orchestration.partitions import upload_ids
from contact_pipeline.orchestration.showing import observe, show_applied, show_checks, show_stage
from contact_pipeline.pipeline.states import wrong_state

if TYPE_CHECKING:
    from contact_pipeline.orchestration.checking import UploadCheck
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload


BUSY_RETRIES: Final = 3
BUSY_SECONDS: Final = 20  # between retries; each retry waits for the lock as long as the settings allow


@contextmanager
def again_if_busy() -> Iterator[None]:
    """Asks Dagster to retry a step later where the contact database stayed locked. Uploads already done stay done.

    Raises:
        dg.RetryRequested: the contact database stayed locked.
    """
    try:
        yield
    except StoreBusy as busy:
        raise dg.RetryRequested(max_retries=BUSY_RETRIES, seconds_to_wait=BUSY_SECONDS) from busy


@again_if_busy()
def stage_each(context: dg.AssetExecutionContext, pipeline: Pipeline, step: Callable[[str], Upload]) -> dg.Output[None]:
    """Does one stage of every upload of a run, and shows the results. A refused file is not a failure.

    The last stage makes up for what the ones before it could not do, so only there does one of several fail the run.

    Raises:
        dg.Failure: there is no such upload, or the stage before this one is missing.
    """
    asset, refusals, keys = context.asset_key.to_user_string(), [], upload_ids(context)
    with of_run(context).afterwards() as events:
        for upload_id in keys:
            started = time.monotonic()
            try:
                upload = step(upload_id)
                show_stage(events, pipeline, asset, upload, time.monotonic() - started)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other uploads of the run go on
                refusals.append(sentence_of(context, upload_id, error))
                continue
            if upload.state == "failed":
                refusals.append(f"Upload {upload_id} has failed. {reason(upload)}")
    if asset == [*STAGED][-1] or len(refusals) == len(keys):
        fail(refusals)
    for refusal in refusals:
        context.log.error("%s", refusal)
    return logged_output()


def apply_each(context: dg.AssetExecutionContext, pipeline: Pipeline, approval: Approval) -> Iterator[dg.Output[None]]:
    """Applies every upload of a run that may be applied, and shows the results.

    Raises:
        dg.Failure: nobody is named, or one of the uploads was not applied. In a run that the sensor requested, an
            upload that has become blocked or stale in the meantime is not a failure.
    """
    user, failures = require_login(context, approval.approved_by, pipeline), []
    with again_if_busy(), _shown_afterwards(context) as taken:
        for upload_id in upload_ids(context):
            started = time.monotonic()
            try:
                ending = apply_approved(pipeline, upload_id, approval, user)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other uploads of the run go on
                failures.append(sentence_of(context, upload_id, error))
                continue
            (context.log.warning if ending.refused else context.log.info)("%s: %s", upload_id, ending.words)
            taken.append((ending, time.monotonic() - started))
            by_profile = approval.approved_by == AUTOMATIC and ending.upload.apply_mode == "automatic"
            is_done = ending.is_applied or ending.upload.is_half_approved_by(approval.approved_by)
            if (ending.refused or not is_done) and not by_profile:
                failures.append(f"Upload {upload_id} ({ending.upload.file_name}): {ending.words}")
    yield logged_output("applied_contacts_apply_gates")
    fail(failures)
    yield logged_output()


@contextmanager
def _shown_afterwards(context: dg.AssetExecutionContext) -> Iterator[list[tuple[Ending, float]]]:
    """Shows the endings that the block lists, each with its seconds, at the end of the block, however it ends."""
    endings = list[tuple[Ending, float]]()
    try:
        yield endings
    finally:
        with of_run(context).together() as events:
            for ending, seconds in endings:
                show_applied(events, ending, seconds)


@dataclass(frozen=True, slots=True)
class Plan:
    """Plans an undo or a redo without writing: `look` gives the upload with its inverse."""

    action: Literal["undo", "redo"]
    look: Callable[[str], Upload]


@again_if_busy()
def grant_each(
    context: dg.OpExecutionContext,
    pipeline: Pipeline,
    approved_by: str,
    grant: Callable[[str, str], Upload],
    plan: Plan | None = None,
    checks: Sequence[UploadCheck] = (),
) -> None:
    """Grants a request for every upload of a run, or shows the plan of it; then shows the state of each upload.

    Args:
        context: of the run.
        pipeline: of the home.
        approved_by: who asks.
        grant: carries out the request for one upload, given its id and the login.
        plan: given: the plan is shown, and nothing is granted.
        checks: judge a changeset that is planned anew.

    Raises:
        dg.Failure: nobody is named, or the request was refused for one of the uploads.
    """
    user = require_login(context, "" if approved_by == AUTOMATIC else approved_by, pipeline)
    events, refusals, granted = of_run(context), [], list[str]()
    for upload_id in upload_ids(context):
        try:
            pipeline.show(upload_id)
            upload = plan.look(upload_id) if plan else grant(upload_id, user)
        except MachineFault as fault:
            refusals.append(f"Upload {upload_id}: {fault}")
            continue
        except StoreBusy as busy:
            if not granted:
                raise
            refusals.append(f"Upload {upload_id}: {busy}")
            continue
        except Refusal as refusal:
            refusals.append(f"Nothing was done to upload {upload_id}: {refusal}")
            if refusal.code != "upload-unknown":
                show_applied(events, Ending(pipeline.show(upload_id), f"Nothing was done: {refusal}", refused=True))
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, the other uploads of the run go on
            refusals.append(sentence_of(context, upload_id, error))
            continue
        granted.append(upload_id)
        ending = _after(pipeline, upload)
        if plan and ending.is_applied == (plan.action == "undo"):
            shown = inverse_preview(upload, pipeline.settings)
            ending = replace(ending, words=_planned(plan, upload))
            observe(events, APPLIED, ending, shown)
        else:
            show_applied(events, ending)
        if checks and upload.state in PLANNED:
            show_stage(events, pipeline, "matched_changeset", upload)
            show_checks(events, [check for check in checks if check.asset == "matched_changeset"], upload)
        context.log.info("%s: %s", upload_id, ending.words)
    fail(refusals)


def plan_again(pipeline: Pipeline, upload_id: str, user: str) -> Upload:
    """Plans a stale upload, or one whose staging was cut off, anew, for that user.

    Raises:
        Refusal: the upload is neither (code `wrong-state`).
    """
    line = pipeline.store.line(upload_id)
    if line.state not in {"stale", "received"}:
        raise wrong_state(line, "planned again", "Only a stale upload can be.")
    return pipeline.plan_again(upload_id, user=user)


def require_login(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, approved_by: str, pipeline: Pipeline
) -> str:
    """The login of whoever asks, verified where the run proves it.

    Raises:
        dg.Failure: `approved_by` is blank.
    """
    fail([] if approved_by.strip() else ["Nothing was done: give the login of whoever asks for it as approved_by."])
    return vouched(context.run, approved_by, pipeline.settings)


def _after(pipeline: Pipeline, upload: Upload) -> Ending:
    """The state of an upload after a request, with the warnings that are new."""
    ending = describe_state(pipeline, upload)
    return replace(ending, words=" ".join([ending.words, *upload.new_warnings]))


def _planned(plan: Plan, upload: Upload) -> str:
    return (
        f"Nothing is changed yet. To {plan.action} this upload would write {upload.inverse.change_count:,} changes and "
        f"leave {upload.inverse.conflicts.height:,} alone. To do it, launch {plan.action}_upload again for this "
        "partition with plan_only: false." + "".join(f" {warning}" for warning in upload.new_warnings)
    )
