"""Which assets of an upload are materialized, and where their events go.

By default Dagster materializes every partition that a run carries. So the steps log the events of their uploads one by
one, and return an output for which Dagster logs no event.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

# Not exported by Dagster, whose version is pinned; tests show what each is needed for.
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as EVENTS_ARE_LOGGED
from dagster._core.events import AssetObservationData, DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

from contact_pipeline.contracts import states
from contact_pipeline.errors import ContactPipelineError, Refusal
from contact_pipeline.machine import fault_of
from contact_pipeline.masking import ANY, mask
from contact_pipeline.orchestration.event_log import together
from contact_pipeline.orchestration.forgetting import forget_check_result
from contact_pipeline.orchestration.metadata import STAGED

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

APPLIED: Final = "applied_contacts"
_STAGES: Final = ("received", "read", "normalized", "validated", "matched")


@dataclass(frozen=True, slots=True)
class Events:
    """Where the events of uploads go: into the log of a run, or straight to Dagster where there is no run.

    Attributes:
        instance: Dagster's.
        log: stores an event.
        remember: stores values beside the events, each under its key.
    """

    instance: dg.DagsterInstance
    log: Callable[[Any], None]
    remember: Callable[[Mapping[str, str]], None]

    @contextmanager
    def together(self) -> Iterator[Events]:
        """Stores the events of the block in one transaction, and then its values. Other processes wait meanwhile."""
        values: dict[str, str] = {}
        with together(self.instance):
            yield replace(self, remember=values.update)
        if values:
            self.remember(values)

    @contextmanager
    def afterwards(self) -> Iterator[Events]:
        """Stores the events and values of the block at its end, however it ends."""
        events, values = list[Any](), dict[str, str]()
        try:
            yield replace(self, log=events.append, remember=values.update)
        finally:
            with self.together() as stored:
                for event in events:
                    stored.log(event)
                stored.remember(values)


def of_run(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> Events:
    """The log of a run."""
    run = context.op_execution_context if isinstance(context, dg.AssetExecutionContext) else context
    return Events(run.instance, run.log_event, run.instance.daemon_cursor_storage.set_cursor_values)


def without_run(instance: dg.DagsterInstance, at: datetime) -> Events:
    """Dagster's log without a run. Plots show the events at that time (UTC, without a zone)."""
    timestamp = at.replace(tzinfo=UTC).timestamp()

    def log(event: object) -> None:
        if isinstance(event, dg.AssetCheckEvaluation):
            forget_check_result(instance, event)
        kind, data = _as_reported(event)
        reported = DagsterEvent(kind.value, RUNLESS_JOB_NAME, event_specific_data=data)
        instance.report_dagster_event(reported, RUNLESS_RUN_ID, timestamp=timestamp)

    return Events(instance, log, instance.daemon_cursor_storage.set_cursor_values)


def materialized_assets(upload: Upload) -> frozenset[str]:
    """The assets of an upload that were made and still hold: only their partitions are materialized.

    A refused file has none. A change by hand has no file, only a changeset.
    """
    if upload.state == "refused":
        return frozenset()
    if upload.state == "repeated":
        return frozenset({"raw_upload"})
    assets = list(STAGED)[: _STAGES.index(upload.line.stage)]
    if upload.line.resolved_profile is None:
        assets = assets[-1:]
    return frozenset([*assets, APPLIED] if upload.state in states.APPLIED else assets)


def logged_output(name: str = "result") -> dg.Output[None]:
    """The output of a step that has logged its events: Dagster logs none of its own."""
    return dg.Output(None, output_name=name, metadata={EVENTS_ARE_LOGGED: True})


def fail(sentences: Iterable[str]) -> None:
    """Fails the run with these sentences, if there are any.

    Raises:
        dg.Failure: there is a sentence.
    """
    message = " ".join(sentences)
    if message:
        raise dg.Failure(message, allow_retries=False)


def sentence_of(context: dg.OpExecutionContext | dg.AssetExecutionContext, upload_id: str, error: Exception) -> str:
    """Why an upload was stopped. The log of the run gets the traceback of a defect of the program.

    Raises:
        StoreBusy: the contact database stayed locked, which holds for the other uploads, too.
    """
    problem = error if isinstance(error, Refusal) else fault_of(error)
    if problem is not None:
        return str(problem)
    if isinstance(error, ContactPipelineError):
        raise error
    context.log.error("Upload %s:\n%s", upload_id, mask("".join(traceback.format_exception(error)), ANY))
    what = f"a defect of the program ({type(error).__name__}), not of the file"
    return f"Upload {upload_id}: {what}. The log of this run has its traceback."


def _as_reported(event: object) -> tuple[DagsterEventType, Any]:
    match event:
        case dg.AssetMaterialization():
            return DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event)
        case dg.AssetObservation():
            return DagsterEventType.ASSET_OBSERVATION, AssetObservationData(event)
        case _:
            return DagsterEventType.ASSET_CHECK_EVALUATION, event
