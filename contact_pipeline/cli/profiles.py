"""`profiles`: which source systems there are, and what one of them asks of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation, everywhere

if TYPE_CHECKING:
    from contact_pipeline.profiles import Profile

PANEL = "Before an upload"

app = typer.Typer()
profiles_app = typer.Typer(help="The source systems that files can come from.", invoke_without_command=True)
app.add_typer(profiles_app, name="profiles", rich_help_panel=PANEL)

ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="Name of a profile; `profiles` lists them.")]


@profiles_app.callback()
@everywhere
def list_profiles(invocation: Invocation) -> None:
    """List the profiles, shipped and your own; `profiles show NAME` tells what one asks of a file."""
    if invocation.subcommand:
        return
    found, broken = invocation.pipeline.profiles()
    for problem in broken:
        console.warn(f"Profile left out: {problem}.")
    if invocation.json:
        console.document([_summary(profile) for profile in found.values()])
        return
    rows = [
        (p.name, p.title, p.address_book, ", ".join(p.file.types), _how_applied(p)) for p in found.values()
    ]
    console.show(
        console.table(("Profile", "Title", "Address book", "Files", "Applied"), rows),
        console.text(f"What one asks of a file: {invocation.line('profiles', 'show', 'NAME')}", "dim"),
    )


@profiles_app.command("show")
@everywhere
def show_profile(invocation: Invocation, profile: ProfileName) -> None:
    """Show a profile's fields, required ones starred, their formats, and which options it has."""
    from contact_pipeline.reports.profiles import describe_profile

    found = invocation.pipeline.profile(profile)
    description = describe_profile(found)
    if invocation.json:
        console.document(description)
        return
    fields = [
        (
            field["heading"] + (" *" if field["required"] else ""),
            field["field"],
            field["type"],
            field["format"],
            "masked" if field["sensitive"] else "",
        )
        for field in description["fields"]
    ]
    console.show(
        console.text(found.title, "bold"),
        console.text(found.description),
        console.facts(_facts(found)),
        console.table(("Heading", "Field", "Type", "Format", ""), fields),
        console.text("* required" + "".join(f"; also: {rule}" for rule in description["rules"]), "dim"),
        console.table(("Option", "Choice", "Means"), [(o["name"], o["choice"], o["means"]) for o in ()]),
    )
