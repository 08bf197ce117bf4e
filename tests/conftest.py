"""Settings and hooks for all tests: which cases are run, in which order, with which generated examples.

Generated examples are the same in every run; `HYPOTHESIS_RANDOM=1 make test` draws new ones.
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

# DuckDB would start threads for every statement. The tables are small, and every core already has a worker.
if not THOROUGH:
    os.environ.setdefault("CONTACT_PIPELINE_THREADS", "1")

# The files that take longest, longest first: processes share out whole files, so a long one must not begin last.
LONGEST = (
    "backup/test_restore", "e2e/test_serve", "orchestration/test_runs", "masking/test_byte_search", "e2e/test_killed",
    "docs/test_commands", "benchmarks/test_benchmarks", "erase/test_afterwards", "pipeline/test_field_names",
    "faults/test_sweep", "match/test_consent", "pipeline/test_undo", "cli/test_odd_paths", "erase/test_killed",
    "apply/test_effective", "normalize/test_properties", "contracts/test_states", "pipeline/test_at_once",
    "pipeline/test_stateful", "cli/test_importing", "cli/test_taking_back", "backup/test_backup",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the tests of the longest files first, and deselects the cases that only thorough runs try."""
    tests = Path(__file__).parent
    place = {tests / f"{name}.py": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
    tried = some_cases(items)
    config.hook.pytest_deselected(items=[item for item in items if item not in tried])
    items[:] = [item for item in items if item in tried]


def some_cases(items: list[pytest.Item]) -> set[pytest.Item]:
    """The cases of each test that this run tries, spread over all of its cases."""
    cases: dict[tuple[pytest.Item | pytest.Collector | None, str], list[pytest.Item]] = {}
    for item in items:
        cases.setdefault((item.parent, getattr(item, "originalname", item.name)), []).append(item)
    return {item for each in cases.values() for item in spread(each, CASES, CASES)}


def pytest_collection_finish() -> None:
    """Excludes the collected tests from every later garbage collection."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Undoes the freeze: DuckDB's module complains at exit of objects that were not collected."""
    gc.unfreeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Closes the DuckDB instances of a file's homes after its last test: those of all files take gigabytes."""
    if nextitem is None or nextitem.path != item.path:
        forget_instances()
