"""Commands on accounts."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.contacts import PANEL
from contact_pipeline.cli.invocation import Invocation, everywhere, group
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, draw_list

app = typer.Typer()
accounts_app = group(app, "accounts", "Look at accounts.", PANEL)


@accounts_app.command("list")
@everywhere
def list_accounts(invocation: Invocation, where: Where = None, limit: Limit = None) -> None:
    """List the accounts."""
    accounts = chosen(invocation.pipeline.store.accounts(), where)
    if invocation.json:
        console.document(accounts[:limit])
        return
    names = ("account_number", "account_name", "account_type", "portfolio", "status")
    headings = ("Account", "Name", "Type", "Portfolio", "Status", PANEL)
    command = ["accounts", "list", *as_words(where)]
    page = draw_list(
        invocation,
        accounts,
        headings,
        lambda account: (*(account[name] for name in names), str(len(account["contacts"]))),
        called="account",
        command=command,
        limit=limit,
    )
    first = (invocation.line("accounts", "show", each["account_number"]) for each in accounts[:1])
    console.show(*page, *(console.next_command("See one of them", line) for line in first))


@accounts_app.command("show")
@everywhere
def show_account(
    invocation: Invocation,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Number of an account.")],
) -> None:
    """Show one account with the ids of its contacts."""
    found = invocation.pipeline.store.account(account)
    if invocation.json:
        console.document(found)
        return
    console.show(
        console.text(f"Account {found['account_number']}, {found['account_name']}.", "bold"), console.facts(found)
    )
    for contact_id in found["contacts"][:1]:
        line = invocation.line("contacts", "show", contact_id)
        console.show(console.next_command("See its contact", line))
