"""The inbox, `<home>/inbox/<profile>/`: finds the files to take, waits until they settle, and reads options files."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from contact_pipeline.errors import Refusal
from contact_pipeline.masking import mask_file_name
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.options import choose
from contact_pipeline.store.arrival import Seen
from contact_pipeline.store.originals import GIVEN_BACK, OPTIONS_SUFFIX, display_name, is_ordinary
from contact_pipeline.store.source import Source, is_unfinished, look_of

NOTICE: Final = "NOT_TAKEN.txt"  # file in the inbox that lists what is not taken

ALONE_SECONDS: Final = 600  # how long an options file, which comes first, may lie in the inbox without its file

_NOT_OPTIONS = {"file", "profile", "move", "problem"}  # given by the place of the file
_NOT_OF_PROFILES = {"user", "force", "continues"}  # options of any upload


@dataclass(frozen=True, slots=True)
class Drop:
    """A file that lies in the inbox, and how it and its options file look. It may still be growing."""

    path: Path
    seen: Seen

    @property
    def profile(self) -> str:
        """The profile, which is the name of the folder."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """Where it lies in the inbox."""
        return f"{self.profile}/{self.path.name}"

    @property
    def shown(self) -> str:
        """Its name as it may be shown and kept: printable, with what looks sensitive masked."""
        return shown(self.name)

    @property
    def key(self) -> str:
        """Its key from one look at the inbox to the next. Masked names can be equal, so the inode is part of it."""
        return f"{self.shown}:{self.inode}"

    @property
    def look(self) -> list[int]:
        """Sizes, times and inodes: equal as long as nobody changes the file or its options file."""
        return [*self.seen.file, *(self.seen.options or ())]

    @property
    def inode(self) -> int:
        """The number that a file keeps when it is renamed."""
        return self.seen.file[-1]

    @property
    def options_path(self) -> Path:
        """The options file that goes with it."""
        return self.path.with_name(self.path.name + OPTIONS_SUFFIX)


@dataclass(slots=True)
class Found:
    """What lies in the inbox.

    Attributes:
        drops: ordinary files that lie in a profile's folder, in the order of their names.
        unfinished: files whose names say that they are not complete (hidden ones, `.part`, `.tmp`) → their inodes.
        strays: place of something that is never taken → why, and what to do.
    """

    drops: list[Drop] = field(default_factory=list)
    unfinished: dict[str, int] = field(default_factory=dict)
    strays: dict[str, str] = field(default_factory=dict)


def shown(name: str) -> str:
    """A place in the inbox as it may be shown and kept."""
    return mask_file_name(display_name(name))


def look_through(inbox: Path, profiles: Collection[str] | None = None) -> Found:
    """Everything that lies in the inbox. Links are not followed.

    Args:
        inbox: the folder.
        profiles: all profiles; unset: folders with other names are not reported.
    """
    found = Found()
    for place in _entries(inbox):
        if place.name.startswith(".") or place.name == NOTICE:
            continue
        if place.is_symlink():
            found.strays[place.name] = "is a link, which is not followed. Put a folder in its place."
        elif not place.is_dir(follow_symlinks=False):
            found.strays[place.name] = "lies in the inbox itself. Move it into the folder of its profile."
        else:
            if profiles is not None and place.name not in profiles:
                found.strays[place.name] = "is named as no profile. Rename it; `contact-pipeline profiles` lists them."
            _look_into(Path(place.path), found)
    return found


def _look_into(folder: Path, found: Found) -> None:
    """Adds what lies in the folder of a profile."""
    for place in _entries(folder):
        name = f"{folder.name}/{place.name}"
        try:
            status = place.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        ordinary = stat.S_ISREG(status.st_mode)
        if is_unfinished(place.name):
            found.unfinished |= {name: status.st_ino} if ordinary else {}
        elif place.name == GIVEN_BACK:
            continue
        elif ordinary and place.name.casefold().endswith(OPTIONS_SUFFIX):
            its_file = Path(place.path[: -len(OPTIONS_SUFFIX)])
            if status.st_mtime < time.time() - ALONE_SECONDS and not os.path.lexists(its_file):
                found.strays[name] = (
                    "has lain there for ten minutes without its file. Put that beside it, or delete it."
                )
        elif ordinary:
            path = Path(place.path)
            options = _status(path.with_name(path.name + OPTIONS_SUFFIX))
            found.drops.append(Drop(path, Seen(look_of(status), look_of(options) if options else None)))
        else:
            found.strays[name] = f"is {_kind(status.st_mode)}, which is not taken. Put an ordinary file in its place."


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    return "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"


def write_notice(inbox: Path, strays: Mapping[str, str]) -> None:
    """Writes the file in the inbox that lists what is not taken; deletes it where everything is taken."""
    path = inbox / NOTICE
    content = "".join(f"{shown(name)!r} {why}\n" for name, why in strays.items())
    if not content:
        path.unlink(missing_ok=True)
    elif not is_ordinary(path) or path.read_text(encoding="utf-8") != content:
        new = inbox / f".{NOTICE}"
        new.unlink(missing_ok=True)
        with new.open("x", encoding="utf-8") as file:
            file.write(content)
        new.replace(path)


class Settling:
    """Which files have stood still for long enough, from one look at the inbox to the next.

    A file that was renamed from an unfinished name, such as `a.csv.part`, counts as complete at once.
    """

    def __init__(self, kept: str | None, seconds: float) -> None:
        """Continues from the text that `kept` gave at the last look."""
        self._seconds = seconds
        self._since: dict[str, list[float]] = {}
        self._unfinished: dict[str, int] = {}
        self._strays: list[str] = []
        with suppress(ValueError, TypeError, AttributeError):  # the text is from an older version
            before = json.loads(kept or "{}")
            self._since = {key: [*since] for key, since in dict(before.get("since", {})).items()}
            self._unfinished = dict(before.get("unfinished", {}))
            self._strays = list(before.get("strays", ()))
        self._next: dict[str, list[float]] = {}

    def has_settled(self, drop: Drop) -> bool:
        """Whether a file has stood still for long enough; remembers it for the next look."""
        now = time.monotonic()
        since, *look = self._since.get(drop.key) or [now]
        if look != drop.look or since > now:  # the machine was started anew
            self._next[drop.key] = [now, *drop.look]
            return self._was_renamed(drop)
        self._next[drop.key] = [since, *look]
        return now - since >= self._seconds

    def _was_renamed(self, drop: Drop) -> bool:
        """Whether the file was seen before under a name that holds its own, as in `a.csv.part` or `.a.csv.k3jd`."""
        return any(
            inode == drop.inode and drop.shown.partition("/")[2] in name and name.startswith(f"{drop.profile}/")
            for name, inode in self._unfinished.items()
        )

    def taken(self, drop: Drop) -> None:
        """Forgets a file that is gone from the inbox."""
        self._next.pop(drop.key, None)

    def new_strays(self, found: Found) -> dict[str, str]:
        """The strays that earlier looks did not report."""
        return {name: why for name, why in found.strays.items() if shown(name) not in self._strays}

    def kept(self, found: Found) -> str:
        """The state for the next look, as text."""
        unfinished = {shown(name): inode for name, inode in found.unfinished.items()}
        return json.dumps({"since": self._next, "unfinished": unfinished, "strays": [*map(shown, found.strays)]})

    @property
    def waiting(self) -> int:
        """How many files are not taken yet."""
        return len(self._next)


def is_written(drop: Drop) -> bool | None:
    """Whether somebody has the file or its options file open for writing; None where the machine cannot tell."""
    answers = []
    for path in (drop.path, drop.options_path) if drop.seen.options else (drop.path,):
        try:
            with Source(path, follow_links=False) as source:
                answers.append(source.is_written())
        except OSError:  # gone or unreadable: receiving the file reports it
            answers.append(False)
    return True if True in answers else None if None in answers else False


def is_among(drop: Drop, files: frozenset[tuple[int, int]]) -> bool:
    """Whether the file or its options file is one of these devices and inodes."""
    inodes = [look[-1] for look in (drop.seen.file, drop.seen.options) if look]
    device = drop.path.parent.stat().st_dev
    return any((device, inode) in files for inode in inodes)


def read_options(drop: Drop, profiles: Path) -> tuple[dict[str, Any], Refusal | None]:
    """The options that lie beside a file, by their names in Python, and what is wrong with the options file.

    Args:
        drop: the file.
        profiles: the folder of the user's own profiles; options that the file's profile does not offer are wrong, too.
    """
    path = drop.options_path
    if not os.path.lexists(path):
        return {}, None
    if not is_ordinary(path):
        return {}, _wrong(path, "is a link, a device or a folder, and is not read")
    try:
        options, lines = _parse(path, path.read_text(encoding="utf-8-sig"))
    except Refusal as refusal:
        return {}, refusal
    except (UnicodeDecodeError, yaml.YAMLError, OSError) as error:
        return {}, _wrong(path, f"is not readable as YAML{_where(error)}")
    problem = _not_offered(drop.profile, options, profiles)
    if problem is None:
        return options, None
    line = lines[str(problem.details["option"])]
    message = f"{path.name}, line {line}: {problem.message}"
    return {}, Refusal(
        problem.code, message, problem.fix, file=path.name, details={**problem.details, "line_number": line}
    )


def _parse(path: Path, content: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The options by their names in Python, and the line on which each stands.

    Raises:
        Refusal: the file holds something else, an option twice, or an option that cannot be given here.
    """
    root = yaml.compose(content, yaml.SafeLoader)
    if root is None:
        return {}, {}
    if not isinstance(root, yaml.MappingNode):
        raise _wrong(path, "holds no options")
    lines: dict[str, int] = {}
    for key, _ in root.value:
        name, line = str(key.value).replace("-", "_"), key.start_mark.line + 1
        if name in _NOT_OPTIONS:
            raise _wrong(path, f"gives '{key.value}' on line {line}, which is no option")
        if name in lines:
            raise _wrong(path, f"gives '{key.value}' twice, on lines {lines[name]} and {line}")
        lines[name] = line
    options = yaml.safe_load(content)
    return {str(name).replace("-", "_"): value for name, value in options.items()}, lines


