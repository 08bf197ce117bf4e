"""How long Dagster's pages, ours and the sensors take with many uploads: python -m benchmarks.pages [--uploads 20000].

One upload is imported under `serve`; its ledger line, partition, run and events are copied. Each page is opened in
a real Chromium, with 100 uploads and with many. Needs Chromium and its driver.
"""

from __future__ import annotations

import argparse
import math
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.from_drop import put, seconds  # noqa: E402
from contact_pipeline import Pipeline  # noqa: E402
from tests.e2e.browser import Browser, started  # noqa: E402
from tests.e2e.test_production import address_of  # noqa: E402
from tests.e2e.test_serve import ending, start  # noqa: E402

FEW = 100
TIMES = 3
LOOKED_AT = 90  # seconds, in which each sensor ticks a few times
PAGES = {  # what it is → its address, with {key} for an upload, and what is true once it is drawn
    "lineage of the assets": ("/asset-groups", "document.body.innerText.includes('applied_contacts')"),
    "partitions of an asset": (
        "/assets/matched_changeset?view=partitions", "/Materialized \\([1-9]/.test(document.body.innerText)",
    ),
    "one partition of it": (
        "/assets/matched_changeset?view=partitions&partition={key}",
        "document.body.innerText.includes('duplicate_rate')",
    ),
    "checks of an asset": (
        "/assets/matched_changeset?view=checks", "document.body.innerText.includes('change_guard')",
    ),
    "runs": ("/runs", "document.body.innerText.includes('import_upload')"),
    "launchpad of a job": (
        "/locations/contact_pipeline/jobs/apply_upload/playground", "document.body.innerText.includes('Launch Run')",
    ),
    "our dashboard": ("/pages/", "document.body.innerText.includes('outreach_contacts')"),
}  # fmt: skip


def main(uploads: int) -> None:
    """Fills a home of its own, and prints what took how many seconds."""
    os.environ["CONTACT_PIPELINE_INBOX_SETTLE_SECONDS"] = "1"
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "chromium") as browser:
        home = Path(folder) / "home"
        home.mkdir()
        pipeline = Pipeline(home)
        with ending(start(home), home) as process:
            address_of(process)
            put(home / "inbox" / "outreach_contacts", "first", 0, 100)
            seconds(lambda: None, lambda: pipeline.store.count_lines(states=["applied"]) == 1)
            time.sleep(5)  # its run ends
        key, made = pipeline.store.lines()[0].upload_id, 1
        found: dict[int, dict[str, float]] = {}
        for count in (FEW, uploads):
            fill(home, key, made, count)
            made = count
            found[count] = measured(browser, home, key)
        for what in found[FEW]:
            few, many = found[FEW][what], found[uploads][what]
            print(f"{what:40} {FEW} uploads {few:6.2f} s   {uploads:,} uploads {many:6.2f} s")


def fill(home: Path, key: str, made: int, count: int) -> None:
    """Copies an upload until there are so many, in the ledger and in all that Dagster keeps of it."""
    with Pipeline(home).store.change() as contacts:
        contacts.run(
            """INSERT INTO uploads
               SELECT one.* REPLACE (upload_id || '-' || n AS upload_id, number + n AS number)
               FROM (FROM uploads WHERE upload_id = ?) AS one, range(?, ?) AS numbers(n)""",
            [key, made, count],
        )
        contacts.run("UPDATE counters SET next = next + ? WHERE name = 'upload'", [count])
    for database, tables in {"index.db": _EVENTS, "../runs.db": _RUNS}.items():
        with sqlite3.connect(home / "dagster" / "history" / "runs" / database) as connection:
            for sql in tables:
                connection.execute(_NUMBERS + sql, {"key": key, "first": made, "last": count - 1})


_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
_EVENTS = (
    """INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
       SELECT run_id, replace(event, :key, :key || '-' || n), dagster_event_type, timestamp, step_key, asset_key,
              :key || '-' || n
       FROM event_logs, numbers WHERE partition = :key""",
    """INSERT INTO asset_check_executions (asset_key, check_name, partition, run_id, execution_status,
              evaluation_event, evaluation_event_timestamp, evaluation_event_storage_id,
              materialization_event_storage_id)
       SELECT asset_key, check_name, :key || '-' || n, run_id, execution_status,
              replace(evaluation_event, :key, :key || '-' || n), evaluation_event_timestamp,
              evaluation_event_storage_id, materialization_event_storage_id
       FROM asset_check_executions, numbers WHERE partition = :key""",
    """INSERT INTO dynamic_partitions (partitions_def_name, partition)
       SELECT partitions_def_name, :key || '-' || n FROM dynamic_partitions, numbers WHERE partition = :key""",
)
_RUNS = (
    """INSERT INTO runs (run_id, snapshot_id, pipeline_name, status, run_body, partition, partition_set,
              create_timestamp, update_timestamp, start_time, end_time)
       SELECT printf('%s%08d', substr(run_id, 1, 28), n), snapshot_id, pipeline_name, status,
              replace(replace(run_body, :key, :key || '-' || n), run_id, printf('%s%08d', substr(run_id, 1, 28), n)),
              partition, partition_set, create_timestamp, update_timestamp, start_time, end_time
       FROM runs, numbers WHERE run_id IN (SELECT run_id FROM run_tags WHERE value = :key)""",
    """INSERT INTO run_tags (run_id, key, value)
       SELECT printf('%s%08d', substr(run_id, 1, 28), n), key, replace(value, :key, :key || '-' || n)
       FROM run_tags, numbers
       WHERE run_id IN (SELECT run_id FROM run_tags WHERE value = :key)""",
)


def measured(browser: Browser, home: Path, key: str) -> dict[str, float]:
    """What takes how many seconds: each page at first, the median of its next openings, and the sensors' ticks."""
    found: dict[str, float] = {}
    began = time.time()
    with ending(start(home), home) as process:
        address = address_of(process)
        time.sleep(LOOKED_AT)
        instance = dg.DagsterInstance.from_config(str(home / "dagster"))
        for state in instance.all_instigator_state():
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=20)
            taken = [
                tick.end_timestamp - tick.timestamp for tick in ticks if tick.end_timestamp and tick.timestamp > began
            ]
            if taken:
                found[f"tick of {state.instigator_name}"] = statistics.median(taken)
        for what, (page, drawn) in PAGES.items():
            taken = [opened(browser, address + page.format(key=key), drawn) for _ in range(TIMES + 1)]
            sys.stderr.write(f"{what}: {', '.join(f'{each:.2f}' for each in taken)} s\n")
            found[f"{what}, at first"] = taken[0]
            found[what] = statistics.median(taken[1:])
    return found


def opened(browser: Browser, address: str, drawn: str) -> float:
    """How long a page takes until it is drawn; infinite where it takes longer than the browser waits."""
    browser.open("about:blank")
    started_at = time.monotonic()
    browser.open(address)
    try:
        browser.await_true(f"return Boolean(document.body) && {drawn}")
    except AssertionError:
        return math.inf
    return time.monotonic() - started_at


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages")
    parser.add_argument("--uploads", type=int, default=20_000)
    main(parser.parse_args().uploads)
