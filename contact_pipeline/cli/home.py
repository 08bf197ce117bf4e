"""Commands on the whole home."""

from __future__ import annotations

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import DONE, REFUSED
from contact_pipeline.cli.invocation import Invocation, everywhere

PANEL = "The home"

app = typer.Typer()


@app.command("verify", rich_help_panel=PANEL)
@everywhere
def verify_home(invocation: Invocation) -> int:
    """Compare the whole home with what it should be: databases, staged files, originals, contacts against history.

    Nothing is changed. The exit status is 1 when something is wrong; what to do about it stands beside it.
    """
    with console.busy("Verifying"):
        verified = invocation.pipeline.verify()
    if invocation.json:
        console.document(verified.as_dict())
    else:
        looked_at = ", ".join(f"{count:,} {name}" for name, count in verified.checked.items())
        findings = verified.findings
        rows = [(finding.where, finding.message, finding.fix) for finding in findings]
        console.show(
            console.text(f"Looked at: {looked_at or 'nothing that can be read'}.", "dim"),
            console.table(("Where", "What is wrong", "What to do"), rows)
            if rows
            else console.text("Everything is as it should be.", "green"),
        )
    return REFUSED if verified.findings else DONE
