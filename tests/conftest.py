"""What holds for all tests: generated examples are the same in every run, unless others are asked for.

`HYPOTHESIS_RANDOM=1 make test` looks at new ones.
"""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from contact_pipeline.engines.instance import forget_instances
from tests.thorough import CASES, THOROUGH, spread

settings.register_profile("same", derandomize=True)
if not os.environ.get("HYPOTHESIS_RANDOM"):
    settings.load_profile("same")

# Small tables are not worth the threads that DuckDB starts for every statement, and there is a worker for every core.
if not THOROUGH:
    os.environ.setdefault("CONTACT_PIPELINE_THREADS", "1")

# The longest files, longest first: several processes share out files, and one that begins last is waited for.
LONGEST = (
    "backup/test_restore", "e2e/test_serve", "orchestration/test_runs", "masking/test_byte_search", "e2e/test_killed",
    "docs/test_commands", "benchmarks/test_benchmarks", "erase/test_afterwards", "pipeline/test_field_names",
    "faults/test_sweep", "match/test_consent", "pipeline/test_undo", "cli/test_odd_paths", "erase/test_killed",
    "apply/test_effective", "normalize/test_properties", "contracts/test_states", "pipeline/test_at_once",
    "pipeline/test_stateful", "cli/test_importing", "cli/test_taking_back", "backup/test_backup",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the tests of the longest files first; leaves some cases of tests with many cases to thorough runs."""
    tests = Path(__file__).parent
    place = {tests / f"{name}.py": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
    tried = some_cases(items)
    config.hook.pytest_deselected(items=[item for item in items if item not in tried])
    items[:] = [item for item in items if item in tried]


def some_cases(items: list[pytest.Item]) -> set[pytest.Item]:
    """As many cases of each test as a run tries, spread over all that it has."""
    cases: dict[tuple[pytest.Item | pytest.Collector | None, str], list[pytest.Item]] = {}
    for item in items:
        cases.setdefault((item.parent, getattr(item, "originalname", item.name)), []).append(item)
    return {item for each in cases.values() for item in spread(each, CASES, CASES)}


def pytest_collection_finish() -> None:
    """Keeps the tests themselves out of every later search for garbage."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Lets everything be taken down in the end: what DuckDB's module misses then, it complains of."""
    gc.unfreeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Lets go of the DuckDB of every home of a file of tests: those of all files take gigabytes."""
    if nextitem is None or nextitem.path != item.path:
        forget_instances()
