"""Feeds that no file of the home describes, such as the components of a Dagster project.

Whoever runs such a feed says where it is described. The home keeps that, so that `feeds` and the metrics can list it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contact_pipeline.feeds.model import Feed
from contact_pipeline.machine import put_in_place
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A feed that is described outside of the home.

    Attributes:
        feed: the feed as it was when it last ran, or was looked at.
        place: where it is described, such as the folder of its component.
    """

    feed: Feed
    place: str


def note_elsewhere(settings: Settings, name: str, feed: Feed, place: str) -> None:
    """Keeps what a feed is and where it is described; the home is written only if that has changed."""
    known = find_elsewhere(settings).get(name)
    if known != Elsewhere(feed, place):
        document = {"described_in": place, "feed": feed.model_dump(mode="json", exclude_unset=True)}
        with owner_only():
            _folder(settings).mkdir(parents=True, exist_ok=True)
            with put_in_place(_folder(settings) / f"{name}.json") as path:
                path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def find_elsewhere(settings: Settings) -> dict[str, Elsewhere]:
    """The feeds that are described elsewhere, by name. What another version has written may be left out."""
    found = {}
    for path in sorted(_folder(settings).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            document = json.loads(path.read_text(encoding="utf-8"))
            found[path.stem] = Elsewhere(Feed.model_validate(document["feed"]), str(document["described_in"]))
    return found


def _folder(settings: Settings) -> Path:
    return settings.feeds_path / ".elsewhere"
