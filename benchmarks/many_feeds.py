"""What Dagster costs while nothing happens, with many feeds: python -m benchmarks.many_feeds [--feeds 10 100].

Homes with so many feeds are served, half of these fetched each night and half every quarter of an hour, from an empty
folder. The same feeds are then served as components of a project of somebody else. Measured are the processor time to
load the definitions, that of each process in a minute, and how long ticks take.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import dagster as dg
import yaml

from benchmarks.served import served
from contact_pipeline import Pipeline

ROOT = Path(__file__).resolve().parent.parent
SETTLES = 90  # seconds after the start, in which every sensor ticks for the first time
LOAD = "import sys, importlib; importlib.import_module(sys.argv[1]).{}.get_repository_def().load_all_definitions()"
OURS, THEIRS = "contact_pipeline.orchestration.definitions", "their_project.definitions"
PROCESSES = {"code server": "api grpc", "daemon": "dagster._daemon", "webserver": "orchestration.webserver"}
PROJECT = """
[project]
name = "their-project"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "their_project"
"""
DEFINITIONS = """
from pathlib import Path

import dagster as dg

defs = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


def main(modules: list[str], counts: list[int], minutes: int) -> None:
    """Measures each number of feeds, in a home and in a project, and prints what was found."""
    for module in modules:
        for count in counts:
            with tempfile.TemporaryDirectory() as folder:
                environment = made(Path(folder), module, count)
                where = "of the home" if module == OURS else "of a project"
                print(f"{count} feeds {where}: loaded in {loaded(module, environment):.1f} s of processor time")
                with served(module, environment) as pid:
                    processes = children(pid)
                    time.sleep(SETTLES)
                    began, before = time.time(), cpu(processes)
                    time.sleep(60 * minutes)
                    used = {name: (taken - before[name]) / minutes for name, taken in cpu(processes).items()}
                    for name, seconds in used.items():
                        print(f"    {name}: {seconds:.1f} s of processor time a minute")
                    for sensor, taken in sorted(ticks(Path(folder) / "home", began).items()):
                        many, middle = len(taken) / minutes, statistics.median(taken)
                        print(f"    {sensor}: {many:.1f} ticks a minute, of {middle:.2f} s, at most {max(taken):.2f} s")
                sys.stdout.flush()


def made(folder: Path, module: str, count: int) -> dict[str, str]:
    """A home with feeds, or one beside a project that has them; the environment of its processes."""
    home, project = folder / "home", folder / "project"
    (folder / "drop").mkdir()
    Pipeline(home).verify()
    package = project / "their_project"
    (package / "defs").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    for name, text in {"__init__": "", "defs/__init__": "", "definitions": DEFINITIONS}.items():
        (package / f"{name}.py").write_text(text)
    (package / "defs" / "contacts").mkdir()
    (package / "defs" / "contacts" / "defs.yaml").write_text("type: contact_pipeline.ContactPipeline\n")
    (home / "feeds").mkdir(parents=True)
    for number in range(count):
        when = {"every": "15m"} if number % 2 else {"schedule": {"cron": f"{number % 60} 3 * * *"}}
        options = {"rule": "merge", "lead_type": "SMS"}
        feed = {"source": f"{folder}/drop/*.csv", "profile": "dealer_leads", "options": options, "owner": "crm"}
        feed |= {"due": {"within": "26h"}} | when
        if module == OURS:
            (home / "feeds" / f"feed_{number}.yaml").write_text(yaml.safe_dump(feed))
            continue
        (package / "defs" / f"feed_{number}").mkdir()
        component = {"type": "contact_pipeline.ContactFeed", "attributes": feed}
        (package / "defs" / f"feed_{number}" / "defs.yaml").write_text(yaml.safe_dump(component))
    paths = os.pathsep.join([str(ROOT), str(project)])
    return {**os.environ, "CONTACT_PIPELINE_HOME": str(home), "PYTHONPATH": paths}


def loaded(module: str, environment: dict[str, str]) -> float:
    """The processor time in which a new process loads the definitions."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", LOAD.format("defs"), module], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def children(parent: int) -> dict[str, int]:
    """The processes that a process has started: what each is → its id."""
    found = {}
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        found |= {name: int(pid) for name, words in PROCESSES.items() if words in command}
    return found


def cpu(processes: dict[str, int]) -> dict[str, float]:
    """The processor time that each process and its ended children have used, in seconds."""
    taken = {}
    for name, pid in processes.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        taken[name] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return taken


def ticks(home: Path, began: float) -> dict[str, list[float]]:
    """How long each tick took, by sensor; those of feeds are one."""
    found: dict[str, list[float]] = defaultdict(list)
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        for state in instance.all_instigator_state():
            name = re.sub(r"feed_[0-9]+", "NAME", state.instigator_name)
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, after=began):
                if tick.end_timestamp:
                    found[name].append(tick.end_timestamp - tick.timestamp)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_feeds")
    parser.add_argument("--feeds", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--of", choices=["home", "project"], nargs="+", default=["home", "project"])
    parser.add_argument("--minutes", type=int, default=5)
    options = parser.parse_args()
    main([{"home": OURS, "project": THEIRS}[each] for each in options.of], options.feeds, options.minutes)
