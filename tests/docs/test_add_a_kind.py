"""The page on adding a kind, followed to the letter in a copy of the code: its files, its changes and its commands."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-a-kind.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (file|profile)=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TABLE = re.findall(r"^\| `([^`]+)` \| (?:`([^`]*)` )?\| (\w+)(?:: ([^|]+?))? \|$", PAGE, re.MULTILINE)
COPIED = ("contact_pipeline", "tests/kinds", "tests/normalize/conftest.py", "tests/validate/conftest.py")


def changed(text, diff):
    """The text with a hunk applied, whose old lines must stand in it once."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    assert text.count(old) == 1, f"{text.count(old)} times in the file:\n{old}"
    return text.replace(old, "".join(line[1:] for line in lines if line[0] in " +"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the code, changed as the page says."""
    copy = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    for language, note, name, text in BLOCK.findall(PAGE):
        file = copy / (f"data/profiles/{name}.yaml" if note == "profile" else name)
        if language == "diff":
            file.write_text(changed(file.read_text(encoding="utf-8"), text), encoding="utf-8")
        elif note:
            file.parent.mkdir(parents=True, exist_ok=True)
            assert not file.exists()
            file.write_text(text, encoding="utf-8")
    return copy


@pytest.fixture
def python(copy):
    """Runs Python in the copy; gives what it prints."""

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(copy), "CONTACT_PIPELINE_HOME": str(copy / "data")}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_each_text_becomes_what_the_table_says(python):
    texts = [text for text, *_ in TABLE]
    judged = json.loads(python("-m", "contact_pipeline", "value", "npi", *texts, "--profile", "practices", "--json"))
    found = [(one["value"], one["code"], [repair["why"] for repair in one["repairs"]]) for one in judged]

    assert found == [
        (value or None, what if how == "refused" else None, [what] if how == "repair" else [])
        for _, value, how, what in TABLE
    ]
    assert {how for *_, how, _ in TABLE} == {"silence", "repair", "refused"}


def test_the_tests_of_the_page_pass_and_so_do_those_of_every_kind(python):
    ran = python(
        "-m", "pytest", "-q", "--import-mode=importlib", "tests/kinds/test_npi.py", "tests/kinds/test_kinds.py"
    )

    assert " passed" in ran


def test_a_file_with_the_new_kind_is_imported(python):
    (commands,) = [text for language, *_, text in BLOCK.findall(PAGE) if language == "console"]
    for line in commands.splitlines():
        prompt, program, *words = shlex.split(line)
        assert (prompt, program) == ("$", "contact-pipeline")
        python("-m", "contact_pipeline", *words)
    (upload,) = json.loads(python("-m", "contact_pipeline", "uploads", "--json"))

    assert (upload["state"], upload["outcomes"]["created"]) == ("applied", 1)
    assert [(error["row_number"], error["code"]) for error in upload["errors"]] == [
        (3, "npi-check-digit"), (4, "npi-format"),
    ]  # fmt: skip
