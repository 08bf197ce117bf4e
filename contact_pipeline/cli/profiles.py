"""`profiles`: lists, checks, drafts and shows profiles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.file_options import Delimiter, Encoding, File, Sheet, delimiter_meant
from contact_pipeline.cli.invocation import Invocation, Overwrite, everywhere
from contact_pipeline.errors import number_of

if TYPE_CHECKING:
    from contact_pipeline.profiles import Profile

PANEL = "Before an upload"

app = typer.Typer()
profiles_app = typer.Typer(invoke_without_command=True)
app.add_typer(profiles_app, name="profiles", rich_help_panel=PANEL)

ProfileName = Annotated[
    str,
    typer.Argument(
        metavar="PROFILE", help="Name of a profile; `profiles` lists them.", autocompletion=completion.profiles
    ),
]


@profiles_app.callback()
@everywhere
def list_profiles(invocation: Invocation) -> None:
    """List the profiles, shipped and your own; `profiles show NAME` tells what one asks of a file."""
    if invocation.nested:
        return
    from contact_pipeline.profiles import find_profiles
    from contact_pipeline.reports.profiles import profile_facts

    found, broken = find_profiles(invocation.settings.profiles_path)
    for problem in broken:
        console.warn(f"Profile left out: {problem}.")
    if invocation.json:
        console.document([_summary(profile) for profile in found.values()])
        return
    rows = [
        (p.name, p.title, p.address_book, ", ".join(p.file.types), profile_facts(p)["applied"]) for p in found.values()
    ]
    console.show(
        console.text(f"{number_of(len(rows), 'profile')}.", "bold"),
        console.table(("Profile", "Title", "Address book", "Files", "Applied"), rows),
        console.next_command("What one asks of a file", invocation.line("profiles", "show", "NAME")),
    )


@profiles_app.command("check")
@everywhere
def check_profile_file(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file of a profile, wherever it lies.")],
) -> None:
    """Check a profile's file and list all that is wrong with it; it needs no home."""
    from contact_pipeline.headings.unknown_fields import ask_about_fields
    from contact_pipeline.profiles import check_profile
    from contact_pipeline.profiles.problems import placed

    profile = check_profile(file)
    questions = placed(file.read_text(encoding="utf-8"), ask_about_fields(profile))
    if invocation.json:
        asked = [question.as_dict() for question in questions]
        console.document({"file": file.name, **_summary(profile), "problems": [], "warnings": asked})
        return
    console.show(
        console.text(f"{file.name} is a profile that can be used: {profile.title}.", "bold"),
        *(console.text(f"Note: {question}", "yellow") for question in questions),
        console.next_command(
            "Put it into the home's folder profiles/, then", invocation.line("profiles", "show", profile.name)
        ),
    )


