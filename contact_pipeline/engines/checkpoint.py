"""A checkpoint of a DuckDB file that may be cut off in the middle of a write.

A checkpoint writes blocks of DuckDB's metadata that have room left again in place, and changes the file's headers last.
Torn within such a write, a block fails its checksum and nothing of the file can be read. So these blocks are kept
beside the file until the checkpoint has ended, and put back if the headers show that it never did.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import duckdb

from contact_pipeline.machine import NEW, put_in_place

_HEADERS: Final = 3 * 4096  # bytes before the first block: the main header, and two that take turns
_BLOCK: Final = 262_144  # bytes: DuckDB's default, which every file that is made here has
_NUMBER: Final = 8  # bytes of a block's number, before the block
_KEPT: Final = ".blocks"  # behind the name of the database file


def checkpoint(connection: duckdb.DuckDBPyConnection, path: Path, alias: str) -> None:
    """Takes a file's log into it; nothing where there is none. Nothing may be written to the file afterwards.

    Args:
        connection: to which it is attached, for writing. It loses the file's lock: closing any handle of a file ends
            all locks of the process on it.
        path: the file.
        alias: as which it is attached.

    Raises:
        OSError: there is no room for the blocks, or they cannot be written; the log holds everything still.
    """
    if not path.with_name(f"{path.name}.wal").exists():
        return
    numbers = connection.execute(f"SELECT block_id FROM pragma_metadata_info('{alias}') ORDER BY ALL").fetchall()
    kept = path.with_name(path.name + _KEPT)
    with path.open("rb") as file, _locked_copy(file, [number for (number,) in numbers], kept):
        connection.execute(f"CHECKPOINT {alias}")
        kept.unlink()


def remove_half(path: Path) -> None:
    """Deletes blocks half kept for a checkpoint that never began. The caller has opened the file for writing."""
    path.with_name(path.name + _KEPT + NEW).unlink(missing_ok=True)


def _locked_copy(file: IO[bytes], numbers: list[int], kept: Path) -> IO[bytes]:
    """Keeps the headers and blocks of a file; nobody puts them back before the returned file is closed."""
    with put_in_place(kept) as new:
        copy = new.open("wb", buffering=0)
        try:
            fcntl.flock(copy, fcntl.LOCK_EX)
            copy.write(os.pread(file.fileno(), _HEADERS, 0))
            for number in numbers:
                copy.write(number.to_bytes(_NUMBER, "little") + os.pread(file.fileno(), _BLOCK, _place_of(number)))
            os.fsync(copy.fileno())
        except BaseException:
            copy.close()
            raise
    _sync_folder(kept.parent)
    return copy


def put_back(path: Path) -> None:
    """Puts back the blocks that a cut-off checkpoint may have torn; call it before opening a file.

    Args:
        path: the database file.

    Raises:
        BlockingIOError: a checkpoint goes on, or somebody else puts the blocks back.
        OSError: they cannot be written.
    """
    kept = path.with_name(path.name + _KEPT)
    if not kept.exists():
        return
    with suppress(FileNotFoundError), kept.open("rb") as copy:
        fcntl.flock(copy, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(copy.fileno()).st_nlink:  # no other process has put them back already
            _write_blocks(copy, path)
            kept.unlink()


def _write_blocks(copy: IO[bytes], path: Path) -> None:
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if file.read(_HEADERS) != copy.read(_HEADERS):  # the checkpoint ended, or this is another file
            return
        while number := copy.read(_NUMBER):
            file.seek(_place_of(int.from_bytes(number, "little")))
            file.write(copy.read(_BLOCK))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place_of(number: int) -> int:
    """Where a block begins, in bytes."""
    return _HEADERS + number * _BLOCK
