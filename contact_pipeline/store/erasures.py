"""Erased people: their contact ids, and the keyed fingerprints by which they are recognized in files.

A fingerprint is the HMAC-SHA256 (RFC 2104) of a match key under a secret in the home folder, for its owner only.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from contact_pipeline.engines import Database, literal
from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings

# Contacts that are erased or about to be: nothing is written to them any more. {0}: prefix of the tables.
ERASED: Final = "SELECT contact_id FROM {0}erasures"

_BLOCK: Final = 64  # bytes that SHA-256 takes at a time
_INNER, _OUTER = 0x36, 0x5C  # by RFC 2104


def make_secret(settings: Settings) -> bytes:
    """The home's secret; it is made if there is none yet."""
    path = settings.erasure_key_path
    if not path.exists():
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    return read_secret(settings)


def read_secret(settings: Settings) -> bytes:
    """The home's secret.

    Raises:
        Refusal: the secret is gone, so erased people cannot be recognized (code `erasure-key`).
    """
    path: Path = settings.erasure_key_path
    try:
        return bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise Refusal(
            "erasure-key",
            f"People were erased from this home; the key by which they are recognized, {path.name}, cannot be read.",
            f"Put {path.name} back from a backup of the home folder.",
        ) from error


def fingerprint(field: str, key: str, secret: bytes) -> str:
    """The SQL expression of a match key's fingerprint; a blank key has none.

    Args:
        field: field of the key; the same text in two fields has two fingerprints.
        key: the SQL expression of the key.
        secret: of the home.
    """
    padded = secret.ljust(_BLOCK, b"\0")
    inner, outer = (literal(bytes(byte ^ pad for byte in padded).hex()) for pad in (_INNER, _OUTER))
    message = f"encode({literal(field)} || chr(31) || {key})"
    return f"sha256(unhex({outer}) || unhex(sha256(unhex({inner}) || {message})))"


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erased contact as `erasures.jsonl` keeps it: enough to erase the person again if a backup brings them back.

    Attributes:
        home: identity of the home.
        contact_id: the contact.
        first_upload: upload of its first change: in a restored home, the id alone may be somebody else's.
        started_at: when it was erased (UTC, ISO 8601).
        actor: login of who erased it.
        next_contact: id of the next new contact at that time.
        fingerprints: state, field and fingerprint of each of its keys.
    """

    home: str
    contact_id: int
    first_upload: str
    started_at: str
    actor: str
    next_contact: int
    fingerprints: list[tuple[int, str, str]]


def home_id(contacts: Database) -> str:
    """The identity of a home, which its backups keep: the time at which its contact database was made."""
    return f"{contacts.value('SELECT min(applied_at) FROM migrations'):%Y-%m-%dT%H:%M:%S.%f}"


def find_erasures(contacts: Database) -> list[Erasure]:
    """The erasures that the contact database records."""
    home, following = home_id(contacts), contacts.value("SELECT next FROM counters WHERE name = 'contact'")
    return [
        Erasure(home, contact_id, first or "", f"{at:%Y-%m-%dT%H:%M:%S.%f}", actor, following, [*map(tuple, found)])
        for contact_id, first, at, actor, found in contacts.rows("""
            WITH first AS (
                SELECT contact_id, arg_min(upload_id, commit_number) AS first FROM contact_changes GROUP BY contact_id
            ),
            recognized AS (
                SELECT contact_id, list((state, field, fingerprint) ORDER BY ALL) AS found
                FROM fingerprints GROUP BY contact_id
            )
            SELECT contact_id, first, started_at, actor, coalesce(found, [])
            FROM erasures LEFT JOIN first USING (contact_id) LEFT JOIN recognized USING (contact_id)
            ORDER BY started_at, contact_id""")
    ]


def note_erasures(settings: Settings, contacts: Database) -> None:
    """Adds the erasures of the contact database to `erasures.jsonl`, in case the contact database is lost."""
    add_erasures(settings, find_erasures(contacts))


def add_erasures(settings: Settings, erasures: Collection[Erasure]) -> None:
    """Adds to `erasures.jsonl` the erasures that it lacks."""
    path = settings.erasures_path
    known = {(erasure.contact_id, erasure.started_at) for erasure in read_erasures(path)} if path.exists() else set()
    new = [erasure for erasure in erasures if (erasure.contact_id, erasure.started_at) not in known]
    if new:
        # Begins with a new line: the last line of the file may have been cut off.
        lines = "\n" * path.exists() + "".join(f"{json.dumps(asdict(erasure))}\n" for erasure in new)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def read_erasures(path: Path) -> list[Erasure]:
    """The erasures in such a file; incomplete lines are ignored.

    Raises:
        Refusal: the file cannot be read (code `erasures-file`).
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Refusal(
            "erasures-file",
            f"{path.name} cannot be read.",
            "Give the erasures.jsonl of the home, as it was last kept.",
            file=path.name,
        ) from error
    found = []
    for line in lines:
        try:
            values = json.loads(line)
            found.append(
                Erasure(
                    home=str(values["home"]),
                    contact_id=int(values["contact_id"]),
                    first_upload=str(values["first_upload"]),
                    started_at=datetime.fromisoformat(values["started_at"]).isoformat(timespec="microseconds"),
                    actor=str(values["actor"]),
                    next_contact=int(values["next_contact"]),
                    fingerprints=[(int(state), str(field), str(mark)) for state, field, mark in values["fingerprints"]],
                )
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    return found
