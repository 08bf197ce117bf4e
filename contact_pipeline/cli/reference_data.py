"""Commands for what profiles refer to: users with their roles, and vocabularies of registered values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation, everywhere, group

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
        console.show(console.text(f"{len(users):,} users loaded from {file.name}."))


@users_app.command("list")
@everywhere
def list_users(invocation: Invocation) -> None:
    """List the users with their roles, and whether they may import."""
    users = invocation.pipeline.store.users()
    if invocation.json:
        console.document([user.model_dump() for user in users])
        return
    rows = [(user.login, user.name, ", ".join(user.roles), user.can_import) for user in users]
    console.show(console.table(("Login", "Name", "Roles", "Can import"), rows))


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
        console.show(console.text(f"{len(values):,} values loaded into the vocabulary '{name}' from {file.name}."))


@vocabularies_app.command("list")
@everywhere
def list_vocabularies(invocation: Invocation) -> None:
    """List the vocabularies and their values."""
    vocabularies = invocation.pipeline.store.vocabularies()
    if invocation.json:
        console.document([{"name": name, "values": values} for name, values in vocabularies.items()])
        return
    rows = [(name, f"{len(values):,}", ", ".join(values)) for name, values in vocabularies.items()]
    console.show(console.table(("Vocabulary", "Values", ""), rows))
