"""What `serve` says on its terminal: one line for what came and what became of it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from contact_pipeline.engines import open_database
from contact_pipeline.orchestration.terminal import Terminal
from contact_pipeline.pipeline import Pipeline

News = Callable[[], list[str]]


@pytest.fixture
def news(home: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> News:
    """What the terminal says from look to look, without the time; one look is long after the one before."""
    lines: list[str] = []
    terminal = Terminal(pipeline.settings, home / "dagster", lines.append)
    passed, real = [0.0], time.monotonic

    def look() -> list[str]:
        passed[0] += 60
        with monkeypatch.context() as patch:
            patch.setattr(time, "monotonic", lambda: real() + passed[0])
            terminal.look()
        said = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines]
        assert all(line != shorter for line, shorter in zip(lines, said, strict=True))
        lines.clear()
        return said

    look()
    return look


def stage(pipeline: Pipeline, path: Path, profile: str, **options: object) -> str:
    """Takes a file of the inbox and stages it; the upload's id."""
    upload = pipeline.receive(path, profile, move=True, **options)
    for step in (pipeline.read, pipeline.normalize, pipeline.validate, pipeline.match):
        upload = step(upload)
    return upload.upload_id


def test_an_upload_that_applies_at_once_is_one_line(
    news: News, pipeline: Pipeline, dropped: Callable[..., Path], outreach_file: Callable[..., Path]
) -> None:
    """C5: the end of processing is announced, success and failure alike."""
    path = dropped(outreach_file("people.csv", "a@example.com", "b@example.com", ""), "outreach_contacts")
    assert news() == ["outreach_contacts/people.csv is here; taken once it has stood still for 0 s"]
    key = stage(pipeline, path, "outreach_contacts")
    assert news() == []
    pipeline.apply_automatic(key)
    said = f"outreach_contacts/people.csv → applied: 1 created, 1 duplicate, 1 rejected (contact-pipeline show {key})"
    assert news() == [said]
    assert news() == []


def test_every_other_ending_is_a_line_too(
    news: News,
    pipeline: Pipeline,
    dropped: Callable[..., Path],
    program_file: Callable[..., Path],
    outreach_file: Callable[..., Path],
) -> None:
    waits = stage(pipeline, dropped(program_file("p.xlsx", "p@example.com"), "program_contacts"), "program_contacts")
    assert news() == [
        f"program_contacts/p.xlsx → staged, waits for approval: 1 created (contact-pipeline show {waits})"
    ]
    pipeline.apply(waits)
    assert news() == [f"program_contacts/p.xlsx → applied: 1 created (contact-pipeline show {waits})"]
    again = dropped(program_file("q.xlsx", "p@example.com"), "program_contacts")
    again.write_bytes(pipeline.originals.path(waits).read_bytes())
    stage(pipeline, again, "program_contacts")
    (repeated,) = news()
    assert f"q.xlsx → repeated: the same file is applied already, as upload {waits}" in repeated
    stage(pipeline, dropped(program_file("b.xlsx", "c@example.com", ""), "program_contacts"), "program_contacts")
    (blocked,) = news()
    assert "program_contacts/b.xlsx → blocked: " in blocked
    refused = dropped(outreach_file("r.csv", "a@example.com"), "outreach_contacts")
    refused.write_bytes(b"")
    stage(pipeline, refused, "outreach_contacts")
    (line,) = news()
    assert "outreach_contacts/r.csv → refused: r.csv is empty" in line
    pipeline.undo(waits)
    assert news() == [f"program_contacts/p.xlsx → undone (contact-pipeline show {waits})"]


def test_what_did_not_come_through_the_inbox_or_was_there_before_is_not_said(
    home: Path,
    pipeline: Pipeline,
    dropped: Callable[..., Path],
    outreach_file: Callable[..., Path],
) -> None:
    key = stage(pipeline, dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts"), "outreach_contacts")
    pipeline.apply_automatic(key)
    lines: list[str] = []
    Terminal(pipeline.settings, home / "dagster", lines.append).look()
    pipeline.plan(outreach_file("b.csv", "b@example.com"), "outreach_contacts")
    time.sleep(1)
    assert lines == []


def test_a_run_that_fails_is_said_once_while_its_upload_is_under_way(
    home: Path, news: News, pipeline: Pipeline, dropped: Callable[..., Path], outreach_file: Callable[..., Path]
) -> None:
    upload = pipeline.receive(
        dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts"), "outreach_contacts", move=True
    )
    assert news() == []

    @dg.op
    def broken() -> None:
        raise OSError("No space left on device")

    @dg.job(name="stage_upload")
    def failing() -> None:
        broken()

    (home / "dagster").mkdir()
    with dg.DagsterInstance.from_config(str(home / "dagster"), "none.yaml") as instance:
        instance.add_dynamic_partitions("uploads", [upload.upload_id])
        tags = {"dagster/partition": upload.upload_id}
        run = failing.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    (line,) = news()
    assert line.startswith(
        f"outreach_contacts/a.csv → failed: run {run.run_id[:8]} of stage_upload ended with an error"
    )
    assert news() == []


def test_what_is_never_taken_is_said_once_and_many_files_are_counted(
    news: News, home: Path, outreach_file: Callable[..., Path], dropped: Callable[..., Path]
) -> None:
    inbox = home / "inbox"
    for number in range(5):
        dropped(outreach_file(f"{number}.csv", "a@example.com"), "outreach_contacts")
    (inbox / "loose\x1b[31m\n.csv").write_text("x")
    (inbox / "no_profile").mkdir()
    (inbox / "dealer_leads").symlink_to(home)
    said = news()
    assert said[0] == "5 files are here; each is taken once it has stood still for 0 s"
    assert sorted(said[1:]) == [
        "dealer_leads is not taken: it is a link, which is not followed. Put a folder in its place.",
        "loose\\x1b[31m .csv is not taken: it lies in the inbox itself. Move it into the folder of its profile.",
        "no_profile is not taken: it is named as no profile. Rename it; `contact-pipeline profiles` lists them.",
    ]
    assert news() == []


def test_a_busy_ledger_is_looked_at_later_and_never_held(
    news: News, pipeline: Pipeline, dropped: Callable[..., Path], outreach_file: Callable[..., Path]
) -> None:
    path = dropped(outreach_file("a.csv", "a@example.com"), "outreach_contacts")
    news()
    key = stage(pipeline, path, "outreach_contacts")
    pipeline.apply_automatic(key)
    with open_database(pipeline.settings.contacts_path, pipeline.settings):
        began = time.perf_counter()
        assert news() == []
        assert time.perf_counter() - began < 2
    assert len(news()) == 1
