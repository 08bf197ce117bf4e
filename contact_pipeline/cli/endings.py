"""How a command ends: its exit status, and for every error one clear message instead of a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import interrupted
from contact_pipeline.errors import ContactPipelineError, Refusal, StoreBusy, Usage, where_it_stands
from contact_pipeline.machine import fault_of
from contact_pipeline.masking import ANY, mask
from contact_pipeline.visible import visible

if TYPE_CHECKING:
    from contact_pipeline.cli.invocation import Invocation
    from contact_pipeline.store import Upload

DONE, REFUSED, USAGE = 0, 1, 2

_STOPPED = frozenset({"refused", "blocked", "stale", "failed", "cancelled"})


def report(invocation: Invocation, upload: Upload, *, blocked_is_done: bool = False) -> int:
    """Prints the state of an upload, and returns the exit status for it.

    Raises:
        Refusal: the upload was refused, for the reason in its ledger line.
    """
    from contact_pipeline.cli.upload_view import draw_upload

    if upload.state == "refused":
        raise _refused(upload)
    try:
        if invocation.json:
            console.document(upload.as_dict(changes=upload.is_by_hand))  # a change by hand has only its changes
        else:
            console.show(*draw_upload(invocation, upload))
        sys.stdout.flush()
    except (OSError, ContactPipelineError) as error:  # the upload stays as it is
        error.add_note(f"Upload {upload.upload_id} is {upload.state}.")
        raise
    return REFUSED if upload.state in _STOPPED and not (blocked_is_done and upload.state == "blocked") else DONE


def run_to_status(command: Callable[[], object], *, as_json: bool) -> int:
    """Runs a command and returns its exit status; prints an error as JSON on stdout if `as_json`, else on stderr."""
    try:
        status = command()
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # Rich and Typer turn it into an exit
            return _reader_gone()
        return error.code if isinstance(error.code, int) else REFUSED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last stop before the shell
        return _print_refusal(_as_refusal(error), as_json)
    return status if isinstance(status, int) else DONE


def _as_refusal(error: BaseException) -> Refusal:
    match error:
        case Refusal():
            return error
        case typer.TyperException(exit_code=2):
            path = getattr(getattr(error, "ctx", None), "command_path", "contact-pipeline")
            return Usage("usage", error.format_message(), f"`{path} --help` shows what it takes.")
        case typer.TyperException():
            return Refusal("refused", error.format_message(), "")
        case typer.Abort() | KeyboardInterrupt():
            return interrupted(error)
        case StoreBusy():
            return Refusal("busy", str(error), "")
        case ValidationError(title="Settings"):
            first = error.errors(include_url=False, include_input=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            return Usage("setting", f"Setting {name}: {first['msg']}.", f"Correct CONTACT_PIPELINE_{name.upper()}.")
        case _ if fault := fault_of(error):
            return Refusal(fault.code, " ".join([fault.message, *where_it_stands(error)]), fault.fix)
        case ContactPipelineError():
            return Refusal("refused", str(error), "")
        case _:
            sys.stderr.write(visible(mask("".join(traceback.format_exception(error)), ANY)))
            message = mask(repr(error), ANY)
            return Refusal("defect", f"A defect of the program: {message}.", "Please report it with the lines above.")


def _refused(upload: Upload) -> Refusal:
    reason = upload.reason or {}
    return Refusal(
        str(reason.get("code") or "refused"),
        str(reason.get("message") or "The file was refused."),
        str(reason.get("fix") or ""),
        file=reason.get("file") or upload.file_name,
        row_number=reason.get("row_number"),
        details={"upload_id": upload.upload_id},
    )


def _print_refusal(problem: Refusal, as_json: bool) -> int:
    try:
        if as_json:
            console.document({"error": problem.as_dict()})
    except OSError:  # writing to stdout may be what failed
        as_json = False
    if not as_json:
        console.refusal(problem)
    return USAGE if isinstance(problem, Usage) else REFUSED


def _reader_gone() -> int:
    """Ends a command whose reader has closed the pipe (`… | head`), which is not an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
