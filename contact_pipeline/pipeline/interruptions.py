"""What stops in the middle says where it stands: Ctrl-C and faults of the machine get a note that names the way on."""

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
def telling(store: Store, upload_id: str, *, done: Collection[State] = (), doing: str = "") -> Iterator[None]:
    """Lets Ctrl-C and a fault of the machine say where the upload stands; a fault after all is done is none.

    Args:
        store: the store.
        upload_id: the upload.
        done: the states in which nothing is left to do.
        doing: the command that goes on where it was cut off, if its end is no state.
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
def giving_up(store: Store, upload_id: str, user: str | None) -> Iterator[None]:
    """Lets Ctrl-C cancel an upload that is not planned yet; it and a fault of the machine say where the upload stands.

    Args:
        store: the store.
        upload_id: the upload; the ledger may not have its line yet.
        user: login of whose upload it is.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        try:
            _give_up(store, upload_id, user)
        except KeyboardInterrupt:  # one Ctrl-C can be raised twice, by Polars and then by Python
            _give_up(store, upload_id, user)
        if not getattr(interrupt, "__notes__", []):  # one that was given up further in says so already
            interrupt.add_note(_where(store, upload_id))
        raise
    except Exception as error:
        if fault := fault_of(error):
            fault.add_note(_where(store, upload_id))
            raise fault from error
        raise


@contextmanager
def erasing(contact_id: int) -> Iterator[None]:
    """Lets what cuts an erasure off say that erasing again completes it."""
    try:
        yield
    except (MachineFault, OSError, KeyboardInterrupt) as error:
        stopped = fault_of(error) or error
        stopped.add_note(f"Contact {contact_id} may be erased in part: erase it again, which completes it.")
        raise stopped from error


def _give_up(store: Store, upload_id: str, user: str | None) -> None:
    """Cancels an upload that somebody interrupted, if it has not ended otherwise."""
    try:
        uploads.cancel(store, upload_id, user)
    except Refusal as refusal:
        if refusal.code == "upload-unknown":  # the ledger has no line of it yet
            uploads.forget(store, upload_id)


def _where(store: Store, upload_id: str) -> str:
    """Where an upload stands, in a sentence."""
    try:
        return where_it_stands(store.line(upload_id))
    except Refusal:
        return "Nothing was begun."
    except ContactPipelineError:
        return f"`contact-pipeline show {upload_id}` will say where the upload stands."
