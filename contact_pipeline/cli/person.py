"""Finds the contact that a command is about, and asks questions: which of several contacts, and whether to go on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation
from contact_pipeline.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contact_pipeline.finding.who import Fitting

Who = Annotated[
    str,
    typer.Argument(metavar="WHO", help="Id, e-mail address, phone number or full name of a contact."),
]


def identify(
    invocation: Invocation,
    who: str,
    *,
    address_book: str | None = None,
    linked_are_one: bool = False,
    ask: bool = True,
) -> Fitting:
    """The contact that a word means. Where several fit, somebody at a terminal is asked which.

    Args:
        invocation: of the command.
        who: the word.
        address_book: only contacts of this address book.
        linked_are_one: whether linked contacts count as one.
        ask: whether to ask at all.

    Raises:
        Refusal: nobody fits (code `contact-unknown`), or several do and nobody chooses (`contact-ambiguous`).
    """
    from contact_pipeline.finding.who import must_be_one

    pipeline = invocation.pipeline
    found = pipeline.who(who, address_book=address_book, linked_are_one=linked_are_one)
    if len(found) > 1 and ask and may_ask(invocation):
        return _asked(who, found)
    return must_be_one(who, found)


def may_ask(invocation: Invocation) -> bool:
    """Whether somebody at a terminal can answer."""
    return not invocation.json and sys.stdin.isatty() and sys.stderr.isatty()


def _asked(who: str, found: Sequence[Fitting]) -> Fitting:
    """The contact that somebody at the terminal chooses by its id."""
    rows = [
        (
            str(each.contact_id),
            each.name,
            each.email,
            each.phone,
            each.address_book,
            "" if each.active else "deactivated",
        )
        for each in found
    ]
    console.err().print(console.text(f"{len(found)} contacts fit '{who}':"))
    console.err().print(console.table(("Contact", "Name", "Email", "Phone", "Address book", ""), rows))
    by_id = {str(each.contact_id): each for each in found}
    while (answer := typer.prompt("Id of the one that is meant", err=True).strip()) not in by_id:
        console.err().print(console.text("That is none of these ids. Ctrl-C ends the command.", "yellow"))
    return by_id[answer]


def confirmed(question: str) -> bool:
    """Asks whether to go on; no answer is a no."""
    sys.stderr.write(f"{visible(question)} [y/N]: ")  # typer.confirm would write to stdout, too
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    return answer.strip().casefold() in {"y", "yes"}
