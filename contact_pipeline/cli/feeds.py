"""`feeds`: lists the feeds with their last and next runs, checks them, and runs one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.endings import DONE, REFUSED
from contact_pipeline.cli.invocation import Invocation, everywhere
from contact_pipeline.cli.uploads import PANEL
from contact_pipeline.contracts.states import ENDED_WITHOUT
from contact_pipeline.errors import ContactPipelineError, Refusal, number_of
from contact_pipeline.pages.shown import size

if TYPE_CHECKING:
    from datetime import datetime

    from contact_pipeline.feeds.run import FeedRun, FetchedFile
    from contact_pipeline.feeds.source import Checked
    from contact_pipeline.feeds.status import FeedStatus

app = typer.Typer()
feeds_app = typer.Typer(invoke_without_command=True)
app.add_typer(feeds_app, name="feeds", rich_help_panel=PANEL)

_SHOWN = 20  # files

FeedName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name of a feed; `feeds` lists them.", autocompletion=completion.feeds),
]


@feeds_app.callback()
@everywhere
def list_feeds(invocation: Invocation) -> None:
    """List the feeds: what each did last, what it does next, and whether it is overdue or broken, and why.

    Those that a Dagster project describes are listed once they have run there, or were looked at.
    """
    if invocation.nested:
        return
    found = invocation.light_pipeline.feeds()
    if invocation.json:
        console.document([status.as_dict() for status in found])
        return
    if not found:
        path = invocation.settings.feeds_path / "NAME.yaml"
        console.show(
            console.text("No feed.", "bold"),
            console.text(f"Describe one in {path}: the guide has an example (Fetch files again and again)."),
        )
        return
    wrong = [status for status in found if status.problem or status.missed_at]
    console.show(
        console.text(f"{number_of(len(found), 'feed')}{_counted(found)}.", "bold"),
        console.table(("Feed", "Profile", "Last", "Next", "Newest file"), [_row(status) for status in found]),
        *(console.text(f"{status.name} is described in {status.place}.") for status in found if _is_elsewhere(status)),
        *(console.text(f"{status.name}: {why}", "yellow") for status in wrong for why in _why(status)),
        console.next_command("Fetch now", invocation.line("feeds", "run", (wrong or found)[0].name)),
    )


@feeds_app.command("check")
@everywhere
def check_feed(
    invocation: Invocation,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of a feed; unset: all of them.", autocompletion=completion.feeds),
    ] = None,
) -> int:
    """Check a feed, or all: file, profile, options, and whether its source is reached; say what would be fetched."""
    pipeline = invocation.light_pipeline
    names = [name] if name is not None else [status.name for status in pipeline.feeds()]
    checked: list[Checked] = []
    problems: dict[str, Refusal] = {}
    for each in names:
        try:
            with console.busy(f"Looking at the source of {each}"):
                checked.append(pipeline.check_feed(each))
        except Refusal as refusal:
            if name is not None:
                raise
            problems[each] = refusal
    if invocation.json:
        found = [each.as_dict() | {"problem": None} for each in checked]
        found += [{"name": each, "problem": refusal.as_dict()} for each, refusal in problems.items()]
        console.document(found[0] if name is not None else found)
    else:
        for feed in checked:
            console.show(*_draw_check(invocation, feed))
        for each, problem in problems.items():
            console.say(console.err(), console.text(f"{each} cannot be used:", "bold"))
            console.refusal(problem)
        if not names:
            console.show(console.text("No feed.", "bold"))
    return REFUSED if problems else DONE


@feeds_app.command("run")
@everywhere
def run_feed(
    invocation: Invocation,
    name: FeedName,
    again: Annotated[
        bool, typer.Option("--again", help="Also files whose upload was refused, failed or was cancelled.")
    ] = False,
) -> int:
    """Fetch what is new of a feed, stage it, and apply it where its profile applies by itself; a line for each file."""
    with console.busy(f"Fetching {name}"):
        try:
            run = invocation.pipeline.run_feed(name, stage=True, again=again)
        finally:
            with suppress(ContactPipelineError):  # an error of the run must not be hidden
                invocation.pipeline.missed_feeds()
    if invocation.json:
        console.document(run.as_dict())
    else:
        console.show(*_draw_run(invocation, run))
    if run.defects:  # all else of the run is done
        raise run.defects[0]
    stopped = any(upload.state in ENDED_WITHOUT or upload.line.is_given_up for upload in run.uploads)
    return REFUSED if run.problem or stopped else DONE


def _counted(found: list[FeedStatus]) -> str:
    broken = sum(1 for status in found if status.problem)
    overdue = sum(1 for status in found if status.missed_at)
    counts = [f"{count:,} {word}" for count, word in ((broken, "broken"), (overdue, "overdue")) if count]
    return f"; {' and '.join(counts)}" if counts else ""


def _is_elsewhere(status: FeedStatus) -> bool:
    return status.place != f"feeds/{status.name}.yaml"


def _row(status: FeedStatus) -> tuple[object, ...]:
    state, feed = status.state, status.feed
    if feed is None:
        last = console.text_as_it_is("cannot be used", "bold red")
    elif state is None or state.ended is None:
        last = console.text("never ran")
    else:
        words = {"broken": "broken", "nothing": "nothing new", "fetched": "fetched"}
        style = "bold red" if state.ended == "broken" else ""
        last = console.text_as_it_is(f"{words[state.ended]}, {_moment(state.ran_at)}", style)
    newest: object = _moment(state.file_at) if state else ""
    following = "when asked" if feed is not None and status.next_at is None else _moment(status.next_at)
    if status.missed_at is not None:
        newest = console.text_as_it_is(f"overdue{f', {newest}' if newest else ''}", "bold red")
    return status.name, feed.profile if feed else "", last, following, newest


def _why(status: FeedStatus) -> list[str]:
    sentences = []
    if status.problem:
        sentences.append(f"{status.problem['message']} {status.problem['fix']}")
    if status.missed_at is not None:
        sentences.append(f"a file was due by {_moment(status.missed_at)}, and none has come.")
    return sentences


def _draw_check(invocation: Invocation, found: Checked) -> list[Any]:
    page: list[Any] = [
        console.text(f"{found.name} can be used, and its source was reached.", "bold green"),
        console.facts(
            {
                "title": found.feed.title,
                "source": found.feed.source,
                "profile": found.feed.profile,
                "known": f"{number_of(found.known, 'file')}, as before" if found.known else None,
                "not complete": number_of(found.unfinished, "file") if found.unfinished else None,
            }
        ),
        *(console.text(f"Note: {name} {why}", "yellow") for name, why in found.strays.items()),
    ]
    if not found.new:
        return [*page, console.text("Nothing would be fetched.")]
    rows = [(each.shown, "" if each.size is None else size(each.size)) for each in found.new[:_SHOWN]]
    page.append(console.table((f"{number_of(len(found.new), 'file')} would be fetched", "Size"), rows))
    if len(found.new) > _SHOWN:
        page.append(console.text(f"And {len(found.new) - _SHOWN:,} more."))
    return [*page, console.next_command("Fetch now", invocation.line("feeds", "run", found.name))]


def _draw_run(invocation: Invocation, run: FeedRun) -> list[Any]:
    fetched = len(run.received)
    headline = f"{number_of(fetched, 'file')} fetched by {run.feed}" if fetched else f"Nothing new of {run.feed}"
    others = [(run.known, "as before"), (run.waiting, "not complete yet")]
    counts = "".join(f"; {count:,} {word}" for count, word in others if count)
    page: list[Any] = [console.text(f"{headline}{counts}.", "bold")]
    page += [console.text(_line(file), "red" if file.problem else "") for file in run.files]
    page += [console.text(f"Note: {name} {why}", "yellow") for name, why in run.strays.items()]
    if run.missed_at is not None:
        page.append(console.text(f"Overdue: a file was due by {_moment(run.missed_at)}.", "bold red"))
    if fetched:
        page.append(console.next_command("Look at them", invocation.line("uploads", "--feed", run.feed)))
    return page


def _line(file: FetchedFile) -> str:
    sentences = [f"{file.name}:"]
    if file.upload is not None:
        reason = file.upload.reason or {}
        sentences.append(f"upload {file.upload.upload_id}, {file.upload.state}.")
        sentences += [str(reason[name]) for name in ("message", "fix") if reason.get(name)]
    if file.left is not None:
        sentences.append(f"{file.left.message} {file.left.fix}")
    return " ".join(sentences)


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
