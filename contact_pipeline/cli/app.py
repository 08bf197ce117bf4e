"""The commands put together, and `main`, the console script: runs one command and ends with its exit status."""

from __future__ import annotations

import atexit
import io
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

import typer

from contact_pipeline.cli import (
    accounts,
    asking,
    console,
    contacts,
    correcting,
    duplicates,
    expiring,
    exporting,
    feeds,
    files,
    groups,
    home,
    importing,
    notices,
    profiles,
    reference_data,
    serving,
    taking_back,
    undoing,
    uploads,
    value,
)
from contact_pipeline.cli.endings import REFUSED, run_to_status
from contact_pipeline.cli.invocation import Invocation, everywhere
from contact_pipeline.owner_only import owner_only

NAME = "contact-pipeline"

app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    profiles,
    files,
    value,
    importing,
    feeds,
    uploads,
    taking_back,
    undoing,
    correcting,
    asking,
    contacts,
    accounts,
    groups,
    duplicates,
    exporting,
    reference_data,
    home,
    expiring,
    notices,
    serving,
):
    app.add_typer(module.app)


@app.callback()
@everywhere
def contact_pipeline(invocation: Invocation) -> None:
    """Plan and apply for contact data.

    A file becomes a changeset that is shown, applied in one commit on approval, and kept as history.
    """


_put_together = cache(typer.main.get_command)  # once in a process


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit status (0 done, 1 refused or failed, 2 usage)."""
    command = _put_together(app)
    as_json = "--json" in arguments
    with owner_only(), console.without_colors("--no-color" in arguments), console.without_progress(as_json):
        return run_to_status(lambda: command.main(list(arguments), NAME, standalone_mode=False), as_json=as_json)


def _replace_closed_streams() -> None:
    """Opens streams that a shell has closed (`<&-`, `>&-`) on the null device: the next file would get their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - until the end


def _write_any_letter() -> None:
    """Lets stdout show letters that its encoding does not have as escapes, as stderr does."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script. It ends the process without Python's clean-up, which takes a tenth of a short command."""
    status = REFUSED
    _replace_closed_streams()
    _write_any_letter()

    def leave() -> None:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # the command has reported write errors that matter
            os._exit(status)

    atexit.register(leave)  # first, so that it runs after all that a command registers
    status = run(sys.argv[1:] if arguments is None else arguments)
    sys.exit(status)
