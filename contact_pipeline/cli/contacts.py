"""Commands on contacts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, Overwrite, User, everywhere, group, login
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, draw_list, most
from contact_pipeline.cli.person import Who, confirmed, identify
from contact_pipeline.errors import Usage, number_of

if TYPE_CHECKING:
    from contact_pipeline.finding.who import Fitting

PANEL = "Contacts"

app = typer.Typer()
contacts_app = group(app, "contacts", "Look at contacts, and handle single ones.", PANEL)


@contacts_app.command("list")
@everywhere
def list_contacts(
    invocation: Invocation,
    published: Annotated[
        bool, typer.Option("--published", help="Only what is visible to others: nothing that is held back.")
    ] = False,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", metavar="TIME", help="As they stood then (UTC), by the history.")
    ] = None,
    where: Where = None,
    limit: Limit = None,
) -> None:
    """List the contacts, by id."""
    if published and as_of:
        raise Usage("usage", "--published and --as-of do not go together.", "What was published then is not kept.")
    store = invocation.pipeline.store
    contacts = chosen(store.contacts_as_of(as_of) if as_of else store.contacts(published=published), where)
    if invocation.json:
        console.document(contacts[:limit])
        return
    command = ["contacts", "list", *(["--published"] if published else ()), *as_words(where)]
    command += ["--as-of", f"{as_of:%Y-%m-%dT%H:%M:%S}"] if as_of else []
    console.show(
        *draw_list(invocation, contacts, CONTACT_HEADINGS, _cells, called="contact", command=command, limit=limit),
        *_one_of(invocation, contacts),
    )


@contacts_app.command("find")
@everywhere
def find_contacts(
    invocation: Invocation,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="E-mail address, phone number, name, account number or id."),
    ] = None,
    email: Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="Who has this address.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", metavar="NUMBER", help="Who has this number.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Whose name has words that begin like this.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="NUMBER", help="Who has this account.")] = None,
    in_group: Annotated[str | None, typer.Option("--group", metavar="GROUP", help="Who is in this group.")] = None,
    upload: Annotated[
        str | None,
        typer.Option(
            "--upload", metavar="UPLOAD", help="Whom this upload has changed.", autocompletion=completion.uploads
        ),
    ] = None,
    limit: Limit = None,
) -> None:
    """Find contacts by what is known of them, written in any way; what is given must all fit.

    Names are found by the beginnings of their words, without regard to accents; everything else is compared whole.
    """
    words = " ".join(text) if text else None
    found = invocation.pipeline.find(
        words,
        email=email,
        phone=phone,
        name=name,
        account=account,
        group=in_group,
        upload=upload,
        limit=limit if invocation.json else most(limit),
    )
    if invocation.json:
        console.document(found.contacts)
        return
    if not found.count:
        console.show(
            console.text("Nobody was found.", "bold"),
            console.next_command("See all contacts", invocation.line("contacts", "list")),
        )
        return
    known = {"email": email, "phone": phone, "name": name, "account": account, "group": in_group, "upload": upload}
    command = ["contacts", "find", *(text or ())]
    command += [word for option, value in known.items() if value is not None for word in (f"--{option}", value)]
    page = draw_list(
        invocation,
        found.contacts,
        CONTACT_HEADINGS,
        _cells,
        called="contact",
        command=command,
        limit=limit,
        count=found.count,
    )
    console.show(*page, *_one_of(invocation, found.contacts))


def _one_of(invocation: Invocation, contacts: list[dict[str, Any]]) -> list[Any]:
    """The command that shows one of them."""
    return [
        console.next_command("See one of them", invocation.line("contacts", "show", each["contact_id"]))
        for each in contacts[:1]
    ]


@contacts_app.command("show")
@everywhere
def show_contact(invocation: Invocation, contact: Who) -> None:
    """Show one contact with every field, and where its notes came from; sensitive values are masked."""
    store, contact_id = invocation.pipeline.store, identify(invocation, contact).contact_id
    found, noted = store.contact(contact_id), store.note_origins(contact_id)
    linked = [{"contact_id": other, "name": name} for other, name in store.names(found["links"]).items()]
    if invocation.json:
        console.document(found | {"noted": noted, "linked": linked})
        return
    named = console.text(f"Contact {contact_id}{f', {name}' if (name := _name(found)) else ''}.", "bold")
    console.show(named, console.facts(found | {"links": [_called(each) for each in linked]}))
    if noted:
        rows = [(one["note"], one["at"], one["upload_id"], one["file_name"], one["row_number"]) for one in noted]
        console.show(console.table(("Note", "Added", "Upload", "File", "Row"), rows))
    console.show(console.next_command("How it came to be so", invocation.line("contacts", "history", contact_id)))


@contacts_app.command("history")
@everywhere
def show_history(invocation: Invocation, contact: Who) -> None:
    """Every change to a contact: when, by which upload, row and person, and fields before → after."""
    from contact_pipeline.cli.upload_view import fields_changed

    found = identify(invocation, contact)
    history = invocation.pipeline.store.history(found.contact_id)
    if invocation.json:
        console.document(history)
        return
    rows = [
        (
            entry["at"],
            _by(entry),
            f"{entry['file_name']}, row {entry['row_number']}" if entry["row_number"] else entry["file_name"],
            f"{entry['action']} {'' if entry['target'] == 'contact' else entry['target']}",
            fields_changed(_with_linked_name(entry)),
            "undone" if entry["undone"] else entry["commit"] if entry["commit"] in {"undo", "redo"} else "",
        )
        for entry in history
    ]
    called = f", {found.name}" if found.name else ""
    named = f"Contact {found.contact_id}{called}: {number_of(len(rows), 'change')}."
    console.show(
        console.text(named, "bold"),
        console.table(("At", "By", "Upload", "Change", "Before → after", ""), rows),
        console.next_command("See it as it is now", invocation.line("contacts", "show", found.contact_id)),
    )


def _by(entry: dict[str, Any]) -> str:
    """Who made a change; if two people approved it, both."""
    from contact_pipeline.cli.upload_view import known_by

    first, by = known_by(entry["first_approved_by"], entry["first_approved_as"]), known_by(entry["by"], entry["by_as"])
    return " and ".join(who for who in (first, by) if who)


@contacts_app.command("add")
@everywhere
def add_contact(
    invocation: Invocation,
    profile: Annotated[
        str, typer.Option("--profile", "-p", metavar="P", help="Name of a profile.", autocompletion=completion.profiles)
    ],
    field: Annotated[
        list[str],
        typer.Option(
            "--field",
            metavar="FIELD=VALUE",
            help="A value; repeatable.",
            autocompletion=completion.fields_to_fill,
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="An option of the profile, such as group=Spring."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    user: User = None,
) -> int:
    """Enter a single contact by hand: an upload of one row, normalized, validated and matched like any other."""
    from contact_pipeline.cli.importing import confirm_and_apply

    options = {name.replace("-", "_"): value for name, value in pairs(option or [], "--option").items()}
    with console.busy("Planning"):
        upload = invocation.pipeline.plan_contact(profile, pairs(field, "--field"), user=login(user), **options)
    return confirm_and_apply(invocation, upload, login(user), yes=yes)


@contacts_app.command("deactivate")
@everywhere
def deactivate_contact(invocation: Invocation, contact: Who, user: User = None) -> int:
    """Deactivate a contact; it is never deleted, and can be reactivated at any time."""
    return _set_active(invocation, contact, user, active=False)


@contacts_app.command("reactivate")
@everywhere
def reactivate_contact(invocation: Invocation, contact: Who, user: User = None) -> int:
    """Make a deactivated contact active again."""
    return _set_active(invocation, contact, user, active=True)


@contacts_app.command("erase")
@everywhere
def erase_contact(
    invocation: Invocation,
    contact: Who,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking, if exactly one person fits.")] = False,
    user: User = None,
) -> int:
    """Take a person out of the contacts, the history and every file of the home. This cannot be undone.

    Contacts linked to it are the same person and go with it. Originals that held the person are deleted.
    """
    found = identify(invocation, contact, linked_are_one=True, ask=not yes)
    if not yes and not _confirm_erasure(invocation, found):
        console.err().print("Nothing was erased.")
        return 1
    with console.busy("Erasing"):
        erased = invocation.pipeline.erase(found.contact_id, user=login(user))
    if invocation.json:
        console.document(erased.as_dict())
        return 0
    ids = ", ".join(str(contact_id) for contact_id in erased.contact_ids)
    rows = sum(len(found) for found in erased.rows.values())
    console.show(
        console.text(
            f"Erased contact {ids}: {number_of(rows, 'row')} of {number_of(len(erased.rows), 'upload')}, "
            f"{number_of(len(erased.deleted), 'file')}.",
            "bold",
        ),
        *(
            console.text(
                f"Contact {', '.join(str(other) for other in others)} has the same {field}: it stays.", "yellow"
            )
            for field, others in erased.shared.items()
        ),
        *(console.text(f"{name} holds the person still: it is yours to delete.", "yellow") for name in erased.left),
    )
    return 0


@contacts_app.command("export")
@everywhere
def export_contact(
    invocation: Invocation,
    contact: Who,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A .html or .json file; unset: reports/contact-ID.html in the home."
        ),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Only this contact; those linked with it are named by their ids alone.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write everything that is held about one person, for that person to read: the answer to a request for access.

    Social security numbers and dates of birth are in it in full. Other people are named by their ids alone.
    """
    found = identify(invocation, contact, linked_are_one=not alone)
    with console.busy("Gathering"):
        written = invocation.pipeline.export_person(found.contact_id, output, alone=alone, overwrite=overwrite)
    if invocation.json:
        console.document(written.as_dict())
        return
    ids = ", ".join(map(str, written.contact_ids))
    console.show(
        console.text(
            f"What is held about contact {ids} is in {written.file}: {number_of(written.changes, 'change')}, "
            f"{number_of(written.rows, 'row')} of files.",
            "bold",
        ),
        console.text("It holds everything in full, and only you can read it. Make sure who asks before you send it."),
    )
    if written.withheld:
        cells = number_of(written.withheld, "cell")
        message = f"Left out, because they may be about somebody else: {cells}. The file names them."
        console.show(console.text(message, "yellow"))


