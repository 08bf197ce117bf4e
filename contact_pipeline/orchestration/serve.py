"""`contact-pipeline serve`: Dagster's webserver and daemon on one home, started together and stopped together.

With `--read-only` there is no daemon. Such a server runs beside the one that writes, with its own logs and lock in
`dagster/read-only/`, and shares its Dagster storage.

Webserver and daemon use one code server, which loads the definitions once. By default each would start its own, and the
daemon a new one every minute.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import IO, TYPE_CHECKING

import contact_pipeline
from contact_pipeline.errors import Refusal
from contact_pipeline.orchestration.links import SERVED
from contact_pipeline.orchestration.listening import Place, at_port, at_socket
from contact_pipeline.orchestration.terminal import Terminal
from contact_pipeline.owner_only import mend, owner_only
from contact_pipeline.store.dagster_records import BLOCK, check_reachable, names_storage, postgres_of
from contact_pipeline.temporary import temporary_folder
from contact_pipeline.visible import visible

if TYPE_CHECKING:
    from contact_pipeline.settings import Settings

DEFINITIONS = "contact_pipeline.orchestration.definitions"
SHIPPED = Path(__file__).with_name("dagster.yaml")

EVENTS_AT_ONCE = "1000"  # Dagster gathers those that announce what a run is to make: four for each of its uploads

_POLL_SECONDS = 0.2
_STOP_SECONDS = 30  # for the processes to end their runs' workers and themselves
_START_SECONDS = 180


@owner_only()  # Dagster's processes inherit the mask
def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    at: Path | None = None,
    read_only: bool = False,
) -> int:
    """Runs the webserver and the daemon until somebody stops them; gives the exit status.

    Args:
        settings: of the home.
        host: address that the webserver listens on.
        port: its port; unset: the one of the settings, 0: a free one.
        at: the path of a Unix socket to listen at instead of a port.
        read_only: whether the webserver lets nobody change anything. Such a server has no daemon, and runs beside one
            that is not read-only.

    Raises:
        Refusal: the home is being served already (code `served-already`), the port or the socket is taken
            (`port-taken`, `socket-taken`), there can be no socket (`socket-path`), the settings that say who decides do
            not fit together (`deciding-settings`), or a read-only server finds no contacts that it can show
            (`nothing-to-look-at`, `home-outdated`).
    """
    home = settings.home.absolute()
    instance_home = home / "dagster"
    of_this_server = instance_home / "read-only" if read_only else instance_home
    _check_who_decides(settings, host if at is None else None)
    if read_only:
        _check_there_is_something(settings)
    mend(home, whole=not read_only)
    temporary_folder(home)
    of_this_server.mkdir(parents=True, exist_ok=True)
    with (
        _only_one(of_this_server / "serve.lock", home) as lock,
        _stop_asked() as stop,
        TemporaryDirectory() as sockets,
        _listening(host, settings.port if port is None else port, at) as place,
    ):
        code = Path(sockets) / "code"  # not in the home: a socket's path may have some hundred characters only
        dagster_home = _readable_by_sqlalchemy(instance_home, Path(sockets))
        if read_only:
            _lay_out(settings, instance_home, dagster_home)
        else:
            _prepare(settings, instance_home)
            _end_lost_runs(dagster_home)
        _write_workspace(of_this_server, code)
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(dagster_home),
            "CONTACT_PIPELINE_HOME": str(home),
            SERVED: "1",
            "DAGSTER_EVENT_BATCH_SIZE": EVENTS_AT_ONCE,
        }
        start = partial(_Child, folder=of_this_server, environment=environment, lock=lock)
        workspace = ["-w", str(of_this_server / "workspace.yaml")]
        web = ["contact_pipeline.orchestration.webserver", *place.arguments, *workspace]
        children = [start("code server", _code_server(code))]
        try:
            status = _watch(children, lambda: _listens(code), stop)
            if status is None:
                if read_only:
                    web.append("--read-only")
                children.append(start("webserver", web, descriptors=place.descriptors))
                if not read_only:
                    children.append(start("daemon", ["dagster._daemon", "run", *workspace]))
                status = _watch(children, place.answers, stop)
            if status is None:
                if place.url and not read_only:
                    _note_address(settings, host, place.url)
                _greet(place, settings, read_only=read_only)
                look = _look_nowhere if read_only else Terminal(settings, dagster_home, _say).look
                status = _watch(children, look, stop, patience=None)
            return status or 0
        finally:
            if not read_only:
                settings.served_path.unlink(missing_ok=True)
            _stop(children)


def _greet(place: Place, settings: Settings, *, read_only: bool) -> None:
    """Prints the addresses, and what can be done there."""
    url = place.url or (settings.address or "").rstrip("/")
    dagster, pages = (f"Dagster is at {url}. ", f"The uploads are at {url}/pages/. ") if url else ("", "")
    if place.path:
        _say(f"Listens at the socket {place.path} and at no port: a proxy that may open it stands in front.")
    if read_only:
        _say(f"{pages}{dagster}Nothing can be changed there: --read-only.")
        _say("No file is taken by this server: that is for `serve` without --read-only. Ctrl-C stops it.")
    else:
        _say(f"{dagster}Drop files into {settings.inbox}/<profile>/. Ctrl-C stops it.")
        _say(f"{pages}{_who_decides(settings)}")


@contextmanager
def _listening(host: str, port: int, at: Path | None) -> Iterator[Place]:
    """Where the webserver listens, for as long as the block lasts."""
    if at is None:
        yield at_port(host, port)
        return
    with at_socket(at) as place:
        yield place


def _check_who_decides(settings: Settings, host: str | None) -> None:
    """Tests the settings of the pages before anything starts."""
    from contact_pipeline.web.visitor import check_settings

    check_settings(settings, host)


def _check_there_is_something(settings: Settings) -> None:
    """Tests that the home has contacts of this version: a read-only server neither makes nor migrates a home.

    Raises:
        Refusal: there are no contacts (code `nothing-to-look-at`), or an earlier version wrote them (`home-outdated`).
    """
    from contact_pipeline.engines import open_database
    from contact_pipeline.store.schema import pending_migrations

    if not settings.contacts_path.exists():
        raise Refusal(
            "nothing-to-look-at",
            f"{settings.home} has no contacts yet, so there is nothing to look at.",
            "Import a file, or start `contact-pipeline serve` without --read-only; or give another --home.",
        )
    with open_database(settings.contacts_path, settings, read_only=True) as contacts:
        if pending_migrations(contacts):
            raise Refusal(
                "home-outdated",
                f"{settings.home} was last written by an earlier version.",
                "`contact-pipeline uploads` brings it up to date; stop servers of the earlier version first.",
            )


def _who_decides(settings: Settings) -> str:
    """Who can decide on the pages, in words."""
    if settings.user_header is not None:
        return "Whom the proxy names can decide there."
    if settings.decide_locally:
        return f"Whoever opens them decides there as {getpass.getuser()}."
    return "Nobody can decide there: no proxy with a login is set up."


def _note_address(settings: Settings, host: str, url: str) -> None:
    """Writes the process id and the address of the webserver, for links in notices."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - these mean all addresses, and are no link
        settings.served_path.write_text(f"{os.getpid()} {url}", encoding="utf-8")


