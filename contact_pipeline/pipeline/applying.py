"""Apply, undo and redo: tests that the call and its user are allowed; committing.py then writes.

An upload that turns out to be stale can be planned again, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from contact_pipeline.apply import Turn
from contact_pipeline.contracts.ledger import DEFECTS_BORNE
from contact_pipeline.contracts.states import APPLIED, PLANNED
from contact_pipeline.errors import ContactPipelineError, Refusal, StoreBusy
from contact_pipeline.machine import fault_of, is_defect
from contact_pipeline.match import Guarded, to_confirm
from contact_pipeline.pipeline import approving, committing, uploads
from contact_pipeline.pipeline.interruptions import noting_state
from contact_pipeline.pipeline.planning import plan_again
from contact_pipeline.pipeline.states import clears_consent, must_allow, reason
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.ledger import change_line
from contact_pipeline.store.news import keep_news

NOTHING_CONFIRMED: Final[Mapping[Guarded, bool]] = {
    "encoding": False, "deactivations": False, "rejected": False, "changed": False,
}  # fmt: skip


def apply(
    store: Store,
    upload_id: str,
    confirmed: Mapping[Guarded, bool],
    user: str | None,
    *,
    changeset: str | None = None,
    replan: bool = False,
    automatic: bool = False,
) -> Upload:
    """Applies the frozen changeset in one commit, or makes the upload stale; twice changes nothing.

    Where two people have to approve, the first of them changes no contact: the approval is kept, and waits.

    Args:
        store: the store.
        upload_id: the upload.
        confirmed: guard → whether to go past it.
        user: login of who approves; unset: the operating system's.
        changeset: hash that is approved; anything else is refused.
        replan: whether a stale upload is planned again and, unless something blocks the new plan, applied; not where
            two people approve, who have not seen the new plan.
        automatic: whether nobody approves it but the profile, for that user.

    Raises:
        Refusal: the upload is not in a state to be applied, the changeset is another one, the role is missing, or this
            user cannot be one of the two who approve (codes `approved-by-sender`, `approved-before`, `two-approvals`).
    """
    line = store.line(upload_id)
    must_allow(line, "apply")
    if line.state in APPLIED:
        return uploads.done_before(store, upload_id, "applied")
    if line.state == "stale":
        return uploads.show(store, upload_id)
    asked = to_confirm(line.reason)
    if line.state == "blocked" and not (asked and all(confirmed[guarded] for guarded in asked)):
        return uploads.show(store, upload_id)
    if changeset is not None and changeset != line.changeset_sha256:
        raise Refusal(
            "changeset-differs",
            f"The changeset of upload {upload_id} is {line.changeset_sha256}, not {changeset}.",
            "Look at it again with `contact-pipeline show`, and approve the one that is there.",
            file=line.file_name,
        )
    actor = uploads.login(user)
    uploads.check_user(store, line, actor)
    approved_by = f"{actor}, automatic by profile" if automatic else actor
    if refusal := approving.refusal_of(line, actor, automatic=automatic):
        raise refusal
    if line.needs_two and not line.first_approval:
        return approving.keep_first(store, line, actor)
    with noting_state(store, upload_id, done=APPLIED):
        applied = committing.commit(store, line, approved_by)
        if line.needs_two:
            if applied.state in PLANNED - {"stale"}:
                raise approving.changed_meanwhile(line)
        elif replan and applied.state == "stale" and plan_again(store, upload_id).state == "staged":
            committing.commit(store, store.line(upload_id), approved_by)
    return uploads.show(store, upload_id)


def apply_automatic(store: Store, upload_id: str) -> Upload:
    """Applies a staged upload whose profile applies automatically; if it is stale, plans again, once."""
    upload = uploads.show(store, upload_id)
    if upload.apply_mode != "automatic" or upload.state not in {"staged", "stale"}:
        return upload
    with _saying_why_not(store, upload.line):
        if upload.state == "stale" and plan_again(store, upload_id).state != "staged":
            return uploads.show(store, upload_id)
        return apply(store, upload_id, NOTHING_CONFIRMED, upload.user, replan=True, automatic=True)


@contextmanager
def _saying_why_not(store: Store, line: LedgerLine) -> Iterator[None]:
    """Writes into the ledger line why a staged upload was not applied by itself, and whether it is tried again.

    After a refusal, or several defects of the program, it waits for somebody, which is news.

    Args:
        store: the store.
        line: of the upload, as it was before; planning it again meanwhile resets no count.
    """
    try:
        yield
    except Exception as error:
        with suppress(ContactPipelineError):  # the first error is the one to raise
            if isinstance(error, Refusal):
                _leave_to_people(store, line, error)
            elif fault := fault_of(error):
                uploads.note_fault(store, line, fault)
            elif is_defect(error):
                _count_defect(store, line, error)
        raise


def _leave_to_people(store: Store, line: LedgerLine, refusal: Refusal) -> None:
    fix = f"It is not tried again by itself: approve or cancel it. {refusal.fix}".strip()
    _note(store, line, reason(refusal.code, f"Not applied by itself: {refusal.message}", fix, automatic_refused=True))


def _count_defect(store: Store, line: LedgerLine, error: Exception) -> None:
    times = line.defects + 1
    often = f" ({times} times)" if times > 1 else ""
    message = f"{type(error).__name__} while applying{often}: a defect of the program, not of the file."
    again = "It is tried again by itself. " if line.inbox and times < DEFECTS_BORNE else ""
    fix = f"{again}Report it with its traceback; apply the upload once the program is mended, or cancel it."
    _note(store, line, reason("apply-defect", message, fix, defects=times))


def _note(store: Store, line: LedgerLine, why: Mapping[str, object]) -> None:
    """Writes a reason into the line of a staged upload. An upload that waits from then on is news."""
    with store.change() as contacts:
        noted = change_line(contacts, line.upload_id, expected={"staged"}, reason=why)
        if noted is None or line.is_given_up or not (noted.inbox or noted.feed):  # another has waited all along
            return
        if noted.is_given_up:
            keep_news(contacts, noted)


def plan_turn(store: Store, upload_id: str, turn: Turn) -> Upload:
    """Plans taking an upload out of effect, or bringing it back; `.inverse` shows it. Changes nothing.

    Raises:
        Refusal: the upload is in a state that does not allow it (code `wrong-state`).
    """
    line = store.line(upload_id)
    must_allow(line, turn)
    if (line.state == "undone") == (turn == "undo"):
        return uploads.done_before(store, upload_id, f"{turn}ne")
    with _not_expired(store, upload_id, turn):
        planned = committing.plan_turn(store, upload_id, turn)
    upload = uploads.show(store, upload_id)
    upload.inverse_sha256 = planned.sha256
    if planned.contactable:
        upload.warnings = [*upload.warnings, clears_consent(line, planned.contactable).message]
    return upload


def take_turn(
    store: Store,
    upload_id: str,
    turn: Turn,
    user: str | None,
    *,
    may_clear: bool = True,
    agreed: str | None = None,
) -> Upload:
    """Takes an upload out of effect, or brings it back, in one commit; twice changes nothing.

    Args:
        store: the store.
        upload_id: the upload.
        turn: undo or redo.
        user: login of who does it; unset: the operating system's.
        may_clear: whether people may be contacted again whom the upload set to do-not-contact.
        agreed: hash of the plan that `plan_turn` showed; a plan that has changed since is refused.

    Raises:
        Refusal: the upload is in a state that does not allow it (code `wrong-state`), the role is missing, people
            could be contacted again (`clears-do-not-contact`), or the plan is not the agreed one (`changeset-differs`).
    """
    actor = uploads.login(user)
    line = store.line(upload_id)
    must_allow(line, turn)
    uploads.check_user(store, line, actor)
    is_done_now = False
    with (
        noting_state(store, upload_id, done={"undone"} if turn == "undo" else APPLIED),
        _not_expired(store, upload_id, turn),
    ):
        while not is_done_now and (line.state == "undone") == (turn == "redo"):
            is_done_now = True  # before the commit: a fault after it is suppressed, and leaves this loop
            planned = committing.plan_turn(store, upload_id, turn)
            if planned.contactable and not may_clear:
                raise clears_consent(line, planned.contactable)
            if agreed is not None and planned.sha256 != agreed:
                raise Refusal(
                    "changeset-differs",
                    f"Contacts have changed: the {turn} of upload {upload_id} would now write something else.",
                    f"Look at it again with `contact-pipeline {turn} {upload_id} --plan`.",
                    file=line.file_name,
                )
            is_done_now = committing.commit_turn(store, line, turn, planned, actor)
            line = store.line(upload_id)  # something may have been committed in between
    return uploads.show(store, upload_id) if is_done_now else uploads.done_before(store, upload_id, f"{turn}ne")


@contextmanager
def _not_expired(store: Store, upload_id: str, turn: Turn) -> Iterator[None]:
    """Says so where `expire` deletes what an undo or redo has staged at this moment.

    Raises:
        StoreBusy: it does; nothing was written.
    """
    try:
        yield
    except Exception as error:
        fault = fault_of(error)
        is_gone = isinstance(error, FileNotFoundError) or (fault is not None and fault.is_damage)
        if not is_gone or store.staging(upload_id).for_undo().exists():
            raise
        said = f"The staged data of upload {upload_id} was deleted by age at this moment. Repeat the {turn}."
        raise StoreBusy(said) from error
