"""What pages know that are served: where they are, who looks at them, and what came of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FORMS: Final = {"form-action": "'self'"}  # what a browser may do on them beyond what it may on a page in a file


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a page says at its top.

    Attributes:
        good: whether what was asked for is so now; None: it is going on, or is none of both.
        said: what happened.
        fix: what to do about it; empty: nothing.
    """

    said: str
    fix: str = ""
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """Where a page is served, and for whom.

    Attributes:
        root: path of all pages, such as /pages.
        login: who looks at it; empty: nobody says.
        identity: how that is known, verified or claimed.
        may_decide: whether they may do anything but look.
        why_not: why they may not, in words.
        token: what each form carries.
        said: what the page says at its top.
    """

    root: str
    login: str
    identity: str
    may_decide: bool
    why_not: str
    token: str
    said: tuple[Said, ...] = ()

    def upload(self, upload_id: str, place: str = "") -> str:
        """The path of an upload's page, or of one below it."""
        return f"{self.root}/uploads/{upload_id}{'/' if place else ''}{place}"

    def dagster(self, upload_id: str) -> str:
        """The path at which Dagster shows the upload as a partition."""
        return f"/assets/matched_changeset?view=partitions&partition={upload_id}"