class _Child:
    """One of Dagster's processes, in a process group of its own, so that Ctrl-C reaches only this process."""

    def __init__(
        self,
        name: str,
        module: Sequence[str],
        folder: Path,
        environment: dict[str, str],
        lock: IO[str],
        descriptors: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = folder / f"{name.replace(' ', '-')}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno(), *descriptors],  # the lock is held as long as any process lives
            )

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and everything it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def _code_server(where: Path) -> list[str]:
    """The command of the process that loads the definitions and starts the runs."""
    root = Path(contact_pipeline.__file__).parents[1]
    named = ["--location-name", "contact_pipeline", "--module-name", DEFINITIONS, "--working-directory", str(root)]
    return ["contact_pipeline.orchestration.code_server", "api", "grpc", "--socket", str(where), *named]


def _watch(
    children: Sequence[_Child], ready: Callable[[], bool | None], stop: _Stop, patience: float | None = _START_SECONDS
) -> int | None:
    """Waits until all is ready (None), somebody asks to stop (0), or a process has died or takes too long (1)."""
    deadline = None if patience is None else time.monotonic() + patience
    while not stop.wait(_POLL_SECONDS):
        for child in children:
            if child.process.poll() is not None:
                _say(f"Dagster's {child.name} has ended with status {child.process.returncode}; see {child.log}:")
                _say(child.last_words())
                return 1
        if ready():
            return None
        if deadline is not None and time.monotonic() > deadline:
            _say(f"Dagster's {children[-1].name} has not answered for {patience:g} s; see {children[-1].log}.")
            return 1
    return 0


