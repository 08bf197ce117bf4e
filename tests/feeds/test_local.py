"""Feeds from a folder of this machine, and what holds for all of them."""

import json
import os
import threading
import time
from errno import EACCES, EIO
from importlib import util
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run as command
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.store.source import alone_in
from tests.feeds.conftest import people


def test_a_feed_takes_nothing_from_the_inbox(pipeline, feed, home):
    """Both would take the same files."""
    folder = home / "inbox" / "dealer_leads"
    folder.mkdir(parents=True)
    (home / "beside").symlink_to(folder)
    for source in (f"{folder}/*.csv", "inbox/dealer_leads/", "beside/*.csv"):
        feed(source)
        with pytest.raises(Refusal, match="lies in the inbox") as refused:
            pipeline.run_feed("crm")
        assert refused.value.code == "feed-inbox"
    (home / "loop").symlink_to(home / "loop")
    feed("loop/*.csv")
    with pytest.raises((Refusal, MachineFault, OSError)):  # and no defect of the program
        pipeline.run_feed("crm")


def test_a_link_is_not_followed_and_named(pipeline, feed, drop, home, tmp_path):
    """The feed would be silent for ever, and one that names the link alone would say that there is no such file."""
    folder = drop(**{"real.csv": people("Ada")})
    (folder / "latest.csv").symlink_to(folder / "real.csv")
    (folder / "gone.csv").symlink_to(folder / "nowhere.csv")
    (folder / "sub.csv").symlink_to(tmp_path)
    (folder / "half.csv.part").symlink_to(folder / "real.csv")
    feed(f"{folder}/*.csv*")
    run = pipeline.run_feed("crm")
    assert ([file.name for file in run.files], set(run.strays)) == (["real.csv"], {"latest.csv", "gone.csv"})
    feed(f"{folder}/latest.csv")
    assert pipeline.check_feed("crm").strays == {"latest.csv": run.strays["latest.csv"]}
    assert "is a link" in run.strays["latest.csv"]


def test_a_link_to_where_nobody_may_look_leaves_the_files_alone(pipeline, feed, drop, monkeypatch):
    folder = drop(**{"real.csv": people("Ada")})
    (folder / "latest.csv").symlink_to("/of/somebody/else")
    feed(f"{folder}/*.csv")
    look = Path.is_dir

    def forbidden(path, *given, **more):
        if path.name == "latest.csv":
            raise PermissionError(EACCES, os.strerror(EACCES))
        return look(path, *given, **more)

    monkeypatch.setattr(Path, "is_dir", forbidden)
    run = pipeline.run_feed("crm")
    assert ([file.name for file in run.files], set(run.strays)) == (["real.csv"], {"latest.csv"})


def test_what_stands_still_is_fetched_and_what_grows_waits(pipeline, feed, drop, home):
    folder = drop(**{"old.csv": people("Ada")})
    feed(f"{folder}/*.csv")
    (folder / "young.csv").write_bytes(people("Rosa"))  # it stays as it is
    ahead = time.time() + 3_600
    (folder / "ahead.csv").write_bytes(people("Ximena"))  # by a clock that is set otherwise
    os.utime(folder / "ahead.csv", (ahead, ahead))
    growing, ended = folder / "growing.csv", threading.Event()
    growing.write_bytes(people("Elena"))

    def grow():
        while not ended.wait(0.005):
            with growing.open("ab") as file:
                file.write(b",")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        run = pipeline.run_feed("crm")
    finally:
        ended.set()
        writer.join()

    assert [file.name for file in run.files] == ["old.csv", "young.csv", "ahead.csv"]
    assert (run.waiting, run.problem) == (1, None)
    with (folder / "growing.csv").open("ab"):  # somebody has it open, though it does not grow
        assert pipeline.run_feed("crm").waiting == 1
    assert [file.name for file in pipeline.run_feed("crm").files] == ["growing.csv"]
    assert not list((home / "temporary").rglob("*.csv"))


def test_with_little_room_left_nothing_is_fetched_until_there_is_some(pipeline, feed, drop, home, monkeypatch):
    feed(str(drop(**{"a.csv": people("Ada")})))
    monkeypatch.setenv("CONTACT_PIPELINE_MIN_FREE_BYTES", str(10**18))
    short = Pipeline(home)
    with pytest.raises(MachineFault, match="bytes left"):
        short.run_feed("crm")
    (broken,) = short.feeds()
    assert (broken.state.ended, broken.problem["code"], short.uploads()) == ("broken", "disk-full", [])
    assert [file.name for file in pipeline.run_feed("crm").files] == ["a.csv"]


def test_the_same_content_is_received_once_under_a_name_and_follows_the_rule_for_repeats_under_another(
    pipeline, feed, drop
):
    folder = drop(**{"a.csv": people("Ada")})
    feed(str(folder))
    first = pipeline.run_feed("crm", stage=True)
    assert [upload.state for upload in first.uploads] == ["applied"]
    os.utime(folder / "a.csv", (1, 1))  # touched
    assert (pipeline.run_feed("crm").files, pipeline.run_feed("crm").known) == ([], 1)
    drop(**{"b.csv": people("Ada")})
    second = pipeline.run_feed("crm", stage=True)

    assert [(upload.state, upload.repeats) for upload in second.uploads] == [("repeated", first.uploads[0].upload_id)]
    assert pipeline.store.line(first.uploads[0].upload_id).feed == "crm"
    assert pipeline.store.line(pipeline.plan(folder / "a.csv", "outreach_contacts", group="x").upload_id).feed is None
    assert [upload.file_name for upload in pipeline.uploads(feed="crm")] == ["b.csv", "a.csv"]


