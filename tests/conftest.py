"""What holds for all tests: generated examples are the same in every run, unless others are asked for.

`HYPOTHESIS_RANDOM=1 make test` looks at new ones.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)
if not os.environ.get("HYPOTHESIS_RANDOM"):
    settings.load_profile("same")

# The longest files, longest first: several processes share out files, and one that begins last is waited for.
LONGEST = (
    "faults/test_sweep", "normalize/test_properties", "apply/test_effective", "match/test_consent",
    "backup/test_restore", "masking/test_byte_search", "docs/test_commands", "faults/test_dagster",
    "orchestration/test_runs", "e2e/test_serve", "upload/test_any_bytes", "upload/test_delimited_properties",
    "match/test_reference", "erase/test_killed", "cli/test_odd_paths", "contracts/test_states", "e2e/test_killed",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of the longest files first; the others stay in order."""
    tests = Path(__file__).parent
    place = {tests / f"{name}.py": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
