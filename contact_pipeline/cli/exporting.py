"""`export` and `export-profiles`: contacts and accounts as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.contacts import PANEL, pairs
from contact_pipeline.cli.invocation import Invocation, Overwrite, everywhere
from contact_pipeline.errors import Usage, listed, number_of
from contact_pipeline.reports.next_steps import needed

if TYPE_CHECKING:
    from contact_pipeline.exports import Exported, Layout

app = typer.Typer()
profiles_app = typer.Typer(invoke_without_command=True)
app.add_typer(profiles_app, name="export-profiles", rich_help_panel=PANEL)


@app.command("export", rich_help_panel=PANEL)
@everywhere
def export_file(
    invocation: Invocation,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            "-p",
            metavar="NAME",
            help="Export profile; `export-profiles` lists them.",
            autocompletion=completion.export_profiles,
        ),
    ] = "contacts",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; it ends in .csv, .xlsx or .parquet."),
    ] = None,
    portfolio: Annotated[
        str | None,
        typer.Option("--portfolio", metavar="LOGIN", help="Only accounts in it, or their contacts."),
    ] = None,
    account_type: Annotated[
        str | None,
        typer.Option("--account-type", metavar="TYPE", help="Only accounts of it, or their contacts."),
    ] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="NAME", help="Only contacts of this group.")] = None,
    address_book: Annotated[
        str | None, typer.Option("--address-book", metavar="NAME", help="Only those of this address book.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="FIELD=VALUE", help="Only those whose field holds the value; repeatable."),
    ] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Inactive contacts, too.")] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Only what is visible to others: nothing that is held back.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write contacts or accounts into a file; that of an import profile can be edited and imported again.

    Values stand in the file in full. Only its owner can read it.
    """
    if output is None:
        raise Usage("usage", "No file is named.", "Write -o FILE; its ending is .csv, .xlsx or .parquet.")
    with console.busy(f"Writing {output.name}"):
        written = invocation.pipeline.export(
            output,
            profile,
            overwrite=overwrite,
            address_book=address_book,
            group=group,
            portfolio=portfolio,
            account_type=account_type,
            inactive="include" if inactive else None,
            published=published,
            where=pairs(where or [], "--where"),
        )
    _say_on_stderr(written)
    if invocation.json:
        console.document(written.as_dict())
    else:
        console.show(*_draw(invocation, written))


@profiles_app.callback()
@everywhere
def list_export_profiles(invocation: Invocation) -> None:
    """List the export profiles: those of import profiles, your own, and the two that are built in."""
    if not invocation.nested:
        _list(invocation)


@profiles_app.command("list")
@everywhere
def list_them(invocation: Invocation) -> None:
    """List the export profiles, as `export-profiles` alone does."""
    _list(invocation)


@profiles_app.command("show")
@everywhere
def show_export_profile(
    invocation: Invocation,
    profile: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of an export profile.", autocompletion=completion.export_profiles),
    ],
) -> None:
    """Show an export profile: its columns, who is in the file, and its order."""
    from contact_pipeline.exports import find_export_profile

    found = find_export_profile(profile, invocation.settings)
    if invocation.json:
        console.document(found.as_dict())
        return
    rows = [
        (cell.heading, cell.field or "", "sensitive: in full in the file" if cell.sensitive else "")
        for cell in found.cells
        if cell is not None
    ]
    console.show(
        console.text(f"{found.name}: {found.title}", "bold"),
        console.facts(_facts(found)),
        console.table(("Heading", "Field", ""), rows),
        console.next_command(
            "A file of it", invocation.line("export", "--profile", found.name, "-o", f"{found.name}.{found.format}")
        ),
    )


@profiles_app.command("check")
@everywhere
def check_export_profile_file(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file of an export profile, wherever it lies.")],
) -> None:
    """Check an export profile's file and list all that is wrong with it, each with its line."""
    from contact_pipeline.exports import check_export_profile

    found = check_export_profile(file, invocation.settings)
    if invocation.json:
        console.document({"file": file.name, **found.as_dict(), "problems": []})
        return
    console.show(
        console.text(f"{file.name} is an export profile that can be used: {found.title}.", "bold"),
        console.next_command(
            "Put it into the home's folder export_profiles/, then",
            invocation.line("export", "--profile", found.name, "-o", f"{found.name}.{found.format}"),
        ),
    )


def _list(invocation: Invocation) -> None:
    found, broken = invocation.light_pipeline.export_profiles()
    for problem in broken:
        console.warn(f"Left out: {problem}.")
    if invocation.json:
        console.document([layout.as_dict() for layout in found.values()])
        return
    rows = [
        (layout.name, layout.title, layout.of, layout.format, _MADE_BY[layout.made_by]) for layout in found.values()
    ]
    console.show(
        console.text(f"{number_of(len(rows), 'export profile')}.", "bold"),
        console.table(("Export profile", "Title", "Rows", "Format", "Made by"), rows),
        console.next_command("Its columns", invocation.line("export-profiles", "show", "NAME")),
    )


_MADE_BY = {"own": "you", "import": "the import profile", "built-in": "the program"}


def _facts(layout: Layout) -> dict[str, str]:
    chosen = layout.filter
    return {
        "rows": layout.of,
        "format": layout.format,
        "made by": _MADE_BY[layout.made_by],
        "address book": chosen.address_book or "",
        "group": chosen.group or "",
        "inactive": "" if layout.of == "accounts" else chosen.inactive.replace("_", " "),
        "where": "; ".join(
            f"{each.field} is {'' if each.blank else 'not '}blank"
            if each.blank is not None
            else f"{each.field} is {' or '.join(each.one_of or [each.equals or ''])}"
            for each in chosen.where
        ),
        "order": ", ".join(layout.order),
    }


def _say_on_stderr(written: Exported) -> None:
    for warning in written.warnings:
        console.warn(warning)
    if written.sensitive:
        console.warn(f"{listed(written.sensitive)}: in full in the file, which only you can read.")


def _draw(invocation: Invocation, written: Exported) -> list[Any]:
    profile = invocation.pipeline.profiles()[0].get(written.profile)
    message = f"{number_of(written.rows, written.of.removesuffix('s'))} written to {written.file}."
    page = [console.text(message, "bold")]
    page += [console.text(each.in_words, "yellow") for each in written.left_out]
    if not written.rows:
        page.append(console.text("Nobody fits what was asked for: the file holds its headings alone.", "yellow"))
    elif profile is not None and written.format in profile.file.types:
        words = ["plan", written.file, "--profile", written.profile]
        words += needed(profile)
        page.append(console.next_command("Edited, it comes back with", invocation.line(*words)))
    return page