def test_two_runs_at_once_are_one(pipeline, feed, drop, home):
    feed(str(drop(**{"a.csv": people("Ada")})))
    pipeline.run_feed("crm")

    with alone_in(home / "feeds" / ".running" / "crm"), pytest.raises(Refusal) as refused:
        pipeline.run_feed("crm")

    assert refused.value.code == "feed-running"
    assert pipeline.feeds()[0].problem is None


def test_a_run_that_is_cut_off_loses_nothing(pipeline, feed, drop, monkeypatch):
    """Killed after it had received a file: the next run goes on with it, and then takes it away."""
    folder = drop(**{"a.csv": people("Ada"), "b.csv": b"", "kept.csv": people("Rosa")})
    feed(str(folder), after="delete")
    pipeline.run_feed("crm")  # as far as a killed one came
    assert len(list(folder.iterdir())) == 3

    run = pipeline.run_feed("crm", stage=True)

    assert [(file.name, file.upload.state) for file in run.files] == [
        ("a.csv", "applied"), ("b.csv", "refused"), ("kept.csv", "applied"),
    ]  # fmt: skip
    assert [path.name for path in folder.iterdir()] == ["b.csv"]
    with monkeypatch.context() as patch:
        patch.setattr(type(pipeline), "_stage_fetched", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        drop(**{"c.csv": people("Elena")})
        with pytest.raises(KeyboardInterrupt):
            pipeline.run_feed("crm", stage=True)
    assert (folder / "c.csv").exists()


def test_a_file_that_cannot_be_had_leaves_the_others_alone(pipeline, feed, drop, monkeypatch):
    folder = drop(**{"a.csv": people("Ada"), "large.csv": people("Rosa", rows=100), "z.csv": people("Ximena")})
    feed(str(folder), profile="outreach_contacts")
    settings = pipeline.settings.model_copy(update={"max_file_bytes": 1_000})
    limited = type(pipeline)(settings=settings)

    run = limited.run_feed("crm")

    assert [upload.file_name for upload in run.uploads] == ["a.csv", "z.csv"]
    assert run.problem.code == "file-too-large"
    assert limited.feeds()[0].as_dict()["ended"] == "broken"
    (folder / ("n" * 250 + ".csv")).write_bytes(b"")
    (folder / "folder.csv").mkdir()
    assert pipeline.check_feed("crm").as_dict()["known"] == 2


def test_a_file_that_is_damaged_or_becomes_a_link_leaves_the_others_alone(pipeline, feed, drop, monkeypatch):
    """The oldest file comes first: otherwise it would keep all others from being fetched, at every run."""
    folder = drop(**{"a.csv": people("Ada"), "b.csv": people("Rosa"), "c.csv": people("Ximena")})
    feed(str(folder), profile="outreach_contacts")
    read = os.pread

    def damaged(descriptor, *where):
        if Path(f"/proc/self/fd/{descriptor}").readlink() == folder / "a.csv":
            (folder / "b.csv").rename(folder / "b.csv.part")
            (folder / "b.csv").symlink_to("b.csv.part")
            raise OSError(EIO, os.strerror(EIO))
        return read(descriptor, *where)

    monkeypatch.setattr(os, "pread", damaged)
    run = pipeline.run_feed("crm")

    assert [upload.file_name for upload in run.uploads] == ["c.csv"]
    assert [(file.name, file.left.code) for file in run.files if file.left] == [
        ("a.csv", "feed-fault"),
        ("b.csv", "feed-fault"),
    ]
    assert "a.csv could not be read: input/output error" in str(run.problem)


def test_a_home_without_the_extra_says_which_is_missing(pipeline, feed, monkeypatch):
    find = util.find_spec
    monkeypatch.setattr("contact_pipeline.feeds.remote.find_spec", lambda name: None if name == "sshfs" else find(name))
    feed("sftp://files.example.com/out/*.csv")

    with pytest.raises(Refusal, match=r"pip install 'contact-pipeline\[feeds\]'") as refused:
        pipeline.check_feed("crm")

    assert refused.value.code == "feed-extra-missing"


def test_the_command_line_fetches_stages_and_shows(pipeline, feed, drop, home, capsys):
    folder = drop(**{"a.csv": people("Ada"), "b 219-09-9990.csv": b""})
    feed(f"{folder}/*.csv", every="15m", title="Made up")

    def says(*words):
        status = command(["feeds", *words, "--home", str(home)])
        return status, capsys.readouterr().out

    assert says("check")[0] == 0
    assert says("check", "crm", "--json")[1].count('"file_name"') == 2
    status, text = says("run", "crm")
    assert status == 1
    assert "a.csv: upload " in text
    assert ", applied." in text
    assert ", refused. " in text
    assert "219-09-9990" not in text
    status, text = says("run", "crm", "--json")
    assert (status, json.loads(text)["known"]) == (0, 2)
    status, text = says("--json")
    assert json.loads(text)[0]["ended"] == "nothing"
    (home / "feeds" / "crm.yaml").write_text("sorce: x")
    status, text = says()
    assert (status, "did you mean 'source'?" in text) == (0, True)
    assert says("check")[0] == 1
    command(["uploads", "--feed", "crm", "--json", "--home", str(home)])
    assert [each["feed"] for each in json.loads(capsys.readouterr().out)] == ["crm", "crm"]
