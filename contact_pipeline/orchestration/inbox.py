"""The inbox: `<home>/inbox/<profile>/`, what lies there to be taken, and what its options files say."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.options import choose
from contact_pipeline.store.originals import OPTIONS_SUFFIX, is_ordinary

_LEFT_ALONE = (".part", ".tmp", OPTIONS_SUFFIX)
_NOT_OPTIONS = {"file", "profile", "move", "problem"}  # said by where the file lies
_NOT_OF_PROFILES = {"user", "force"}  # options of any upload


@dataclass(frozen=True, slots=True)
class Drop:
    """A file that lies in the inbox. It may still be growing: compare two looks at it."""

    path: Path
    size: int
    changed_ns: int

    @property
    def profile(self) -> str:
        """The profile that it is dropped for."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """Where it lies in the inbox."""
        return f"{self.profile}/{self.path.name}"

    @property
    def look(self) -> list[int]:
        """What must be equal in two looks for the file to have stood still."""
        return [self.size, self.changed_ns]

    @property
    def options_path(self) -> Path:
        """The options file that goes with it."""
        return self.path.with_name(self.path.name + OPTIONS_SUFFIX)


def drops(inbox: Path) -> Iterator[Drop]:
    """Every ordinary file that lies in a profile's folder, in the order of their names.

    Left alone are hidden files, unfinished ones (`.part`, `.tmp`), options files, links, devices and folders.
    """
    for folder in sorted(inbox.iterdir()) if inbox.is_dir() else ():
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name.casefold().endswith(_LEFT_ALONE):
                continue
            found = _ordinary(path)
            if found is not None:
                yield Drop(path, found.st_size, found.st_mtime_ns)


def read_options(drop: Drop, profiles: Path) -> tuple[dict[str, Any], Refusal | None]:
    """The options that lie beside a file, by their names in Python, and what is wrong with the options file.

    Args:
        drop: the file.
        profiles: the folder of the user's own profiles; whatever its profile does not offer is wrong, too.
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
    said = f"{path.name}, line {line}: {problem.message}"
    return {}, Refusal(
        problem.code, said, problem.fix, file=path.name, details={**problem.details, "line_number": line}
    )


def _parse(path: Path, content: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The options by their names in Python, and the line on which each stands.

    Raises:
        Refusal: it holds something else, an option twice, or one that cannot be given here.
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
    """What is wrong with one of the options for that profile; a profile that is unknown is refused elsewhere."""
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


def _ordinary(path: Path) -> os.stat_result | None:
    """The file's status; None when it is gone or no ordinary file (links are not followed)."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _where(error: Exception) -> str:
    """The line, where the parser says it, and the key that stands there."""
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
