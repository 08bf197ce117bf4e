"""Imports the sample files into a fresh home, and compares what became of each with data/samples/expected.yaml.

Every step is a command of the command line, printed as it could be typed in the project's folder. The home is
data/demo, made anew each time, or a new folder that is named: `python scripts/demo.py [HOME]`.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.text import Text

from contact_pipeline.cli.app import run
from contact_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = Path("data/samples")
OWN_HOME = Path("data/demo")
HOME = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else OWN_HOME
COMPARED = ("state", "processed", "outcomes", "duplicates", "deactivated", "contacts_created", "errors")
STYLES = {"applied": "green", "finalized": "green", "blocked": "yellow"}

Document = dict[str, Any]

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Runs the demo; the exit status is 1 where something is not as expected."""
    os.chdir(ROOT)
    make_home()
    expected = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))
    heading("Users and specialties")
    answer("users", "load", SAMPLES / "users.yaml")
    answer("vocabularies", "load", "specialties", SAMPLES / "specialties.txt")
    heading("Files")
    uploads = [imported(each) for each in expected["uploads"]]
    wrong = [
        difference
        for upload, each in zip(uploads, expected["uploads"], strict=True)
        for difference in differences(each, upload)
    ]
    wrong += differences_in_the_end(expected["in_the_end"])
    heading("Uploads")
    typed("uploads")
    run(["--home", str(HOME), "uploads"])
    where_next(uploads)
    return verdict(wrong)


def make_home() -> None:
    """Starts with nothing in the home; only the demo's own is emptied.

    Raises:
        SystemExit: another folder was named, and there is something in it.
    """
    if HOME == OWN_HOME:
        shutil.rmtree(HOME, ignore_errors=True)
    elif HOME.exists() and (not HOME.is_dir() or any(HOME.iterdir())):
        raise SystemExit(f"{HOME} is not an empty folder. Name one that is new.")


def heading(text: str) -> None:
    """A heading between the parts of the output."""
    console.print()
    console.rule(Text(text, "bold"), align="left", style="dim")


def typed(*words: object) -> None:
    """Prints a command as it could be typed."""
    folder = Path(sys.executable).parent
    here = f"{folder.relative_to(ROOT)}/" if folder.is_relative_to(ROOT) else ""
    command = shlex.join([f"{here}contact-pipeline", "--home", str(HOME), *map(str, words)])
    console.print(Text.assemble(("$ ", "dim"), (command, "cyan")))


def answer(*words: object) -> Any:
    """Runs a command; what it answers as JSON.

    Raises:
        SystemExit: it was refused.
    """
    typed(*words)
    with redirect_stdout(io.StringIO()) as output:
        run(["--home", str(HOME), "--json", *map(str, words)])
    content = json.loads(output.getvalue())
    if isinstance(content, dict) and "error" in content:
        raise SystemExit(f"{content['error']['message']} {content['error']['fix']}")
    return content


def imported(expected: Document) -> Document:
    """Imports one file with its options, and finalizes it where it is held back until then."""
    path = SAMPLES / expected["file"]
    options = yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))
    upload = answer("import", path, "--profile", expected["profile"], *as_words(options), "--yes")
    if upload["state"] == "applied" and expected["state"] == "finalized":
        upload = answer("finalize", upload["upload_id"], "--user", options["user"])
    counts = [f"{count} {outcome}" for outcome, count in upload["outcomes"].items() if count]
    counts += [f"{upload[key]} {name}" for key, name in EXTRAS.items() if upload[key]]
    state = (upload["state"], STYLES.get(upload["state"], "red"))
    planned = ", nothing of it is imported; planned were" if upload["state"] == "blocked" else ""
    console.print(Text.assemble("  ", state, planned, ": ", ", ".join(counts)))
    return upload


EXTRAS = {"contacts_created": "contacts created with accounts", "deactivated": "deactivated"}


def as_words(options: Document) -> Iterator[str]:
    """The options of a file as the command line takes them."""
    for name, value in options.items():
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield str(value)


def differences(expected: Document, upload: Document) -> Iterator[str]:
    """Where an upload is not what was expected of it."""
    found = {**upload, "errors": dict(Counter(error["code"] for error in upload["errors"]))}
    for name in COMPARED:
        if found[name] != expected[name]:
            yield f"{expected['file']}: {name} is {found[name]}, expected {expected[name]}"


def differences_in_the_end(expected: Document) -> Iterator[str]:
    """Where the contacts and accounts are not as many as the files make."""
    heading("Contacts")
    contacts, accounts = answer("contacts", "list"), answer("accounts", "list")
    total = Counter(contact["address_book"] for contact in contacts)
    inactive = Counter(contact["address_book"] for contact in contacts if not contact["active"])
    for book, counts in expected["address_books"].items():
        console.print(f"  {book}: {total[book]} contacts, {inactive[book]} of them inactive")
        if counts != {"contacts": total[book], "inactive": inactive[book]}:
            yield f"address book {book}: {total[book]} contacts, {inactive[book]} inactive; expected {counts}"
    console.print(f"  {len(accounts)} accounts")
    if len(accounts) != expected["accounts"]:
        yield f"accounts: {len(accounts)}, expected {expected['accounts']}"


def where_next(uploads: list[Document]) -> None:
    """Commands worth trying now."""
    by_file = {upload["file_name"]: upload["upload_id"] for upload in uploads}
    heading("Where to look next")
    for what, words in (
        ("What a corrected file changed, before → after", ("show", by_file["program_contacts_2_corrected.xlsx"])),
        ("Why a file is blocked, row by row", ("show", by_file["program_contacts_2.xlsx"], "--rows")),
        ("The rows that were rejected, to be corrected", ("rejected", by_file["outreach_contacts_2.csv"])),
        ("The contacts that others see", ("contacts", "list", "--published")),
        (f"The same in Dagster's UI, at http://127.0.0.1:{Settings().port}{make_serve()}", ("serve",)),
    ):
        console.print(f"{what}:")
        typed(*words)


def make_serve() -> str:
    """That `make serve` does the same, where it does: it prefers ./data, once that is a home."""
    preferred = "CONTACT_PIPELINE_HOME" in os.environ or Path("data/contacts.duckdb").exists()
    return ", as `make serve` does" if HOME == OWN_HOME and not preferred else ""


def verdict(wrong: list[str]) -> int:
    """Says whether everything is as expected; the exit status."""
    console.print()
    if not wrong:
        console.print("[bold green]✓[/bold green] Every file gave what data/samples/expected.yaml says.")
        return 0
    console.print(f"[bold red]✗ {len(wrong)} differences from data/samples/expected.yaml:[/bold red]")
    for difference in wrong:
        console.print(Text(f"  {difference}"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
