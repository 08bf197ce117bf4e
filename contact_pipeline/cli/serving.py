"""`serve`: Dagster's webserver and daemon on this home; the only command that needs Dagster."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from contact_pipeline.cli.invocation import Invocation, everywhere
from contact_pipeline.cli.reference_data import PANEL
from contact_pipeline.errors import Refusal, Usage

app = typer.Typer()


@app.command("serve", rich_help_panel=PANEL)
@everywhere
def serve_home(
    invocation: Invocation,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on; unset: 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port; 0: a free one; unset: the setting's."),
    ] = None,
    socket: Annotated[
        Path | None,
        typer.Option(
            "--socket", metavar="PATH", help="Listen at this Unix socket, for a proxy of its group, and at no port."
        ),
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="Only look: nothing can be changed, no file is taken; runs beside another."),
    ] = False,
) -> int:
    """Run Dagster's webserver and daemon on this home until Ctrl-C: the inbox is watched, uploads can be looked at.

    The webserver has no login: whoever reaches it can approve.
    """
    if socket is not None and (host is not None or port is not None):
        raise Usage("usage", "--socket listens at no port.", "Leave --host and --port out, or --socket.")
    settings = invocation.settings
    if find_spec("dagster") is None or find_spec("dagster_webserver") is None:
        raise Refusal(
            "dagster-missing",
            "`serve` needs Dagster, which is not installed.",
            "Install it with: pip install 'contact-pipeline[dagster]'",
        )
    from contact_pipeline.orchestration.serve import serve

    return serve(settings, host=host or "127.0.0.1", port=port, at=socket, read_only=read_only)
