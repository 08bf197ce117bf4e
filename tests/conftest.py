"""Settings and hooks for all tests: which cases are run, in which order, with which generated examples.

Generated examples are the same in every run; `HYPOTHESIS_RANDOM=1 make test` draws new ones.
"""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from contact_pipeline.engines.instance import forget_instances
from tests.thorough import CASES, CASES_WITH_FILES, THOROUGH, spread

settings.register_profile("same", derandomize=True)
if not os.environ.get("HYPOTHESIS_RANDOM"):
    settings.load_profile("same")

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30  # bytes: homes are deleted after their tests


def has_room(folder: Path) -> bool:
    """Whether temporary files can lie in a folder of the machine's memory."""
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ENOUGH


# DuckDB would start threads for every statement. The tables are small, and every core already has a worker.
# It would also wait for the disk at every commit.
if not THOROUGH:
    os.environ.setdefault("CONTACT_PIPELINE_THREADS", "1")
    if "TMPDIR" not in os.environ and has_room(MEMORY):
        os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None

# The files that take longest, longest first: processes share out whole files, so a long one must not begin last.
LONGEST = (
    "e2e/test_serve", "soak/test_soak", "e2e/test_project", "web/test_deciding", "samples/test_samples",
    "web/test_in_a_browser", "docs/test_commands", "engines/test_delta", "faults/test_sweep",
    "masking/test_byte_search", "e2e/test_production", "orchestration/test_sensors", "orchestration/test_runs",
    "backup/test_restore",
    "pipeline/test_resolve", "upload/test_readings", "e2e/test_killed", "e2e/test_component", "faults/test_words",
    "benchmarks/test_benchmarks", "pipeline/test_undo", "pipeline/test_two_approve", "pipeline/test_field_names",
    "orchestration/test_expire", "validate/test_unique", "verify/test_verify", "erase/test_catalogue",
    "engines/test_spark", "access/test_held", "erase/test_killed", "e2e/test_socket", "erase/test_afterwards",
    "match/test_consent", "cli/test_odd_paths", "faults/test_dagster", "apply/test_effective", "pipeline/test_at_once",
    "cli/test_importing", "cli/test_taking_back", "backup/test_backup",
)  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests wait for servers and browsers."""
    return (os.cpu_count() or 1) + 1


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
    return {item for each in cases.values() for item in spread(each, *2 * [_many(each[0])])}


def _many(case: pytest.Item) -> int:
    """How many cases of a test are tried."""
    return CASES_WITH_FILES if "tmp_path_factory" in getattr(case, "fixturenames", ()) else CASES


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
