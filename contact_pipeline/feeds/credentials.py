"""The credentials of a feed, which come only from environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

VARIABLES: Final = {
    "USER": "sftp, https: the login at the server",
    "PASSWORD": "sftp, https: its password",
    "KEY_FILE": "sftp: the file with the private key; without it and a password, the agent and the keys in ~/.ssh",
    "KEY_PASSPHRASE": "sftp: the passphrase of that key",
    "KNOWN_HOSTS": "sftp: the file with the keys of known servers, instead of ~/.ssh/known_hosts",
    "TOKEN": "https: a bearer token, instead of login and password",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a feed; secrets are left out of its repr."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    key_file: Path | None = None
    key_passphrase: str | None = field(default=None, repr=False)
    known_hosts: Path | None = None
    token: str | None = field(default=None, repr=False)


def variable(feed: str, name: str) -> str:
    """The name of a feed's environment variable."""
    return f"CONTACT_PIPELINE_FEED_{feed.upper()}_{name}"


def credentials_of(feed: str) -> Credentials:
    """The credentials of a feed in the environment."""
    found = {name: os.environ.get(variable(feed, name)) or None for name in VARIABLES}
    paths = {name: Path(value).expanduser() if (value := found[name]) else None for name in ("KEY_FILE", "KNOWN_HOSTS")}
    return Credentials(
        user=found["USER"],
        password=found["PASSWORD"],
        key_file=paths["KEY_FILE"],
        key_passphrase=found["KEY_PASSPHRASE"],
        known_hosts=paths["KNOWN_HOSTS"],
        token=found["TOKEN"],
    )
