"""Where the contacts lie, and what matches and changes them: the home's DuckDB, or a cluster with Delta tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from contact_pipeline.contracts.tables import STAGED
from contact_pipeline.engines import (
    Database,
    KeptTables,
    Tables,
    kept_on_spark,
    move_from_spark,
    move_to_spark,
    on_delta,
    staged_on_spark,
    tidy_delta,
)
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.store.erasures import home_id
from contact_pipeline.store.store import Store

Engine = Literal["duckdb", "spark"]

# The kept tables that grow with the contacts; the others are small, and stay in the home.
GROWING: Final = (
    "commits",
    "groups",
    "contacts",
    "accounts",
    "memberships",
    "links",
    "contact_changes",
    "account_changes",
    "membership_changes",
    "link_changes",
)
_TYPES: Final = {table.name: {column.name: column.type for column in table.columns} for table in STAGED}


@dataclass(frozen=True, slots=True)
class Migrated:
    """A home that was moved to an engine.

    Attributes:
        engine: where its contacts lie now.
        rows: table → how many rows were moved, and compared with those that were there.
    """

    engine: Engine
    rows: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """It as a JSON document."""
        return asdict(self)


@contextmanager
def staged_tables(store: Store, staging: Database) -> Iterator[Tables]:
    """The tables of a staging database, for the engine that matches.

    Args:
        store: of the home.
        staging: the staging database, open for writing.

    Raises:
        MachineFault: the contacts lie elsewhere than the settings say (code `engine-differs`), or the engine cannot be
            used, or stopped. The upload waits.
    """
    if store.settings.engine == "duckdb":
        yield staging
        return
    with store.open() as home:
        settle(store, home)
    with staged_on_spark(store.settings, staging, _TYPES) as tables:
        yield tables


@contextmanager
def kept_tables(store: Store, staged: Path) -> Iterator[tuple[Database, KeptTables]]:
    """The ledger and the contacts for one transaction, with the staged changeset beside them, as `staged`.

    The ledger stays in the home's database wherever the contacts lie: docs/decisions/0069.

    Args:
        store: of the home.
        staged: path of the staging database.

    Raises:
        MachineFault: as for `staged_tables`; the commit counts for nothing.
    """
    with store.open(staged=staged) as home, changing(store, home, "staged") as kept:
        yield home, kept


@contextmanager
def changing(store: Store, home: Database, staged: str | None = None) -> Iterator[KeptTables]:
    """The kept tables of an open home for one transaction, which is the home's as well.

    Args:
        store: of the home.
        home: its contact database, open for writing.
        staged: the alias of a staging database that is attached to it.

    Raises:
        MachineFault: as for `staged_tables`; the commit counts for nothing.
    """
    settle(store, home)
    if store.settings.engine == "duckdb":
        with home.transaction():
            yield home
        return
    with kept_on_spark(store.settings, home, staged) as kept, kept.transaction():
        yield kept


def forget_old_versions(store: Store, home: Database) -> None:
    """Deletes what only older versions of the contacts have, where the engine keeps such versions.

    Args:
        store: of the home.
        home: its contact database, open for writing.
    """
    if on_delta(home):
        tidy_delta(store.settings, home)


def migrate_engine(store: Store, to: Engine) -> Migrated:
    """Moves the contacts of a home to an engine, and compares each row; nobody else can write the home meanwhile.

    Args:
        store: of the home; its settings name the cluster and the location.
        to: the engine.

    Raises:
        Refusal: they lie there already (code `engine-same`).
        MachineFault: the settings do not name an engine that can be used, something else lies at the location
            (`location-used`), or a table reads differently there (`move-differs`); the home is as it was.
    """
    with store.open() as home:
        if on_delta(home) == (to == "spark"):
            raise Refusal("engine-same", f"The contacts of this home lie with {to} already.", "")
        rows = {name: home.value(f"SELECT count(*) FROM {name}") for name in GROWING}
        if to == "spark":
            move_to_spark(store.settings, home, home_id(home), GROWING)
        else:
            move_from_spark(home)
    return Migrated(to, rows)


def settle(store: Store, home: Database) -> None:
    """Moves the contacts to the engine of the settings while there are none.

    Raises:
        MachineFault: there are contacts, and they lie with another engine (code `engine-differs`).
    """
    wanted, there = store.settings.engine, "spark" if on_delta(home) else "duckdb"
    if wanted == there:
        return
    if home.value("SELECT count(*) FROM commits"):
        raise MachineFault(
            "engine-differs",
            f"The contacts of this home lie with {there}, and the setting `engine` says {wanted}.",
            f"Set CONTACT_PIPELINE_ENGINE={there}, or move them: `contact-pipeline migrate-engine {wanted}`.",
        )
    if wanted == "spark":
        move_to_spark(store.settings, home, home_id(home), GROWING)
    else:
        move_from_spark(home)
