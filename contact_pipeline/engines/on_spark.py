"""Work with an engine that speaks Spark Connect, as the settings name it. Spark's libraries are loaded only here."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.location import EXCHANGE, forget_left, must_be_own, new_folder, note_left
from contact_pipeline.engines.record import folders, take_in_all
from contact_pipeline.engines.tables import KeptTables, Tables
from contact_pipeline.errors import MachineFault
from contact_pipeline.masking import ANY, mask
from contact_pipeline.settings import Settings
from contact_pipeline.temporary import passing_folder

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_UNTIDY: Final = 50  # versions of a table after which it is tidied before the next commit
_PLAIN: Final = re.compile(r"/[A-Za-z0-9/._~+@=-]*")  # a path that DuckDB, delta-rs and Spark all read as it stands


@dataclass(frozen=True, slots=True)
class Work:
    """A session on the engine.

    Attributes:
        session: of Spark Connect.
        folder: where tables are handed to and fro; the engine and this process both reach it.
        location: the folder of all homes' Delta tables.
        settings: of the home.
    """

    session: SparkSession
    folder: Path
    location: Path
    settings: Settings

    @contextmanager
    def staged(self, staging: Database, types: Mapping[str, Mapping[str, str]]) -> Iterator[Tables]:
        """The tables of a staging database, for work on the engine. At the end what was staged is in that database.

        Args:
            staging: the staging database, open for writing.
            types: staged table → column → its type.
        """
        from contact_pipeline.engines.staged_there import StagedTables

        tables = StagedTables(self.session, self.folder, self.settings, staging)
        yield tables
        tables.bring_back(types)

    def kept(self, home: Database, staged: str | None = None) -> KeptTables:
        """The kept tables of a home whose contacts are Delta tables; a commit that was cut off is taken back.

        Args:
            home: its contact database, open for writing.
            staged: the alias of a staging database that is attached there; unset: there is none.

        Raises:
            MachineFault: the tables are of another home (code `location-of-another`), cannot be read
                (`delta-missing`), or another program has written them (`delta-conflict`).
        """
        from contact_pipeline.engines.delta import DeltaTables
        from contact_pipeline.engines.tidying import tidy

        must_be_own(self.settings, home)
        tables = DeltaTables(self.session, self.folder, self.settings, home)
        tables.must_be_newest()
        if tidy(home, least=_UNTIDY):
            tables = DeltaTables(self.session, self.folder, self.settings, home)
        if staged is not None:
            tables.offer(home, staged)
        return tables

    def tidy(self, home: Database) -> None:
        """Deletes every file that only old versions of the Delta tables have, and their part of the log.

        Args:
            home: the contact database, open for writing.
        """
        from contact_pipeline.engines.tidying import tidy

        self.kept(home)
        tidy(home, least=0)

    def move(self, home: Database, names: Collection[str]) -> None:
        """Moves tables of a home into Delta tables in a new folder, and proves that they are the same.

        Args:
            home: its contact database, open for writing.
            names: of the tables.

        Raises:
            MachineFault: what was written reads differently (code `move-differs`); the home is as it was.
        """
        from contact_pipeline.engines.delta import move_to_delta

        folder = new_folder(self.settings, self.location)
        try:
            move_to_delta(self.session, self.folder, self.settings, home, names, str(folder))
        finally:
            forget_left(self.settings, home)


@contextmanager
def working(settings: Settings) -> Iterator[Work]:
    """A session on the engine that the settings name, for as long as the block lasts.

    Raises:
        MachineFault: the settings name no engine that can be used (`engine-settings`, `engine-extra-missing`,
            `engine-url`, `engine-unreachable`, `engine-version`), or it stopped (`engine-failed`).
    """
    location = _location(settings)
    try:
        import deltalake  # noqa: F401 - it is needed later

        from contact_pipeline.engines.spark import open_session
    except ModuleNotFoundError as error:
        fix = "Install contact-pipeline[spark], or set CONTACT_PIPELINE_ENGINE=duckdb."
        raise MachineFault("engine-extra-missing", f"The library {error.name} is not installed.", fix) from error
    if settings.spark_url is None:
        fix = "Set CONTACT_PIPELINE_SPARK_URL=sc://HOST:PORT."
        raise MachineFault("engine-settings", "It is not set where the engine listens.", fix)
    url = settings.spark_url.get_secret_value()
    exchange = location / f"{EXCHANGE}-{socket.gethostname()}"
    with _in_words(url):
        session = open_session(url, settings.lock_wait_seconds)
        try:
            with passing_folder(exchange) as folder:
                yield Work(session, folder, location, settings)
        finally:
            with suppress(Exception):  # the engine may be gone, and the session with it
                session.stop()


def move_from_spark(settings: Settings, home: Database) -> list[str]:
    """Moves the Delta tables of a home into its contact database, and proves that they are the same.

    Args:
        settings: of the home.
        home: its contact database, open for writing.

    Returns:
        The folders of tables that were not deleted, as they are another home's.

    Raises:
        MachineFault: a table reads differently in the home (code `move-differs`); the home is as it was.
    """
    there = folders(home)
    for folder in there:
        note_left(settings, Path(folder))
    with home.transaction():
        take_in_all(home)
    forget_left(settings, home)
    return sorted(folder for folder in there if Path(folder).exists())


def _location(settings: Settings) -> Path:
    """The folder of the Delta tables."""
    named = settings.location
    if named is None:
        fix = "Set CONTACT_PIPELINE_LOCATION to a folder that this machine and the engine both reach."
        raise MachineFault("engine-settings", "It is not set where the Delta tables lie.", fix)
    path = Path(named.removeprefix("file://"))
    if not _PLAIN.fullmatch(str(path)):
        fix = "Give CONTACT_PIPELINE_LOCATION an absolute path of letters a to z, digits and / . _ ~ + @ = - alone."
        raise MachineFault("engine-settings", f"{named} is no folder that can be used.", fix)
    if not path.is_dir():
        fix = "Make it, and let the user of the engine write there; or mend CONTACT_PIPELINE_LOCATION."
        raise MachineFault("engine-settings", f"There is no folder {path}.", fix)
    return path


@contextmanager
def _in_words(url: str) -> Iterator[None]:
    """Raises errors of the engine as faults in words. Their own texts, which can quote cells, go no further."""
    from deltalake.exceptions import DeltaError
    from grpc import RpcError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    try:
        yield
    except (AnalysisException, ParseException):  # a query that the engine does not take is a defect of this program
        raise
    except (PySparkException, RpcError, DeltaError) as error:
        words = mask(_first_words(str(error)), ANY)
    else:
        return
    raise MachineFault(
        "engine-failed",
        f"The engine at {urlsplit(url).hostname} has given up. It says: {words or 'nothing'}",
        "Look at its log; once it works again, repeat the command. The next commit takes back what was begun.",
    )


def _first_words(text: str) -> str:
    """The line of an engine's message that says what is wrong."""
    details = re.search(r'details = "(.+)"', text)  # of gRPC, behind lines that name its classes
    return details[1] if details else (text.strip().splitlines() or [""])[0]
