"""Files that others still write to, while the inbox looks at them: half a file is never taken, and none is lost.

Time is the test's: the tick's clock is moved on, and the writers are real processes with real files.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from contact_pipeline.orchestration import sensors
from contact_pipeline.orchestration.inbox import NOTICE
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.pipeline import Pipeline, receiving
from contact_pipeline.store import arrival, originals
from contact_pipeline.store.source import Source, sha256_of
from tests.trust import record

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"
SETTLE = 30


def rows(first: int, last: int) -> str:
    return "".join(f"Rosa,,,Delgado,,AC-{number},r{number}@example.com,02139\n" for number in range(first, last))


HALF, REST = HEADINGS + rows(0, 149), rows(149, 299)
WHOLE = HALF + REST


class Inbox:
    """The inbox of one profile, and the sensor that looks at it; seconds pass as the test says."""

    def __init__(
        self, home: Path, instance: dg.DagsterInstance, resource: PipelineResource, clock: pytest.MonkeyPatch
    ) -> None:
        self.folder = home / "inbox" / "outreach_contacts"
        self.folder.mkdir(parents=True)
        self.pipeline = Pipeline(home=home)
        self._instance, self._resource, self._cursor = instance, resource, ""
        self._passed = 0.0
        real = time.monotonic
        clock.setattr(time, "monotonic", lambda: real() + self._passed)

    def tick(self) -> list[str]:
        """One tick of the sensor; the states of the uploads so far, oldest first."""
        with dg.build_sensor_context(
            instance=self._instance, cursor=self._cursor, resources={"pipeline": self._resource}
        ) as context:
            result = sensors.inbox(context)
            self._cursor = getattr(result, "cursor", None) or context.cursor or ""
        for wanted in getattr(result, "dynamic_partitions_requests", None) or ():
            self._instance.add_dynamic_partitions("uploads", list(wanted.partition_keys))
        return [upload.state for upload in reversed(self.pipeline.uploads())]

    def wait(self, seconds: float) -> list[str]:
        """Lets seconds pass, with a tick every five of them."""
        for _ in range(round(seconds / 5)):
            self._passed += 5
            states = self.tick()
        return states

    def contents(self) -> list[str]:
        """What was taken, oldest first; each is what the ledger says."""
        taken = []
        for upload in reversed(self.pipeline.uploads()):
            if upload.state not in {"cancelled", "refused"}:
                path = self.pipeline.originals.path(upload.upload_id)
                assert sha256_of(path) == upload.sha256
                taken.append(path.read_text())
        return taken


@pytest.fixture
def inbox(
    home: Path, instance: dg.DagsterInstance, resource: PipelineResource, monkeypatch: pytest.MonkeyPatch
) -> Inbox:
    monkeypatch.setenv("CONTACT_PIPELINE_INBOX_SETTLE_SECONDS", str(SETTLE))
    return Inbox(home, instance, resource, monkeypatch)


@contextmanager
def writer(code: str, *arguments: object) -> Iterator[Callable[[str], None]]:
    """A process that runs this code; gives the function that sends it a word and waits for its answer."""
    command = [sys.executable, "-u", "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def say(word: str) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(word + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{word}\n"

        try:
            assert process.stdout.readline() == "begun\n"
            yield say
        finally:
            process.stdin.close()
            process.wait(30)


WRITER = """
import sys, mmap, os
path, half, rest, how = sys.argv[1:]
if how == "mapped":
    with open(path, "w+b") as file:
        file.truncate(len(half) + len(rest))
        memory = mmap.mmap(file.fileno(), 0)
    memory[: len(half)] = half.encode()
    go_on = lambda: memory.__setitem__(slice(len(half), None), rest.encode())
    end = memory.close
elif how == "in pieces":
    with open(path, "w") as file:
        file.write(half)
    def go_on():
        with open(path, "a") as file:
            file.write(rest)
    end = lambda: None
else:
    file = open(path, "w")
    file.write(half); file.flush()
    go_on = lambda: (file.write(rest), file.flush())
    end = file.close
if how == "under a second name":
    os.link(path, os.path.join(os.path.dirname(path), "..", "..", "second"))
print("begun")
for word in sys.stdin:
    {"go on": go_on, "end": end}[word.strip()]()
    print(word.strip())
