"""Commands that decide and take back: rows in review, a plan that is stale, an upload that is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, User, everywhere, login
from contact_pipeline.cli.uploads import PANEL, UploadId

if TYPE_CHECKING:
    from rich.console import RenderableType

    from contact_pipeline.store import Upload

app = typer.Typer()


@app.command("resolve", rich_help_panel=PANEL)
@everywhere
def resolve_row(
    invocation: Invocation,
    upload: UploadId,
    row: Annotated[int, typer.Option("--row", metavar="N", help="The row, as a spreadsheet counts it.")],
    to: Annotated[str, typer.Option("--to", metavar="CONTACT_ID|new|skip", help="Who the row is.")],
    user: User = None,
) -> int:
    """Decide a row in review: it is this contact, somebody new, or not to be imported."""
    return report(invocation, invocation.pipeline.resolve(upload, row, to, user=login(user)), blocked_is_done=True)


@app.command("replan", rich_help_panel=PANEL)
@everywhere
def plan_again(invocation: Invocation, upload: UploadId) -> int:
    """Match a stale upload again with the contacts as they are now; what was decided about its rows is kept."""
    with console.busy("Planning again"):
        planned = invocation.pipeline.plan_again(upload)
    return report(invocation, planned, blocked_is_done=True)


@app.command("undo", rich_help_panel=PANEL)
@everywhere
def undo_upload(
    invocation: Invocation,
    upload: UploadId,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be taken back and what not.")] = False,
    user: User = None,
) -> None:
    """Take back what an upload applied, in one commit; done again, it takes back the undoing.

    What has changed since is a conflict: it is listed and left alone.
    """
    pipeline = invocation.pipeline
    with console.busy("Undoing"):
        done = pipeline.plan_undo(upload) if plan else pipeline.undo(upload, user=login(user))
    if invocation.json:
        inverse = done.inverse
        extra = {"inverse": inverse.as_dict(changes=True)["changes"], "conflicts": inverse.conflicts.to_dicts()}
        console.document(done.as_dict() | extra)
    else:
        console.show(*_drawn(done, planned=plan))


def _drawn(upload: Upload, *, planned: bool) -> list[RenderableType]:
    from contact_pipeline.cli.upload_view import draw_changes, draw_facts

    conflicts = upload.inverse.conflicts
    rows = [
        (f"{conflict['target']} {conflict['id']}", conflict["field"], conflict["upload_id"], conflict["left_as"])
        for conflict in conflicts.to_dicts()
    ]
    said = "Nothing is changed yet. This is the inverse." if planned else "This was written."
    return [
        draw_facts(upload),
        console.text(said),
        *draw_changes(upload.inverse, shown=None),
        *([console.table(("Changed since", "Field", "By upload", "Now"), rows)] if rows else ()),
    ]
