"""Whether staged files are those that were frozen: the ledger keeps the SHA-256 of each when a changeset is frozen.

A million staged rows are some 160 MB, which takes two processors a twentieth of a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.machine import NEW
from contact_pipeline.store.source import sha256_of

_NEXT: Final = ".next"
_AT_A_TIME: Final = 2  # files
_WORTH_THREADS: Final = 8 << 20  # bytes


def digests(folder: Path) -> dict[str, str]:
    """File → SHA-256 of every file that lies in a staging folder itself."""
    sizes = {path: path.stat().st_size for path in _files(folder)}
    files = sorted(sizes, key=sizes.__getitem__, reverse=True)  # so that those read at once end together
    if sum(sizes.values()) < _WORTH_THREADS:
        return {path.name: sha256_of(path) for path in files}
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return dict(zip((path.name for path in files), pool.map(sha256_of, files), strict=True))


def differences(folder: Path, frozen: Mapping[str, str] | None) -> list[str]:
    """In what a staging folder differs from what was frozen, in words; nothing where all is as it was.

    A file whose successor the ledger knows already is replaced by it first: that was cut off.

    Args:
        folder: the staging folder.
        frozen: file → SHA-256, as the ledger has it; None: by a version that kept none.
    """
    if frozen is None:
        return ["it was staged by an earlier version"]
    if not frozen:
        return ["somebody is being erased from it; where that was cut off, erase again"]
    for name, digest in frozen.items():
        if (waiting := successor(folder / name, digest)).exists():
            waiting.replace(folder / name)
    there = digests(folder)
    changed = [name for name in sorted(frozen.keys() & there.keys()) if frozen[name] != there[name]]
    return [
        *(f"{name} is missing" for name in sorted(frozen.keys() - there.keys())),
        *(f"{name} was changed" for name in changed),
        *(f"{name} was added" for name in sorted(there.keys() - frozen.keys())),
    ]


def are_frozen(there: Mapping[str, str], frozen: Mapping[str, str]) -> bool:
    """Whether a staging folder with these files is what was frozen; a successor counts, as `differences` has it.

    Args:
        there: file → SHA-256 of what is in it.
        frozen: file → SHA-256, as the ledger has it.
    """
    in_place = {name: there.get(successor(Path(name), digest).name, there.get(name)) for name, digest in frozen.items()}
    return in_place == frozen and {name for name in there if not is_successor(Path(name))} <= frozen.keys()


def not_as_frozen(upload_id: str, file_name: str, found: list[str], fix: str) -> Refusal:
    """The refusal of a changeset whose staged files are not those that were frozen."""
    return Refusal(
        "staged-changed",
        f"What is staged for upload {upload_id} is not what was frozen: {listed(found)}. Nothing was changed.",
        fix,
        file=file_name,
    )


def successor(path: Path, digest: str) -> Path:
    """The file that takes a staged file's place once the ledger has its SHA-256."""
    return path.with_name(f"{path.name}.{digest}{_NEXT}")


def is_successor(path: Path) -> bool:
    """Whether a file waits to take another one's place, or is the log of one that does."""
    return path.suffix == _NEXT or f"{_NEXT}." in path.name


def replace(path: Path, digest: str) -> None:
    """Puts a file's successor in its place, and deletes those that the ledger never knew."""
    successor(path, digest).replace(path)
    for left in path.parent.iterdir():
        if left.name.startswith(path.name) and is_successor(left):
            left.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in folder.iterdir()
        if not path.is_dir() and not is_successor(path) and path.suffix != NEW  # never written to its end
    ]
