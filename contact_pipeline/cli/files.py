"""Commands on files before there is an upload: write a template, and inspect a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.file_options import Delimiter, Encoding, File, Sheet, delimiter_meant
from contact_pipeline.cli.invocation import Invocation, Overwrite, Unmasked, everywhere
from contact_pipeline.cli.listing import more
from contact_pipeline.cli.profiles import PANEL, ProfileName
from contact_pipeline.errors import number_of
from contact_pipeline.reports.next_steps import needed

SHOWN = 10
LOOKED_AT = 1_000  # rows

app = typer.Typer()


@app.command("template", rich_help_panel=PANEL)
@everywhere
def write_a_template(
    invocation: Invocation,
    profile: ProfileName,
    example: Annotated[bool, typer.Option("--example", help="Filled in, to see what is meant.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it; the ending decides csv or xlsx."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write the file to fill in for a profile, blank or as an example."""
    from contact_pipeline.profiles import load_profile
    from contact_pipeline.reports.template import write_template

    found = load_profile(profile, invocation.settings.profiles_path)
    registered = any(column.vocabulary or column.type == "login" for column in found.columns)
    is_home = invocation.settings.contacts_path.exists()
    reference = invocation.light_pipeline.store.reference() if registered and is_home else None
    written = write_template(found, output, example=example, reference=reference, overwrite=overwrite)
    if invocation.json:
        console.document({"file": str(written), "profile": found.name, "example": example})
    else:
        console.show(
            console.text(f"{'Example' if example else 'Template'} of {found.name} written to {written}.", "bold"),
            console.next_command(
                "Filled in, it is planned with",
                invocation.line("plan", written, "--profile", found.name, *needed(found)),
            ),
        )


@app.command("inspect", rich_help_panel=PANEL)
@everywhere
def inspect(
    invocation: Invocation,
    file: File,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    unmasked: Unmasked = False,
) -> None:
    """Show what is seen in a file before any profile: encoding, delimiter, headings, rows, lines that do not fit.

    Cells are shown as read, but for those that look like a social security number or a date of birth.
    """
    from contact_pipeline.headings.synonyms import synonyms
    from contact_pipeline.upload import ReadOptions, inspect_file

    options = ReadOptions(delimiter=delimiter_meant(delimiter), encoding=encoding, sheet=sheet)
    with console.busy(f"Reading {file.name}"):
        known = [heading for headings in synonyms().values() for heading in headings]
        found = inspect_file(file, options, invocation.settings, known=known, unmasked=unmasked)
        found["warnings"] += _by_their_cells(found)
    if invocation.json:
        console.document(found)
    else:
        console.show(*_draw(invocation, file, found, unmasked=unmasked))


def _by_their_cells(found: dict[str, Any]) -> list[str]:
    """Warnings on unknown headings whose cells look like something known."""
    import polars as pl

    from contact_pipeline.headings.naming import shown
    from contact_pipeline.headings.recognize import is_known
    from contact_pipeline.headings.witness import CONTENTS, what_columns_hold

    columns = {str(n): heading for n, heading in enumerate(found["headings"])}
    cells = [[cell or None for cell in row["cells"]] for row in found["rows"][:LOOKED_AT]]
    holds = what_columns_hold(pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row"))
    return [
        f"Heading {shown([columns[n]])} is not known; its cells look like {CONTENTS[content]}."
        for n, content in holds.items()
        if columns[n].strip() and not is_known(columns[n])
    ]


def _draw(invocation: Invocation, file: Path, found: dict[str, Any], *, unmasked: bool) -> list[Any]:
    unread = f"; {number_of(len(found['unreadable']), 'line')} do not fit" if found["unreadable"] else ""
    message = (
        f"{file.name}: {number_of(found['data_rows'], 'row')}, {number_of(len(found['headings']), 'heading')}{unread}."
    )
    facts = {
        "type": found["file_type"],
        "encoding": found["encoding"],
        "delimiter": {"\t": "tab", " ": "space"}.get(found["delimiter"], found["delimiter"]),
        "sheet": found["sheet"],
        "sheets": ", ".join(found["sheets"] or []),
    }
    notes = (console.text(f"Note: {warning}", "yellow") for warning in found["warnings"])
    page: list[Any] = [console.text(message, "bold"), console.facts(facts), *notes]
    text = console.text_as_it_is if unmasked else console.text
    if found["unreadable"]:
        unreadable = [
            (str(row["row_number"]), row["message"], text(row["text"])) for row in found["unreadable"][:SHOWN]
        ]
        page.append(console.table(("Row", "Does not fit", "Text"), unreadable))
        page += more(invocation, len(found["unreadable"]) - SHOWN, ["inspect", file, "--json"])
    rows = [(str(row["row_number"]), *map(text, row["cells"])) for row in found["rows"][:SHOWN]]
    drawn, shown = _rows(["Row", *found["headings"]], rows)
    page += [drawn, *more(invocation, len(found["rows"]) - shown, ["inspect", file, "--json"])]
    page.append(console.next_command("Plan it", invocation.line("plan", file, "--profile", "PROFILE")))
    return page


def _rows(headings: list[str], rows: list[tuple[Any, ...]]) -> tuple[Any, int]:
    """The rows as a table, transposed if they are too wide; and how many of them are shown."""
    width = console.out().width
    table = console.table(headings, rows)
    if table.fits(width):
        return table, len(rows)
    for count in range(min(len(rows), SHOWN), 0, -1):
        lines = list(zip(headings[1:], *(row[1:] for row in rows[:count]), strict=True))
        transposed = console.table(["Heading", *(f"Row {row[0]}" for row in rows[:count])], lines)
        if transposed.fits(width) or count == 1:
            return transposed, count
    return table, len(rows)
