"""Files of other machines as a source, by fsspec, which no other module imports.

The errors and logs of its libraries can contain addresses and logins, and are never shown: `trouble` words them anew.
"""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from contact_pipeline.feeds.credentials import Credentials, variable
from contact_pipeline.feeds.origin import Found, Listing, Trouble, free_name, listing
from contact_pipeline.feeds.place import Place
from contact_pipeline.feeds.trouble import quietly, trouble_of

_NEEDED: Final = {"s3": ("fsspec", "s3fs"), "sftp": ("fsspec", "sshfs"), "https": ("fsspec", "aiohttp")}
_ATOMIC: Final = {"s3", "gs", "gcs", "abfs", "abfss", "az"}  # object stores, in which every file is complete
_OF_THIS_MACHINE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE}
_SECONDS: Final = 30  # to wait for a server at each step
_LISTING_SECONDS: Final = 600  # for all steps of a listing


class TooLarge(Exception):
    """A file is larger than allowed."""


class RemoteOrigin:
    """A folder or a file of a server."""

    def __init__(self, feed: str, place: Place, credentials: Credentials, seconds: float | None = None) -> None:
        """Does not connect yet.

        Args:
            feed: its name.
            place: the place of the files.
            credentials: the login.
            seconds: how long connecting and listing may take at most, each; unset: as long as a run has patience.

        Raises:
            Trouble: a library that such a source needs is not installed (code `feed-extra-missing`).
        """
        must_be_installed(place.scheme)
        self.place = place
        self._feed, self._credentials = feed, credentials
        self._bound: dict[str, float] = {"timeout": seconds or _LISTING_SECONDS} if place.scheme in _NEEDED else {}
        self._connected: Any = None

    def look_through(self) -> Listing:
        """The files that are there now."""
        with self._translated() as files:
            if self.place.is_exact:
                found = self._look(files, self._path)
                return listing(self.place, [found] if found else [])
            entries = self._entries(files)
            return listing(self.place, (self._found(each) for each in entries if each.get("type") == "file"))

    def _entries(self, files: Any) -> list[dict[str, Any]]:
        try:
            return list(files.ls(self.place.folder_path, detail=True, **self._bound))
        except FileNotFoundError as error:  # a bucket has no folders, only names of files that begin with one
            if self.place.scheme in _ATOMIC and error.__cause__ is None:
                return []
            raise

    def look(self, found: Found) -> Found | None:
        """The file as it is now; None: it is gone."""
        with self._translated(found) as files:
            return self._look(files, found.path)

    def fetch(self, found: Found, path: Path, most: int) -> None:
        """Copies a file to a new one.

        Raises:
            Trouble: the copy is not the whole file as it was found, or the file cannot be fetched.
        """
        path.unlink(missing_ok=True)  # left by an earlier try
        with self._translated(found) as files:
            try:
                files.get_file(found.path, str(path), callback=_bounded(most))
            except TooLarge:
                raise Trouble(
                    "file-too-large",
                    f"{found.shown} is larger than the {most:,} bytes that are taken.",
                    "Raise CONTACT_PIPELINE_MAX_FILE_BYTES, or have it sent in parts.",
                    of_one_file=True,
                ) from None
            came, now = path.stat().st_size, self._look(files, found.path)
        if now is None or now.look != found.look:
            raise Trouble(
                "feed-changing",
                f"{found.shown} was changed while it was fetched.",
                "It is fetched once it stays as it is.",
                of_one_file=True,
            )
        if found.size is not None and came != found.size:
            raise Trouble(
                "feed-cut",
                f"{found.shown} came with {came:,} of {found.size:,} bytes.",
                "Run the feed again; if it stays so, ask whoever runs the server.",
                passes=True,
                of_one_file=True,
            )

    def remove(self, found: Found) -> None:
        """Deletes a file."""
        with self._changing(found) as files:
            files.rm_file(found.path)

    def move(self, found: Found, folder: str) -> None:
        """Moves a file to a folder beside it."""
        with self._changing(found) as files:
            there = f"{found.path.rpartition('/')[0]}/{folder}"
            files.makedirs(there, exist_ok=True)
            with suppress(FileNotFoundError):
                taken = [_name_of(each["name"]) for each in files.ls(there, detail=True)]
                name = free_name(found.name, taken)
                files.mv(found.path, f"{there}/{name}")
                return
            files.mv(found.path, f"{there}/{found.name}")

    def close(self) -> None:
        """Closes the connection."""
        files, self._connected = self._connected, None
        if files is not None:
            with quietly(), suppress(Exception):
                _disconnect(files)

    @property
    def _where(self) -> str:
        return self.place.server

    @property
    def _path(self) -> str:
        place = self.place
        return place.folder if place.scheme == "https" else f"{place.folder_path.rstrip('/')}/{place.pattern}"

    @contextmanager
    def _translated(self, found: Found | None = None) -> Iterator[Any]:
        """The connected file system. Errors within the block become Trouble."""
        try:
            with quietly():
                if self._connected is None:
                    self._connected = _connect(self.place, self._credentials, self._feed, self._bound)
                self._connected.invalidate_cache()
                yield self._connected
        except Trouble:
            raise
        except Exception as error:  # errors of the libraries may contain a login
            if isinstance(error, OSError) and error.errno in _OF_THIS_MACHINE:
                raise
            trouble = trouble_of(error, self._where, self._feed, found.shown if found else None)
            if trouble.passes:
                self.close()  # the connection may be cut
            raise trouble from None

    @contextmanager
    def _changing(self, found: Found) -> Iterator[Any]:
        try:
            with self._translated(found) as files:
                yield files
        except Trouble as trouble:
            if trouble.passes:
                raise
            raise Trouble(
                "feed-after",
                f"{found.shown} could not be moved or deleted at {self._where}.",
                "Let its login do that, or set `after: leave`.",
                of_one_file=True,
            ) from None

    def _look(self, files: Any, path: str) -> Found | None:
        try:
            return self._found(files.info(path, **self._bound))
        except FileNotFoundError as error:  # over HTTPS, raised after any error
            trouble = trouble_of(error, self._where, self._feed, None)
            if trouble.code == "feed-missing":
                return None
            raise

    def _found(self, info: dict[str, Any]) -> Found:
        path = str(info["name"])
        changed_at = info.get("mtime") or info.get("LastModified") or info.get("Last-Modified")
        mark = info.get("ETag") or changed_at
        if isinstance(changed_at, str):
            changed_at = _time_of(changed_at)
        return Found(
            path,
            self.place.pattern if self.place.is_exact else _name_of(path),
            info.get("size"),
            "" if mark is None else f"{info.get('size')} {mark}",
            changed_at if isinstance(changed_at, datetime) else None,
            settles=self.place.scheme not in _ATOMIC,
        )


