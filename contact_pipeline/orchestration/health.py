"""What `/health` answers: whether the parts of `serve` work.

Whoever reaches the port may ask. So the answer has no names, no paths and no error texts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.errors import ContactPipelineError, StoreBusy
from contact_pipeline.store import Store

if TYPE_CHECKING:
    import dagster as dg

    from contact_pipeline.settings import Settings

# Seconds; the daemon's threads beat every 30, and one may be busy. Of a beat that is later than now nobody knows how
# old it is: a daemon that has beaten ahead of the clock waits until the clock is there.
_BEATS_WITHIN: Final = 180
_LOOK_SECONDS: Final = 2.0  # to wait for the contact database: probes give up after a few seconds
_WRITTEN_FOR: Final = 900  # seconds that one commit may take before the database counts as stuck
_ANSWER_HOLDS: Final = 2.0  # seconds, so that many probes are no load


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one part works, and a sentence on it."""

    is_good: bool
    message: str


class Health:
    """The checks of one server."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, *, read_only: bool) -> None:
        """Takes the server as it is.

        Args:
            settings: of the home.
            instance: Dagster's.
            read_only: whether the server is read-only, and so has no daemon.
        """
        patience = min(settings.lock_wait_seconds, _LOOK_SECONDS)
        self._settings, self._instance, self._read_only = settings, instance, read_only
        self._store = Store(settings.model_copy(update={"lock_wait_seconds": patience}))
        self._read_at = time.monotonic()
        self._answer: tuple[float, dict[str, Check]] = (float("-inf"), {})

    def checks(self, locations: Mapping[str, Any]) -> dict[str, Check]:
        """The checks, by name; the same answer for two seconds.

        Args:
            locations: name → Dagster's entry of a code location.
        """
        at, known = self._answer
        if time.monotonic() - at > _ANSWER_HOLDS:
            known = {"contacts": self._contacts(), "code_location": _code_location(locations)}
            if not self._read_only:
                known["daemon"] = self._daemon()
            self._answer = time.monotonic(), known
        return known

    def _contacts(self) -> Check:
        if self._read_only and not self._settings.contacts_path.exists():
            return Check(is_good=False, message="The contact database is gone.")
        try:
            with self._store.open(read_only=True) as contacts:
                contacts.value("SELECT count(*) FROM uploads")
        except StoreBusy:
            is_good = time.monotonic() - self._read_at < _WRITTEN_FOR
            still = "is being written" if is_good else f"has been locked for more than {_WRITTEN_FOR // 60} minutes"
            return Check(is_good, f"The contact database {still}.")
        except ContactPipelineError as fault:
            code = getattr(fault, "code", "a fault")
            return Check(is_good=False, message=f"The contact database cannot be read ({code}). The log says more.")
        self._read_at = time.monotonic()
        return Check(is_good=True, message="The contact database can be read.")

    def _daemon(self) -> Check:
        beats = {}
        with suppress(Exception):  # whatever keeps Dagster's storage from answering
            beats = {name: beat.timestamp for name, beat in self._instance.get_daemon_heartbeats().items()}
        needed = self._instance.get_required_daemon_types()
        ages = {name: time.time() - beats.get(name, 0) for name in needed}
        silent = sorted(name for name, age in ages.items() if abs(age) > _BEATS_WITHIN)
        if silent:
            was_ahead = " Their last ones came when the clock was ahead: start `serve` anew."
            said = f"No heartbeat for {_BEATS_WITHIN} s of: {', '.join(silent)}."
            return Check(is_good=False, message=said + was_ahead * any(ages[name] < 0 for name in silent))
        return Check(is_good=True, message="Every part of Dagster's daemon has a heartbeat.")


def _code_location(locations: Mapping[str, Any]) -> Check:
    if locations and all(entry.code_location is not None for entry in locations.values()):
        return Check(is_good=True, message="The code location is loaded.")
    return Check(is_good=False, message="The code location is not loaded. The log says why.")


def as_document(checks: Mapping[str, Check]) -> dict[str, Any]:
    """The answer as a JSON document."""
    is_good = all(check.is_good for check in checks.values())
    named = {name: {"ok": check.is_good, "message": check.message} for name, check in checks.items()}
    return {"status": "ok" if is_good else "failing", "checks": named}
