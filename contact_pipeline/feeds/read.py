"""Finds and reads the feeds of a home: `feeds/NAME.yaml`; a broken one does not hide the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.feeds.elsewhere import find_elsewhere
from contact_pipeline.feeds.model import Feed
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.options import choose
from contact_pipeline.profiles.problems import (
    Place,
    Problem,
    cannot_be_used,
    meant,
    placed,
    read_file,
    validated,
    yaml_files,
)
from contact_pipeline.settings import Settings
from contact_pipeline.visible import visible
from contact_pipeline.yaml_text import line_of

_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_TWO_KINDS: Final = {"after": (dict, "Move"), "notices": (list, "list[")}  # keys that hold either this, or a word
_NOT_HERE: Final = {"user": "`owner` says whose the uploads are", "force": "a file is fetched once"}


def find_feeds(settings: Settings) -> dict[str, Feed | Refusal]:
    """Every feed of the home by name, or why its file cannot be used."""
    found: dict[str, Feed | Refusal] = {}
    for file in yaml_files(settings.feeds_path):
        try:
            found[file.stem] = _read(file)
        except Refusal as refusal:
            found[file.stem] = refusal
    return found


def load_feed(name: str, settings: Settings) -> Feed:
    """The feed of that name. Whether its profile and options can be used is not tested.

    Raises:
        Refusal: there is no such feed (code `feed-unknown`), or its file cannot be used (`feed-broken`); all problems
            are listed.
    """
    files = {file.stem: file for file in yaml_files(settings.feeds_path)}
    if name not in files:
        hint = meant(name, files).capitalize()
        known = f"Feeds: {listed(files)}." if files else f"Describe one in {settings.feeds_path}/NAME.yaml."
        raise Refusal("feed-unknown", f"There is no feed '{visible(name)}'.", f"{known} {hint}".strip())
    return _read(files[name])


def check_feed(name: str, settings: Settings) -> Feed:
    """The feed of that name, if its profile and options can be used as well. It may be one that is described elsewhere.

    Raises:
        Refusal: as `load_feed`; profile and options count as part of the file.
    """
    elsewhere = find_elsewhere(settings).get(name)
    if elsewhere is not None and name not in {file.stem for file in yaml_files(settings.feeds_path)}:
        return usable(elsewhere.feed, settings)
    feed = load_feed(name, settings)
    file = settings.feeds_path / f"{name}.yaml"
    problems = list(_problems_of_options(feed, file, settings))
    if problems:
        raise _broken(file, problems)
    return feed


def is_elsewhere(name: str, settings: Settings) -> bool:
    """Whether a feed is described outside of the home, and by no file in it."""
    return name not in {file.stem for file in yaml_files(settings.feeds_path)} and name in find_elsewhere(settings)


def usable(feed: Feed, settings: Settings) -> Feed:
    """A feed that no file of the home describes, if its profile and options can be used.

    Raises:
        Refusal: they cannot be used.
    """
    for name in feed.options:
        if name in _NOT_HERE:
            raise Refusal("feed-broken", f"'{name}' is no option of a feed: {_NOT_HERE[name]}.", "Leave it out.")
    choose(load_profile(feed.profile, settings.profiles_path), options_of(feed))
    return feed


def options_of(feed: Feed) -> dict[str, object]:
    """The options of a feed's uploads by their names in Python."""
    return {name.replace("-", "_"): value for name, value in feed.options.items()}


def _read(file: Path) -> Feed:
    if not _NAME.fullmatch(file.stem):
        message = "the name of the file has signs that a feed may not have: use letters, digits and _, 40 at most"
        raise _broken(file, [Problem(None, "", message)])
    text, content, problems = read_file(file, "a feed")
    if not isinstance(content, dict):
        raise _broken(file, problems)
    feed, found = validated(content, Feed, quoting=False)  # the file may contain a password anywhere
    problems += placed(text, _problems_of_given_kind(found, content))
    if problems or feed is None:
        raise _broken(file, problems)
    return feed


def _problems_of_given_kind(found: list[tuple[Place, str]], content: dict[Any, Any]) -> Iterator[tuple[Place, str]]:
    """The problems of a file; for a key that takes two kinds of values, only those of the kind that is given."""
    for place, reason in found:
        if len(place) > 1 and place[0] in _TWO_KINDS:
            kind, named = _TWO_KINDS[str(place[0])]
            if isinstance(content[place[0]], kind) != (named in str(place[1])):
                continue
            yield (place[0], *place[2:]), reason
        else:
            yield place, reason


def _problems_of_options(feed: Feed, file: Path, settings: Settings) -> Iterator[Problem]:
    text = file.read_text(encoding="utf-8")
    for name in feed.options:
        if name in _NOT_HERE:
            yield Problem(line_of(text, ("options", name)), f"options.{name}", f"is no option here: {_NOT_HERE[name]}")
            return
    try:
        choose(load_profile(feed.profile, settings.profiles_path), options_of(feed))
    except Refusal as refusal:
        option = refusal.details.get("option")
        spelled = next((name for name in feed.options if name.replace("-", "_") == option), None)
        place = ("options", spelled) if spelled else ("profile",)
        yield Problem(line_of(text, place), ".".join(place), f"{refusal.message} {refusal.fix}".strip(". "))


def _broken(file: Path, problems: list[Problem]) -> Refusal:
    message = cannot_be_used("Feed", file, problems)
    return Refusal("feed-broken", message.message, message.fix, file=message.file, details=message.details)
