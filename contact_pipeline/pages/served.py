"""What served pages know: their address, their visitor, and messages on the result of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FORMS: Final = {"form-action": "'self'"}  # what a browser may do on them in addition to pages in a file


@dataclass(frozen=True, slots=True)
class PageMessage:
    """A message at the top of a page.

    Attributes:
        message: what happened.
        fix: what to do about it; empty: nothing.
        good: whether the request was carried out; None: it is still running, or there was none.
    """

    message: str
    fix: str = ""
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """Where a page is served, and for whom.

    Attributes:
        root: path of all pages, such as /pages.
        login: who looks at it; empty: unknown.
        identity: how the login is known, verified or claimed.
        may_decide: whether they may do more than look.
        why_not: why they may not, in words.
        token: the token of each form.
        messages: messages at the top of the page.
    """

    root: str
    login: str
    identity: str
    may_decide: bool
    why_not: str
    token: str
    messages: tuple[PageMessage, ...] = ()

    def upload(self, upload_id: str, place: str = "") -> str:
        """The path of an upload's page, or of one below it."""
        return f"{self.root}/uploads/{upload_id}{'/' if place else ''}{place}"

    def dagster(self, upload_id: str) -> str:
        """The path at which Dagster shows the upload as a partition."""
        return f"/assets/matched_changeset?view=partitions&partition={upload_id}"
