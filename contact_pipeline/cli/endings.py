"""How a command ends: an exit status, and for what went wrong one clear message instead of a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

from contact_pipeline.cli import console
from contact_pipeline.errors import ContactPipelineError, Refusal, Usage

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Upload

DONE, REFUSED, USAGE = 0, 1, 2
STOPPED = frozenset({"refused", "blocked", "stale", "failed", "cancelled"})


class Interrupted(Refusal):
    """Somebody pressed Ctrl-C, or there was nobody to ask."""


def status_of(upload: Upload, *, blocked_is_fine: bool = False) -> int:
    """The exit status for where an upload ended; a plan that ends blocked has done what was asked."""
    if upload.state == "blocked" and blocked_is_fine:
        return DONE
    return REFUSED if upload.state in STOPPED else DONE


def ended(command: Callable[[], object], *, as_json: bool) -> int:
    """Runs a command and returns its exit status; says what went wrong, on stdout as JSON where that was asked for."""
    try:
        status = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say(Refusal("interrupted", "Interrupted.", "Nothing was left half done."), as_json)
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:  # noqa: BLE001 - the last stop before the shell
        return _say(_refusal(error), as_json)
    return status if isinstance(status, int) else DONE


def _refusal(error: Exception) -> Refusal:
    """The error in words for the person at the keyboard."""
    match error:
        case Refusal():
            return error
        case typer.TyperException(exit_code=2):
            return Usage("usage", error.format_message(), "Use --help to see what the command takes.")
        case typer.TyperException():
            return Refusal("refused", error.format_message(), "")
        case typer.Abort():
            return Refusal("interrupted", "Interrupted.", "Nothing was left half done.")
        case ContactPipelineError():
            return Refusal("busy", str(error), "")
        case ValidationError():
            first = error.errors(include_url=False, include_input=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            return Usage("setting", f"Setting {name}: {first['msg']}.", "See docs/reference/settings.md.")
        case OSError():
            where = f" ({error.filename})" if error.filename else ""
            return Refusal("machine", f"The machine refused: {error.strerror or error}{where}.", "Put that right and repeat.")
        case _:
            traceback.print_exception(error, file=sys.stderr)
            return Refusal("defect", f"A defect of the program: {error!r}.", "Please report it with the lines above.")


def _say(refusal: Refusal, as_json: bool) -> int:
    if as_json:
        console.document({"error": refusal.as_dict()})
    else:
        console.refusal(refusal)
    return USAGE if isinstance(refusal, Usage) else REFUSED


def _reader_gone() -> int:
    """The program that read stdout has ended, as `head` does: not an error of ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
