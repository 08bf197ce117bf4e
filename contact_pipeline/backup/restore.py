"""Restores a backup: unpacks it beside the home, erases again whoever was erased since, and swaps the two in one step.

If it is killed before that step, the home is unchanged; the next restore deletes what was left beside it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from contact_pipeline.backup.exchange import exchange
from contact_pipeline.backup.replay import Cancel, Replayed, replay
from contact_pipeline.engines import Database, open_database
from contact_pipeline.errors import Refusal, StoreBusy
from contact_pipeline.settings import Settings
from contact_pipeline.store.archive import Header, check_archive, unpack_archive
from contact_pipeline.store.copies import beside, put_aside_path
from contact_pipeline.store.erasures import Erasure, find_erasures, home_id, read_erasures

_MARK: Final = ".restoring"  # in a folder that is not whole yet


@dataclass(frozen=True, slots=True)
class Restored:
    """A home that was restored.

    Attributes:
        home: its folder.
        made_at: when the backup was made (UTC, ISO 8601).
        files: how many files it holds.
        erased: contacts that were erased again.
        cancelled: uploads that held one of them and were being staged when the backup was made.
        kept: the path of the previous home, which was put aside.
        waiting: files that wait in the inbox of the previous home.
        warnings: what could not be made certain.
    """

    home: str
    made_at: str
    files: int
    erased: list[int]
    cancelled: list[str]
    kept: str | None
    waiting: list[str]
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The result as a JSON document."""
        return asdict(self)


@dataclass(slots=True)
class _Known:
    """What is known about a home from outside its backup: who was erased, and which numbers were given."""

    erasures: list[Erasure] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def restore(
    file: Path, settings: Settings, actor: str, cancel: Cancel, *, replace: bool = False, erasures: Path | None = None
) -> Restored:
    """Makes a home from a backup. People who were erased since then are erased again, before the home is in place.

    Args:
        file: the backup.
        settings: of the home.
        actor: login of the person who restores.
        cancel: ends an upload of the restored home.
        replace: whether an existing home is put aside and its erasures are taken over.
        erasures: the last kept copy of the home's `erasures.jsonl`, if the home itself is lost.

    Raises:
        Refusal: the file is no complete backup (`backup-damaged`, `backup-foreign`, `backup-version`); there is a home
            already (`home-exists`), it is in use (`home-in-use`), is another home (`home-differs`), or cannot be put
            aside (`home-mounted`); or there is no room (`no-room`).
        StoreBusy: the existing contact database stayed locked for longer than the settings allow.
    """
    home = Path(os.path.realpath(settings.home))
    settings = Settings(**settings.model_dump() | {"home": home})
    if not file.is_file():
        raise Refusal("file-missing", f"There is no file {file}.", "Check the path.", file=file.name)
    is_there = home.exists() and (not home.is_dir() or any(home.iterdir()))
    if is_there and not replace:
        raise Refusal(
            "home-exists",
            f"There is something in {home}. Nothing was changed.",
            "Give another --home, or --replace: what is there is then kept beside it.",
        )
    if home.is_mount() or (is_there and not home.is_dir()):
        raise Refusal(
            "home-mounted",
            f"{home} is where a file system is mounted, or no folder: nothing can take its place.",
            "Restore into another --home, a folder in it for instance.",
        )
    with file.open("rb") as opened, ExitStack() as kept_open:
        header, files = check_archive(opened, file.name, _room(home.parent))
        home.parent.mkdir(parents=True, exist_ok=True)
        kept_open.enter_context(_only_one(home.parent))
        known = kept_open.enter_context(_known_of(settings, header)) if is_there else _Known()
        if erasures is not None:
            known.erasures += _of_this_home(erasures, header)
        elif not is_there:
            known.warnings.append(
                f"Whoever was erased after {header.made_at} is back. If somebody was, restore once more with --replace "
                "and --erasures, the erasures.jsonl of the lost home."
            )
        aside, new = put_aside_path(home), beside(home, "restoring")
        known.warnings += _clear(new, aside)
        try:
            replayed = _unpack(opened, file.name, header, files, new, settings, known, actor, cancel)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        kept = exchange(new, home, aside) if is_there else None
        if kept is None:
            new.rename(home)  # an empty folder may be there
    waiting = [str(path.relative_to(kept)) for path in sorted(kept.glob("inbox/*/*")) if path.is_file()] if kept else []
    return Restored(
        str(home),
        header.made_at,
        len(files),
        replayed.erased,
        replayed.cancelled,
        str(kept) if kept else None,
        waiting,
        known.warnings,
    )


