"""`plan` and `import`: a file and its options become an upload that is staged, shown and, once confirmed, applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.file_options import Request, takes_a_file
from contact_pipeline.cli.invocation import Invocation, everywhere
from contact_pipeline.cli.person import confirmed
from contact_pipeline.cli.uploads import PANEL
from contact_pipeline.errors import Refusal

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

app = typer.Typer()


@app.command("plan", rich_help_panel=PANEL)
@everywhere
@takes_a_file
def plan_file(invocation: Invocation, request: Request) -> int:
    """Stage a file: read, normalize, validate, match; freeze the changeset. Changes nothing."""
    return report(invocation, plan_request(invocation, request), blocked_is_done=True)


@app.command("import", rich_help_panel=PANEL)
@everywhere
@takes_a_file
def import_file(
    invocation: Invocation,
    request: Request,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
) -> int:
    """Plan a file, show its size, group and counts, ask, and apply."""
    return confirm_and_apply(invocation, plan_request(invocation, request), request.user, yes=yes)


def confirm_and_apply(invocation: Invocation, upload: Upload, user: str, *, yes: bool) -> int:
    """Shows the plan, asks unless `yes`, and applies it; after a no, only the ledger line stays.

    Raises:
        Refusal: two people other than the sender have to approve the upload (code `approved-by-sender`).
    """
    from contact_pipeline.cli.upload_view import draw_plan

    if upload.state != "staged":
        return report(invocation, upload)
    two = upload.line.needs_two  # the sender is neither of them: applying is refused, and the upload stays planned
    if not yes:
        for part in draw_plan(invocation, upload):
            console.say(console.err(), part)
        if not two and not confirmed(f"Apply {upload.file_name}?"):
            return report(invocation, invocation.pipeline.cancel(upload.upload_id, user=user))
    replan = not upload.is_by_hand and (yes or upload.apply_mode == "automatic")
    return report(invocation, apply_shown(invocation, upload, user, replan=replan))


def plan_request(invocation: Invocation, request: Request) -> Upload:
    """Plans the file under a progress bar; after an interrupt, only the upload's ledger line stays."""
    with console.busy(request.file.name):
        return invocation.pipeline.plan(
            request.file,
            request.profile,
            user=request.user,
            force=request.force,
            continues=request.continues,
            **request.options,
        )


def apply_shown(invocation: Invocation, upload: Upload, user: str, *, replan: bool) -> Upload:
    """Applies exactly the changeset that was shown; after an interrupt, only the upload's ledger line stays.

    With `replan`, an upload that others made stale at the same moment is planned again and applied, once.
    """
    pipeline = invocation.pipeline
    try:
        with console.busy("Applying"):
            return pipeline.apply(upload.upload_id, user=user, changeset=upload.changeset_sha256, replan=replan)
    except KeyboardInterrupt as interrupt:
        try:
            return pipeline.cancel(upload.upload_id, user=user)
        except Refusal:  # it is applied already, as the note of the interrupt says
            raise interrupt from None
