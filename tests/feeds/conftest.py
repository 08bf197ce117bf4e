"""A home with feeds of made-up people, and the places from which they are fetched."""

import os
import time

import pytest
import yaml

from contact_pipeline import Pipeline
from tests.homes import new_home

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"


def people(*names, rows=1):
    """A file of the profile outreach_contacts; with more rows, one of megabytes."""
    lines = [
        f"{name},,,Delgado,,AC-{number},{name.lower()}{number}@example.com,02139\n"
        for name in names
        for number in range(rows)
    ]
    return (HEADINGS + "".join(lines)).encode()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTACT_PIPELINE_FEED_RETRY_SECONDS", "0")
    monkeypatch.setenv("CONTACT_PIPELINE_INBOX_SETTLE_SECONDS", "0.05")
    return new_home(tmp_path / "home")


@pytest.fixture
def pipeline(home):
    return Pipeline(home)


@pytest.fixture
def feed(home):
    """Writes a feed, `crm` unless it is named; gives its file."""

    def write(source, name="crm", **keys):
        content = {"source": source, "profile": "outreach_contacts", "options": {"group": "Spring"}} | keys
        path = home / "feeds" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_text(yaml.safe_dump(content))
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def drop(tmp_path):
    """Writes files that are old enough to be taken into a folder of this machine; gives the folder."""
    folder = tmp_path / "outbox"
    folder.mkdir()

    def write(**files):
        return drop_in(folder, files)

    return write


def drop_in(folder, files):
    """Writes files, the first one the oldest, all of them old."""
    for age, (name, content) in enumerate(reversed(files.items()), 1):
        path = folder / name
        path.write_bytes(content)
        os.utime(path, (at := time.time() - 3_600 * age, at))
    return folder


def bytes_of(home):
    """The content of every file of a home, to search for logins, which must not be in it."""
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