def must_be_installed(scheme: str) -> None:
    """Tests that the libraries for such a source are installed.

    Raises:
        Trouble: one is not (code `feed-extra-missing`).
    """
    missing = [name for name in _NEEDED.get(scheme, ("fsspec",)) if find_spec(name) is None]
    if missing:
        raise Trouble(
            "feed-extra-missing",
            f"A feed from {scheme}:// needs {' and '.join(missing)}, which is not installed.",
            "Install it with: pip install 'contact-pipeline[feeds]'",
        )


def _connect(place: Place, credentials: Credentials, feed: str, bound: dict[str, float]) -> Any:
    match place.scheme:
        case "s3":
            return _s3()
        case "sftp":
            return _sftp(place, credentials, feed, bound)
        case "https":
            return _https(credentials)
        case scheme:
            return _other(scheme, place)


def _s3() -> Any:
    from s3fs import S3FileSystem

    config = {"connect_timeout": _SECONDS, "read_timeout": _SECONDS, "retries": {"max_attempts": 0}}
    files = S3FileSystem(
        skip_instance_cache=True,
        use_listings_cache=False,
        config_kwargs=config,
        max_concurrency=1,  # parts fetched in parallel could be of two versions of a file
    )
    files.retries = 1  # the caller tries again
    return files


