"""A home in which one person has left traces everywhere, what they are, and a search of every byte of it."""

from __future__ import annotations

import csv
import gzip
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import polars as pl
import xlsxwriter
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.inbox import look_through
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.profiles.load import SHIPPED
from tests.homes import fill_once

DIRECTOR = "d.rivers"
OUTREACH = (
    "First name", "Phone number", "Social security number", "Last name", "Date of birth", "Account number", "Email",
    "Zip code",
)  # fmt: skip
PROGRAM = ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title")

# Every value that identifies her, in every form in which it was sent.
TRACES = (
    "quennevais", "quintessa.q@example.com", "q.quennevais@example.com", "2025550187", "202-555-0187", "(202) 555-0187",
    "219-09-9990", "219099990", "AC-778899", "02139-7781", "1984-04-18", "04/18/1984",
)  # fmt: skip

SHE = ("Quintessa", "(202) 555-0187", "219-09-9990", "Quennevais", "04/18/1984", "AC-778899",
       "Quintessa.Q@Example.com", "02139-7781")  # fmt: skip


BOB = ("Bob", "", "", "Oakes", "", "AC-112233", "bob.oakes@example.com", "")
IAN = ("Ian", "", "", "Moss", "", "AC-556677", "ian@example.com", "")
BEA = ("bea@example.com", "Bea", "Lund", "", "", "")


def write_csv(path: Path, heading: Sequence[str], *rows: Sequence[str]) -> Path:
    """Writes a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heading, *rows])
    return path


def write_book(path: Path, heading: Sequence[str], *rows: Sequence[str], name: str | None = None) -> Path:
    """Writes a workbook."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet(name)
        for number, row in enumerate([heading, *rows]):
            sheet.write_row(number, 0, row)
    return path


def open_home(folder: Path) -> Pipeline:
    """A pipeline on a home with a director who may import; its profiles have no examples, which look like people."""
    profiles = folder / "home" / "profiles"
    profiles.mkdir(parents=True)
    for name in ("outreach_contacts", "program_contacts"):
        profile = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
        for column in profile["columns"]:
            column.pop("example")
        (profiles / f"{name}.yaml").write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")
    users = folder / "users.yaml"
    users.write_text(yaml.safe_dump([{"login": DIRECTOR, "name": "D", "roles": ["director"], "can_import": True}]))
    pipeline = Pipeline(folder / "home")
    pipeline.store.load_users(users)
    return pipeline


def fill(pipeline: Pipeline, folder: Path) -> None:
    """Uploads of several profiles: applied, changed, undone, decided, rejected, refused, repeated, staged."""
    first = write_csv(folder / "first.csv", OUTREACH, SHE, BOB)
    planned = pipeline.plan(first, "outreach_contacts", group="Spring", user=DIRECTOR)
    pipeline.apply(planned.upload_id, user=DIRECTOR)
    pipeline.plan(first, "outreach_contacts", group="Spring", user=DIRECTOR)  # repeated
    again = write_csv(  # a rejected row of hers, one of her number under another account, and somebody else
        folder / "again.csv",
        OUTREACH,
        ("Quintessa", "202.555.0187", "219099990", "Quennevais", "13/45/1984", "AC-778899", SHE[6], ""),
        ("Kim", "", "219-09-9990", "Park", "", "AC-445566", "kim@example.com", ""),
        ("Ida", "", "", "Berg", "", "AC-998877", "ida@example.com", ""),
        ("Quin", "", "219-09-9990", "Quennevais", "", "AC-445567", "q.quennevais@example.com", ""),
    )
    planned = pipeline.plan(again, "outreach_contacts", group="Spring", user=DIRECTOR)
    pipeline.apply(planned.upload_id, user=DIRECTOR)
    pipeline.resolve(planned.upload_id, 5, 1, user=DIRECTOR)
    undone = write_csv(folder / "undone.csv", OUTREACH, (*SHE[:5], "AC-778899", "q.quennevais@example.com", ""), BOB)
    planned = pipeline.plan(undone, "outreach_contacts", group="Autumn", user=DIRECTOR, force=True)
    pipeline.apply(planned.upload_id, user=DIRECTOR)
    pipeline.undo(planned.upload_id, user=DIRECTOR)
    pipeline.set_active(1, active=False, user=DIRECTOR)
    staged = write_csv(folder / "staged.csv", OUTREACH, SHE, IAN)
    pipeline.plan(staged, "outreach_contacts", group="Spring", user=DIRECTOR, force=True)


def refuse(pipeline: Pipeline) -> None:
    """Drops a file with her rows that is refused; the reason lies beside it."""
    inbox = pipeline.settings.inbox / "outreach_contacts"
    write_csv(inbox / "wrong.csv", ("Name", "Colour"), ("Quennevais", "quintessa.q@example.com"))
    for drop in look_through(pipeline.settings.inbox).drops:
        pipeline.receive(drop.path, drop.profile, user=DIRECTOR, move=True)
    for upload in pipeline.uploads():
        if upload.state == "received":
            pipeline.read(upload.upload_id)


def fill_with_traces(folder: Path) -> Pipeline:
    """A pipeline on `folder/home`, in which all of this has happened: made once in a process."""
    pipeline = open_home(folder)

    def make() -> None:
        fill(pipeline, folder)
        refuse(pipeline)

    fill_once(folder / "home", make)
    return pipeline


def run_in_dagster(pipeline: Pipeline, folder: Path) -> None:
    """Stages a workbook with her in a Dagster run, so that its previews are stored in the home."""
    home = pipeline.settings.home
    (home / "dagster").mkdir(exist_ok=True)
    with dg.DagsterInstance.local_temp(str(home / "dagster")) as instance:
        stage_in_dagster(pipeline, folder, instance)


def stage_in_dagster(pipeline: Pipeline, folder: Path, instance: dg.DagsterInstance) -> str:
    """Stages that workbook in a run of an instance; the id of its upload."""
    she = ("Quintessa.Q@example.com", "Quintessa", "Quennevais", "202-555-0187", "Acme", "")
    book = write_book(folder / "program.xlsx", PROGRAM, she, BEA)
    upload = pipeline.receive(book, "program_contacts", user=DIRECTOR)
    definitions = build_definitions({"pipeline": PipelineResource(home=str(pipeline.settings.home))})
    instance.add_dynamic_partitions("uploads", [upload.upload_id])
    job = definitions.resolve_job_def("stage_upload")
    assert job.execute_in_process(instance=instance, partition_key=upload.upload_id).success
    return upload.upload_id


def found(home: Path, traces: Sequence[str]) -> set[tuple[str, str]]:
    """(file, trace) wherever a trace stands in a file of the home, in its bytes or in what is packed in it."""
    wanted = {trace: (trace.lower().encode(), trace.lower().encode("utf-16-le")) for trace in traces}
    return {
        (str(path.relative_to(home)), trace)
        for path in sorted(home.rglob("*"))
        if path.is_file()
        for content in _contents(path)
        for trace, forms in wanted.items()
        if any(form in content for form in forms)
    }


def _contents(path: Path) -> Iterator[bytes]:
    """A file's name and bytes, and what is packed in it, in lower case."""
    yield path.name.lower().encode()
    yield path.read_bytes().lower()
    if path.suffix == ".parquet":
        yield pl.read_parquet(path).write_json().lower().encode()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(name).lower() for name in packed.namelist())
    elif path.read_bytes()[:2] == b"\x1f\x8b":
        yield gzip.decompress(path.read_bytes()).lower()
