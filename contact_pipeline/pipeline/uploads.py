"""One upload at any stage: looks it up, changes its ledger line, ends it, and deletes its data.

A change names the states that it expects, and tests them in its transaction: of two people at once, one wins.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Collection
from typing import Any, Final

from contact_pipeline.contracts.actors import identity
from contact_pipeline.contracts.states import PLANNED, RECEIVED, State
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.masking import mask
from contact_pipeline.pipeline.states import MADE_BY_HAND, must_allow, not_allowed, reason, resolved
from contact_pipeline.profiles import load_profile
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.corrections import for_people, forget_corrections, list_corrections
from contact_pipeline.store.ledger import change_line, now
from contact_pipeline.store.news import keep_news_of_fault
from contact_pipeline.store.originals import Originals
from contact_pipeline.store.reference_data import check_roles

BY_HAND: Final = "by_hand"  # in place of the profile, for changes without one


def new_id() -> str:
    """A unique id that sorts by time."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def login(user: str | None) -> str:
    """The login of a user; unset: the operating system's."""
    return user or getpass.getuser()


def upload_of(store: Store, line: LedgerLine) -> Upload:
    """The upload of a ledger line."""
    return Upload(line, store.staging(line.upload_id), store.names)


def show(store: Store, upload_id: str) -> Upload:
    """The upload.

    Raises:
        Refusal: there is no such upload (code `upload-unknown`).
    """
    return upload_of(store, store.line(upload_id))


def done_before(store: Store, upload_id: str, what: str) -> Upload:
    """The upload, with a warning that nothing was changed now."""
    upload = show(store, upload_id)
    upload.was_done_before = True
    upload.warnings = [*upload.warnings, f"It was {what} before; nothing was changed now."]
    return upload


def check_user(store: Store, line: LedgerLine, actor: str) -> None:
    """Tests that a user may handle an upload.

    Raises:
        Refusal: the profile asks for a role that the user does not have (code `not-authorized`), or the profile of a
            merge no longer exists (`profile-unknown`).
    """
    if line.resolved_profile is not None:
        profile = resolved(line)[0]
    elif line.profile == BY_HAND or line.stage != "matched":
        return
    else:  # a merge of contacts, by the rules of a profile
        profile = load_profile(line.profile, store.settings.profiles_path)
    if profile.roles is not None:
        with store.open(read_only=True) as contacts:
            check_roles(contacts, profile, actor)


def change(store: Store, upload_id: str, expected: Collection[State], **values: Any) -> LedgerLine | None:
    """Changes an upload's line if it is in one of these states; returns the line, or None if it was not."""
    with store.change() as contacts:
        return change_line(contacts, upload_id, expected=expected, **values)


def note_fault(store: Store, line: LedgerLine, fault: MachineFault | None) -> None:
    """Writes into a ledger line what keeps the upload from being staged or applied by itself; it is tried again.

    Of an upload of the inbox, that is news once a day: of others, whoever runs them sees the error.

    Args:
        store: the store.
        line: of the upload.
        fault: what happened; None: its run ended. Then a reason that the line has stays.
    """
    if not (line.inbox or line.feed):
        return
    found = fault or MachineFault("run-ended", "Its run ended before it could say why.", "Look at the run in Dagster.")
    why = line.reason if fault is None else None
    if not why:
        done = "staged" if line.state == "received" else "applied"
        fix = f"{found.fix} It is tried again by itself."
        counted = {"defects": line.defects} if line.defects else {}
        why = reason(found.code, mask(f"Not {done} yet. {found.message}"), mask(fix), **counted)
    with store.change() as contacts:
        noted = change_line(contacts, line.upload_id, expected={"received", "staged"}, reason=why)
        if noted is not None and noted.inbox:
            keep_news_of_fault(contacts, noted)


def end(
    store: Store, upload_id: str, state: State, why: dict[str, Any], expected: Collection[State] = RECEIVED
) -> LedgerLine | None:
    """Ends an upload if it is in one of these states, and deletes its corrections; returns the line, or None."""
    with store.change() as contacts:
        line = change_line(contacts, upload_id, expected=expected, state=state, reason=why, finished_at=now())
        if line is not None and state != "failed":
            forget_corrections(contacts, upload_id)
    return line


def forget(store: Store, upload_id: str) -> None:
    """Deletes all data of an upload except its ledger line."""
    store.staging(upload_id).remove()
    Originals(store.settings).remove(upload_id)


def corrections_of(store: Store, line: LedgerLine, row_number: int | None = None) -> list[dict[str, Any]]:
    """The corrections of an upload, or of one row, for people: sensitive values masked."""
    with store.open(read_only=True) as contacts:
        found = list_corrections(contacts, line.upload_id, row_number)
    if not found:
        return []
    staging = store.staging(line.upload_id)
    label_of = staging.facts().label_of if staging.count("facts") else {}
    profile, _ = resolved(line)
    return [for_people(each, label_of, profile) for each in found]


def cancel(store: Store, upload_id: str, user: str | None) -> Upload:
    """Ends an upload that is not applied; only its ledger line stays.

    Raises:
        Refusal: the upload is applied or has ended otherwise (code `wrong-state`), or somebody else sent it and the
            role is missing (`not-authorized`).
    """
    line = store.line(upload_id)
    if line.state != "cancelled":
        actor = login(user)
        if actor != line.user_login:
            check_user(store, line, actor)
        message = f"Cancelled by {actor} ({identity(actor)})."
        fix = MADE_BY_HAND if upload_of(store, line).is_by_hand else "Drop the file again to import it."
        why = reason("cancelled", message, fix)
        if not end(store, upload_id, "cancelled", why, expected=RECEIVED | PLANNED):
            raise not_allowed(store.line(upload_id), "cancel")
    forget(store, upload_id)
    return show(store, upload_id)


def finalize(store: Store, upload_id: str, user: str | None) -> Upload:
    """Makes an applied, held upload visible in the published contacts; twice changes nothing.

    Raises:
        Refusal: the upload is not held (code `not-held`) or not applied (`wrong-state`).
    """
    line = store.line(upload_id)
    must_allow(line, "finalize")
    if line.state == "finalized":
        return done_before(store, upload_id, "finalized")
    if not line.held:
        raise Refusal(
            "not-held",
            f"Upload {upload_id} is not held back: its contacts are published already.",
            f"Nothing needs to be done; profile {line.profile} does not ask for it.",
            file=line.file_name,
        )
    actor = login(user)
    check_user(store, line, actor)
    done = {"finalized_at": now(), "finalized_by": actor, "finalized_as": identity(actor)}
    if not change(store, upload_id, {"applied"}, state="finalized", **done):
        raise not_allowed(store.line(upload_id), "finalize")
    return show(store, upload_id)
