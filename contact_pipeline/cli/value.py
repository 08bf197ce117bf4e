"""`value`: what normalization and validation make of single values."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.invocation import Invocation, Unmasked, everywhere
from contact_pipeline.cli.profiles import PANEL
from contact_pipeline.errors import Refusal, Usage, number_of

if TYPE_CHECKING:
    from contact_pipeline.cli.tables import Rows
    from contact_pipeline.settings import Settings
    from contact_pipeline.values import Judgement

app = typer.Typer()


@app.command("value", rich_help_panel=PANEL)
@everywhere
def judge(
    invocation: Invocation,
    field: Annotated[
        str,
        typer.Argument(
            metavar="FIELD", help="Field, such as phone, email or date_of_birth.", autocompletion=completion.fields
        ),
    ],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Values as a file holds them.")] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="R", help="Region of national numbers: US, BR, GB, …")
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="F",
            help="Date format besides ISO, such as DD/MM/YYYY; repeatable.",
            autocompletion=completion.date_formats,
        ),
    ] = None,
    pivot: Annotated[
        int | None,
        typer.Option("--pivot", metavar="YY", min=0, max=99, help="Last two-digit year of this century, for YY."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="Z", help="Time zone of moments without an offset, such as Europe/Berlin."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="File with columns `text` and, if wanted, `region`."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="P",
            help="Profile whose column is meant; unset: in general.",
            autocompletion=completion.profiles,
        ),
    ] = None,
    unmasked: Unmasked = False,
) -> None:
    """Show what normalization and validation make of single values, exactly as in an upload; sensitive ones masked."""
    given = [(text, None) for text in texts or ()] + (_read(source, invocation.settings) if source else [])
    if not given:
        raise Usage("value-missing", "There is no value to look at.", "Give one or more values, or a file with --from.")
    from contact_pipeline.profiles import load_profile
    from contact_pipeline.values import judge_values, profile_for

    found = load_profile(profile, invocation.settings.profiles_path) if profile else None
    wanted = profile_for(field, found, formats or (), pivot, zone)
    column = wanted.columns[0]
    if column.vocabulary or column.type == "login":
        reference = invocation.pipeline.store.reference()
    else:
        from contact_pipeline.profiles.reference import Reference

        reference = Reference()
    regions = [_region(own or region) for _, own in given]
    masked_as = None if unmasked else found or wanted
    judged = judge_values([text for text, _ in given], regions, wanted, reference, masked_as=masked_as)
    if invocation.json:
        console.document([asdict(one) for one in judged])
    else:
        good = sum(one.valid for one in judged)
        wrong = f", {len(judged) - good:,} not" if good < len(judged) else ""
        message = f"{number_of(len(judged), 'value')} of {field}: {good:,} valid{wrong}."
        console.show(console.text(message, "bold"), _table(judged, unmasked=unmasked))


def _region(code: str | None) -> str | None:
    if code is None:
        return None
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        raise Usage("option-value", f"'{code}' is not a region.", "Give a code of two letters, such as US or BR.")
    return code.upper()


def _read(file: Path, settings: Settings) -> list[tuple[str, str | None]]:
    """The values of a file with their regions, one for every line, even without a value."""
    rows = _plain(file) or _saved(file, settings)
    return [(text or "", (region or "").strip() or None) for text, region in rows]


def _plain(file: Path) -> list[tuple[str | None, str | None]] | None:
    """The rows of a UTF-8 file with commas, as programs write it; None if the file is something else.

    This comes before detection: in a file of one column, what looks like a delimiter belongs to the values.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            return [(row["text"], row.get("region")) for row in rows] if "text" in (rows.fieldnames or ()) else None
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _saved(file: Path, settings: Settings) -> list[tuple[str | None, str | None]]:
    """The rows of a file that a spreadsheet program has saved, its format detected."""
    from contact_pipeline.upload import read_columns

    try:
        return read_columns(file, ["text"], settings, optional=["region"]).select("text", "region").rows()
    except Refusal as error:
        missing = error.code == "column-missing"
        message = f"{file.name} has no column 'text'." if missing else error.message
        fix = "Name the column of values 'text'." if missing else error.fix
        raise Usage(error.code, message, fix, file=file.name) from error


def _table(judged: list[Judgement], *, unmasked: bool) -> Rows:
    text = console.text_as_it_is if unmasked else console.text
    rows = [
        (
            text(one.input),
            text(one.value if one.valid else "✗"),
            text(one.message or "; ".join(f"{repair['why']}" for repair in one.repairs)),
            one.fix,
        )
        for one in judged
    ]
    return console.table(("Given", "Stored", "Why", "What to do"), rows)
