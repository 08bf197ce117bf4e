"""The fingerprints of erased people."""

import hashlib
import hmac
import stat

from contact_pipeline.engines import open_database
from contact_pipeline.store.erasures import fingerprint, make_secret, read_secret


def test_a_fingerprint_is_the_hmac_of_field_and_key(settings):
    settings.home.mkdir()
    secret = make_secret(settings)
    with open_database(None, settings) as database:
        shown = fingerprint("email", "key", secret)
        found = database.rows(f"SELECT {shown} FROM (VALUES ('ü@example.com'), (NULL)) AS given(key)")
    assert found == [(hmac.new(secret, "email\x1fü@example.com".encode(), hashlib.sha256).hexdigest(),), (None,)]


def test_the_key_is_made_once_and_is_its_owners_alone(settings):
    settings.home.mkdir()
    secret = make_secret(settings)
    assert len(secret) == 32
    assert make_secret(settings) == read_secret(settings) == secret
    assert stat.S_IMODE(settings.erasure_key_path.stat().st_mode) == 0o600
