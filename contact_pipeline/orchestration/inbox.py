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

OPTIONS_SUFFIX = ".options.yaml"
REFUSED = "refused"

_LEFT_ALONE = (".part", ".tmp", OPTIONS_SUFFIX)
_NOT_OPTIONS = {"file", "profile", "move", "problem"}  # said by where the file lies


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


def read_options(drop: Drop) -> tuple[dict[str, Any], Refusal | None]:
    """The options that lie beside a file, by their names in Python, and what is wrong with the options file."""
    path = drop.options_path
    if _ordinary(path) is None:
        return {}, None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        return {}, _wrong(path, f"is not readable as YAML{_where(error)}")
    if not isinstance(content, dict):
        return {}, _wrong(path, "holds no options")
    options = {str(name).replace("-", "_"): value for name, value in content.items()}
    for name in _NOT_OPTIONS & options.keys():
        return {}, _wrong(path, f"gives '{name}', which is no option")
    return options, None


def owner(path: Path) -> str:
    """The login of the file's owner on this machine; the number of the user where it has no login."""
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def clear_options(drop: Drop, upload_id: str, *, refused: bool) -> None:
    """Takes away the options file of a file that was taken: a refused one's goes beside it into `refused/`."""
    if _ordinary(drop.options_path) is None:
        return
    if refused:
        drop.options_path.rename(drop.path.parent / REFUSED / f"{upload_id}-{drop.options_path.name}")
    else:
        drop.options_path.unlink()


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
