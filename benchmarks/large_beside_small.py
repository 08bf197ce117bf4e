"""When small files are applied that come with a large one: python -m benchmarks.large_beside_small [--rows 300000].

Under `serve` a large file is dropped for one profile, and twenty of 100 rows beside it: half for the same profile,
named to come before and after it, and half for another profile. Printed is when each was applied, and when runs ran.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from datetime import UTC
from pathlib import Path

import dagster as dg

from benchmarks.from_drop import PATIENCE, put, served
from contact_pipeline import Pipeline

SMALL = 20
LEADS = "Name,Phone,Email\n"


def main(rows: int) -> None:
    """Serves a home of its own, and prints the time line, in seconds after the last file was dropped."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "home") as home:
        pipeline = Pipeline(home)
        users = Path(folder) / "users.yaml"
        users.write_text(f"- {{login: {home.owner()}, name: Test, roles: [director], can_import: true}}\n")
        pipeline.store.load_users(users)
        outreach, leads = home / "inbox" / "outreach_contacts", home / "inbox" / "dealer_leads"
        put(outreach, "m-large", 1, rows)
        for number in range(SMALL // 4):
            put(outreach, f"a-{number}", 10 + number, 100)
            put(outreach, f"z-{number}", 30 + number, 100)
        for number in range(SMALL // 2):
            put_leads(leads, f"lead-{number}", number)
        began = time.time()
        while pipeline.store.count_lines(states=["applied"]) <= SMALL and time.time() - began < PATIENCE:
            time.sleep(1)
        for line in sorted(pipeline.store.lines(), key=lambda line: line.file_name):
            taken, done = (
                at and at.replace(tzinfo=UTC).timestamp() - began for at in (line.added_at, line.finished_at)
            )
            print(f"{line.file_name:14} {line.profile:18} taken {taken:6.1f} s   applied {done or math.inf:6.1f} s")
        with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
            for record in reversed(instance.get_run_records()):
                times = (record.start_time or began, record.end_time or time.time())
                begun, ended = (each - began for each in times)
                print(f"{record.dagster_run.job_name:14} from {begun:6.1f} to {ended:6.1f} s")


def put_leads(inbox: Path, name: str, number: int) -> None:
    """Drops a file of leads whom no other file has."""
    (inbox / f"{name}.csv.options.yaml").write_text("rule: merge\nlead_type: SMS\n")
    lines = [f"Jo{row} Avery{number},,jo.{number}.{row}@example.com\n" for row in range(100)]
    unfinished = inbox / f"{name}.part"
    unfinished.write_text(LEADS + "".join(lines))
    unfinished.rename(inbox / f"{name}.csv")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_beside_small")
    parser.add_argument("--rows", type=int, default=300_000)
    main(parser.parse_args().rows)
