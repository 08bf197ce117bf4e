"""Approval by two people: who may approve, how the first approval is kept, and how it is taken back.

The first approval is kept in the upload's ledger line with the hash of the changeset. Planning the upload anew ends it
(`store/ledger.py`). The second approval applies the upload (`applying.py`).
"""

from __future__ import annotations

from typing import Any

from contact_pipeline.contracts.actors import identity, is_same
from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline import committing, uploads
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.ledger import NO_FIRST_APPROVAL, change_line, find_lines, now


def refusal_of(line: LedgerLine, actor: str, *, automatic: bool = False) -> Refusal | None:
    """Why somebody cannot be one of the two who approve an upload; None: they can, or one approval is enough.

    Args:
        line: of the upload.
        actor: login of who approves.
        automatic: whether the upload is applied without anybody's approval.
    """
    if not line.needs_two:
        return None
    first = line.first_approval
    if automatic:
        code, problem = "two-approvals", f"Upload {line.upload_id} cannot be applied automatically"
        fix = "Let two people approve it."
    elif is_same(actor, line.user_login):
        code, problem = "approved-by-sender", f"{actor} sent upload {line.upload_id}, and cannot approve it"
        fix = f"It stays planned. Two others approve it, each for themselves: {_by_command(line)}, or on its page."
    elif first and is_same(actor, first[0]):
        code, problem = "approved-before", f"{actor} has approved upload {line.upload_id} already"
        fix = f"Somebody else approves it: {_by_command(line)}, or on its page. `--withdraw` takes an approval back."
    else:
        return None
    asks = f"profile {line.profile} asks for two people who did not send it"
    return Refusal(code, f"{problem}: {asks}.", fix, file=line.file_name)


def keep_first(store: Store, line: LedgerLine, actor: str) -> Upload:
    """Keeps the approval of the first of two.

    Raises:
        Refusal: the staged data has changed since it was frozen (code `staged-changed`), or the upload was changed at
            this moment (`changed-meanwhile`).
    """
    committing.check_frozen(store, line)
    given: dict[str, Any] = {
        "first_approved_by": actor,
        "first_approved_as": identity(actor),
        "first_approved_at": now(),
        "first_approved_sha256": line.changeset_sha256,
    }
    with store.change() as contacts:
        current = find_lines(contacts, "upload_id = ?", [line.upload_id])[0]
        if _approved_state(current) != _approved_state(line):
            raise changed_meanwhile(line)
        change_line(contacts, line.upload_id, **given)
    return uploads.show(store, line.upload_id)


def withdraw(store: Store, upload_id: str, user: str | None) -> Upload:
    """Takes back the approval of the first of two, while it waits for the second.

    Raises:
        Refusal: there is no such upload (code `upload-unknown`), no approval of it waits for a second one
            (`not-approved`), or somebody else gave that approval (`approved-by-another`).
    """
    actor = uploads.login(user)
    store.line(upload_id)  # raises where there is no such upload
    with store.change() as contacts:
        line = find_lines(contacts, "upload_id = ?", [upload_id])[0]
        if line.state not in PLANNED or line.first_approval is None:
            raise Refusal(
                "not-approved",
                f"Upload {upload_id} is {line.state}; no approval of it waits for a second one.",
                f"`contact-pipeline show {upload_id}` says where it stands.",
                file=line.file_name,
            )
        who, _ = line.first_approval
        if not is_same(actor, who):
            raise Refusal(
                "approved-by-another",
                f"Upload {upload_id} was approved by {who}, not by {actor}.",
                "Whoever gave an approval takes it back. Correcting or cancelling the upload ends it, too.",
                file=line.file_name,
            )
        change_line(contacts, upload_id, **NO_FIRST_APPROVAL)
    return uploads.show(store, upload_id)


def changed_meanwhile(line: LedgerLine) -> Refusal:
    """The refusal of an approval whose changeset has changed meanwhile."""
    return Refusal(
        "changed-meanwhile",
        f"Somebody has changed upload {line.upload_id} at this moment, or taken an approval of it back.",
        "Look at it again, and approve what is there.",
        file=line.file_name,
    )


def _approved_state(line: LedgerLine) -> tuple[object, ...]:
    """What an approval is of: equal as long as nothing has changed since it was looked at."""
    return line.state, line.changeset_sha256, line.first_approval


def _by_command(line: LedgerLine) -> str:
    return f"`contact-pipeline apply {line.upload_id}`"