def _unpack(
    opened: IO[bytes],
    name: str,
    header: Header,
    files: dict[str, str],
    new: Path,
    settings: Settings,
    known: _Known,
    actor: str,
    cancel: Cancel,
) -> Replayed:
    """Makes the complete new home beside the old one."""
    new.mkdir(mode=0o700)
    (new / _MARK).touch(mode=0o600)
    unpack_archive(opened, name, new, files)
    key = settings.erasure_key_path
    if key.exists() and not (new / key.name).exists():
        shutil.copyfile(key, new / key.name)
        (new / key.name).chmod(0o600)
    # A backup has the contacts itself, wherever they lay.
    restored = Settings(**settings.model_dump() | {"home": new, "engine": "duckdb"})
    _refuse_unreadable(restored, name)
    if restored.erasures_path.exists():  # it may be newer than the database in the backup
        known.erasures += _read_erasures(restored.erasures_path, header)
    replayed = replay(restored, known.erasures, known.counters, actor, cancel)
    shutil.rmtree(new / "temporary", ignore_errors=True)
    os.sync()
    (new / _MARK).unlink()
    return replayed


@contextmanager
def _known_of(settings: Settings, header: Header) -> Iterator[_Known]:
    """What the existing home knows; during the block, nobody else uses its contact database."""
    with ExitStack() as kept_open:
        _refuse_in_use(settings.home, kept_open)
        known = _Known()
        contacts = _open_if_whole(settings, kept_open, known)
        if contacts is not None:
            if home_id(contacts) != header.home:
                raise Refusal(
                    "home-differs",
                    f"The backup is of another home than {settings.home}. Nothing was changed.",
                    "Restore it into a folder of its own.",
                )
            known.counters = dict(contacts.rows("SELECT name, next FROM counters"))
            known.erasures += find_erasures(contacts)
        if settings.erasures_path.exists():
            known.erasures += _read_erasures(settings.erasures_path, header)
        yield known


def _open_if_whole(settings: Settings, kept_open: ExitStack, known: _Known) -> Database | None:
    if not settings.contacts_path.exists():
        return None
    try:
        contacts = kept_open.enter_context(open_database(settings.contacts_path, settings))
        find_erasures(contacts)
    except StoreBusy:
        raise
    except Exception:  # noqa: BLE001 - damaged, whichever way: the reason for restoring
        known.warnings.append(
            f"The contact database that was there cannot be read. Who was erased is known from "
            f"{settings.erasures_path.name} alone."
        )
        return None
    return contacts


def _refuse_in_use(home: Path, kept_open: ExitStack) -> None:
    """Refuses if another process works in the home: each one holds a lock there while it does."""
    for path in (home / "dagster" / "serve.lock", *home.glob("temporary/*")):
        if path.exists() and not path.name.startswith(f"{os.getpid()}-"):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            kept_open.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refusal(
                    "home-in-use",
                    f"Another process works in {home}. Nothing was changed.",
                    "Stop it (`contact-pipeline serve`, or another command), then restore.",
                ) from error


def _read_erasures(path: Path, header: Header) -> list[Erasure]:
    return [erasure for erasure in read_erasures(path) if erasure.home == header.home]


def _of_this_home(path: Path, header: Header) -> list[Erasure]:
    found = _read_erasures(path, header)
    if not found and path.stat().st_size:
        raise Refusal(
            "erasures-file",
            f"{path.name} is not the list of erasures of the home of the backup. Nothing was changed.",
            "Give the erasures.jsonl of that home.",
            file=path.name,
        )
    return found


def _refuse_unreadable(settings: Settings, name: str) -> None:
    """Refuses if the archive's contact database cannot be read as one, whatever the archive's own list says."""
    try:
        with open_database(settings.contacts_path, settings, read_only=True) as contacts:
            find_erasures(contacts)
    except Exception as error:
        raise Refusal(
            "backup-damaged",
            f"The contact database in {name} cannot be read. Nothing was changed.",
            "Give another backup.",
            file=name,
        ) from error


def _room(folder: Path) -> int:
    """The free bytes where a folder is or will be."""
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Refusal(
            "home-in-use", f"Another restore is under way in {folder}.", "Wait until it has ended."
        ) from error
    finally:
        os.close(handle)


def _clear(new: Path, aside: Path) -> list[str]:
    """Deletes what a killed restore left; a complete home that it had just put aside is kept and named."""
    if not new.exists():
        return []
    if (new / _MARK).exists() or not any(new.iterdir()):
        shutil.rmtree(new)
        return []
    found = new.rename(aside.with_name(f"{aside.name}-found"))
    return [f"A restore that was killed had put a home aside; it lies in {found}."]
