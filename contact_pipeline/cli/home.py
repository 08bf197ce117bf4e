"""Commands on the whole home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import DONE, REFUSED
from contact_pipeline.cli.invocation import Invocation, Overwrite, User, everywhere, login
from contact_pipeline.errors import number_of

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
        message = f"{number_of(len(rows), 'thing')} wrong." if rows else "Everything is as it should be."
        console.show(
            console.text(message, "bold red" if rows else "bold green"),
            console.text(f"Looked at: {looked_at or 'nothing that can be read'}.", "dim"),
            *([console.rows(("Where", "What is wrong", "What to do"), rows)] if rows else ()),
        )
    return REFUSED if verified.findings else DONE


@app.command("backup", rich_help_panel=PANEL)
@everywhere
def back_up_home(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; a compressed tar, such as home.tar.gz.")],
    overwrite: Overwrite = False,
    without_finished: Annotated[
        bool, typer.Option("--without-finished", help="Leave out the staged rows of uploads that are finished.")
    ] = False,
) -> None:
    """Write the whole home into one file, for its owner only; other commands and `serve` go on meanwhile.

    It holds everybody who is in the home now. Whoever is erased later is still in it; restoring erases them again.
    """
    with console.busy("Backing up"):
        made = invocation.pipeline.backup(file, overwrite=overwrite, staged=not without_finished)
    if invocation.json:
        console.document(made.as_dict())
        return
    console.show(
        console.text(
            f"Written: {made.file}, {made.size:,} bytes: {number_of(made.files, 'file')}, "
            f"{number_of(made.uploads, 'upload')}.",
            "bold",
        ),
        *(
            console.text(
                f"Upload {upload_id} is being staged or changed: its staged rows are not in it. "
                "Once restored, an upload that is not applied is planned again.",
                "yellow",
            )
            for upload_id in made.left_out
        ),
        console.next_command("To have it back", invocation.line("restore", made.file, "--replace")),
    )


@app.command("migrate-engine", rich_help_panel=PANEL)
@everywhere
def migrate_engine(
    invocation: Invocation,
    engine: Annotated[Literal["duckdb", "spark"], typer.Argument(metavar="ENGINE", help="duckdb or spark.")],
) -> None:
    """Move the contacts to another engine: the home's own DuckDB, or Delta tables, which Spark or Sail writes.

    Every row is compared before it counts. Cut off at any time, the home is as it was, or moved. Nobody can write the
    home meanwhile. Set CONTACT_PIPELINE_ENGINE to the same engine afterwards.
    """
    with console.busy("Moving"):
        done = invocation.pipeline.migrate_engine(engine)
    if invocation.json:
        console.document(done.as_dict())
        return
    moved = ", ".join(f"{rows:,} {name.replace('_', ' ')}" for name, rows in done.rows.items() if rows)
    console.show(
        console.text(f"The contacts lie with {done.engine} now. Every row was compared.", "bold"),
        console.text(f"Moved: {moved or 'nothing, as there are no contacts yet'}.", "dim"),
        *(console.text(f"{folder} belongs to another home, and stays.", "yellow") for folder in done.left),
        console.text(f"Set CONTACT_PIPELINE_ENGINE={done.engine} for all who use this home.", "yellow"),
    )


@app.command("restore", rich_help_panel=PANEL)
@everywhere
def restore_home(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` has written.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put a home that is there aside, and take over whom it has erased.")
    ] = False,
    erasures: Annotated[
        Path | None,
        typer.Option("--erasures", metavar="FILE", help="The home's erasures.jsonl, where the home itself is lost."),
    ] = None,
    user: User = None,
) -> None:
    """Make a home of a backup. People who were erased after it was made are erased again, before the home is there.

    Nobody may use the home meanwhile. Cut off at any time, the home is as it was, or restored.
    """
    with console.busy("Restoring"):
        made = invocation.pipeline.restore(file, replace=replace, erasures=erasures, user=login(user))
    if invocation.json:
        console.document(made.as_dict())
        return
    again = f" Erased again: contact {', '.join(map(str, made.erased))}." if made.erased else ""
    console.show(
        console.text(
            f"Restored {made.home} as it was at {made.made_at}: {number_of(made.files, 'file')}.{again}", "bold"
        ),
        *(
            console.text(f"Upload {upload_id} held one of them and was cancelled: send its file again.", "yellow")
            for upload_id in made.cancelled
        ),
        *(console.text(warning, "yellow") for warning in made.warnings),
    )
    if made.kept:
        console.show(console.text(f"What was there lies in {made.kept}: it is yours to delete."))
    if made.waiting:
        waiting = f"{number_of(len(made.waiting), 'file')} wait in its inbox; drop them again."
        console.show(console.text(waiting, "yellow"))
    console.show(console.next_command("Compare it with its history", invocation.line("verify")))
