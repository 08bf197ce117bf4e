"""Erased people: who they are by number, and the keyed fingerprints by which a file that holds them is recognized.

A fingerprint is the HMAC-SHA256 (RFC 2104) of a match key under a secret that lies in the home folder, for its owner.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from contact_pipeline.engines import text as literal
from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings

# Contacts that are erased or about to be: nothing is to be written to them any more. Seen under a prefix.
ERASED: Final = "SELECT contact_id FROM {0}erasures"

_BLOCK: Final = 64  # bytes that SHA-256 takes at a time
_INNER, _OUTER = 0x36, 0x5C  # by RFC 2104


def make_secret(settings: Settings) -> bytes:
    """The home's secret; made when there is none yet."""
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
        Refusal: it is gone, so that nobody who was erased can be recognized (code `erasure-key`).
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
        field: whose key it is; the same text in two fields has two fingerprints.
        key: the SQL expression of the key.
        secret: of the home.
    """
    padded = secret.ljust(_BLOCK, b"\0")
    inner, outer = (literal(bytes(byte ^ pad for byte in padded).hex()) for pad in (_INNER, _OUTER))
    message = f"encode({literal(field)} || chr(31) || {key})"
    return f"sha256(unhex({outer}) || unhex(sha256(unhex({inner}) || {message})))"
