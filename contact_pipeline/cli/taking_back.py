"""Commands that decide and take back: rows in review, a plan that is stale, an upload that is applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, Overwrite, User, everywhere, login
from contact_pipeline.cli.person import identify
from contact_pipeline.cli.uploads import PANEL, UploadId

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from contact_pipeline.store import Upload

SHOWN_CONFLICTS = 50
SHOWN_ROWS = 5  # in review
SHOWN_CANDIDATES = 3  # of a row in review

app = typer.Typer()


@app.command("resolve", rich_help_panel=PANEL)
@everywhere
def resolve_rows(
    invocation: Invocation,
    upload: UploadId,
    row: Annotated[int | None, typer.Option("--row", metavar="N", help="The row, as a spreadsheet counts it.")] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="WHO|new|skip", help="Who the row is: id, e-mail address, phone number or name."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="Many rows: a CSV file or workbook with columns row_number and to."
        ),
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what was decided about the row; later uploads forget it.")
    ] = False,
    user: User = None,
) -> int:
    """Decide rows in review: each is this contact, somebody new, or not to be imported.

    `in-review` writes them into a file to fill in.
    """
    pipeline, who = invocation.pipeline, login(user)
    if source is not None and row is None and to is None and not withdraw:
        done = pipeline.resolve_from(upload, source, user=who)
    elif source is None and row is not None and withdraw and to is None:
        done = pipeline.withdraw(upload, row, user=who)
    elif source is None and row is not None and to is not None and not withdraw:
        done = pipeline.resolve(upload, row, _contact_of(invocation, upload, to), user=who)
    else:
        raise typer.BadParameter("Give --row with --to, or --row with --withdraw, or --from alone.")
    return report(invocation, done, blocked_is_done=True)


def _contact_of(invocation: Invocation, upload_id: str, to: str) -> str:
    """The word, with the id of the contact in the place of anything else that says whom it means."""
    if to in {"new", "skip"} or to.isdecimal():
        return to  # an id may be that of somebody whom another row makes
    book = invocation.pipeline.show(upload_id).line.address_book
    return str(identify(invocation, to, address_book=book).contact_id)


@app.command("in-review", rich_help_panel=PANEL)
@everywhere
def rows_in_review(
    invocation: Invocation,
    upload: UploadId,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write them.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write the rows in review with their candidates and an empty column `to`, to fill in for `resolve --from`."""
    from contact_pipeline.reports.candidates import compare_candidates
    from contact_pipeline.reports.in_review import write_in_review

    pipeline = invocation.pipeline
    found = pipeline.show(upload)
    compared = compare_candidates(pipeline.store, found)
    file, rows = write_in_review(found, output, pipeline.settings, overwrite=overwrite, compared=compared)
    if invocation.json:
        console.document({"upload_id": upload, "file": file and str(file), "rows": rows, "in_review": compared})
    elif file is None:
        console.show(console.text(f"No row of {found.file_name} is in review."))
    else:
        console.show(
            *_beside_candidates(compared[:SHOWN_ROWS], rows),
            console.text(f"{rows:,} rows in review written to {file}; fill in `to`: a contact id, new or skip."),
            console.next_command("Then", invocation.line("resolve", upload, "--from", file)),
        )


def _beside_candidates(compared: list[dict[str, Any]], rows: int) -> list[RenderableType]:
    """The first rows in review, each as a table: a field a line, the row first and then each candidate."""
    drawn: list[RenderableType] = []
    for row in compared:
        several = row["candidates"][:SHOWN_CANDIDATES]
        names = dict.fromkeys([*row["values"], *(name for each in several for name in each.get("values", {}))])
        lines = [
            (
                name,
                row["values"].get(name),
                *(_same(each.get("values", {}).get(name), shared=name in each["shares"]) for each in several),
            )
            for name in names
        ]
        headings = ("", f"Row {row['row_number']}", *map(_candidate_heading, several))
        drawn.append(console.table(headings, lines))
        if more := len(row["candidates"]) - len(several):
            drawn.append(console.text(f"and {more:,} more candidates; --json gives all of them", "dim"))
    if rows > len(compared):
        drawn.append(console.text(f"and {rows - len(compared):,} more rows; --json gives all of them", "dim"))
    return drawn


def _same(value: object, *, shared: bool) -> Text:
    return console.text(value, "green" if shared else "") + console.text(" ✓" if shared else "", "green")


def _candidate_heading(candidate: dict[str, Any]) -> str:
    if "contact_id" in candidate:
        gone = "" if candidate.get("active") else ", deactivated"
        return f"Contact {candidate['contact_id']}{gone}"
    account = candidate.get("account_id")
    return f"Account {account}" if account else f"Row {candidate['row_number']}"


