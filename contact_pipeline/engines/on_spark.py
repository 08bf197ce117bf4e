"""Work on a cluster that speaks Spark Connect, as the settings name it. Spark's libraries are loaded only here."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.record import RECORD, take_in_all
from contact_pipeline.engines.tables import KeptTables, Tables
from contact_pipeline.errors import MachineFault
from contact_pipeline.settings import Settings
from contact_pipeline.temporary import passing_folder

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_MARK: Final = "contact-pipeline-home"  # file at the location, with the id of the home that writes there
_UNTIDY: Final = 50  # versions of a table after which it is tidied before the next commit


@contextmanager
def staged_on_spark(settings: Settings, staging: Database, types: Mapping[str, Mapping[str, str]]) -> Iterator[Tables]:
    """The tables of a staging database, for work on the cluster. At the end what was staged is in that database.

    Args:
        settings: of the home; they name the cluster.
        staging: the staging database, open for writing.
        types: staged table → column → its type.

    Raises:
        MachineFault: the settings name no cluster that can be used (see `open_session`), or it stopped
            (`engine-failed`); what was staged before stays.
    """
    with _work(settings) as (session, folder):
        from contact_pipeline.engines.staged_there import StagedTables

        tables = StagedTables(session, folder, settings, staging)
        yield tables
        tables.bring_back(types)


@contextmanager
def kept_on_spark(settings: Settings, home: Database, staged: str | None) -> Iterator[KeptTables]:
    """The kept tables of a home whose contacts are Delta tables; the changeset beside them is attached to the home.

    Args:
        settings: of the home; they name the cluster.
        home: its contact database, open for writing.
        staged: the alias of a staging database that is attached there; unset: there is none.

    Raises:
        MachineFault: the settings name no cluster that can be used (see `open_session`), it stopped
            (`engine-failed`), or another program has written there (`delta-conflict`); a commit that was begun is
            taken back.
    """
    with _work(settings) as (session, folder):
        from contact_pipeline.engines.delta import DeltaTables
        from contact_pipeline.engines.tidying import tidy

        tidy(home, least=_UNTIDY)
        tables = DeltaTables(session, folder, settings, home)
        if staged is not None:
            tables.offer(home, staged)
        yield tables


def tidy_delta(settings: Settings, home: Database) -> None:
    """Deletes every file that only old versions of the Delta tables have, and their part of the log.

    Raises:
        MachineFault: see `kept_on_spark`.
    """
    with kept_on_spark(settings, home, None):  # takes back what was cut off
        from contact_pipeline.engines.tidying import tidy

        tidy(home)


def move_to_spark(settings: Settings, home: Database, home_id: str, names: Collection[str]) -> None:
    """Moves tables of a home into Delta tables at the location of the settings, and proves that they are the same.

    Args:
        settings: of the home; they name the cluster and the location.
        home: its contact database, open for writing.
        home_id: the id of the home, which is written at the location.
        names: of the tables.

    Raises:
        MachineFault: something else lies at the location (code `location-used`), what was written reads differently
            (`move-differs`), or the cluster cannot be used.
    """
    with _work(settings) as (session, folder):
        from contact_pipeline.engines.delta import move_to_delta

        location = _location(settings)
        mark = location / _MARK
        if mark.exists() and mark.read_text(encoding="utf-8") != home_id:
            raise MachineFault(
                "location-used", f"{location} holds the contacts of another home.", "Name another folder."
            )
        if not mark.exists() and any((location / name).exists() for name in names):
            message = f"{location} holds tables of another program."
            raise MachineFault("location-used", message, "Name another folder.")
        mark.write_text(home_id, encoding="utf-8")
        for name in names:  # of a move that was cut off
            shutil.rmtree(location / name, ignore_errors=True)
        move_to_delta(session, folder, settings, home, names, str(location))


def move_from_spark(home: Database) -> None:
    """Moves the Delta tables of a home into its contact database, proves that they are the same, and deletes them."""
    paths = [Path(path) for (path,) in home.rows(f"SELECT path FROM {RECORD}")]
    with home.transaction():
        take_in_all(home)
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
    for location in {path.parent for path in paths}:
        (location / _MARK).unlink(missing_ok=True)


@contextmanager
def _work(settings: Settings) -> Iterator[tuple[SparkSession, Path]]:
    """A session on the cluster, and a folder that it and this process reach, for as long as the block lasts."""
    location = _location(settings)
    try:
        from contact_pipeline.engines.spark import open_session
    except ModuleNotFoundError as error:
        fix = "Install contact-pipeline[spark], or set CONTACT_PIPELINE_ENGINE=duckdb."
        raise MachineFault("engine-extra-missing", f"The library {error.name} is not installed.", fix) from error
    if settings.spark_url is None:
        fix = "Set CONTACT_PIPELINE_SPARK_URL=sc://HOST:PORT."
        raise MachineFault("engine-settings", "It is not set where the engine listens.", fix)
    url = settings.spark_url.get_secret_value()
    session = open_session(url, settings.lock_wait_seconds)
    try:
        with passing_folder(location) as folder, _in_words(urlsplit(url).hostname):
            yield session, folder
    finally:
        _end(session)


def _location(settings: Settings) -> Path:
    """The folder of the Delta tables."""
    if settings.location is None:
        fix = "Set CONTACT_PIPELINE_LOCATION to a folder that this machine and the engine both reach."
        raise MachineFault("engine-settings", "It is not set where the Delta tables lie.", fix)
    parts = urlsplit(settings.location)
    if parts.scheme not in {"", "file"} or not (path := Path(parts.path)).is_absolute():
        fix = "Name a folder by its absolute path, such as one of a network file system that both reach."
        raise MachineFault("engine-settings", f"{settings.location} is no folder of a file system.", fix)
    return path


@contextmanager
def _in_words(host: str | None) -> Iterator[None]:
    from grpc import RpcError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    try:
        yield
    except (AnalysisException, ParseException):  # a query that the engine does not take is a defect of this program
        raise
    except (PySparkException, RpcError) as error:
        raise MachineFault(
            "engine-failed",
            f"The engine at {host} has given up: {_first_line(error)}",
            "Look at its log; once it works again, repeat the command. Nothing is half done.",
        ) from error


def _first_line(error: Any) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _end(session: SparkSession) -> None:
    with suppress(Exception):  # the engine may be gone, and the session with it
        session.stop()