def pairs(given: list[str], option: str) -> dict[str, str]:
    """Words such as `email=rosa@example.com` as name → value.

    Raises:
        Usage: a word has no name, or two have the same (code `usage`).
    """
    found = {}
    for word in given:
        name, sign, value = word.partition("=")
        if not sign or not name.strip():
            raise Usage("usage", f"{option} '{word}' is not NAME=VALUE.", f"Write {option} name=value.")
        if name.strip() in found:
            raise Usage("usage", f"{option} names '{name.strip()}' twice.", "Give each name one value.")
        found[name.strip()] = value
    return found


def _set_active(invocation: Invocation, who: str, user: str | None, *, active: bool) -> int:
    contact_id = identify(invocation, who).contact_id
    return report(invocation, invocation.pipeline.set_active(contact_id, active=active, user=login(user)))


def _confirm_erasure(invocation: Invocation, found: Fitting) -> bool:
    """Shows who is to be erased, and asks for confirmation; no answer is a no."""
    linked = invocation.pipeline.linked_with(found.contact_id)
    shown = {
        "contact": str(found.contact_id),
        "name": found.name,
        "email": found.email,
        "phone": found.phone,
        "address book": found.address_book,
        "linked, so the same person": [_called({"contact_id": other, "name": name}) for other, name in linked.items()],
    }
    console.err().print(console.facts(shown))
    question = f"Erase contact {found.contact_id} for good, with every file that holds the person?"
    return confirmed(question)