@app.command("decisions", rich_help_panel=PANEL)
@everywhere
def list_decisions(invocation: Invocation) -> None:
    """List what was decided about rows in review, by whom and when, and whether it was withdrawn."""
    from contact_pipeline.cli.upload_view import known_by

    decisions = invocation.pipeline.decisions()
    if invocation.json:
        console.document(decisions)
        return
    rows = [
        (
            decision["upload_id"],
            str(decision["row_number"]),
            _decided_as(decision),
            ", ".join(decision["compared"]),
            known_by(decision["decided_by"], decision["decided_as"]),
            decision["decided_at"],
            "withdrawn" if decision["withdrawn"] else "",
        )
        for decision in decisions
    ]
    headings = ("Upload", "Row", "Is", "Known by", "Decided by", "At", "")
    console.show(console.table(headings, rows) if rows else console.text("Nothing was decided yet."))


def _decided_as(decision: dict[str, Any]) -> str:
    if decision["choice"] == "row":
        return f"the same as row {decision['other_row']}"
    called = f", {decision['name']}" if decision["name"] else ""
    contact = f"contact {decision['contact_id']}{called}" if decision["contact_id"] else ""
    return contact if decision["choice"] == "contact" else f"{decision['choice']} {contact}".strip()


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
    clear_do_not_contact: Annotated[
        bool, typer.Option("--clear-do-not-contact", help="Let people be contacted again who are not to be.")
    ] = False,
    user: User = None,
) -> None:
    """Take an applied upload out of effect, in one commit; `redo` brings it back.

    What a later upload holds is listed and left alone. An upload that is undone already stays as it is.
    """
    pipeline = invocation.pipeline
    with console.busy("Undoing"):
        done = (
            pipeline.plan_undo(upload)
            if plan
            else pipeline.undo(upload, user=login(user), clear_do_not_contact=clear_do_not_contact)
        )
    _show(invocation, done, "Undoing", planned=plan)


@app.command("redo", rich_help_panel=PANEL)
@everywhere
def redo_upload(
    invocation: Invocation,
    upload: UploadId,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be brought back.")] = False,
    user: User = None,
) -> None:
    """Bring an undone upload back into effect, in one commit. One that is in effect stays as it is."""
    pipeline = invocation.pipeline
    with console.busy("Redoing"):
        done = pipeline.plan_redo(upload) if plan else pipeline.redo(upload, user=login(user))
    _show(invocation, done, "Redoing", planned=plan)


def _show(invocation: Invocation, done: Upload, what: str, *, planned: bool) -> None:
    if done.was_done_before:
        report(invocation, done)
    elif invocation.json:
        inverse = done.inverse
        extra = {"inverse": inverse.as_dict(changes=True)["changes"], "conflicts": _conflicts(inverse)}
        console.document(done.as_dict() | extra)
    else:
        said = f"Nothing is changed yet. {what} would write this." if planned else f"{what} has written this."
        console.show(*_drawn(done, said))


def _conflicts(inverse: Upload, limit: int | None = None) -> list[dict[str, Any]]:
    """What is left alone, with the names of the contacts."""
    found = inverse.conflicts if limit is None else inverse.conflicts.head(limit)
    conflicts = found.to_dicts()
    of_contacts = [each for each in conflicts if each["target"] != "account"]
    names = inverse.names(int(each["id"]) for each in of_contacts) if of_contacts else {}
    return [
        each | {"name": names[int(each["id"])]} if each["target"] != "account" and int(each["id"]) in names else each
        for each in conflicts
    ]


def _drawn(upload: Upload, said: str) -> list[RenderableType]:
    from contact_pipeline.cli.upload_view import SHOWN_CHANGES, draw_changes, draw_facts

    conflicts = upload.inverse.conflicts
    rows = [
        (
            " ".join(str(part) for part in (conflict["target"], conflict["id"], conflict.get("name")) if part),
            conflict["field"],
            *(conflict[n] for n in ("reason", "upload_id", "left_as")),
        )
        for conflict in _conflicts(upload.inverse, SHOWN_CONFLICTS)
    ]
    more = conflicts.height - len(rows)
    return [
        draw_facts(upload),
        console.text(said),
        *(console.text(f"Note: {warning}", "yellow") for warning in upload.new_warnings),
        *draw_changes(upload.inverse, shown=SHOWN_CHANGES, all_by="--json"),
        *([console.table(("Left alone", "Field", "Why", "By upload", "Now"), rows)] if rows else ()),
        *([console.text(f"and {more:,} more; --json lists all of them", "dim")] if more else ()),
    ]
