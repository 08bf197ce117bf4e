"""Where the contacts lie, and what matches and changes them: the home's DuckDB, or another engine with Delta tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from contact_pipeline.contracts.kept import GROWING
from contact_pipeline.contracts.tables import STAGED
from contact_pipeline.engines import (
    Database,
    KeptTables,
    Tables,
    Work,
    forget_left,
    move_from_spark,
    on_delta,
    working,
)
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.store.store import Store

Engine = Literal["duckdb", "spark"]

_TYPES: Final = {table.name: {column.name: column.type for column in table.columns} for table in STAGED}


@dataclass(frozen=True, slots=True)
class Migrated:
    """A home that was moved to an engine.

    Attributes:
        engine: where its contacts lie now.
        rows: table → how many rows were moved, and compared with those that were there.
        left: folders of Delta tables that stay, as they belong to the home that this one was copied from.
    """

    engine: Engine
    rows: dict[str, int]
    left: list[str]

    def as_dict(self) -> dict[str, Any]:
        """It as a JSON document."""
        return asdict(self)


@contextmanager
def engine_of(settings: Settings) -> Iterator[Work | None]:
    """The engine that the settings name, for as long as the block lasts; None: the home's own DuckDB.

    It answers before the home is opened, so that nobody waits for a home whose engine is away.

    Raises:
        MachineFault: it cannot be used (see `engines.working`), or it stopped. Uploads wait.
    """
    if settings.engine == "duckdb":
        yield None
        return
    with working(settings) as work:
        yield work


@contextmanager
def staged_tables(store: Store, staging: Database) -> Iterator[Tables]:
    """The tables of a staging database, for the engine that matches.

    Args:
        store: of the home.
        staging: the staging database, open for writing.

    Raises:
        MachineFault: as `engine_of`, or the contacts lie elsewhere than the settings say (code `engine-differs`).
    """
    with engine_of(store.settings) as work:
        if work is None:
            yield staging
            return
        with store.open(read_only=True) as home:
            lies_there = on_delta(home)
        if not lies_there:
            with store.open() as home:
                settle(store.settings, home, work)
        with work.staged(staging, _TYPES) as tables:
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
    with (
        engine_of(store.settings) as work,
        store.open(staged=staged) as home,
        changing(store.settings, home, work, "staged") as kept,
    ):
        yield home, kept


@contextmanager
def changing(settings: Settings, home: Database, work: Work | None, staged: str | None = None) -> Iterator[KeptTables]:
    """The kept tables of an open home for one transaction, which is the home's as well.

    Args:
        settings: of the home.
        home: its contact database, open for writing.
        work: the engine, as `engine_of` gives it.
        staged: the alias of a staging database that is attached to it.

    Raises:
        MachineFault: as for `staged_tables`; the commit counts for nothing.
    """
    settle(settings, home, work)
    if work is None:
        with home.transaction():
            yield home
        return
    tables = work.kept(home, staged)
    with tables.transaction():
        yield tables


def settle(settings: Settings, home: Database, work: Work | None) -> None:
    """Moves the contacts to the engine of the settings, as long as there are none; deletes what a move has left behind.

    Raises:
        MachineFault: they lie with another engine (code `engine-differs`).
    """
    forget_left(settings, home)
    there = "spark" if on_delta(home) else "duckdb"
    if settings.engine == there:
        return
    if work is None or home.value("SELECT count(*) FROM commits"):
        raise MachineFault(
            "engine-differs",
            f"The contacts of this home lie with {there}, and the setting `engine` says {settings.engine}.",
            f"Set CONTACT_PIPELINE_ENGINE={there}, or move them: `contact-pipeline migrate-engine {settings.engine}`.",
        )
    work.move(home, GROWING)


def migrate_engine(store: Store, to: Engine) -> Migrated:
    """Moves the contacts of a home to an engine, and compares each row; nobody else can write the home meanwhile.

    Args:
        store: of the home; its settings name the engine and the location.
        to: the engine.

    Raises:
        Refusal: they lie there already (code `engine-same`).
        MachineFault: the settings do not name an engine that can be used, or a table reads differently there
            (`move-differs`); the home is as it was.
    """
    settings = store.settings.model_copy(update={"engine": to})
    with store.open(read_only=True) as home:
        _must_move(home, to)
    with engine_of(settings) as work, store.open() as home:
        forget_left(settings, home)
        _must_move(home, to)
        rows = {name: home.value(f"SELECT count(*) FROM {name}") for name in GROWING}
        left: list[str] = []
        if work is None:
            left = move_from_spark(settings, home)
        else:
            work.move(home, GROWING)
    return Migrated(to, rows, left)


def _must_move(home: Database, to: Engine) -> None:
    if on_delta(home) == (to == "spark"):
        raise Refusal("engine-same", f"The contacts of this home lie with {to} already.", "")
