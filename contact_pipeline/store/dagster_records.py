"""Where Dagster keeps its runs, events and schedules of a home: in SQLite within the home, or in PostgreSQL.

Erasing has to reach these records. So any other place is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.errors import MachineFault, Refusal, StoreBusy
from contact_pipeline.yaml_text import BrokenYaml, read_yaml

if TYPE_CHECKING:
    from contact_pipeline.settings import Settings

VARIABLE: Final = "CONTACT_PIPELINE_DAGSTER_POSTGRES"
BLOCK: Final = f"""
# Runs, events and schedules lie in PostgreSQL; erasing people looks for them there.
storage:
  postgres:
    postgres_url: {{env: {VARIABLE}}}
"""
_KEYS: Final = ("storage", "run_storage", "event_log_storage", "schedule_storage")
_CODE: Final = "dagster-storage"
_CONNECT_SECONDS: Final = 10


def names_storage(settings: Settings) -> bool:
    """Whether the `dagster.yaml` of a home names a storage; if not, the records are in the home."""
    return any(key in _read(settings) for key in _KEYS)


def postgres_of(settings: Settings) -> str | None:
    """The address of the PostgreSQL database with the records of a home; None: they are in the home.

    Raises:
        Refusal: the place of the records is unknown, or erasing cannot reach it (code `dagster-storage`).
    """
    given = settings.dagster_postgres.get_secret_value() if settings.dagster_postgres else None
    storage = {key: value for key, value in _read(settings).items() if key in _KEYS}
    if storage:
        given = _address(storage, given)
    if given is not None and not given.startswith("postgresql+psycopg2://"):
        raise Refusal(
            _CODE,
            "The address of PostgreSQL does not begin with postgresql+psycopg2://.",
            f"Set {VARIABLE}, such as postgresql+psycopg2://dagster@localhost/dagster.",
        )
    return given


def check_reachable(settings: Settings) -> str | None:
    """Tests that the records can be reached; returns the address of PostgreSQL, or None if they are in the home.

    Raises:
        Refusal, MachineFault: they cannot be reached (code `dagster-storage`).
    """
    address = postgres_of(settings)
    if address is not None:
        with connected(address, settings.lock_wait_seconds):
            pass
    return address


def _address(storage: dict[str, Any], given: str | None) -> str:
    match storage:
        case {"storage": {"postgres": {"postgres_url": {"env": str(name)}}}} if len(storage) == 1:
            address = given if name == VARIABLE else os.environ.get(name)
            if address is None:
                raise Refusal(
                    _CODE,
                    f"Dagster's records of this home lie in PostgreSQL, and {name} is not set.",
                    f"Set {name} as it is set for `contact-pipeline serve`.",
                )
            return address
        case {"storage": {"postgres": {"postgres_url": str(address)}}} if len(storage) == 1:
            return address
    raise Refusal(
        _CODE,
        "The dagster.yaml of this home keeps Dagster's records where people cannot be erased from them.",
        f"Take {', '.join(storage)} out of it: then they lie in the home, or in PostgreSQL where {VARIABLE} is set.",
    )


@contextmanager
def connected(address: str, wait_seconds: float) -> Iterator[Any]:
    """A connection to the PostgreSQL database, closed at the end. It does not commit automatically.

    Args:
        address: of the database.
        wait_seconds: how long to wait for locks of others.

    Raises:
        Refusal: the library psycopg2 is not installed (code `dagster-storage`).
        StoreBusy: something stayed locked for longer.
        MachineFault: the database does not answer (code `dagster-storage`).
    """
    if find_spec("psycopg2") is None:
        raise Refusal(
            _CODE,
            "Dagster's records of this home lie in PostgreSQL, and what reads them is not installed.",
            "Install it with: pip install 'contact-pipeline[postgres]'",
        )
    import psycopg2
    import psycopg2.errors

    try:
        connection = psycopg2.connect(address.replace("+psycopg2", "", 1), connect_timeout=_CONNECT_SECONDS)
    except psycopg2.Error as error:  # its text may quote the address
        raise _silent() from error
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = %s", [max(1, int(wait_seconds * 1000))])
        connection.commit()
        yield connection
    except psycopg2.errors.LockNotAvailable as error:
        raise StoreBusy(
            f"Dagster's records in PostgreSQL have been in use for {wait_seconds:g} s. Stop `contact-pipeline serve`, "
            "and try again: what is done already is not lost."
        ) from error
    except psycopg2.Error as error:
        raise _silent(error.pgcode or "") from error
    finally:
        connection.close()


def _silent(state: str = "") -> MachineFault:
    did = f"could not do what was asked (SQLSTATE {state})" if state else "does not answer or lets nobody in"
    return MachineFault(
        _CODE,
        f"PostgreSQL, in which Dagster's records of this home lie, {did}.",
        f"Put it right, or correct {VARIABLE}; then repeat the command.",
    )


def _read(settings: Settings) -> dict[str, Any]:
    path = settings.home / "dagster" / "dagster.yaml"
    try:
        found = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except BrokenYaml as error:
        place = f" ({error.where})" if error.where else ""
        raise Refusal(
            _CODE, f"dagster/dagster.yaml of the home{place}: {error.problem}.", "Correct the file."
        ) from error
    return found if isinstance(found, dict) else {}