def _not_offered(profile: str, options: dict[str, Any], profiles: Path) -> Refusal | None:
    """What is wrong with one of the options for that profile. An unknown profile is refused elsewhere."""
    try:
        choose(load_profile(profile, profiles), {n: value for n, value in options.items() if n not in _NOT_OF_PROFILES})
    except Refusal as refusal:
        return refusal if refusal.details.get("option") in options else None
    return None


def owner(path: Path) -> str:
    """The login of the file's owner on this machine; the number of the user where it has no login."""
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _status(path: Path) -> os.stat_result | None:
    """The file's status; None when it is gone or no ordinary file (links are not followed)."""
    try:
        found = path.lstat()
    except OSError:  # gone, or a name that no file can have
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _where(error: Exception) -> str:
    """The line that the parser names, if it does, and the key on it."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return ""
    lines = (mark.buffer or "").split("\0")[0].splitlines()
    key = lines[mark.line].partition(":")[0].strip() if mark.line < len(lines) and ":" in lines[mark.line] else ""
    return f": line {mark.line + 1}" + (f", at '{key}'" if key else "")


def _wrong(path: Path, what: str) -> Refusal:
    return Refusal(
        "options-file",
        f"{path.name} {what}.",
        "Give one option per line, as in `group: Spring`, and drop the file again.",
        file=path.name,
    )
