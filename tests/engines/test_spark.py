"""The stages' SQL on another engine: Sail, which speaks Spark Connect."""

import json
import os
import subprocess
from itertools import chain
from pathlib import Path

import pytest

from tests.thorough import spread

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "spark" / "bin" / "python"
SAMPLES = {
    "program_contacts": ["program_contacts_1", "program_contacts_2", "program_contacts_2_corrected"],
    "dealer_leads": ["dealer_leads_1", "dealer_leads_2", "dealer_leads_3"],
}
PROFILES = spread([*SAMPLES], 1)


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
    assert [each["file"].split(".")[0] for each in compared] == [*chain(*(SAMPLES[profile] for profile in PROFILES))]


@pytest.mark.parametrize("what", ["sha256", "outcomes", "rejections"])
def test_sail_gives_the_same_changeset(compared, what):
    for each in compared:
        here, there = each[what]
        assert here == there, each["file"]
    assert any(each[what][0] for each in compared)