def _sftp(place: Place, credentials: Credentials, feed: str, bound: dict[str, float]) -> Any:
    import asyncssh
    from sshfs import SSHFileSystem

    known_hosts = credentials.known_hosts or Path("~/.ssh/known_hosts").expanduser()
    if not os.access(known_hosts, os.R_OK):
        raise Trouble(
            "feed-host-unknown",
            f"There is no {known_hosts} with the host key of {place.server}.",
            f"Put the key there, or set {variable(feed, 'KNOWN_HOSTS')}: ssh-keyscan gives it; compare it with what "
            "the server's operator says.",
        )
    options: dict[str, Any] = {"known_hosts": str(known_hosts), "config": None}
    if place.port is not None:
        options["port"] = place.port
    if user := credentials.user or place.user:
        options["username"] = user
    if credentials.password is not None:
        options["password"] = credentials.password
    if credentials.key_file is not None:
        options |= {"client_keys": [_private_key(credentials, feed)], "agent_path": None}
    elif credentials.password is not None:
        options |= {"client_keys": None, "agent_path": None}
    return SSHFileSystem(
        place.host,
        skip_instance_cache=True,
        connect_timeout=_SECONDS,
        login_timeout=_SECONDS,
        keepalive_interval=_SECONDS / 2,
        keepalive_count_max=2,
        preferred_auth=("publickey", "keyboard-interactive", "password"),
        sftp_client_kwargs={"path_errors": "surrogateescape"},
        client_version=f"contact_pipeline_{asyncssh.__version__}",
        **bound,
        **options,
    )


def _private_key(credentials: Credentials, feed: str) -> Any:
    import asyncssh

    try:
        return asyncssh.read_private_key(str(credentials.key_file), credentials.key_passphrase)
    except (OSError, ValueError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise Trouble(
            "feed-login",
            f"The private key {credentials.key_file} cannot be read.",
            f"Correct {variable(feed, 'KEY_FILE')}, and {variable(feed, 'KEY_PASSPHRASE')} where it has one.",
        ) from None


def _https(credentials: Credentials) -> Any:
    import aiohttp
    from fsspec.implementations.http import HTTPFileSystem

    async def only_https(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if request.url.scheme != "https":  # a server may redirect
            raise Trouble(
                "feed-in-the-clear", "The server sends on to http://, in the clear.", "Ask for an https address."
            )
        return await handler(request)

    headers = {"Accept-Encoding": "identity"}
    if credentials.token is not None:
        headers["Authorization"] = f"Bearer {credentials.token}"
    elif credentials.user is not None:
        headers["Authorization"] = aiohttp.encode_basic_auth(credentials.user, credentials.password or "")

    async def client(loop: Any, **options: Any) -> aiohttp.ClientSession:
        bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or None
        trusted = ssl.create_default_context(cafile=bundle)
        return aiohttp.ClientSession(
            loop=loop,
            connector=aiohttp.TCPConnector(ssl=trusted),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_SECONDS, sock_read=_SECONDS),
            headers=headers,
            middlewares=(only_https,),
            trust_env=True,
            **options,
        )

    return HTTPFileSystem(skip_instance_cache=True, use_listings_cache=False, get_client=client)


def _other(scheme: str, place: Place) -> Any:
    import fsspec

    try:
        kind = fsspec.get_filesystem_class(scheme)
    except ImportError:
        raise Trouble(
            "feed-extra-missing",
            f"A feed from {scheme}:// needs a package that is not installed.",
            f"Install what fsspec names for {scheme}://.",
        ) from None
    except ValueError:
        raise Trouble("feed-source", f"Nothing knows {scheme}://.", "Correct `source`.") from None
    options = kind._get_kwargs_from_urls(f"{scheme}://{place.host}/{place.folder}/")  # noqa: SLF001 - there is no public method
    return kind(skip_instance_cache=True, use_listings_cache=False, **options)


def _disconnect(files: Any) -> None:
    """Ends the connections of a file system; each kind has its own way."""
    from fsspec.asyn import sync

    if session := getattr(files, "_session", None):  # HTTPS
        sync(files.loop, session.close, timeout=5)
        files._session = None  # noqa: SLF001
    elif (client := getattr(files, "_client", None)) is not None and hasattr(client, "abort"):  # SFTP
        client.close()


def _bounded(most: int) -> Any:
    from fsspec.callbacks import Callback

    class Bounded(Callback):  # type: ignore[misc]
        """Ends a copy that grows larger than allowed."""

        def call(self, hook_name: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002 - as fsspec calls it
            if max(self.value, self.size or 0) > most:
                raise TooLarge

    return Bounded()


def _time_of(header: str) -> datetime | None:
    """The time in an HTTP header."""
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None


def _name_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
