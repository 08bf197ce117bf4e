"""Takes an upload through the stages, one after the other, and keeps in the ledger how far it has come.

The work of each stage is in stages.py. Here its result or its error becomes the upload's state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from contact_pipeline.contracts.actors import identity
from contact_pipeline.contracts.states import CALLS, PLANNED, RECEIVED
from contact_pipeline.errors import ContactPipelineError, Refusal, StoreBusy, faults_masked
from contact_pipeline.machine import fault_of, is_defect
from contact_pipeline.pipeline import uploads
from contact_pipeline.pipeline.interruptions import cancelled_on_interrupt, noting_state
from contact_pipeline.pipeline.states import MADE_BY_HAND, STAGES, reason, refused, wrong_state
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.originals import Originals
from contact_pipeline.watched import tell

if TYPE_CHECKING:
    from contact_pipeline.pipeline.found import Found

Progress = Callable[[str, float], None]
_DOING: Final = {"read": "reading", "normalized": "normalizing", "validated": "validating", "matched": "matching"}


def plan(store: Store, upload: Upload, user: str | None, progress: Progress | None = None) -> Upload:
    """Takes an upload that was received through all stages; Ctrl-C cancels it.

    Args:
        store: the store.
        upload: the upload; one that has ended already is left as it is.
        user: login of whose upload it is; unset: the operating system's.
        progress: called with the stage and the share done.
    """
    with cancelled_on_interrupt(store, upload.upload_id, user):
        try:
            for number, stage in enumerate(STAGES[1:], 1):
                if progress:
                    progress(stage, (number - 1) / 4)
                upload = advance(store, upload, stage)
        except StoreBusy as busy:
            again = f"`contact-pipeline replan {upload.upload_id}` goes on with the upload."
            raise StoreBusy(f"{busy} {again}") from busy
    if progress:
        progress(STAGES[-1], 1)
    return upload


def plan_again(store: Store, upload_id: str, actor: str | None = None) -> Upload:
    """Matches a stale upload anew; reads the original again if the staged data has changed; continues cut-off staging.

    Args:
        store: the store.
        upload_id: the upload.
        actor: login of who asks; unset: nobody asks.

    Raises:
        Refusal: a changeset made by hand has no file to plan again (code `wrong-state`), or somebody else sent the
            upload and the role is missing (`not-authorized`).
    """
    line = store.line(upload_id)
    by: dict[str, str | None] = {"replanned_by": actor, "replanned_as": None if actor is None else identity(actor)}
    if line.state in PLANNED and uploads.upload_of(store, line).is_by_hand:
        raise wrong_state(line, CALLS["replan"].wanted, MADE_BY_HAND)
    if actor is not None and actor != line.user_login:
        uploads.check_user(store, line, actor)
    changed: dict[str, str | None] = {}
    if line.state in PLANNED:
        staged = not store.staging(upload_id).differences(line.staged_files)
        if line.state == "stale" or not staged:
            changed = {"state": "received", "stage": "validated" if staged else "received", "reason": None} | by
    elif line.state == "received":
        is_gone = line.stage != "received" and not store.staging(upload_id).exists()
        changed = {} if actor is None else {**by}
        if is_gone:
            changed["stage"] = "received"
    if changed:
        line = uploads.change(store, upload_id, {line.state}, **changed) or store.line(upload_id)
    upload = uploads.upload_of(store, line)
    with noting_state(store, upload_id, done={"staged", "blocked"}):
        for stage in STAGES[1:]:
            upload = advance(store, upload, stage)
            if upload.state in {"staged", "blocked"}:
                return upload
    return uploads.show(store, upload_id)


def advance(store: Store, upload: str | Upload, stage: str) -> Upload:
    """Does one stage of an upload that is being staged. An upload past that stage, or ended, is left as it is.

    If somebody cancels the upload meanwhile, the data of the stage is deleted and its errors are ignored. A defect of
    the program ends the upload as failed, whoever had it staged: else it would be staged again and again.

    Args:
        store: the store.
        upload: the upload, or its id.
        stage: the stage to reach, one of STAGES.

    Raises:
        Refusal: the stage before is missing (code `wrong-state`).
    """
    line = upload.line if isinstance(upload, Upload) else store.line(upload)
    if line.state != "received" or STAGES.index(line.stage) >= STAGES.index(stage):
        return uploads.upload_of(store, line)
    if STAGES.index(line.stage) + 1 < STAGES.index(stage):
        raise wrong_state(line, stage, f"The stage before it is missing: it has only been {line.stage}.")
    from contact_pipeline.pipeline import stages

    work_of: Mapping[str, Callable[[Store, LedgerLine], Found]] = {
        "read": stages.read,
        "normalized": stages.normalize,
        "validated": stages.validate,
        "matched": stages.match,
    }
    after = None
    tell(_DOING[stage])
    try:
        with faults_masked():
            found = work_of[stage](store, line)
        after = uploads.change(store, line.upload_id, RECEIVED, stage=stage, **found.as_line())
    except Refusal as refusal:
        after = uploads.end(store, line.upload_id, "refused", refused(refusal, line.file_name))
        if after:
            originals = Originals(store.settings)
            originals.give_back(after, originals.path(line.upload_id))
            uploads.forget(store, line.upload_id)
    except Exception as error:
        _keep_error(store, line, error)
        if store.line(line.upload_id).state != "cancelled":
            raise
    if after is None:
        after = store.line(line.upload_id)
        if after.state == "cancelled":
            uploads.forget(store, line.upload_id)
    return uploads.upload_of(store, after)


def _keep_error(store: Store, line: LedgerLine, error: Exception) -> None:
    """Ends an upload whose staging has shown a defect of the program; writes a fault of the machine into its line.

    An upload that is past staging is left as it is.
    """
    message = f"{type(error).__name__} while staging: a defect of the program, not of the file."
    fix = "Report it with its traceback; send the file again once the program is mended."
    with suppress(ContactPipelineError):  # the first error is the one to raise
        if is_defect(error):
            uploads.end(store, line.upload_id, "failed", reason("failed", message, fix))
        elif fault := fault_of(error):
            uploads.note_fault(store, line, fault)
