"""The sample files: made the same every time, and giving what expected.yaml says when the demo imports them."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from contact_pipeline import Pipeline

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data" / "samples"
EXPECTED = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))
FILES = [each["file"] for each in EXPECTED["uploads"]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, run once into a home of its own: how it ended, and that home."""
    home = tmp_path_factory.mktemp("demo") / "home"
    command = [sys.executable, ROOT / "scripts" / "demo.py", home]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=280, check=False)
    return ended, Pipeline(home=home)


@pytest.fixture(scope="module")
def uploads(demo):
    """The documents of the demo's uploads by file name."""
    _, pipeline = demo
    return {upload.file_name: upload.as_dict(all_errors=True) for upload in pipeline.uploads()}


def test_making_the_samples_again_gives_the_same_bytes(tmp_path):
    subprocess.run([sys.executable, "-B", SAMPLES / "make_samples.py", tmp_path], check=True, timeout=60)

    made = sorted(tmp_path.iterdir())
    kept = [path for path in SAMPLES.glob("[!.]*") if path.is_file() and path.suffix not in {".py", ".md"}]
    assert [path.name for path in made] == sorted(path.name for path in kept)
    assert [path.name for path in made if path.read_bytes() != (SAMPLES / path.name).read_bytes()] == []


@pytest.mark.slow
def test_the_demo_finds_everything_as_expected_and_says_where_to_look_next(demo):
    ended, _ = demo

    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout[-3000:] + ended.stderr
    assert "Every file gave what data/samples/expected.yaml says." in ended.stdout
    assert "Where to look next" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("expected", EXPECTED["uploads"], ids=FILES)
def test_every_file_gives_what_is_expected(uploads, expected):
    """A7, A8, B9, C3, C4, D5, D7, D8, E5, E11, E12, X1: the counts are those with which the rows were made."""
    upload = uploads[expected["file"]]

    found = {**upload, "file": upload["file_name"]}
    found["errors"] = dict(Counter(error["code"] for error in upload["errors"]))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.slow
def test_the_files_together_make_as_many_contacts_as_expected(demo):
    _, pipeline = demo
    contacts = pipeline.store.contacts()

    total = Counter(contact["address_book"] for contact in contacts)
    inactive = Counter(contact["address_book"] for contact in contacts if not contact["active"])
    books = {book: {"contacts": total[book], "inactive": inactive[book]} for book in total}
    assert books == EXPECTED["in_the_end"]["address_books"]
    assert len(pipeline.store.accounts()) == EXPECTED["in_the_end"]["accounts"]


@pytest.mark.slow
def test_once_all_leads_are_finalized_everything_is_published(demo):
    """E10: nothing stays held back."""
    _, pipeline = demo

    assert len(pipeline.store.contacts(published=True)) == len(pipeline.store.contacts())


def test_every_email_address_is_at_a_domain_kept_for_examples():
    """The archives of the workbooks are not compressed, so their text can be searched as it is."""
    text = b"\n".join(path.read_bytes() for path in SAMPLES.iterdir() if path.is_file())

    assert set(re.findall(rb"@([a-z-]+\.[a-z.]+[a-z])", text)) == {b"example.com", b"example.net", b"example.org"}
