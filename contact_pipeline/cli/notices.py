"""`notices`: lists, checks, tests and sends the notices by the rules of notices.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation, everywhere
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, more, most
from contact_pipeline.cli.reference_data import PANEL
from contact_pipeline.cli.telling import warn_of_problems
from contact_pipeline.errors import number_of

if TYPE_CHECKING:
    from contact_pipeline.notices.queue import Notice

app = typer.Typer()
notices_app = typer.Typer(invoke_without_command=True)
app.add_typer(notices_app, name="notices", rich_help_panel=PANEL)


@notices_app.callback()
@everywhere
def list_notices(invocation: Invocation, where: Where = None, limit: Limit = None) -> None:
    """List what people were told: what waits, was sent or failed, and why; the newest first."""
    if invocation.nested:
        return
    found = invocation.light_pipeline.notices()
    if where:
        fitting = [notice.as_dict() for notice in found]
        kept = [id(each) for each in chosen(fitting, where)]
        found = [notice for notice, each in zip(found, fitting, strict=True) if id(each) in kept]
    if invocation.json:
        console.document([notice.as_dict() for notice in found[:limit]])
        return
    if not found:
        console.show(console.text("Nobody was told of anything yet.", "bold"))
        return
    shown = found[: most(limit)]
    console.show(
        console.text(f"{number_of(len(found), 'notice')}.", "bold"),
        console.rows(("About", "Is", "To", "Notice"), [_row(notice) for notice in shown]),
        *more(invocation, len(found) - len(shown), ["notices", *as_words(where), "--limit", len(found)]),
    )
    if any(notice.state == "waiting" for notice in found):
        console.show(console.next_command("Send what waits", invocation.line("notices", "send")))
    if any(notice.state in {"failed", "unsure"} for notice in found):
        console.show(console.next_command("Try the others once more", invocation.line("notices", "send", "--again")))


@notices_app.command("check")
@everywhere
def check_notices(invocation: Invocation) -> None:
    """Check notices.yaml: its keys, names and words, and whether every target's address is there. Sends nothing."""
    rules = invocation.light_pipeline.check_notices()
    if invocation.json:
        console.document(rules.model_dump(mode="json"))
        return
    rows = [(", ".join(rule.to), ", ".join(rule.on), _all(rule.profiles), _all(rule.users)) for rule in rules.notices]
    console.show(
        console.text("Everything in it can be used from here.", "bold green"),
        console.table(("To", "On", "Profiles", "Users"), rows),
        *(console.next_command(f"Test {name}", invocation.line("notices", "test", name)) for name in rules.targets),
    )


@notices_app.command("test")
@everywhere
def test_target(
    invocation: Invocation,
    target: Annotated[str, typer.Argument(metavar="NAME", help="A target of notices.yaml.")],
) -> None:
    """Send a test to one target, now."""
    with console.busy(f"Sending a test to {target}"):
        invocation.light_pipeline.test_notice(target)
    if invocation.json:
        console.document({"target": target, "sent": True})
    else:
        console.show(console.text(f"A test was sent to {target}.", "bold"))


@notices_app.command("send")
@everywhere
def send_notices(
    invocation: Invocation,
    again: Annotated[
        bool,
        typer.Option("--again", help="Also those that failed, and those of which nobody knows whether they arrived."),
    ] = False,
) -> None:
    """Send all that waits, now. What was sent is never sent again."""
    with console.busy("Sending notices"):
        sent = invocation.light_pipeline.send_notices(due=False, again=again)
    if invocation.json:
        console.document(sent.as_dict())
        return
    console.show(console.text(f"{number_of(sent.sent, 'notice')} sent, {sent.waiting:,} waiting.", "bold"))
    warn_of_problems(sent)


def _row(notice: Notice) -> tuple[object, ...]:
    match notice.state:
        case "sent":
            state = f"sent {notice.changed_at:%Y-%m-%d %H:%M} UTC"
        case "waiting" if notice.tries:
            state = f"waiting, tried {notice.tries}×, next {notice.due_at:%H:%M} UTC: {notice.problem}"
        case _:
            state = f"{notice.state}: {notice.problem}" if notice.problem else notice.state
    return notice.news.upload_id or notice.news.feed or "the home", notice.news.event, notice.target, state


def _all(names: list[str] | None) -> str:
    return "all" if names is None else ", ".join(names)
