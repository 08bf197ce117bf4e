"""An empty contact database, made once in a process and copied to where a test only needs that there is one.

Making one takes longer than what many a test then does with it. tests/store, tests/faults and the tests of the command
line let the program make theirs.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from contact_pipeline import Pipeline


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="homes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pipeline = Pipeline(folder / "home")
    pipeline.uploads()
    assert not list(folder.glob("home/*.wal"))
    return pipeline.settings.contacts_path


def new_home(home: Path) -> Path:
    """Makes a home that is empty, and as the program leaves it after its first command."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_made(), home)
    return home
