"""Sends the notices of what a command has changed, after it has done its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contact_pipeline.cli import console
from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.machine import fault_of

if TYPE_CHECKING:
    from contact_pipeline.notices.send import Sending
    from contact_pipeline.pipeline import Pipeline

_AFTER_SECONDS: Final = 10.0  # after which a command begins no further notice
_LATER: Final = "`contact-pipeline notices send` sends what waits."


def tell(pipeline: Pipeline) -> None:
    """Sends notices after a command has done its work. Errors become warnings, and the command still succeeds."""
    if not (pipeline.store.was_written and pipeline.settings.notices_path.exists()):
        return
    try:
        with console.busy("Sending notices"):
            warn_of_problems(pipeline.send_notices(seconds=_AFTER_SECONDS))
    except KeyboardInterrupt:  # the command has done its work
        console.warn(f"Interrupted: not every notice was sent. {_LATER}")
    except Exception as error:  # noqa: BLE001 - the command has done its work
        why = fault_of(error) or (error if isinstance(error, ContactPipelineError) else type(error).__name__)
        console.warn(f"No notice was sent: {why} {_LATER}")


def warn_of_problems(sent: Sending) -> None:
    """Names the targets that could not be reached, and why."""
    for target, problem in sent.problems.items():
        console.warn(f"Not sent to {target}: {problem}")
