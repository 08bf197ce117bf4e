"""Contacts of the base that are one person: list them, and plan to merge them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, Overwrite, User, everywhere, group, login
from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.errors import Usage, number_of

if TYPE_CHECKING:
    from contact_pipeline.duplicates.suggest import Suggestions
    from contact_pipeline.store import Upload

SHOWN = 50

app = typer.Typer()
duplicates_app = group(app, "duplicates", "Find contacts that are one person, and merge them.", "Contacts")

Profile = Annotated[str, typer.Option("--profile", "-p", metavar="P", help="Whose address book and match rules.")]


@duplicates_app.command("find")
@everywhere
def find_duplicates(
    invocation: Invocation,
    profile: Profile,
    in_group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Only those with a contact of this group.")
    ] = None,
    near: Annotated[
        bool, typer.Option("--near", help="Pairs that are alike, too: equal in one field and near in the others.")
    ] = False,
    at_least: Annotated[
        float | None, typer.Option("--at-least", metavar="SCORE", min=0, max=100, help="How near, of 100; unset: 85.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="How many to give; unset: 50, or with --json all.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write all of them as CSV, with a column `merge`."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """List active contacts that the profile's match rules call one person. Nothing is changed.

    Near pairs are suggestions: they are merged only where you name them.
    """
    if at_least is not None and not near:
        raise Usage("usage", "--at-least is of near pairs.", "Give it with --near.")
    if output is not None:
        from contact_pipeline.reports.output import refuse_csv_output

        refuse_csv_output(output, overwrite=overwrite)
    with console.busy("Comparing"):
        found = invocation.pipeline.find_duplicates(profile, group=in_group, near=near, at_least=at_least)
    written = 0
    if output is not None:
        from contact_pipeline.duplicates.named import write_duplicates

        written = write_duplicates(found, invocation.pipeline.store, output, overwrite=overwrite)
    shown = limit or (None if invocation.json and output is None else 0 if output else SHOWN)
    document = found.as_dict(invocation.pipeline.store, shown)
    if invocation.json:
        file = {} if output is None else {"file": str(output), "rows": written}
        console.document(document | file)
        return
    console.show(*_drawn(document))
    for out in found.left_out:
        console.show(console.text(str(out), "yellow"))
    if output is not None:
        console.show(
            console.text(f"{number_of(written, 'line')} written to {output}; say yes or no in `merge`."),
            console.next_command(
                "Then", invocation.line("duplicates", "merge", "--profile", profile, "--from", output)
            ),
        )
    elif found.mergeable():
        console.show(
            console.next_command(
                "To plan merging every set that is no chain", invocation.line("duplicates", "merge", "-p", profile)
            )
        )


@duplicates_app.command("merge")
@everywhere
def merge_duplicates(
    invocation: Invocation,
    profile: Profile,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="What `duplicates find -o` wrote: the sets with yes in `merge`."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="IDS", help="Ids that are one person, such as 17,18; repeatable."),
    ] = None,
    user: User = None,
) -> int:
    """Plan to make one contact of each set; `show` it, then `apply` it. Without names: all sets that `find` lists.

    The contact changed last survives, its blanks filled by the others; these are deactivated and linked to it.
    """
    if source is not None and sets:
        raise Usage("usage", "--from and --set exclude each other.", "Give one of them.")
    with console.busy("Planning"):
        planned = invocation.pipeline.merge_duplicates(
            profile, sets=[_ids(each) for each in sets] if sets else None, file=source, user=login(user)
        )
    return report(invocation, planned, blocked_is_done=True)


def draw_suggestions(invocation: Invocation, upload: Upload, found: Suggestions) -> list[Any]:
    """The contacts that new rows of an upload may be, one a line, and the command that decides a row."""
    drawn: list[Any] = []
    for each in found.rows[:SHOWN]:
        drawn.append(console.text(f"Row {each['row_number']} is new, and near", "bold"))
        for near in each["suggestions"]:
            contact = near["contact"]
            who = f"  contact {contact['contact_id']} {describe_contact(contact)}"
            drawn.append(console.text(f"{who} ({near['score']:.0f} of 100: {near['why']})"))
    if not found.rows:
        drawn.append(console.text(f"No contact is near the {number_of(found.looked_at, 'new row')}.", "dim"))
    if len(found.rows) > SHOWN:
        drawn.append(console.text(f"and {len(found.rows) - SHOWN:,} more rows; --json gives all of them", "dim"))
    if found.looked_at < found.new:
        drawn.append(console.text(f"Looked at the first {found.looked_at:,} of {found.new:,} new rows.", "yellow"))
    if found.rows and upload.state in PLANNED:
        line = invocation.line("resolve", upload.upload_id, "--row", "N", "--to", "CONTACT")
        drawn.append(console.next_command("To say that a row is one of them", line))
    return drawn


def _ids(text: str) -> list[int]:
    """Contact ids that somebody typed, separated by commas or spaces.

    Raises:
        Usage: a word is no contact id.
    """
    words = text.replace(",", " ").split()
    wrong = [word for word in words if not (word.isascii() and word.isdecimal() and len(word) <= 18)]
    if wrong or not words:
        raise Usage("usage", f"--set '{text}' is no list of contact ids.", "Write --set 17,18.")
    return [int(word) for word in words]


def _drawn(document: dict[str, Any]) -> list[Any]:
    """Each set and each near pair: a line with the reason, then one for each contact, so that addresses stay whole."""
    drawn: list[Any] = []
    for number, each in enumerate(document["sets"], 1):
        chain = " (a chain: not each agrees with each; merged only where you name it)" if each["chain"] else ""
        drawn += _together(f"Set {number}: {'; '.join(each['why'])}{chain}", each["contacts"])
    compared = f"{number_of(document['compared'], 'active contact')} of address book {document['address_book']}"
    drawn.append(console.text(_counted(document["set_count"], len(document["sets"]), "set", compared), "dim"))
    for each in document.get("near", ()):
        asks = " (the rules would ask a person)" if each["rules_ask"] else ""
        drawn += _together(f"Near, {each['score']:.0f} of 100: {each['why']}{asks}", each["contacts"])
    if "near" in document:
        drawn.append(console.text(_counted(document["near_count"], len(document["near"]), "near pair", ""), "dim"))
    return drawn


def _together(title: str, contacts: list[dict[str, Any]]) -> list[Any]:
    widest = max(len(str(contact["contact_id"])) for contact in contacts)
    return [
        console.text(title, "bold"),
        *(console.text(f"  {contact['contact_id']:>{widest}}  {describe_contact(contact)}") for contact in contacts),
    ]


def describe_contact(contact: dict[str, Any]) -> str:
    """A contact in one line: its name, and other values by which people know it."""
    parts = (contact["first_name"], contact["last_name"])
    name = contact["full_name"] or " ".join(part for part in parts if part)
    further = (contact[field] for field in ("email", "phone", "account_number", "company"))
    return ", ".join(part for part in (name, *further) if part)


def _counted(count: int, shown: int, thing: str, among: str) -> str:
    line = number_of(count, thing) + (f" among {among}" if among else "")
    if shown == count:
        return line
    return f"{line}; --json gives all" if not shown else f"the first {shown:,} of {line}; --limit gives more"
