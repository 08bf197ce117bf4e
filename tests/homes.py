"""Empty and filled homes that are made once in a process and copied for each test, since making one takes long.

Not for tests/store, tests/faults and the tests of the command line, where the program itself makes the homes.
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
def _empty_home() -> Path:
    folder = _folder()
    pipeline = Pipeline(folder / "home")
    pipeline.uploads()
    assert not list(folder.glob("home/*.wal"))
    return pipeline.settings.contacts_path


def new_home(home: Path) -> Path:
    """Makes an empty home, as the program leaves it after its first command."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_empty_home(), home)
    return home


def fill_once(home: Path, fill: Callable[..., T], *given: Hashable) -> T:
    """Fills a home, or copies the home that the same function filled before with the same arguments.

    Args:
        home: the home, in the same state each time; a copy replaces everything in it.
        fill: fills the home; it must change nothing outside the home that tests look at.
        given: the arguments of `fill`.

    Returns:
        The result of the first call of `fill`, such as the id of an upload; no object that belongs to one home.
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
