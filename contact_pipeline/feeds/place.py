"""Parses the `source` of a feed: where its files are. Connects to nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

LOCAL: Final = "file"
_ADDRESS: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://(.*)$", re.DOTALL)
_WILD: Final = re.compile(r"[*?\[]")
_IN_THE_CLEAR: Final = {"http": "https", "ftp": "sftp"}  # unencrypted scheme → the one to use
_SECRET: Final = re.compile(
    r"(?i)(^|[^a-z])(token|key|secret|sig|signature|password|passwd|pwd|auth|credential)s?($|[^a-z])"
    r"|apikey|accesskey|token$"
)
_PUT_ELSEWHERE: Final = "in CONTACT_PIPELINE_FEED_<NAME>_USER and _PASSWORD of the environment"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, and which of its files are meant.

    Attributes:
        scheme: file, s3, sftp, https, or another that fsspec knows.
        host: name of the server, or the bucket; empty: this machine.
        port: of the server; None: the usual one.
        user: login at the server, where the address has one.
        folder: path of the folder; for HTTPS, the whole address.
        pattern: name of the file, in which `*`, `?` and `[…]` are wildcards; empty: the whole folder.
        is_exact: whether the pattern is the name of one file.
    """

    scheme: str
    host: str
    port: int | None
    user: str | None
    folder: str
    pattern: str
    is_exact: bool

    @property
    def server(self) -> str:
        """The server or bucket, for people; without a login."""
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{self.host}{port}"

    @property
    def folder_path(self) -> str:
        """The folder as fsspec takes it: below its bucket, or from the root of its server."""
        return self.folder if self.scheme == "sftp" else f"{self.host}/{self.folder}".rstrip("/")

    def fits(self, name: str) -> bool:
        """Whether a file of the folder is meant; case counts."""
        if self.is_exact or not self.pattern:
            return not self.pattern or name == self.pattern
        return fnmatchcase(name, self.pattern)


def place_of(source: str) -> Place:
    """The place that the source of a feed names.

    Raises:
        ValueError: the text cannot be a source; the message quotes nothing of it.
    """
    if not source.strip() or "\0" in source or "\n" in source:
        raise ValueError("needs a path or an address on one line")
    if "::" in source:
        raise ValueError("joins addresses by '::', which is not taken; name the files themselves")
    found = _ADDRESS.match(source)
    if not found or found[1].lower() == LOCAL:
        return _in_a_folder(LOCAL, "", None, None, found[2] if found else source)
    scheme, rest = found[1].lower(), found[2]
    if scheme in _IN_THE_CLEAR:
        raise ValueError(f"sends contacts in the clear; use {_IN_THE_CLEAR[scheme]}://")
    authority, _, path = rest.partition("/")
    login, at, _ = authority.rpartition("@")
    if at and (":" in login or scheme != "sftp"):
        raise ValueError(f"holds a login; take it out, and put it {_PUT_ELSEWHERE}")
    if scheme == "https":
        return _at_a_web_server(source)
    if scheme == "sftp":
        host, port = _host_and_port(authority)
        return _in_a_folder(scheme, host, port, unquote(login) or None, f"/{path}")
    if not authority:
        raise ValueError(f"names no bucket or server after {scheme}://")
    return _in_a_folder(scheme, authority, None, None, path)


def _host_and_port(authority: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ValueError("names no server, or no port that there can be")
    return host, port


def _at_a_web_server(source: str) -> Place:
    parts = urlsplit(source)
    host, port = _host_and_port(parts.netloc)
    if any(_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(
            "holds a key or a token after the question mark; take it out, and put it in "
            "CONTACT_PIPELINE_FEED_<NAME>_TOKEN of the environment"
        )
    name = unquote(parts.path.rpartition("/")[2])
    if not name or "\0" in name:
        raise ValueError("names no file; over https a feed is one file")
    if _WILD.search(parts.path):
        raise ValueError("has a wildcard; over https files cannot be listed, so name the one file")
    if parts.fragment:
        raise ValueError("has a '#', which no server sees; write %23 where the name of the file has one")
    return Place("https", host, port, None, source, PurePosixPath(name).name, True)


def _in_a_folder(scheme: str, host: str, port: int | None, user: str | None, path: str) -> Place:
    folder, slash, pattern = path.rpartition("/")
    if _WILD.search(folder):
        raise ValueError("has a wildcard in a folder; only the name of the file may have one")
    if path.endswith("/") or not path:
        return Place(scheme, host, port, user, path.rstrip("/") or ("/" if path else ""), "", False)
    return Place(scheme, host, port, user, folder or slash, pattern, not _WILD.search(pattern))