"""


@pytest.mark.parametrize("how", ["open", "mapped", "under a second name"])
def test_a_writer_that_pauses_with_the_file_open_is_waited_for_however_long(inbox: Inbox, how: str) -> None:
    with writer(WRITER, inbox.folder / "a.csv", HALF, REST, how) as say:
        assert inbox.wait(300) == []
        say("go on")
        assert inbox.wait(300) == []
        say("end")
    assert inbox.wait(5) == ["received"]
    assert inbox.contents() == [WHOLE]
    record("inbox-writers", tried=1, failed=0, where=f"a writer that pauses, {how}")


def test_a_writer_that_closes_the_file_before_it_pauses_is_waited_for_as_long_as_files_settle(inbox: Inbox) -> None:
    with writer(WRITER, inbox.folder / "a.csv", HALF, REST, "in pieces") as say:
        assert inbox.wait(25) == []
        say("go on")
        assert inbox.wait(25) == []
        assert inbox.wait(15) == ["received"]
    assert inbox.contents() == [WHOLE]
    record("inbox-writers", tried=1, failed=0, where="a writer that closes and pauses")


def _moved(inbox: Inbox, elsewhere: Path) -> None:
    elsewhere.write_text(WHOLE)
    elsewhere.rename(inbox.folder / "a.csv")


def _copied_with_its_old_time(inbox: Inbox, elsewhere: Path) -> None:
    elsewhere.write_text(WHOLE)
    os.utime(elsewhere, (1, 1))
    shutil.copy2(elsewhere, inbox.folder / "a.csv")


def _sparse(inbox: Inbox, _elsewhere: Path) -> None:
    with (inbox.folder / "a.csv").open("w") as file:
        file.write(WHOLE)
        file.truncate(1 << 20)


@pytest.mark.parametrize("delivered", [_moved, _copied_with_its_old_time, _sparse])
def test_a_file_is_taken_when_it_has_settled_whatever_its_time_says(
    inbox: Inbox, tmp_path: Path, delivered: Callable[[Inbox, Path], None]
) -> None:
    delivered(inbox, tmp_path / "elsewhere.csv")
    assert inbox.tick() == []
    assert inbox.wait(25) == []
    assert inbox.wait(10) == ["received"]
    assert inbox.contents()[0].startswith(WHOLE)
    assert list(inbox.folder.iterdir()) == []
    record("inbox-writers", tried=1, failed=0, where=delivered.__name__.strip("_").replace("_", " "))


@pytest.mark.parametrize("unfinished", ["a.csv.part", "a.csv.tmp", ".a.csv.k3jd82"])
def test_a_file_that_is_renamed_when_it_is_complete_is_taken_at_once(inbox: Inbox, unfinished: str) -> None:
    (inbox.folder / unfinished).write_text(HALF)
    inbox.wait(60)
    with (inbox.folder / unfinished).open("a") as file:
        file.write(REST)
    (inbox.folder / unfinished).rename(inbox.folder / "a.csv")
    assert inbox.wait(5) == ["received"]
    assert inbox.contents() == [WHOLE]
    record("inbox-writers", tried=1, failed=0, where="renamed when complete")


def _rewritten(path: Path) -> None:
    path.write_text(WHOLE.replace("Rosa", "Anna"))


def _replaced(path: Path) -> None:
    other = path.with_name(".other")
    other.write_text(WHOLE.replace("Rosa", "Anna"))
    other.rename(path)


@pytest.mark.parametrize("change", [_rewritten, _replaced])
def test_another_content_of_the_same_size_and_time_settles_anew(inbox: Inbox, change: Callable[[Path], None]) -> None:
    path = inbox.folder / "a.csv"
    path.write_text(WHOLE)
    found = path.stat()
    inbox.wait(25)
    change(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    assert inbox.wait(25) == []
    assert inbox.wait(10) == ["received"]
    assert inbox.contents() == [WHOLE.replace("Rosa", "Anna")]
    record("inbox-writers", tried=1, failed=0, where="another content of the same size and time")


def test_an_options_file_that_comes_late_counts_and_one_that_is_being_written_is_waited_for(inbox: Inbox) -> None:
    (inbox.folder / "a.csv").write_text(WHOLE)
    inbox.wait(25)
    with writer(WRITER, inbox.folder / "a.csv.options.yaml", "group: Aut", "umn\n", "open") as say:
        assert inbox.wait(120) == []
        say("go on")
    assert inbox.wait(SETTLE - 5) == []  # the options file, too, is to stand still
    assert inbox.wait(15) == ["received"]
    (upload,) = inbox.pipeline.uploads()
    assert upload.group == "Autumn"
    assert list(inbox.folder.iterdir()) == []
    record("inbox-writers", tried=1, failed=0, where="an options file that is late")


class Meddling:
    """Does something to a file at a moment while it is taken."""

    def __init__(self, patch: pytest.MonkeyPatch, moment: str, meddle: Callable[[], object]) -> None:
        self.done = 0
        real: Callable[..., Any] = getattr(Source, moment)

        def and_meddle(source: Source, *given: object, **named: object) -> Any:
            if not self.done and source.path.name == "a.csv":
                self.done += 1
                meddle()
            return real(source, *given, **named)

        patch.setattr(Source, moment, and_meddle)


def rewrite_from_elsewhere(path: Path) -> subprocess.Popen[bytes]:
    """Another process opens the file for writing, which waits while the file is being taken, and writes more."""
    code = f"file = open({str(path)!r}, 'a'); file.write({REST!r}); file.close()"
    process = subprocess.Popen([sys.executable, "-c", code])
    time.sleep(0.5)  # for it to reach the file
    return process


@pytest.mark.parametrize("moment", ["copy_to", "is_as_opened", "remove", "_status"])
def test_a_writer_that_opens_the_file_while_it_is_taken_loses_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """However late it comes: what it writes is taken with the rest, as one file, once."""
    path = inbox.folder / "a.csv"
    path.write_text(HALF)
    inbox.tick()
    inbox.wait(25)
    processes: list[subprocess.Popen[bytes]] = []
    with monkeypatch.context() as patch:
        meddling = Meddling(patch, moment, lambda: processes.append(rewrite_from_elsewhere(path)))
        inbox.wait(5)
        assert meddling.done == 1
        processes[0].wait(60)
    inbox.wait(SETTLE + 10)
    assert inbox.contents() == [WHOLE]
    assert list(inbox.folder.iterdir()) == []
    record("inbox-while-taken", tried=1, failed=0, where=f"opened for writing at {moment}")


def test_a_writer_that_opens_the_file_at_the_last_moment_gets_it_back(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look and the removal: it has the file open under a name that is gone, and it is seen."""
    path = inbox.folder / "a.csv"
    path.write_text(HALF)
    inbox.tick()
    inbox.wait(25)
    processes: list[subprocess.Popen[bytes]] = []
    real = Path.rename

    def rename(source: Path, target: Path) -> Path:
        if source == path and not processes:
            processes.append(rewrite_from_elsewhere(path))
        return real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        inbox.wait(5)
        processes[0].wait(60)
    inbox.wait(SETTLE + 10)
    assert inbox.contents() == [WHOLE]
    record("inbox-while-taken", tried=1, failed=0, where="opened for writing at the removal")


