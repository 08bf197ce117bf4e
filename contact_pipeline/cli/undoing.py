"""`undo` and `redo`: take an applied upload out of effect, or bring it back, after showing the plan and asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import DONE, REFUSED, report
from contact_pipeline.cli.invocation import Invocation, User, everywhere, login
from contact_pipeline.cli.listing import more
from contact_pipeline.cli.person import confirmed, may_ask
from contact_pipeline.cli.uploads import PANEL, UploadId

if TYPE_CHECKING:
    from rich.console import RenderableType

    from contact_pipeline.cli.console import Lines
    from contact_pipeline.store import Upload

Turn = Literal["undo", "redo"]

MOST_CONFLICTS = 100  # in a document, as of errors
SHOWN_CONFLICTS = 20

app = typer.Typer()

Changes = Annotated[bool, typer.Option("--changes", help="Every change, before → after, and all that is left alone.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking. Nobody is asked without a terminal.")]


@app.command("undo", rich_help_panel=PANEL)
@everywhere
def undo_upload(
    invocation: Invocation,
    upload: UploadId,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be taken back and what not.")] = False,
    changes: Changes = False,
    clear_do_not_contact: Annotated[
        bool, typer.Option("--clear-do-not-contact", help="Let people be contacted again who are not to be.")
    ] = False,
    yes: Yes = False,
    user: User = None,
) -> int:
    """Take an applied upload out of effect, in one commit; `redo` brings it back.

    At a terminal it shows the plan and asks first; a script is not asked. What a later upload holds is listed and left
    alone. An upload that is undone already stays as it is.
    """
    undo = partial(invocation.pipeline.undo, upload, user=login(user), clear_do_not_contact=clear_do_not_contact)
    return _turn(invocation, "undo", invocation.pipeline.plan_undo, undo, upload, plan=plan, yes=yes, changes=changes)


@app.command("redo", rich_help_panel=PANEL)
@everywhere
def redo_upload(
    invocation: Invocation,
    upload: UploadId,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be brought back.")] = False,
    changes: Changes = False,
    yes: Yes = False,
    user: User = None,
) -> int:
    """Bring an undone upload back into effect, in one commit. One that is in effect stays as it is.

    At a terminal it shows the plan and asks first; a script is not asked.
    """
    redo = partial(invocation.pipeline.redo, upload, user=login(user))
    return _turn(invocation, "redo", invocation.pipeline.plan_redo, redo, upload, plan=plan, yes=yes, changes=changes)


def _turn(
    invocation: Invocation,
    turn: Turn,
    planning: Callable[[str], Upload],
    doing: Callable[..., Upload],
    upload_id: str,
    *,
    plan: bool,
    yes: bool,
    changes: bool,
) -> int:
    """Shows the plan and asks, if somebody can answer, and does it; with `plan` it only shows the plan."""
    agreed = None
    if plan or (not yes and may_ask(invocation)):
        with console.busy(f"Planning to {turn}"):
            planned = planning(upload_id)
        if plan or planned.was_done_before:
            _show(invocation, planned, turn, planned=True, changes=changes)
            return DONE
        for part in _drawn(invocation, planned, turn, planned=True, changes=changes):
            console.say(console.err(), part)
        if not confirmed(f"{turn.capitalize()} {planned.file_name}?"):
            console.say(console.err(), console.text("Nothing was changed."))
            return REFUSED
        agreed = planned.inverse_sha256
    with console.busy(f"{turn.capitalize()}ing"):
        done = doing(agreed=agreed)
    _show(invocation, done, turn, planned=False, changes=changes)
    return DONE


def _show(invocation: Invocation, done: Upload, turn: Turn, *, planned: bool, changes: bool) -> None:
    if done.was_done_before:
        report(invocation, done)
    elif invocation.json:
        from contact_pipeline.reports.left_alone import left_alone

        inverse = done.inverse
        document = done.as_dict() | {
            "inverse_counts": inverse.count_by_action(),
            "conflict_count": inverse.conflicts.height,
            "conflicts": left_alone(invocation.light_pipeline.store, done, None if changes else MOST_CONFLICTS),
        }
        console.document(document | ({"inverse": inverse.first_changes(None)} if changes else {}))
    else:
        console.show(*_drawn(invocation, done, turn, planned=planned, changes=changes))
        if planned:
            console.show(console.next_command(f"{turn.capitalize()} it", invocation.line(turn, done.upload_id)))
        else:
            from contact_pipeline.cli.upload_view import draw_next

            console.show(*draw_next(invocation, done))


def _drawn(
    invocation: Invocation, upload: Upload, turn: Turn, *, planned: bool, changes: bool
) -> Iterator[RenderableType | Lines]:
    from contact_pipeline.cli.upload_view import SHOWN_CHANGES, draw_changes, draw_facts, draw_notes
    from contact_pipeline.reports.headline import of_turn
    from contact_pipeline.reports.left_alone import left_alone

    inverse = upload.inverse
    left = inverse.conflicts.height
    every = [turn, upload.upload_id, "--plan", "--changes"] if planned else ["show", upload.upload_id, "--changes"]
    yield console.text(of_turn(turn, inverse.count_by_action(), left, planned=planned), "bold")
    yield draw_facts(upload)
    yield from draw_notes(upload.new_warnings)
    yield from draw_changes(invocation, inverse, shown=None if changes else SHOWN_CHANGES, command=every)
    if left:
        rows = [
            _cells(each)
            for each in left_alone(invocation.light_pipeline.store, upload, None if changes else SHOWN_CONFLICTS)
        ]
        yield console.rows(("Left alone", "Made by the upload", "Now", "Why", "By upload"), rows)
        yield from more(invocation, left - len(rows), every)


def _cells(each: dict[str, Any]) -> tuple[object, ...]:
    """A field left alone as a row of the table: its value now, or the state it is left in."""
    from contact_pipeline.cli.upload_view import fields_changed

    who = " ".join(str(part) for part in (each["target"], each["id"], each.get("name")) if part)
    if "now" not in each:
        return who, each["field"], each["left_as"], each["reason"], each["upload_id"]
    made = fields_changed({"action": "", "fields": {each["field"]: [each["before"], each["after"]]}})
    now = "blank" if each["now"] in (None, "", []) else each["now"]
    return who, made, now, each["reason"], each["upload_id"]
