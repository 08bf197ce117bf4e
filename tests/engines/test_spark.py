"""The stages' SQL on another engine: Sail, which speaks Spark Connect."""

import json
import os
import subprocess
from itertools import chain
from pathlib import Path

import pytest
import yaml

from tests.thorough import spread

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "spark" / "bin" / "python"
# The shipped profiles; those of which one needs what the other imports are together.
TOGETHER = (
    ("portfolio_accounts", "portfolio_contacts"),
    ("program_contacts",),
    ("outreach_contacts",),
    ("dealer_leads",),
    ("suppression_list",),
    ("property_contacts",),
)
PROFILES = [*chain(*spread(TOGETHER, 1))]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    if not PYTHON.exists():
        missing = "Sail is not installed: make .venv/spark/installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    command = [PYTHON, ROOT / "tests" / "engines" / "on_sail.py", tmp_path_factory.mktemp("sail") / "home", *PROFILES]
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert found.returncode == 0, found.stderr[-3000:]
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_all_samples_of_the_profiles_were_matched(compared):
    uploads = yaml.safe_load((ROOT / "data" / "samples" / "expected.yaml").read_text(encoding="utf-8"))["uploads"]
    assert {*chain(*TOGETHER)} == {each["profile"] for each in uploads}
    assert [each["file"] for each in compared] == [each["file"] for each in uploads if each["profile"] in PROFILES]


@pytest.mark.parametrize("what", ["sha256", "outcomes", "rows", "rejections"])
def test_sail_gives_the_same_changeset(compared, what):
    for each in compared:
        here, there = each[what]
        assert here == there, each["file"]
    assert any(each[what][0] for each in compared)
