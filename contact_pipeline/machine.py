"""The operating system: its errors in words, and files that are written completely or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from contact_pipeline.errors import ContactPipelineError, MachineFault

NEW: Final = ".new"  # added to the name of a file that is being written


# errno → code, what happened (the file may follow), and what to do.
_FAULTS: Final[dict[int, tuple[str, str, str]]] = {
    errno.ENOSPC: ("disk-full", "The disk is full", "Make room, then repeat the command."),
    errno.EDQUOT: ("disk-full", "The disk quota is used up", "Make room, then repeat the command."),
    errno.EFBIG: ("disk-full", "A file may not grow any further", "Raise the limit on file sizes, then repeat it."),
    errno.EROFS: ("read-only", "The disk is read-only", "Make it writable, then repeat the command."),
    errno.EACCES: ("no-permission", "Permission is missing", "Grant it to whoever runs this, then repeat the command."),
    errno.EPERM: ("no-permission", "Permission is missing", "Grant it to whoever runs this, then repeat the command."),
    errno.EMFILE: ("too-many-files", "Too many files are open", "Raise the limit (`ulimit -n`), then repeat it."),
    errno.ENFILE: ("too-many-files", "Too many files are open", "Close other programs, then repeat the command."),
    errno.EISDIR: ("not-a-file", "There is a folder in the place of a file", "Move it away, then repeat the command."),
    errno.ENOTDIR: ("not-a-folder", "There is a file in the place of a folder", "Move it away, then repeat it."),
    errno.ENOMEM: ("memory", "There is not enough memory", "Close other programs, then repeat the command."),
    errno.EIO: ("disk-error", "The disk could not be read or written", "Check the disk, then repeat the command."),
}


def fault_of(error: BaseException) -> MachineFault | None:
    """The machine fault behind an error; None if the machine is not at fault."""
    match error:
        case MachineFault():
            return error
        case ContactPipelineError():
            return None
        case OSError():
            where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
            message = f"{error.strerror or error}{where}."
            known = fault_of_errno(error.errno, error.filename) or fault_in(str(error), None)
            return known or MachineFault("machine", message, "Put that right, then repeat the command.")
        case MemoryError():
            return fault_of_errno(errno.ENOMEM, None)
        case Exception():
            return fault_in(str(error), None)  # libraries wrap errors of the operating system
        case _:
            return None


def is_defect(error: BaseException) -> bool:
    """Whether an error is a defect of the program: nobody raised it on purpose, and the machine is not at fault."""
    return not isinstance(error, ContactPipelineError) and fault_of(error) is None


def fault_of_errno(number: int | None, file: object) -> MachineFault | None:
    """The fault for an error number of the operating system; None if it is not in the list."""
    if number not in _FAULTS:
        return None
    code, message, fix = _FAULTS[number]
    where = f": {os.fsdecode(file)}" if isinstance(file, str | bytes | os.PathLike) else ""
    return MachineFault(code, f"{message}{where}.", fix)


def fault_in(text: str, file: Path | None) -> MachineFault | None:
    """The fault whose operating system message is in a library's error text; None: there is none."""
    for number in _FAULTS:
        if os.strerror(number) in text:
            return fault_of_errno(number, file)
    return None


def damaged(file: Path | None) -> MachineFault:
    """The fault of a file of the home that can never be read."""
    return MachineFault("damaged", f"{file or 'A file of the home'} is damaged or was cut off.", _put_back(file))


def missing(file: Path | None) -> MachineFault:
    """The fault of a file of the home that is gone."""
    return MachineFault("missing", f"{file or 'A file of the home'} is missing.", _put_back(file))


def _put_back(file: Path | None) -> str:
    """What to do about a file of the home that cannot be read; what is staged can be made anew until it is applied."""
    is_parquet = file is not None and file.suffix == ".parquet"  # of staged rows it is named without its folder
    if file is not None and (file.parent.parent.name == "staging" or (is_parquet and not file.is_absolute())):
        upload = file.parent.name or "UPLOAD"
        again = f"`contact-pipeline replan {upload}` makes it anew where the upload waits to be applied;"
        return f"{again} else put it back from a backup of the home folder."
    if is_parquet:
        return "Is the folder of the Delta tables reachable? Reach it again, or restore a backup of the home."
    return "Put it back from a backup of the home folder."


def check_room(folder: Path, bytes_to_come: int, least: int) -> None:
    """Tests that the disk of a folder has room for a file, and that enough stays free.

    Args:
        folder: a folder that is there.
        bytes_to_come: size of the file.
        least: bytes that have to stay free.

    Raises:
        MachineFault: it has not (code `disk-full`).
    """
    total, _, free = shutil.disk_usage(folder)
    if total and free - bytes_to_come < least:  # some disks of a network do not say: they have 0 bytes in all
        raise MachineFault(
            "disk-full",
            f"The disk has {free:,} bytes left: with a file of {bytes_to_come:,} fewer than {least:,} stay free.",
            "Make room (`contact-pipeline expire --dry-run` says how), or lower CONTACT_PIPELINE_MIN_FREE_BYTES.",
        )


@contextmanager
def put_in_place(path: Path) -> Iterator[Path]:
    """Gives a new file to write to, for the owner only, which replaces `path` when the block has ended.

    If that is cut off, the old file stays, and `<path>.new` is replaced the next time.
    """
    new = path.with_name(path.name + NEW)
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield new
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    new.replace(path)