def _stop(children: Sequence[_Child]) -> None:
    """Asks the processes to end, waits, and ends by force what is left of their groups."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
        child.signal(signal.SIGKILL)
        child.process.wait()


def _prepare(settings: Settings, instance_home: Path) -> None:
    """Puts the instance's settings in place, and a folder into the inbox for every profile."""
    _put_settings(settings, instance_home)
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.profiles import find_profiles

    if settings.contacts_path.exists():
        Pipeline(settings=settings).tidy()
    for name in find_profiles(settings.profiles_path)[0]:
        (settings.inbox / name).mkdir(parents=True, exist_ok=True)


def _put_settings(settings: Settings, instance_home: Path) -> None:
    """Writes Dagster's own settings, with PostgreSQL as its storage where the home asks for that.

    Raises:
        Refusal: what PostgreSQL needs is not installed, or its settings are wrong (code `dagster-storage`).
        MachineFault: PostgreSQL does not answer (the same code).
    """
    dagster_yaml = instance_home / "dagster.yaml"
    if not dagster_yaml.exists():
        shutil.copyfile(SHIPPED, dagster_yaml)
    if postgres_of(settings) is None:
        return
    if find_spec("dagster_postgres") is None:
        raise Refusal(
            "dagster-storage",
            "Dagster's records of this home lie in PostgreSQL, and what reads them is not installed.",
            "Install it with: pip install 'contact-pipeline[postgres]'",
        )
    check_reachable(settings)
    if not names_storage(settings):
        with dagster_yaml.open("a", encoding="utf-8") as file:
            file.write(BLOCK)


def _write_workspace(folder: Path, code: Path) -> None:
    (folder / "workspace.yaml").write_text(
        f"load_from: [grpc_server: {{socket: {str(code)!r}, location_name: contact_pipeline}}]\n", encoding="utf-8"
    )


def _lay_out(settings: Settings, instance_home: Path, dagster_home: Path) -> None:
    """Creates Dagster's storage in a home that was never served. A server that writes creates its own."""
    import dagster as dg

    with ExitStack() as alone:
        try:
            alone.enter_context(_only_one(instance_home / "serve.lock", instance_home.parent))
        except Refusal:
            return
        _put_settings(settings, instance_home)
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            instance.get_runs(limit=1)


def _readable_by_sqlalchemy(instance_home: Path, folder: Path) -> Path:
    """The instance's folder, or a link to it where its path has a percent sign: SQLAlchemy would read `%41` as A."""
    if "%" not in str(instance_home):
        return instance_home
    link = folder / "dagster"
    link.symlink_to(instance_home)
    return link


def _end_lost_runs(instance_home: Path) -> None:
    """Fails the runs that a dead machine left unfinished: they would count as running, and block the queue.

    This is the first to open the instance, and so also creates its storage, which two processes must not do at once.
    """
    import dagster as dg

    under_way = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    with dg.DagsterInstance.from_config(str(instance_home)) as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=under_way)):
            instance.report_run_failed(run, "The process of this run had ended when the server was started.")


@contextmanager
def _only_one(path: Path, home: Path) -> Iterator[IO[str]]:
    """Holds the lock of a home. The children hold it too, in case this process dies before them."""
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refusal(
                "served-already",
                f"Dagster already runs on {home}.",
                "Stop that one first, or give another --home. One with and one without --read-only run side by side.",
            ) from error
        yield lock


class _Stop:
    """Whether somebody has asked to stop. It has no lock: a signal could come while its own thread holds the lock."""

    def __init__(self) -> None:
        self._is_asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Asks to stop; a signal handler."""
        self._is_asked = True

    def wait(self, seconds: float) -> bool:
        """Waits, unless somebody has asked to stop; returns whether somebody has."""
        if not self._is_asked:
            time.sleep(seconds)
        return self._is_asked


@contextmanager
def _stop_asked() -> Iterator[_Stop]:
    """Handles SIGINT and SIGTERM as long as the block lasts."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _look_nowhere() -> None:
    """Stands in for the terminal, which a read-only server does not have."""


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _say(message: str) -> None:
    sys.stderr.write(visible(message) + "\n")
    sys.stderr.flush()
