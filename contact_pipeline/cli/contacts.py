"""Commands that look at what the imports have made: contacts, accounts and groups."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation, everywhere, group

PANEL = "Contacts"
SHOWN = 50

app = typer.Typer()
contacts_app = group(app, "contacts", "Look at contacts.", PANEL)
accounts_app = group(app, "accounts", "Look at accounts.", PANEL)
groups_app = group(app, "groups", "Look at groups.", PANEL)


@contacts_app.command("list")
@everywhere
def list_contacts(
    invocation: Invocation,
    published: Annotated[
        bool, typer.Option("--published", help="Only what is visible to others: nothing that is held back.")
    ] = False,
) -> None:
    """List the contacts; people see the first 50, --json gives all."""
    contacts = invocation.pipeline.store.contacts(published=published)
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
            contact["groups"],
            "" if contact["active"] else "inactive",
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
    """Show one contact with every field; sensitive values are masked."""
    found = invocation.pipeline.store.contact(contact)
    _one(invocation, found)


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
