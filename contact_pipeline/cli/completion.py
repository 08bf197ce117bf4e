"""Shell completion of names: profiles, feeds, uploads, fields, states and formats.

It reads only the names of files: no database is opened and no home is made. After any error nothing is completed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Final

import typer

RECENT: Final = 30  # uploads, the newest first

_DATE_FORMATS: Final = (
    "YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "DD/MM/YY", "MM/DD/YY",
)  # fmt: skip

Completer = Callable[[typer.Context, str], list[str]]


def _quietly(names: Callable[[typer.Context], Iterable[str]]) -> Completer:
    """Makes a completer that gives the names that begin as typed; no names after an error."""

    @wraps(names)
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [name for name in names(ctx) if name.casefold().startswith(incomplete.casefold())]
        except Exception:  # noqa: BLE001 - a shell that completes nothing is better than one that prints a traceback
            return []

    complete.__annotations__ = {"ctx": typer.Context, "incomplete": str}  # typer passes arguments by annotation
    del complete.__wrapped__
    return complete


@_quietly
def profiles(ctx: typer.Context) -> list[str]:
    """Names of profiles, shipped and the home's."""
    from contact_pipeline.profiles.load import profile_names

    return profile_names(_home(ctx) / "profiles")


@_quietly
def export_profiles(ctx: typer.Context) -> list[str]:
    """Names of export profiles: every profile's, the home's own, and the two that are built in."""
    from contact_pipeline.profiles.load import profile_names

    home = _home(ctx)
    own = (file.stem for file in (home / "export_profiles").glob("*.yaml"))
    return sorted({"accounts", "contacts", *profile_names(home / "profiles"), *own})


@_quietly
def uploads(ctx: typer.Context) -> list[str]:
    """Ids of the newest uploads that have data in the home; an id begins with its time."""
    home = _home(ctx)
    folders = [folder for folder in (home / "staging", home / "uploads") if folder.is_dir()]
    ids = {entry.name for folder in folders for entry in folder.iterdir() if entry.name[:8].isdigit()}
    return sorted(ids, reverse=True)[:RECENT]


@_quietly
def feeds(ctx: typer.Context) -> list[str]:
    """Names of the home's feeds, and of those that fill it and are described elsewhere."""
    folder = _home(ctx) / "feeds"
    return sorted({file.stem for file in (*folder.glob("*.yaml"), *folder.glob(".elsewhere/*.json"))})


@_quietly
def fields(ctx: typer.Context) -> list[str]:
    """Fields of the profile that is named, or those that every contact can have."""
    return _fields(ctx)


@_quietly
def fields_to_fill(ctx: typer.Context) -> list[str]:
    """The same fields, each with an equals sign behind it."""
    return [f"{name}=" for name in _fields(ctx)]


@_quietly
def states(ctx: typer.Context) -> Iterable[str]:  # noqa: ARG001 - typer gives it to each
    """States of an upload."""
    from contact_pipeline.contracts.states import STATES

    return STATES


@_quietly
def date_formats(ctx: typer.Context) -> Iterable[str]:  # noqa: ARG001
    """Formats of dates."""
    return _DATE_FORMATS


def _fields(ctx: typer.Context) -> list[str]:
    name = ctx.params.get("profile")
    if name:
        from contact_pipeline.profiles.load import load_profile

        return [column.field for column in load_profile(name, _home(ctx) / "profiles").columns]
    from contact_pipeline.terms import CANONICAL

    return list(CANONICAL)


def _home(ctx: typer.Context) -> Path:
    """The home that the command line names, or else the default one."""
    at: object = ctx
    while at is not None:
        if given := getattr(at, "params", {}).get("home"):
            return Path(given)
        at = getattr(at, "parent", None)
    return Path(os.environ.get("CONTACT_PIPELINE_HOME") or "data")