def _with_linked_name(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of a history with the name of a linked contact beside its id."""
    name = entry.get("linked_to_name")
    if not name:
        return entry
    sides = [side and f"{side}, {name}" for side in entry["fields"]["link"]]
    return entry | {"fields": {"link": sides}}


def _called(contact: dict[str, Any]) -> str:
    return f"{contact['contact_id']} {contact['name']}".strip()


CONTACT_HEADINGS = ("Contact", "Name", "Email", "Phone", "Belongs to")


def _cells(contact: dict[str, Any]) -> tuple[object, ...]:
    """A contact in a list: five columns, so that addresses and numbers stay whole in a terminal 80 wide."""
    is_gone = "erased" if contact.get("erased") else _inactive(contact)
    belongs = [contact["account_number"], contact["company"], *(contact.get("groups") or ()), is_gone]
    return (
        str(contact["contact_id"]),
        _name(contact),
        contact["email"],
        contact["phone"],
        [each for each in belongs if each],
    )


def _inactive(contact: dict[str, Any]) -> str:
    """Whether a contact is inactive, and into which it was merged, which contacts as of an earlier time do not have."""
    if contact["active"]:
        return ""
    return f"merged into {contact['merged_into']}" if contact.get("merged_into") else "inactive"


def _name(contact: dict[str, Any]) -> str:
    return contact["full_name"] or " ".join(part for part in (contact["first_name"], contact["last_name"]) if part)
