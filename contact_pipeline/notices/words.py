"""The text of a notice: fixed words, counts, and names from outside, made harmless."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from contact_pipeline.contracts.news import EVENTS, Event
from contact_pipeline.masking import mask
from contact_pipeline.store.news import COUNTS
from contact_pipeline.visible import visible

# All but letters, digits and signs that no mail program, chat or terminal takes for markup, a link or a mention.
_MARKUP: Final = re.compile(r"[^\w .,()+-]")
_LONGEST: Final = 100
_OF_ROWS: Final = {
    "rejected": ("Get the rejected rows, to correct and send again", "rejected {}"),
    "review": ("Get the rows in review, to decide", "in-review {}"),
}
_HAS_ROWS: Final = frozenset({"staged", "blocked", "applied", "held"})
_NOT_SAID: Final = frozenset({"processed", "blank"})


@dataclass(frozen=True, slots=True)
class News:
    """An event of an upload, a feed or the home, with the values of that time.

    Attributes:
        number: counts the news of a home.
        upload_id: the upload; empty for a feed and the home.
        file_name: of the upload; None for a feed and the home.
        counts: processed, the outcomes and deactivated → rows, or contacts.
    """

    number: int
    upload_id: str
    event: Event
    happened_at: datetime
    reason_code: str | None
    profile: str
    file_name: str | None
    user: str | None
    counts: Mapping[str, int]
    feed: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> News:
        """The news of a row of the table `news` with what the ledger has beside it."""
        names = ("number", "upload_id", "event", "happened_at", "reason_code", "profile", "file_name")
        counts = {name: record[name] for name in COUNTS}
        return cls(
            **{name: record[name] for name in names}, user=record["user_login"], counts=counts, feed=record["feed"]
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as it is sent: plain text. `good`: whether it is good news or a problem; None: neither."""

    subject: str
    body: str
    good: bool | None = None


def harmless(name: str | None) -> str:
    """A name from outside on one line, without anything that could be markup, a link, a mention or an escape."""
    shown = " ".join(visible(_MARKUP.sub("?", " ".join(mask(name or "").split()))).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def message(news: News, home: Path, address: str | None) -> Message:
    """The notice of a piece of news.

    Args:
        news: what happened.
        home: the home folder, for commands.
        address: of `serve`; None: unknown.
    """
    event, file = EVENTS[news.event], harmless(news.file_name)
    if news.upload_id:
        subject, what = file, "An upload"
    elif news.feed is not None:
        subject, what = f"Feed {harmless(news.feed)}", "A feed"
    else:
        subject, what = "The home", "The home"
    facts = {
        "File": file,
        "Feed": harmless(news.feed),
        "Profile": harmless(news.profile),
        "Upload": news.upload_id,
        "Sent by" if news.feed is None else "Owner": harmless(news.user),
        "When": f"{news.happened_at:%Y-%m-%d %H:%M} UTC",
        "Reason": harmless(news.reason_code),
        "Rows": _counted(news.counts),
    }
    lines = [f"{what} is {event.became}.", event.means, ""]
    lines += [f"{name + ':':<9} {value}" for name, value in facts.items() if value]
    lines.append("")
    commands = event.next | {
        why: command for name, (why, command) in _OF_ROWS.items() if news.counts[name] and news.event in _HAS_ROWS
    }
    lines += [
        f"{why}:\n  {_command(command.format(news.upload_id or news.feed), home)}" for why, command in commands.items()
    ]
    if address and news.upload_id:
        place = f"/assets/matched_changeset?view=partitions&partition={news.upload_id}"
        lines += ["", f"In Dagster:\n  {address.rstrip('/')}{place}"]
    lines += ["", f"Notice {news.number} of contact-pipeline. It holds no data of the file."]
    return Message(f"{subject}: {event.became}", "\n".join(lines) + "\n", event.good)


def test_message(target: str, home: Path) -> Message:
    """The notice by which a target is tested."""
    body = f"This is a test: notices to {target} arrive.\n\n  {_command('notices', home)}\n"
    return Message("Test of contact-pipeline", body)


def _counted(counts: Mapping[str, int]) -> str:
    found = [f"{count:,} {name}" for name, count in counts.items() if count and name not in _NOT_SAID]
    processed = counts["processed"]
    if not processed and not found:
        return ""
    return f"{processed:,} processed" + (f": {', '.join(found)}" if found else "")


def _command(words: str, home: Path) -> str:
    return visible(shlex.join(["contact-pipeline", *words.split(), "--home", str(home.absolute())]))
