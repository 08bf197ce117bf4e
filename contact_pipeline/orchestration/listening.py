"""Where the webserver of `serve` listens: at a port of an address, or at a Unix socket instead."""

from __future__ import annotations

import http.client
import os
import socket
import stat
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError

from contact_pipeline.errors import Refusal

_PATIENCE_SECONDS: Final = 2.0
_MODE: Final = 0o660  # its owner and group: the proxy is in that group
_LONGEST_PATH: Final = 107  # bytes of a socket's path on Linux, and three fewer on macOS
_WAITING: Final = 2048  # connections


@dataclass(frozen=True, slots=True)
class Place:
    """Where the webserver listens.

    Attributes:
        arguments: command-line arguments of the webserver.
        url: address of the webserver; empty for a socket.
        descriptors: open files that the webserver inherits.
        path: of the socket; None: the webserver listens at a port.
    """

    arguments: Sequence[str]
    url: str = ""
    descriptors: Sequence[int] = ()
    path: Path | None = None

    def answers(self) -> bool:
        """Whether the webserver answers there."""
        if self.path is not None:
            return _answers_at_socket(self.path)
        try:
            with urllib.request.urlopen(f"{self.url}/server_info", timeout=_PATIENCE_SECONDS):  # noqa: S310 - our own
                return True
        except (URLError, TimeoutError, ConnectionError):
            return False


def at_port(host: str, port: int) -> Place:
    """A port, or a free one for 0.

    Raises:
        Refusal: something else listens there (code `port-taken`).
    """
    free = _free_port(host, port)
    url = f"http://{host}:{free}"
    return Place(("--host", host, "--port", str(free)), url)


@contextmanager
def at_socket(path: Path) -> Iterator[Place]:
    """A Unix socket for its owner and group; it exists as long as the block lasts.

    A socket that a dead server has left is replaced.

    Raises:
        Refusal: a server listens there (code `socket-taken`), or there can be no socket (`socket-path`).
    """
    path = path.absolute()
    _make_room(path)
    with socket.socket(socket.AF_UNIX) as listening:
        mask = os.umask(0o177)  # nobody else connects before the mode is set
        try:
            listening.bind(str(path))
        except OSError as error:
            raise _no_socket(path, error.strerror or str(error)) from error
        finally:
            os.umask(mask)
        path.chmod(_MODE)
        made = path.lstat()
        try:
            listening.listen(_WAITING)
            fd = listening.fileno()
            yield Place(("--fd", str(fd)), descriptors=(fd,), path=path)
        finally:
            with suppress(OSError):
                if os.path.samestat(path.lstat(), made):  # not a file that somebody else has put in its place
                    path.unlink()


def _make_room(path: Path) -> None:
    """Removes the socket of a dead server."""
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise _no_socket(path, f"its path is longer than {_LONGEST_PATH} bytes")
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _no_socket(path, error.strerror or str(error)) from error
    if not stat.S_ISSOCK(found.st_mode):
        raise _no_socket(path, "something else is there, which is left as it is")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_PATIENCE_SECONDS)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                path.unlink()
            return
        except FileNotFoundError:
            return
        except OSError:  # busy, or not ours to ask
            pass
    raise Refusal("socket-taken", f"A server listens at {path}.", "Stop it first, or give another path with --socket.")


def _no_socket(path: Path, why: str) -> Refusal:
    fix = "Give the path of a file that is not there, in a folder that is there and yours, such as /run/contacts."
    return Refusal("socket-path", f"There can be no socket at {path}: {why}.", fix)


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0.

    Raises:
        Refusal: something else listens there (code `port-taken`).
    """
    try:
        with socket.create_server((host, port)) as server:
            free: int = server.getsockname()[1]
            return free
    except OSError as error:
        raise Refusal("port-taken", f"Port {port} on {host} is not free.", "Give another with --port.") from error


class _AtSocket(http.client.HTTPConnection):
    """HTTP through a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connects to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _answers_at_socket(path: Path) -> bool:
    connection = _AtSocket(path)
    try:
        connection.request("GET", "/server_info")
        return connection.getresponse().status < http.client.BAD_REQUEST
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
