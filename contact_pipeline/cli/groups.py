"""Commands on groups."""

from __future__ import annotations

from typing import Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.contacts import PANEL
from contact_pipeline.cli.invocation import Invocation, User, everywhere, group, login
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, draw_list
from contact_pipeline.cli.person import identify

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Name of a group; case and spaces do not matter.")]
Whom = Annotated[
    list[str],
    typer.Argument(metavar="WHO...", help="Contacts of one address book: ids, e-mail addresses, numbers or names."),
]

app = typer.Typer()
groups_app = group(app, "groups", "Look at groups, and change who is in them.", PANEL)


@groups_app.command("list")
@everywhere
def list_groups(invocation: Invocation, where: Where = None, limit: Limit = None) -> None:
    """List the groups, with the number of contacts in each."""
    groups = chosen(invocation.pipeline.store.groups(), where)
    if invocation.json:
        console.document(groups[:limit])
        return
    page = draw_list(
        invocation,
        groups,
        ("Group", "Address book", PANEL),
        lambda entry: (entry["group"], entry["address_book"], f"{entry['contacts']:,}"),
        called="group",
        command=["groups", "list", *as_words(where)],
        limit=limit,
    )
    first = (invocation.line("contacts", "find", "--group", each["group"]) for each in groups[:1])
    console.show(*page, *(console.next_command("See who is in one", line) for line in first))


@groups_app.command("add")
@everywhere
def add_to_group(
    invocation: Invocation,
    name: GroupName,
    contacts: Whom,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    user: User = None,
) -> int:
    """Put contacts into a group, which is made if it is new: a changeset of its own, which can be undone."""
    from contact_pipeline.cli.importing import confirm_and_apply

    ids = [identify(invocation, who).contact_id for who in contacts]
    with console.busy("Planning"):
        upload = invocation.pipeline.plan_group_add(name, ids, user=login(user))
    return confirm_and_apply(invocation, upload, login(user), yes=yes)


@groups_app.command("remove")
@everywhere
def remove_from_group(
    invocation: Invocation,
    name: GroupName,
    contacts: Whom,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    user: User = None,
) -> int:
    """Take contacts out of a group; they stay contacts. A changeset of its own, which can be undone."""
    from contact_pipeline.cli.importing import confirm_and_apply

    ids = [identify(invocation, who).contact_id for who in contacts]
    with console.busy("Planning"):
        upload = invocation.pipeline.plan_group_remove(name, ids, user=login(user))
    return confirm_and_apply(invocation, upload, login(user), yes=yes)
