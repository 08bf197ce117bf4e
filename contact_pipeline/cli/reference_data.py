"""Commands for what profiles refer to: users with their roles, and vocabularies of registered values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation, everywhere, group
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, draw_list
from contact_pipeline.errors import number_of

PANEL = "Setting up"

app = typer.Typer()
users_app = group(app, "users", "Who imports, approves, or owns a portfolio.", PANEL)
vocabularies_app = group(app, "vocabularies", "Registered values, such as specialties, that profiles refer to.", PANEL)


@users_app.command("load")
@everywhere
def load_users(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML: a list of login, name, roles, can_import.")],
) -> None:
    """Replace the users by those of a YAML file."""
    users = invocation.pipeline.store.load_users(file)
    if invocation.json:
        console.document([user.model_dump() for user in users])
    else:
        message = f"{number_of(len(users), 'user')} loaded from {file.name}."
        console.show(console.text(message, "bold"), console.next_command("See them", invocation.line("users", "list")))


@users_app.command("list")
@everywhere
def list_users(invocation: Invocation, where: Where = None, limit: Limit = None) -> None:
    """List the users with their roles, and whether they may import."""
    users = chosen([user.model_dump() for user in invocation.pipeline.store.users()], where)
    if invocation.json:
        console.document(users[:limit])
        return
    page = draw_list(
        invocation,
        users,
        ("Login", "Name", "Roles", "Can import"),
        lambda user: (user["login"], user["name"], ", ".join(user["roles"]), user["can_import"]),
        called="user",
        command=["users", "list", *as_words(where)],
        limit=limit,
    )
    console.show(*page, console.next_command("Replace them by a file", invocation.line("users", "load", "FILE.yaml")))


@vocabularies_app.command("load")
@everywhere
def load_vocabulary(
    invocation: Invocation,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name that profiles refer to, such as specialties.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Text file, one value per line.")],
) -> None:
    """Replace a vocabulary by the lines of a text file."""
    values = invocation.pipeline.store.load_vocabulary(name, file)
    if invocation.json:
        console.document({"name": name, "values": values})
    else:
        message = f"{number_of(len(values), 'value')} loaded into the vocabulary '{name}' from {file.name}."
        console.show(
            console.text(message, "bold"), console.next_command("See them", invocation.line("vocabularies", "list"))
        )


@vocabularies_app.command("list")
@everywhere
def list_vocabularies(invocation: Invocation, where: Where = None, limit: Limit = None) -> None:
    """List the vocabularies and their values."""
    found = invocation.pipeline.store.vocabularies()
    vocabularies = chosen([{"name": name, "values": values} for name, values in found.items()], where)
    if invocation.json:
        console.document(vocabularies[:limit])
        return
    page = draw_list(
        invocation,
        vocabularies,
        ("Vocabulary", "Count", "Values"),
        lambda each: (each["name"], f"{len(each['values']):,}", ", ".join(each["values"])),
        called="vocabulary",
        command=["vocabularies", "list", *as_words(where)],
        limit=limit,
    )
    load = invocation.line("vocabularies", "load", "NAME", "FILE.txt")
    console.show(*page, console.next_command("Replace one by a file", load))
