"""`plan` and `import`: a file and its options become an upload that is staged, shown and, once agreed to, applied."""

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
    return report(invocation, staged(invocation, request), blocked_is_done=True)


@app.command("import", rich_help_panel=PANEL)
@everywhere
@takes_a_file
def import_file(
    invocation: Invocation,
    request: Request,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
) -> int:
    """Plan a file, show its size, group and counts, ask, and apply."""
    return decided(invocation, staged(invocation, request), request.user, yes=yes)


def decided(invocation: Invocation, upload: Upload, user: str, *, yes: bool) -> int:
    """Shows what was planned, asks unless told to go on, and applies it; a no leaves nothing but the ledger line.

    Raises:
        Refusal: two people have to approve it, of whom the sender is none (code `approved-by-sender`).
    """
    from contact_pipeline.cli.upload_view import draw_plan

    if upload.state != "staged":
        return report(invocation, upload)
    two = upload.line.needs_two  # who sends a file is none of them: applying it is refused, and it stays planned
    if not yes:
        for part in draw_plan(invocation, upload):
            console.say(console.err(), part)
        if not two and not confirmed(f"Apply {upload.file_name}?"):
            return report(invocation, invocation.pipeline.cancel(upload.upload_id, user=user))
    replan = not upload.is_by_hand and (yes or upload.apply_mode == "automatic")
    return report(invocation, applied(invocation, upload, user, replan=replan))


def staged(invocation: Invocation, request: Request) -> Upload:
    """Plans the file under a progress bar; interrupted, nothing stays but the upload's ledger line."""
    with console.busy(request.file.name):
        return invocation.pipeline.plan(
            request.file,
            request.profile,
            user=request.user,
            force=request.force,
            continues=request.continues,
            **request.options,
        )


def applied(invocation: Invocation, upload: Upload, user: str, *, replan: bool) -> Upload:
    """Applies the very changeset that was shown; interrupted, nothing stays but the upload's ledger line.

    With `replan`, one that others made stale at the same moment is planned again and applied, once.
    """
    pipeline = invocation.pipeline
    try:
        with console.busy("Applying"):
            return pipeline.apply(upload.upload_id, user=user, changeset=upload.changeset_sha256, replan=replan)
    except KeyboardInterrupt as interrupt:
        try:
            return pipeline.cancel(upload.upload_id, user=user)
        except Refusal:  # it is applied, as the interrupt says
            raise interrupt from None
