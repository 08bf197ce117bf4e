"""Same result everywhere: the command line, Python, a Dagster job and the inbox sensor freeze the same changeset."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg
import pytest

from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.sensors import inbox
from contact_pipeline.pipeline import Pipeline

Options = Mapping[str, str]


@pytest.fixture
def homes(home: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes copies of one home."""
    made: list[Path] = []

    def copy() -> Path:
        made.append(tmp_path / f"copy-{len(made)}")
        shutil.copytree(home, made[-1])
        return made[-1]

    return copy


def by_command_line(home: Path, file: Path, profile: str, options: Options) -> str | None:
    given = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    command = [sys.executable, "-m", "contact_pipeline", "--home", str(home), "--json", "plan", str(file)]
    user = ["--user", home.owner()]
    done = subprocess.run([*command, "--profile", profile, *given, *user], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["changeset_sha256"]


def by_python(home: Path, file: Path, profile: str, options: Options) -> str | None:
    return Pipeline(home=home).plan(file, profile, user=home.owner(), **options).changeset_sha256


def by_job(home: Path, file: Path, profile: str, options: Options) -> str | None:
    upload = Pipeline(home=home).receive(file, profile, user=home.owner(), **options)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("uploads", [upload.upload_id])
        stage(home, instance, upload.upload_id)
    return Pipeline(home=home).show(upload.upload_id).changeset_sha256


def by_sensor(home: Path, file: Path, profile: str, options: Options) -> str | None:
    folder = home / "inbox" / profile
    folder.mkdir(parents=True)
    (folder / f"{file.name}.options.yaml").write_text(json.dumps(dict(options)))
    shutil.copyfile(file, folder / file.name)
    resource, cursor = PipelineResource(home=str(home)), None
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"pipeline": resource}) as context:
                result = inbox(context)
                cursor = context.cursor
        assert isinstance(result, dg.SensorResult)
        for wanted in result.dynamic_partitions_requests or ():
            instance.add_dynamic_partitions("uploads", list(wanted.partition_keys))
        for request in result.run_requests or ():
            assert request.partition_key is not None
            stage(home, instance, request.partition_key)
    return Pipeline(home=home).uploads()[0].changeset_sha256


def stage(home: Path, instance: dg.DagsterInstance, key: str) -> None:
    definitions = build_definitions({"pipeline": PipelineResource(home=str(home))})
    definitions.resolve_job_def("stage_upload").execute_in_process(instance=instance, partition_key=key)


def test_every_way_freezes_the_same_changeset(
    home: Path,
    homes: Callable[[], Path],
    pipeline: Pipeline,
    outreach_file: Callable[..., Path],
    program_file: Callable[..., Path],
    leads_file: Callable[..., Path],
) -> None:
    """X2: the changeset is frozen when it is staged, whoever stages it."""
    files: list[tuple[Path, str, dict[str, str]]] = [
        (outreach_file("o.csv", "a@example.com", "b@example.com", ""), "outreach_contacts", {"group": "Spring"}),
        (program_file("p.xlsx", "a@example.com", "b@example.com"), "program_contacts", {"blank": "overwrite"}),
        (leads_file("l.csv", "a@example.com", "c@example.com"), "dealer_leads", {"lead_type": "SMS", "rule": "create"}),
    ]
    earlier = ("a@example.com", "z@example.com")
    pipeline.apply(pipeline.plan(program_file("before.xlsx", *earlier), "program_contacts").upload_id)
    for file, profile, options in files:
        hashes = {
            way.__name__: way(homes(), file, profile, options)
            for way in (by_command_line, by_python, by_job, by_sensor)
        }
        assert len(set(hashes.values())) == 1, hashes
        assert hashes["by_python"] is not None
