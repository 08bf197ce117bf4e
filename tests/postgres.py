"""Starts a PostgreSQL server for one test, on a socket only, not as root, and ends it by its process id."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_START_SECONDS = 60


@contextmanager
def postgres_server() -> Iterator[tuple[str, Path]]:
    """The address of an empty database, and the folder in which its server keeps it.

    Without PostgreSQL the test is skipped, but fails in CI.
    """
    programs = _programs()
    known = {entry.pw_name for entry in pwd.getpwall()}
    owner = None if os.getuid() else "postgres" if "postgres" in known else "nobody"
    # Not a folder of pytest: those belong to root, and their paths are too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    data, log_file = folder / "data", folder / "log"
    try:
        if owner:
            shutil.chown(folder, owner)
        with log_file.open("w") as log:
            given: dict[str, Any] = {"user": owner, "cwd": folder, "stdout": log, "stderr": log}
            made = ["-D", data, "-U", "dagster", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
            subprocess.run([programs / "initdb", *made], check=True, **given)
            quick = ("fsync=off", "listen_addresses=", f"unix_socket_directories={folder}")
            words = [programs / "postgres", "-D", data, *(word for each in quick for word in ("-c", each))]
            with subprocess.Popen(words, start_new_session=True, **given) as server:
                try:
                    address = f"postgresql+psycopg2://dagster@/postgres?host={folder}"
                    _wait(address, server, log_file)
                    yield address, data
                finally:
                    server.send_signal(signal.SIGINT)  # the server ends its clients
    finally:
        shutil.rmtree(folder)


def ask(address: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows that a statement gives, run outside a transaction."""
    import psycopg2

    with closing(psycopg2.connect(address.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


def _wait(address: str, server: subprocess.Popen[bytes], log_file: Path) -> None:
    import psycopg2

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            ask(address, "SELECT 1")
        except psycopg2.OperationalError:
            assert server.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.1)
        else:
            return


def _programs() -> Path:
    """The folder of the server's programs, which Debian has outside of the path."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), *filter(None, [shutil.which("initdb")])]
    if found and find_spec("dagster_postgres"):
        return Path(found[0]).parent
    if os.environ.get("CI") == "true":
        pytest.fail("PostgreSQL or dagster-postgres is not installed")
    pytest.skip("PostgreSQL or dagster-postgres is not installed")
