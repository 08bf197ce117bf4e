"""Commands that correct a plan: cells, rows and columns of an upload, and remembered values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, User, everywhere, group, login
from contact_pipeline.cli.uploads import PANEL, UploadId
from contact_pipeline.errors import Usage, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from contact_pipeline.store import Upload

app = typer.Typer()

Withdraw = Annotated[
    int | None, typer.Option("--withdraw", metavar="N", help="Take correction N back; `show` lists them.")
]


@app.command("correct", rich_help_panel=PANEL)
@everywhere
def correct_upload(
    invocation: Invocation,
    upload: UploadId,
    row: Annotated[int | None, typer.Option("--row", metavar="N", help="The row, as a spreadsheet counts it.")] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="HEADING=VALUE", help="All rows with this value; case and spaces are alike."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field or heading and its new text; repeatable."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Many cells: a table with row_number and columns of the file."),
    ] = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="Later files of the profile: the value of --where means the same.")
    ] = False,
    withdraw: Withdraw = None,
    user: User = None,
) -> int:
    """Correct cells of a planned upload; the file stays as it came, and the changeset gets a new hash.

    What is set is read as if it had stood in the file.
    """
    from contact_pipeline.pipeline.correcting import split_assignment

    pipeline, who = invocation.pipeline, login(user)
    alone = [source is not None, withdraw is not None, row is not None, where is not None]
    if sum(alone) != 1 or bool(to) != (row is not None or where is not None) or (remember and where is None):
        raise Usage(
            "usage",
            "It is not clear what is to be corrected.",
            "Give --row or --where with --set, or --from alone, or --withdraw alone; --remember goes with --where.",
        )
    with console.busy("Correcting"):
        if source is not None:
            done = pipeline.correct_from(upload, source, user=who)
        elif withdraw is not None:
            done = pipeline.withdraw_correction(upload, withdraw, user=who)
        else:
            pairs = [split_assignment(pipeline.store, upload, each, "--set") for each in to or ()]
            if len(dict(pairs)) < len(pairs):
                raise Usage("usage", "A field is set twice.", "Set it once.")
            value = None if where is None else split_assignment(pipeline.store, upload, where, "--where")
            done = pipeline.correct(upload, row=row, where=value, set=dict(pairs), user=who, remember=remember)
    return _report(invocation, done)


@app.command("leave-out", rich_help_panel=PANEL)
@everywhere
def leave_out(
    invocation: Invocation,
    upload: UploadId,
    row: Annotated[
        list[int] | None, typer.Option("--row", metavar="N", help="A row, as a spreadsheet counts it; repeatable.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="HEADING", help="A column, as if it were not mapped.")
    ] = None,
    withdraw: Withdraw = None,
    user: User = None,
) -> int:
    """Take rows or a column of a planned upload out of the plan; the changeset gets a new hash."""
    pipeline, who = invocation.pipeline, login(user)
    if (withdraw is not None) == bool(row or column):
        raise Usage("usage", "Nothing to leave out is named.", "Give --row or --column; or --withdraw alone.")
    with console.busy("Planning again"):
        if withdraw is not None:
            done = pipeline.withdraw_correction(upload, withdraw, user=who)
        else:
            done = pipeline.leave_out(upload, rows=row or (), column=column, user=who)
    return _report(invocation, done)


def _report(invocation: Invocation, upload: Upload) -> int:
    if not invocation.json and upload.corrected is not None:
        console.show(*_draw_corrected(upload))
    return report(invocation, upload, blocked_is_done=True)


def _draw_corrected(upload: Upload) -> Iterator[RenderableType | console.Lines]:
    """The corrections of one call, and the outcomes before and after."""
    from contact_pipeline.cli.corrections_view import draw_corrections

    corrected = upload.corrected
    if corrected is None:
        return
    if corrected.number is None:
        yield console.text("Nothing is corrected now: the rows hold that already.")
    else:
        what = "is taken back" if corrected.is_withdrawn else "is made"
        yield console.text(f"Correction {corrected.number} {what}.", "bold")
        yield from draw_corrections([{"number": corrected.number, **made} for made in corrected.made])
        yield console.table(("Outcome", "Before", "Now"), _compared(corrected.outcomes_before, upload.outcomes))
        if corrected.changeset_before == upload.changeset_sha256:
            yield console.text("The changeset is the same as before.", "dim")
    if corrected.remembered:
        yield console.text("It is remembered for later files of the profile; `value-mappings list` shows it.")
    if corrected.to_decide:
        rows = listed(corrected.to_decide)
        yield console.text(f"Withdrawn, since the rows changed: what was decided about row {rows}.", "yellow")


def _compared(before: dict[str, int], now: dict[str, int]) -> list[tuple[str, str, str]]:
    names = [name for name in dict.fromkeys([*before, *now]) if before.get(name) or now.get(name)]
    return [(name, f"{before.get(name, 0):,}", f"{now.get(name, 0):,}") for name in names]


mappings = group(app, "value-mappings", "What values mean in files of a profile, as they were corrected once.", PANEL)


@mappings.command("list")
@everywhere
def list_value_mappings(invocation: Invocation) -> None:
    """List what values mean, for which profile and field, by whom and since when; --json gives forgotten ones, too."""
    from contact_pipeline.cli.upload_view import known_by

    found = invocation.light_pipeline.value_mappings()
    if invocation.json:
        console.document(found)
        return
    rows = [
        (
            str(each["number"]), each["profile"], each["field"], each["before"], each["after"] or "blank",
            known_by(each["made_by"], each["made_as"]), each["made_at"][:10],
        )
        for each in found
        if each["forgotten_at"] is None
    ]  # fmt: skip
    if not rows:
        how = invocation.line("correct", "UPLOAD", "--where", "HEADING=VALUE", "--set", "FIELD=VALUE", "--remember")
        console.show(console.next_command("No value is remembered. To let one be", how))
        return
    console.show(
        console.rows(("No.", "Profile", "Field", "Value", "Means", "By", "Since"), rows),
        console.next_command("To forget one", invocation.line("value-mappings", "forget", "N")),
    )


@mappings.command("forget")
@everywhere
def forget_value_mapping(
    invocation: Invocation,
    number: Annotated[int, typer.Argument(metavar="N", help="Its number; `value-mappings list` shows it.")],
    user: User = None,
) -> None:
    """Forget what a value means, for files that come from now on; plans that are made stay as they are."""
    forgotten = invocation.light_pipeline.forget_value_mapping(number, user=login(user))
    if invocation.json:
        console.document(forgotten)
        return
    after = forgotten["after"] or "blank"
    message = f"Forgotten: in {forgotten['field']} of {forgotten['profile']}, '{forgotten['before']}' means '{after}'."
    console.show(console.text(message))
