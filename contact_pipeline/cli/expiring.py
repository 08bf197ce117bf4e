"""`expire`: deletes what finished uploads leave, once it has been kept for long enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.home import PANEL
from contact_pipeline.cli.invocation import Invocation, User, everywhere, login
from contact_pipeline.contracts.expiry import KINDS
from contact_pipeline.errors import number_of
from contact_pipeline.pages.shown import moment, size

if TYPE_CHECKING:
    from contact_pipeline.contracts.expiry import Kind
    from contact_pipeline.expire import Expired

_SHOWN: Final = 20  # uploads

app = typer.Typer()


@app.command("expire", rich_help_panel=PANEL)
@everywhere
def expire_uploads(
    invocation: Invocation,
    older_than: Annotated[
        int | None,
        typer.Option(
            "--older-than",
            metavar="DAYS",
            min=0,
            max=36_500,
            help="Days after which staged data goes, whatever profiles say; unset: what `keep_days` of each says.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", "-p", metavar="NAME", help="Only uploads of this profile.", autocompletion=completion.profiles
        ),
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="Only this: staged_data, originals or reports; may be repeated. With --older-than: this in place of "
            "staged data.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    user: User = None,
) -> None:
    """Delete staged data, originals and reports of uploads that ended long ago; the ledger and the history stay.

    Undo and redo go on working. What waits for somebody keeps all it has. Cut off, the same command finishes it.
    """
    with console.busy("Looking" if dry_run else "Deleting"):
        done = invocation.pipeline.expire(
            older_than=older_than,
            profile=profile,
            kinds=cast("list[Kind]", kinds) or None,
            dry_run=dry_run,
            user=login(user),
        )
    if invocation.json:
        console.document(done.as_dict())
        return
    console.show(console.text(_headline(done), "bold"))
    if done.expiries:
        console.show(_table(done))
        if len(done.expiries) > _SHOWN:
            console.show(console.text(f"… and {len(done.expiries) - _SHOWN:,} more; --json lists all.", "dim"))
    for note in _notes(done):
        console.show(console.text(note, "yellow"))
    if dry_run and done.expiries:
        options = [] if older_than is None else ["--older-than", str(older_than)]
        options += ["--profile", profile] if profile else []
        options += [word for kind in kinds or () for word in ("--kind", kind)]
        console.show(console.next_command("Delete it", invocation.line("expire", *options)))


def _headline(done: Expired) -> str:
    uploads = number_of(len({each.line.upload_id for each in done.expiries}), "upload")
    if not done.expiries:
        return "Nothing is old enough to be deleted."
    files = number_of(sum(each.amount.files for each in done.expiries), "file")
    begun = "Would delete" if done.dry_run else "Deleted"
    return f"{begun} {files} of {uploads}, {size(done.size)}. The ledger and the history stay; undo goes on working."


def _table(done: Expired) -> Any:
    rows = [
        (
            each.line.upload_id,
            each.line.file_name,
            each.line.state,
            moment(each.ended_at),
            KINDS[each.kind],
            f"{each.amount.files:,}",
            size(each.amount.size or 0),
            each.rule,
        )
        for each in done.expiries[:_SHOWN]
    ]
    return console.rows(("Upload", "File", "State", "Ended", "What", "Files", "Size", "Rule"), rows)


def _notes(done: Expired) -> list[str]:
    notes = []
    if done.completed:
        what = "would be finished" if done.dry_run else "is finished"
        notes.append(f"What an earlier run was cut off at {what}: {number_of(len(done.completed), 'upload')}.")
    if done.waiting:
        many = number_of(len(done.waiting), "upload")
        notes.append(
            f"As old, but kept, as somebody has still to do something: {many}. `contact-pipeline uploads --waiting` "
            "lists them."
        )
    if done.unknown:
        profiles = ", ".join(done.unknown)
        notes.append(
            f"Kept, as no usable profile says for how long: uploads of {profiles}. --older-than deletes theirs."
        )
    return notes
