"""Runs a script in the environment that has Sail and Spark's client, which the tests themselves run without."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.engines.sail_itself import PYTHON

ROOT = Path(__file__).parents[2]


def must_be_there():
    """Skips a test without Sail, except in CI."""
    if not PYTHON.exists():
        missing("Sail is not installed: make .venv/spark/installed")


def run_on_sail(script, *arguments, **environment):
    """What a script of this folder prints, each line a JSON object; skips the test without Sail, except in CI."""
    must_be_there()
    found = subprocess.run(
        [PYTHON, ROOT / "tests" / "engines" / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    assert found.returncode == 0, found.stderr[-3000:]
    return [json.loads(line) for line in found.stdout.splitlines()]


def missing(what):
    """Skips a test for what is not installed; in CI it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
