"""Homes that are made once in a process and copied to the tests that begin with them: empty ones, and filled ones.

Making one takes longer than what many a test then does with it. tests/store, tests/faults and the tests of the command
line let the program make theirs.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path
from typing import TypeVar

from contact_pipeline import Pipeline

T = TypeVar("T", bound=Hashable)

_filled: dict[tuple[Hashable, ...], tuple[Path, Hashable]] = {}


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="homes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _made() -> Path:
    folder = _folder()
    pipeline = Pipeline(folder / "home")
    pipeline.uploads()
    assert not list(folder.glob("home/*.wal"))
    return pipeline.settings.contacts_path


def new_home(home: Path) -> Path:
    """Makes a home that is empty, and as the program leaves it after its first command."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_made(), home)
    return home


def fill_once(home: Path, fill: Callable[..., T], *given: Hashable) -> T:
    """Fills a home; where the same function filled one before, given the same, the home becomes a copy of that one.

    Args:
        home: just as it was then; whatever is in it is lost.
        fill: does to it what the tests of a file begin with, and nothing elsewhere that they look at.
        given: to it.

    Returns:
        What `fill` gave the first time, such as the id of an upload: nothing that belongs to one home.
    """
    made_by = (fill.__module__, fill.__qualname__, *given)
    if made_by not in _filled:
        result = fill(*given)
        _filled[made_by] = shutil.copytree(home, _folder() / "home", symlinks=True), result
        return result
    filled, result = _filled[made_by]
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(filled, home, symlinks=True)
    return result
