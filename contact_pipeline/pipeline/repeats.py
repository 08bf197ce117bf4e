"""Finds out whether a file was applied before: the same bytes by the same rules change nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.store.ledger import find_lines

_OF_NO_EFFECT = {"save_mapping", "allow_deactivations", "allow_rejected", "allow_changed"}  # on what is in the contacts


def repeat_key(sha256: str, profile: Profile, options: UploadOptions, reference: Reference) -> str:
    """A hash that is equal for equal uploads: bytes, resolved profile, reference data used, and options."""
    used = {column.vocabulary for column in profile.columns if column.vocabulary}
    logins = sorted(reference.logins) if any(column.type == "login" for column in profile.columns) else []
    content: list[Any] = [
        sha256,
        profile.model_dump(mode="json", exclude={"keep_days", "approvals"}),  # without effect on the meaning of a file
        options.model_dump(mode="json", exclude=_OF_NO_EFFECT),
        list(options.map),  # the order of several columns for one field
        {name: reference.vocabularies.get(name, ()) for name in sorted(used)},
        logins,
    ]
    if reference.meanings:
        content.append(
            [[field, key, each.text] for field, of in reference.meanings.items() for key, each in of.items()]
        )
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def repeated_upload(contacts: Database, line: dict[str, Any], profile: Profile) -> str | None:
    """The upload that a new one repeats, or None.

    Args:
        contacts: the contact database.
        line: of the new upload: its sha256, profile and repeat_key.
        profile: as it holds for it.

    Raises:
        Refusal: the same bytes were applied before, and applying them again would make leads or notes again.
    """
    same = find_lines(contacts, "repeat_key = ? AND state IN ('applied', 'finalized')", [line["repeat_key"]], limit=1)
    newest = contacts.value("SELECT max(commit_number) FROM commits WHERE address_book = ?", [profile.address_book])
    earlier = find_lines(
        contacts,
        "sha256 = ? AND profile = ? AND state IN ('applied', 'finalized')",
        [line["sha256"], profile.name],
        limit=1,
    )
    if same and same[0].commit_number == newest:
        return same[0].upload_id
    if earlier and (profile.on_error == "note" or profile.matched == "create"):
        raise Refusal(
            "applied-before",
            f"The same file was applied before, as upload {earlier[0].upload_id}.",
            "Applying it again would make its leads or notes again; give --force if that is meant.",
        )
    return None
