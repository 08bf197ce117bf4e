"""Interrupted work: Ctrl-C and machine faults get a note on the upload's state and how to continue."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from contact_pipeline.contracts.states import State
from contact_pipeline.errors import ContactPipelineError, MachineFault, Refusal
from contact_pipeline.machine import fault_of
from contact_pipeline.pipeline import uploads
from contact_pipeline.pipeline.states import where_it_stands
from contact_pipeline.store import Store


@contextmanager
def noting_state(store: Store, upload_id: str, *, done: Collection[State] = (), doing: str = "") -> Iterator[None]:
    """Adds the upload's state as a note to Ctrl-C and machine faults. A fault after the work is done is suppressed.

    Args:
        store: the store.
        upload_id: the upload.
        done: the states in which nothing is left to do.
        doing: the command that continues the work, if no state tells that it is done.
    """
    again = f" The same `{doing}` goes on." if doing else ""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(_where(store, upload_id) + again)
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        with suppress(ContactPipelineError):
            if store.line(upload_id).state in done:
                return
        fault.add_note(_where(store, upload_id) + again)
        raise fault from error


@contextmanager
def cancelled_on_interrupt(store: Store, upload_id: str, user: str | None) -> Iterator[None]:
    """Cancels an unplanned upload on Ctrl-C, and adds the upload's state as a note to Ctrl-C and machine faults.

    Args:
        store: the store.
        upload_id: the upload; the ledger may not have its line yet.
        user: login of whose upload it is.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        try:
            _cancel(store, upload_id, user)
        except KeyboardInterrupt:  # one Ctrl-C can be raised twice, by Polars and then by Python
            _cancel(store, upload_id, user)
        if not getattr(interrupt, "__notes__", []):  # an inner block may have added the note
            interrupt.add_note(_where(store, upload_id))
        raise
    except Exception as error:
        if fault := fault_of(error):
            fault.add_note(_where(store, upload_id))
            raise fault from error
        raise


@contextmanager
def erasing(contact_id: int) -> Iterator[None]:
    """Adds a note to what cuts an erasure off: erasing again completes it."""
    try:
        yield
    except (MachineFault, OSError, KeyboardInterrupt) as error:
        stopped = fault_of(error) or error
        stopped.add_note(f"Contact {contact_id} may be erased in part: erase it again, which completes it.")
        raise stopped from error


def _cancel(store: Store, upload_id: str, user: str | None) -> None:
    """Cancels an interrupted upload, if it has not ended otherwise."""
    try:
        uploads.cancel(store, upload_id, user)
    except Refusal as refusal:
        if refusal.code == "upload-unknown":  # the ledger has no line of it yet
            uploads.forget(store, upload_id)


def _where(store: Store, upload_id: str) -> str:
    """The state of an upload, in a sentence."""
    try:
        return where_it_stands(store.line(upload_id))
    except Refusal:
        return "Nothing was begun."
    except ContactPipelineError:
        return f"`contact-pipeline show {upload_id}` will say where the upload stands."