@profiles_app.command("draft")
@everywhere
def draft_a_profile(
    invocation: Invocation,
    file: File,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the profile; unset: that of the file.")
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; unset: on the terminal.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Propose a whole profile from an export, to be edited: each column's field and type, and the counts for it."""
    from contact_pipeline.drafting import draft_profile
    from contact_pipeline.owner_only import owner_only
    from contact_pipeline.reports.output import new_file, refuse_output
    from contact_pipeline.upload import ReadOptions

    called = _name_of_draft(name, output, file)
    if output is not None:
        if (
            output.parent.absolute() == invocation.settings.profiles_path.absolute()
        ):  # the home's own folder of profiles, which may not exist yet
            with owner_only():
                output.parent.mkdir(parents=True, exist_ok=True)
        refuse_output(output, overwrite=overwrite)
    options = ReadOptions(delimiter=delimiter_meant(delimiter), encoding=encoding, sheet=sheet)
    with console.busy(f"Reading {file.name}"):
        draft = draft_profile(file, called, options, invocation.settings)
    if output is not None:
        with new_file(output, overwrite=overwrite) as written:
            written.write(draft.text.encode())
    if invocation.json:
        facts = {"file": str(output) if output else None, "name": called, "fields": draft.fields}
        console.document({**facts, "left_out": draft.left_out, "text": draft.text})
    elif output is None:
        sys.stdout.write(draft.text)
    else:
        console.show(
            console.text(f"Written: {output}. Read it and change what is wrong."),
            console.next_command("Then", invocation.line("profiles", "check", output)),
        )


def _name_of_draft(name: str | None, output: Path | None, file: Path) -> str:
    """The name of a drafted profile, which is that of the file it is written to."""
    import re

    called = name or (output or file).stem
    if name is None and output is None:
        called = re.sub("[^a-z0-9]+", "_", called.lower()).strip("_")[:60] or "draft"
        called = called if called[0].isalpha() else f"draft_{called}"[:60]
    if not re.fullmatch("[a-z][a-z0-9_]{0,59}", called):
        raise typer.BadParameter(
            f"'{called}' is no name: use small letters, digits and underscores.", param_hint="--name"
        )
    if output is not None and (output.stem, output.suffix) != (called, ".yaml"):
        raise typer.BadParameter(f"a profile '{called}' is written to {called}.yaml.", param_hint="--output")
    return called


@profiles_app.command("show")
@everywhere
def show_profile(
    invocation: Invocation,
    profile: ProfileName,
    schema: Annotated[
        bool, typer.Option("--schema", help="Show instead what normalized rows must be: columns, types and checks.")
    ] = False,
) -> None:
    """Show a profile's fields, required ones starred, their formats, and which options it has."""
    from contact_pipeline.profiles import load_profile
    from contact_pipeline.reports.profiles import describe_profile, profile_facts

    found = load_profile(profile, invocation.settings.profiles_path)
    if schema:
        _show_schema(invocation, found)
        return
    description = describe_profile(found)
    if invocation.json:
        console.document(description)
        return
    console.show(
        console.text(f"{found.name}: {found.title}", "bold"),
        console.text(found.description),
        console.facts(profile_facts(found)),
        _fields(description),
        _options(description),
        console.next_command("A file to fill in", invocation.line("template", found.name)),
    )


def _show_schema(invocation: Invocation, profile: Profile) -> None:
    from contact_pipeline.profiles.reference import Reference
    from contact_pipeline.validate import describe_schema, schema_for

    description = describe_schema(schema_for(profile, Reference()))
    if invocation.json:
        console.document(description)
        return
    rows = [
        (column["column"], column["type"], ", ".join(check["code"] for check in column["checks"]))
        for column in description["columns"]
    ]
    whole = [
        ("the whole row", "", check["code"] + (f": {check['expected']}" if check["expected"] else ""))
        for check in description["checks"]
    ]
    console.show(
        console.text(f"{profile.name}: {number_of(len(rows), 'column')} of a normalized row.", "bold"),
        console.table(("Column", "Type", "Checks, by the code of a rejection"), [*rows, *whole]),
        console.next_command("Its fields and options", invocation.line("profiles", "show", profile.name)),
    )


def _summary(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "address_book": profile.address_book,
        "file_types": list(profile.file.types),
        "apply": profile.apply,
    }


def _fields(description: dict[str, Any]) -> Any:
    rows = [
        (
            field["heading"] + (" *" if field["required"] else ""),
            ", ".join(heading for heading in field["headings"] if heading != field["heading"]),
            field["field"],
            field["format"],
            "sensitive: shown masked" if field["sensitive"] else "",
        )
        for field in description["fields"]
    ]
    return console.table(("Heading (* required)", "then", "Field", "Format", ""), rows)


def _options(description: dict[str, Any]) -> Any:
    rows = []
    for name, option in description["options"].items():
        default = {True: "on", False: "off"}.get(option["default"], option["default"])
        choice = "locked" if option["locked"] else ", ".join(option["choices"])
        spelled = name.replace("_", " ") if option["locked"] else f"--{name.replace('_', '-')}"
        rows.append((spelled, default, choice, option["means"]))
    return console.table(("Option", "Default", "Choices", "Means"), rows)
