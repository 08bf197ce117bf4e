"""Tests whether staged files are as frozen: the ledger keeps the SHA-256 of each when a changeset is frozen.

A million staged rows are about 160 MB; two processors hash them in a twentieth of a second.
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
    """File → SHA-256 of every file directly in a staging folder."""
    sizes = {path: path.stat().st_size for path in _files(folder)}
    files = sorted(sizes, key=sizes.__getitem__, reverse=True)  # so that those read at once end together
    if sum(sizes.values()) < _WORTH_THREADS:
        return {path.name: sha256_of(path) for path in files}
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return dict(zip((path.name for path in files), pool.map(sha256_of, files), strict=True))


def differences(folder: Path, frozen: Mapping[str, str] | None) -> list[str]:
    """The differences between a staging folder and what was frozen, in words; empty if there are none.

    First completes a replacement that was cut off: a successor that the ledger knows takes the file's place.

    Args:
        folder: the staging folder.
        frozen: file → SHA-256, as the ledger has it; None: staged by a version that kept none.
    """
    if frozen is None:
        return ["it was staged by an earlier version"]
    if not frozen:
        return ["somebody is being erased from it; where that was cut off, erase again"]
    for name, digest in frozen.items():
        if (waiting := successor(folder / name, digest)).exists():
            waiting.replace(folder / name)
    present = digests(folder)
    changed = [name for name in sorted(frozen.keys() & present.keys()) if frozen[name] != present[name]]
    return [
        *(f"{name} is missing" for name in sorted(frozen.keys() - present.keys())),
        *(f"{name} was changed" for name in changed),
        *(f"{name} was added" for name in sorted(present.keys() - frozen.keys())),
    ]


def are_frozen(present: Mapping[str, str], frozen: Mapping[str, str]) -> bool:
    """Whether a staging folder with these files is as frozen; successors count as for `differences`.

    Args:
        present: file → SHA-256 of the files in the folder.
        frozen: file → SHA-256, as the ledger has it.
    """
    in_place = {
        name: present.get(successor(Path(name), digest).name, present.get(name)) for name, digest in frozen.items()
    }
    return in_place == frozen and {name for name in present if not is_successor(Path(name))} <= frozen.keys()


def not_as_frozen(upload_id: str, file_name: str, found: list[str], fix: str) -> Refusal:
    """The refusal of a changeset whose staged files have changed since they were frozen."""
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
    """Whether a file is a successor, or the log of one."""
    return path.suffix == _NEXT or f"{_NEXT}." in path.name


def replace(path: Path, digest: str) -> None:
    """Puts a file's successor in its place, and deletes successors that the ledger never knew."""
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
        if not path.is_dir() and not is_successor(path) and path.suffix != NEW  # incomplete
    ]