@pytest.mark.parametrize("moment", ["copy_to", "remove"])
def test_a_file_that_changes_while_it_is_taken_is_not_taken_now_where_nobody_is_told(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """On a system that does not say who has a file open, its size, times and content do."""
    monkeypatch.setattr(Source, "is_written", lambda _source: None)
    path = inbox.folder / "a.csv"
    path.write_text(HALF)
    inbox.tick()
    inbox.wait(25)

    def meddle() -> None:
        with path.open("a") as file:
            file.write(REST)

    with monkeypatch.context() as patch:
        meddling = Meddling(patch, moment, meddle)
        states = inbox.wait(5)
    assert meddling.done == 1
    assert states == ([] if moment == "copy_to" else ["cancelled"])
    inbox.wait(SETTLE + 10)
    assert inbox.contents() == [WHOLE]
    record("inbox-while-taken", tried=1, failed=0, where=f"changed at {moment}")


def test_a_file_that_is_only_touched_while_it_is_taken_is_read_again_and_taken(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox.folder / "a.csv"
    path.write_text(WHOLE)
    inbox.tick()
    inbox.wait(25)
    Meddling(monkeypatch, "remove", path.touch)
    assert inbox.wait(5) == ["received"]
    assert inbox.contents() == [WHOLE]
    assert list(inbox.folder.iterdir()) == []


@pytest.mark.parametrize("moment", ["copy_to", "remove"])
def test_a_file_that_is_deleted_while_it_is_taken_is_taken_whole_or_not(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = inbox.folder / "a.csv"
    path.write_text(WHOLE)
    inbox.tick()
    inbox.wait(25)
    Meddling(monkeypatch, moment, path.unlink)
    assert inbox.wait(5) == ([] if moment == "copy_to" else ["received"])
    assert inbox.contents() == ([] if moment == "copy_to" else [WHOLE])
    record("inbox-while-taken", tried=1, failed=0, where=f"deleted at {moment}")


def test_a_link_or_a_pipe_put_in_the_place_of_a_file_is_not_read(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(WHOLE)
    (inbox.folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(inbox.folder / "b.csv")
    assert inbox.wait(120) == []
    said = (inbox.folder.parent / NOTICE).read_text()
    assert "'outreach_contacts/a.csv' is a link, which is not taken" in said
    assert "'outreach_contacts/b.csv' is a pipe or a device" in said
    record("inbox-while-taken", tried=2, failed=0, where="links and pipes")


def test_what_lies_in_the_inbox_itself_is_reported_once_and_as_long_as_it_lies_there(
    inbox: Inbox, capfd: pytest.CaptureFixture[str]
) -> None:
    top = inbox.folder.parent
    (top / "loose.csv").write_text(WHOLE)
    (top / "no_profile").mkdir()
    (top / "linked").symlink_to(inbox.folder)
    inbox.wait(60)
    logged = capfd.readouterr().err
    for name, why in (("loose.csv", "lies in the inbox itself"), ("no_profile", "no profile"), ("linked", "is a link")):
        assert f"'{name}' " in (top / NOTICE).read_text()
        assert logged.count(f"{name} {why}") + logged.count(f"{name} is named as {why}") == 1
    (top / "loose.csv").rename(inbox.folder / "loose.csv")
    (top / "no_profile").rmdir()
    (top / "linked").unlink()
    assert inbox.wait(SETTLE + 10) == ["received"]
    assert not (top / NOTICE).exists()


MOMENTS = ("copied", "received", "complete", "remove", "put aside")


class Killed(BaseException):
    """Nothing of ours is done after it: what the system does for a killed process, closing files, is done."""


@pytest.mark.parametrize(
    ("name", "moment"),
    [*product(["a.csv", "refused.csv"], MOMENTS), ("a.csv", "put in its place"), ("refused.csv", "give back")],
)
def test_a_tick_killed_at_any_moment_imports_the_file_once(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, moment: str, name: str
) -> None:
    path = inbox.folder / name
    path.write_text(WHOLE)
    options = "colour: green\n" if name == "refused.csv" else "group: Autumn\n"
    path.with_name(f"{name}.options.yaml").write_text(options)
    inbox.tick()
    inbox.wait(25)
    with monkeypatch.context() as patch:
        end_at(moment, patch)
        with pytest.raises(Killed):
            inbox.wait(5)
    monkeypatch.setattr(sensors, "LOST_AFTER", timedelta(0))
    states = inbox.wait(SETTLE + 10)
    assert states == (["refused"] if name == "refused.csv" else ["received"])
    assert inbox.contents() == ([] if name == "refused.csv" else [WHOLE])
    given_back = inbox.folder / "refused"
    assert list(inbox.folder.iterdir()) == ([given_back] if name == "refused.csv" else [])
    if name == "refused.csv":
        assert {found.suffix for found in given_back.iterdir()} == {".csv", ".yaml", ".txt"}
        assert next(given_back.glob("*.csv")).read_text() == WHOLE
    monkeypatch.setattr(arrival, "ORPHANED_AFTER", -1)
    inbox.tick()
    assert list((inbox.pipeline.settings.home / "uploads" / ".arriving").iterdir()) == []
    record("inbox-killed", tried=1, failed=0, where=moment)


def end_at(moment: str, patch: pytest.MonkeyPatch) -> None:
    """Ends the tick when that step is done, or is about to be."""

    def kill(*_: object, **__: object) -> None:
        raise Killed

    def kill_after(owner: Any, name: str) -> None:
        real = getattr(owner, name)
        patch.setattr(owner, name, lambda *given, **named: (real(*given, **named), kill()))

    def kill_before(owner: Any, name: str, of: str) -> None:
        real = getattr(owner, name)
        patch.setattr(
            owner, name, lambda path, *more, **named: kill() if of in path.name else real(path, *more, **named)
        )

    match moment:
        case "copied":
            kill_after(Source, "copy_to")
        case "received":
            kill_after(receiving, "_admit")
        case "put aside":
            kill_before(Path, "unlink", "removed-original")
        case "put in its place":
            kill_before(Path, "rename", "-")  # the folder, named by the upload's id
        case "give back":
            kill_before(originals, "_move", "original")
        case _:
            patch.setattr(Source if moment == "remove" else arrival.Arrival, moment, kill)
