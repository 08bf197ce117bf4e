"""Commands on what the imports have made: contacts, one by one, accounts and groups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.endings import report
from contact_pipeline.cli.invocation import Invocation, User, everywhere, group, login
from contact_pipeline.errors import Usage

PANEL = "Contacts"
SHOWN = 50

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Name of a group; case and spaces do not matter.")]
ContactIds = Annotated[list[int], typer.Argument(metavar="CONTACT...", help="Ids of contacts of one address book.")]

app = typer.Typer()
contacts_app = group(app, "contacts", "Look at contacts, and handle single ones.", PANEL)
accounts_app = group(app, "accounts", "Look at accounts.", PANEL)
groups_app = group(app, "groups", "Look at groups, and change who is in them.", PANEL)


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
) -> None:
    """List the contacts; people see the first 50, --json gives all."""
    if published and as_of:
        raise Usage("usage", "--published and --as-of do not go together.", "What was published then is not kept.")
    store = invocation.pipeline.store
    contacts = store.contacts_as_of(as_of) if as_of else store.contacts(published=published)
    if invocation.json:
        console.document(contacts)
        return
    rows = [
        (
            str(contact["contact_id"]),
            _name(contact),
            contact["email"],
            contact["phone"],
            contact["account_number"],
            contact["company"],
            contact.get("groups"),
            "erased" if contact.get("erased") else "" if contact["active"] else "inactive",
        )
        for contact in contacts[:SHOWN]
    ]
    headings = ("Contact", "Name", "Email", "Phone", "Account", "Company", "Groups", "")
    console.show(console.table(headings, rows), *_count(len(contacts), "contacts"))


@contacts_app.command("show")
@everywhere
def show_contact(
    invocation: Invocation, contact: Annotated[int, typer.Argument(metavar="CONTACT", help="Id of a contact.")]
) -> None:
    """Show one contact with every field, and where its notes came from; sensitive values are masked."""
    found, noted = invocation.pipeline.store.contact(contact), invocation.pipeline.store.note_origins(contact)
    if invocation.json:
        console.document(found | {"noted": noted})
        return
    console.show(console.facts(found))
    if noted:
        rows = [(one["note"], one["at"], one["upload_id"], one["file_name"], one["row_number"]) for one in noted]
        console.show(console.table(("Note", "Added", "Upload", "File", "Row"), rows))


@contacts_app.command("history")
@everywhere
def show_history(
    invocation: Invocation, contact: Annotated[int, typer.Argument(metavar="CONTACT", help="Id of a contact.")]
) -> None:
    """Every change to a contact: when, by which upload, row and person, and fields before → after."""
    from contact_pipeline.cli.upload_view import fields_changed

    history = invocation.pipeline.store.history(contact)
    if invocation.json:
        console.document(history)
        return
    rows = [
        (
            entry["at"],
            entry["by"],
            f"{entry['file_name']}, row {entry['row_number']}" if entry["row_number"] else entry["file_name"],
            f"{entry['action']} {'' if entry['target'] == 'contact' else entry['target']}",
            fields_changed(entry),
            "undone" if entry["undone"] else entry["commit"] if entry["commit"] in {"undo", "redo"} else "",
        )
        for entry in history
    ]
    console.show(console.table(("At", "By", "Upload", "Change", "Before → after", ""), rows))


@contacts_app.command("add")
@everywhere
def add_contact(
    invocation: Invocation,
    profile: Annotated[str, typer.Option("--profile", "-p", metavar="P", help="Name of a profile.")],
    field: Annotated[list[str], typer.Option("--field", metavar="FIELD=VALUE", help="A value; repeatable.")],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="An option of the profile, such as group=Spring."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    user: User = None,
) -> int:
    """Enter a single contact by hand: an upload of one row, normalized, validated and matched like any other."""
    from contact_pipeline.cli.importing import decided

    options = {name.replace("-", "_"): value for name, value in pairs(option or [], "--option").items()}
    with console.busy("Planning"):
        upload = invocation.pipeline.plan_contact(profile, pairs(field, "--field"), user=login(user), **options)
    return decided(invocation, upload, login(user), yes=yes)


@contacts_app.command("deactivate")
@everywhere
def deactivate_contact(
    invocation: Invocation,
    contact: Annotated[int, typer.Argument(metavar="CONTACT", help="Id of a contact.")],
    user: User = None,
) -> int:
    """Deactivate a contact; it is never deleted, and can be reactivated at any time."""
    return report(invocation, invocation.pipeline.set_active(contact, active=False, user=login(user)))


@contacts_app.command("reactivate")
@everywhere
def reactivate_contact(
    invocation: Invocation,
    contact: Annotated[int, typer.Argument(metavar="CONTACT", help="Id of a contact.")],
    user: User = None,
) -> int:
    """Make a deactivated contact active again."""
    return report(invocation, invocation.pipeline.set_active(contact, active=True, user=login(user)))


@contacts_app.command("erase")
@everywhere
def erase_contact(
    invocation: Invocation,
    contact: Annotated[int, typer.Argument(metavar="CONTACT", help="Id of a contact.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking.")] = False,
    user: User = None,
) -> int:
    """Take a person out of the contacts, the history and every file of the home. This cannot be undone.

    Contacts linked to it are the same person and go with it. Originals that held the person are deleted.
    """
    if not yes and not _sure(contact):
        console.err().print("Nothing was erased.")
        return 1
    with console.busy("Erasing"):
        erased = invocation.pipeline.erase(contact, user=login(user))
    if invocation.json:
        console.document(erased.as_dict())
        return 0
    ids = ", ".join(str(contact_id) for contact_id in erased.contact_ids)
    rows = sum(len(found) for found in erased.rows.values())
    console.show(
        console.text(f"Erased contact {ids}: {rows} rows of {len(erased.rows)} uploads, {len(erased.deleted)} files."),
        *(
            console.text(
                f"Contact {', '.join(str(other) for other in others)} has the same {field}: it stays.", "yellow"
            )
            for field, others in erased.shared.items()
        ),
        *(console.text(f"{name} holds the person still: it is yours to delete.", "yellow") for name in erased.left),
    )
    return 0


@accounts_app.command("list")
@everywhere
def list_accounts(invocation: Invocation) -> None:
    """List the accounts; people see the first 50, --json gives all."""
    accounts = invocation.pipeline.store.accounts()
    if invocation.json:
        console.document(accounts)
        return
    names = ("account_number", "account_name", "account_type", "portfolio", "status")
    rows = [[*(account[name] for name in names), str(len(account["contacts"]))] for account in accounts[:SHOWN]]
    headings = ("Account", "Name", "Type", "Portfolio", "Status", "Contacts")
    console.show(console.table(headings, rows), *_count(len(accounts), "accounts"))


@accounts_app.command("show")
@everywhere
def show_account(
    invocation: Invocation,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Number of an account.")],
) -> None:
    """Show one account with the ids of its contacts."""
    found = invocation.pipeline.store.account(account)
    _one(invocation, found)


@groups_app.command("list")
@everywhere
def list_groups(invocation: Invocation) -> None:
    """List the groups, with the number of contacts in each."""
    groups = invocation.pipeline.store.groups()
    if invocation.json:
        console.document(groups)
        return
    rows = [(entry["group"], entry["address_book"], f"{entry['contacts']:,}") for entry in groups]
    console.show(console.table(("Group", "Address book", "Contacts"), rows), *_count(len(groups), "groups"))


@groups_app.command("add")
@everywhere
def add_to_group(
    invocation: Invocation,
    name: GroupName,
    contacts: ContactIds,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    user: User = None,
) -> int:
    """Put contacts into a group, which is made if it is new: a changeset of its own, which can be undone."""
    from contact_pipeline.cli.importing import decided

    with console.busy("Planning"):
        upload = invocation.pipeline.plan_group_add(name, contacts, user=login(user))
    return decided(invocation, upload, login(user), yes=yes)


@groups_app.command("remove")
@everywhere
def remove_from_group(
    invocation: Invocation,
    name: GroupName,
    contacts: ContactIds,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    user: User = None,
) -> int:
    """Take contacts out of a group; they stay contacts. A changeset of its own, which can be undone."""
    from contact_pipeline.cli.importing import decided

    with console.busy("Planning"):
        upload = invocation.pipeline.plan_group_remove(name, contacts, user=login(user))
    return decided(invocation, upload, login(user), yes=yes)


def pairs(given: list[str], option: str) -> dict[str, str]:
    """Words such as `email=rosa@example.com` as name → value.

    Raises:
        Usage: a word has no name (code `usage`).
    """
    found = {}
    for word in given:
        name, sign, value = word.partition("=")
        if not sign or not name.strip():
            raise Usage("usage", f"{option} '{word}' is not NAME=VALUE.", f"Write {option} name=value.")
        found[name.strip()] = value
    return found


def _sure(contact: int) -> bool:
    """Asks whether to erase; no answer is a no."""
    try:
        return typer.confirm(f"Erase contact {contact} for good, with every file that holds the person?", err=True)
    except (typer.Abort, KeyboardInterrupt):
        console.err().print()
        return False


def _one(invocation: Invocation, record: dict[str, Any]) -> None:
    if invocation.json:
        console.document(record)
    else:
        console.show(console.facts(record))


def _name(contact: dict[str, Any]) -> str:
    return contact["full_name"] or " ".join(part for part in (contact["first_name"], contact["last_name"]) if part)


def _count(count: int, things: str) -> list[Any]:
    shown = f"the first {SHOWN} of {count:,} {things}; --json gives all" if count > SHOWN else f"{count:,} {things}"
    return [console.text(shown, "dim")]
