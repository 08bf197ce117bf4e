"""Commands for rows in review and stale plans: `resolve`, `in-review`, `decisions` and `replan`."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, Overwrite, User, everywhere, login
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, draw_list, more, most
from contact_pipeline.cli.person import identify
from contact_pipeline.cli.uploads import PANEL, UploadId
from contact_pipeline.errors import number_of

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

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
    """`new`, `skip` or the id of the contact that the word means."""
    if to in {"new", "skip"} or to.isdecimal():
        return to  # an id may be of a contact that another row creates
    book = invocation.pipeline.show(upload_id).line.address_book
    return str(identify(invocation, to, address_book=book).contact_id)


@app.command("in-review", rich_help_panel=PANEL)
@everywhere
def rows_in_review(
    invocation: Invocation,
    upload: Annotated[
        str | None,
        typer.Argument(
            metavar="[UPLOAD]",
            help="Id of an upload; unset: all.",
            show_default=False,
            autocompletion=completion.uploads,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write them.")] = None,
    overwrite: Overwrite = False,
    where: Where = None,
    limit: Limit = None,
) -> None:
    """Write the rows in review with their candidates and an empty column `to`, to fill in for `resolve --from`.

    Without UPLOAD, list those of all uploads, the oldest upload first.
    """
    if upload is None:
        if output is not None or overwrite:
            raise typer.BadParameter("Rows of one upload are written into a file: give UPLOAD too.")
        _list_all(invocation, where, limit)
        return
    from contact_pipeline.reports.candidates import compare_candidates
    from contact_pipeline.reports.in_review import write_in_review

    pipeline = invocation.pipeline
    found = pipeline.show(upload)
    compared = compare_candidates(pipeline.store, found)
    file, rows = write_in_review(found, output, pipeline.settings, overwrite=overwrite, compared=compared)
    if invocation.json:
        fitting = chosen(compared, where)[:limit]
        console.document({"upload_id": upload, "file": file and str(file), "rows": rows, "in_review": fitting})
    elif file is None:
        console.show(console.text(f"No row of {found.file_name} is in review.", "bold"))
    else:
        fitting = chosen(compared, where)
        shown = fitting[: limit or SHOWN_ROWS] if console.out().is_terminal or limit else fitting
        command = ["in-review", upload, "--overwrite", *as_words(where), "--limit", len(fitting)]
        written = f"{number_of(rows, 'row')} in review written to {file}; fill in `to`: a contact id, new or skip."
        console.show(
            console.text(written, "bold"),
            *_beside_candidates(shown),
            *more(invocation, len(fitting) - len(shown), command),
            console.next_command("Decide them by the file", invocation.line("resolve", upload, "--from", file)),
            console.next_command(
                "Decide one", invocation.line("resolve", upload, "--row", compared[0]["row_number"], "--to", "new")
            ),
        )


def _list_all(invocation: Invocation, where: Where, limit: int | None) -> None:
    """Prints the rows in review of all uploads, under their uploads."""
    found = chosen(invocation.light_pipeline.in_review(), where)
    rows = [row for row in found if row["row_number"] is not None]
    if invocation.json:
        console.document({"rows": len(rows), "in_review": found[:limit]})
        return
    shown = found[: most(limit)]
    uploads = len({row["upload_id"] for row in rows})
    heading = f"{number_of(len(rows), 'row')} of {number_of(uploads, 'upload')} in review" if found else ""
    console.show(console.text(heading or "No row is in review.", "bold"))
    for upload_id, of_upload in groupby(shown, key=itemgetter("upload_id")):
        first, *_ = listed = [*of_upload]
        of = " · ".join([first["profile"], first["state"], *([f"feed {first['feed']}"] if first["feed"] else [])])
        console.show(console.text(first["file"], "bold"), console.text(f"  {of}", "dim"))
        if first["row_number"] is None:
            console.show(console.text(f"  {first['why']}", "yellow"))
            console.show(console.next_command("See what can be done", invocation.line("verify")))
            continue
        console.show(*(console.text(f"  row {row['row_number']}: {row['why']}") for row in listed))
        console.show(console.next_command("Look closer and decide", invocation.line("in-review", upload_id)))
    console.show(*more(invocation, len(found) - len(shown), ["in-review", *as_words(where), "--limit", len(found)]))


def _beside_candidates(compared: list[dict[str, Any]]) -> list[RenderableType]:
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
        if left_out := len(row["candidates"]) - len(several):
            drawn.append(console.text(f"and {number_of(left_out, 'candidate')} more; --json gives all of them", "dim"))
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
def list_decisions(invocation: Invocation, where: Where = None, limit: Limit = None) -> None:
    """List what was decided about rows in review, by whom and when, and whether it was withdrawn."""
    decisions = chosen(invocation.pipeline.decisions(), where)
    if invocation.json:
        console.document(decisions[:limit])
        return
    command = ["decisions", *as_words(where)]
    headings = ("Upload", "Row", "Is", "Known by", "Decided by", "At", "")
    page = draw_list(invocation, decisions, headings, _decision, called="decision", command=command, limit=limit)
    if in_effect := next((each for each in decisions if not each["withdrawn"]), None):
        line = invocation.line("resolve", in_effect["upload_id"], "--row", in_effect["row_number"], "--withdraw")
        page.append(console.next_command("Take the newest back", line))
    console.show(*page)


def _decision(decision: dict[str, Any]) -> tuple[object, ...]:
    from contact_pipeline.cli.upload_view import known_by

    return (
        decision["upload_id"],
        str(decision["row_number"]),
        _decided_as(decision),
        ", ".join(decision["compared"]),
        known_by(decision["decided_by"], decision["decided_as"]),
        decision["decided_at"],
        "withdrawn" if decision["withdrawn"] else "",
    )


def _decided_as(decision: dict[str, Any]) -> str:
    if decision["choice"] == "row":
        return f"the same as row {decision['other_row']}"
    called = f", {decision['name']}" if decision["name"] else ""
    contact = f"contact {decision['contact_id']}{called}" if decision["contact_id"] else ""
    return contact if decision["choice"] == "contact" else f"{decision['choice']} {contact}".strip()


@app.command("replan", rich_help_panel=PANEL)
@everywhere
def plan_again(invocation: Invocation, upload: UploadId, user: User = None) -> int:
    """Match a stale upload again with the contacts as they are now; what was decided about its rows is kept."""
    with console.busy("Planning again"):
        planned = invocation.pipeline.plan_again(upload, user=login(user))
    return report(invocation, planned, blocked_is_done=True)
