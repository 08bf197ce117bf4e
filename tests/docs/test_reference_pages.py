"""The generated reference: up to date, and nothing left out."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def generate(*arguments):
    command = [sys.executable, ROOT / "docs" / "generate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_pages_are_up_to_date():
    done = generate("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_page_is_named(tmp_path):
    assert generate("--folder", tmp_path).returncode == 0
    assert generate("--folder", tmp_path, "--check").returncode == 0
    (tmp_path / "cli.md").write_text("old", encoding="utf-8")
    done = generate("--folder", tmp_path, "--check")
    assert done.returncode == 1
    assert "cli.md is stale: run `make format`" in done.stderr


@pytest.mark.parametrize("mark", ["<!-- states: generated -->\n", "<!-- end of states -->"])
def test_a_guide_without_a_mark_of_the_table_of_states_fails(tmp_path, mark):
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    (tmp_path / "guide.md").write_text(guide.replace(mark, ""), encoding="utf-8")
    done = generate("--folder", tmp_path / "reference", "--check")
    assert done.returncode == 1
    assert "between <!-- states: generated --> and <!-- end of states -->" in done.stderr


@pytest.mark.parametrize(
    "command", ["plan", "import", "profiles show", "contacts list", "vocabularies load", "serve", "finalize"]
)
def test_a_command_is_in_the_reference(command):
    assert f"## {command}\n" in (REFERENCE / "cli.md").read_text(encoding="utf-8")


def test_every_key_of_a_profile_is_described():
    page = (REFERENCE / "profiles.md").read_text(encoding="utf-8")
    keys = page.split("## The shipped profiles")[0]
    rows = [line for line in keys.splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert [line for line in rows if not line.split("|")[-2].strip()] == []


def test_every_setting_is_described():
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `CONTACT_PIPELINE_")]
    assert len(rows) > 5
    assert all(line.split("|")[-2].strip() for line in rows)
