"""Feeds from SFTP, with the server of OpenSSH."""

import getpass
import os

import pytest

from contact_pipeline.errors import Refusal
from tests.feeds.conftest import bytes_of, drop_in, people
from tests.feeds.servers import Wire, serving, sftp_server

ODD = ["plain.csv", "with space.csv", 'it\'s "quoted".csv', "two\nlines.csv", os.fsdecode(b"caf\xe9.csv"), "ünï.csv"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sshd")
    with sftp_server(folder) as port, serving(Wire(port)) as wire:
        host_key = (folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{wire.port} {host_key}")
        (folder / "other_hosts").write_text(f"[127.0.0.1]:{wire.port} {(folder / 'stranger.pub').read_text()}")
        wire.folder = folder
        yield wire


@pytest.fixture
def outbox(server, monkeypatch, tmp_path):
    for name, value in {
        "USER": getpass.getuser(), "KEY_FILE": server.folder / "login",
        "KNOWN_HOSTS": server.folder / "known_hosts",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"CONTACT_PIPELINE_FEED_CRM_{name}", str(value))
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


@pytest.fixture
def source(server, outbox):
    return f"sftp://127.0.0.1:{server.port}{outbox}"


def test_files_of_any_name_are_fetched_once_whatever_happens_to_the_connection(
    server, outbox, source, pipeline, feed, home
):
    feed(f"{source}/*")
    large = people("Rosa", rows=20_000)
    odd = {name: people("Ada") + b"," * number for number, name in enumerate(ODD)}
    drop_in(outbox, {"empty.csv": b""} | odd | {"z.csv": large, "half.csv.part": b"", "half.tmp": b"", ".hidden": b""})
    (outbox / "folder").mkdir()
    (outbox / "link.csv").symlink_to(outbox / "plain.csv")
    server.cut_after = 600_000

    run = pipeline.run_feed("crm")

    assert (server.cuts, run.waiting, run.problem) == (1, 3, None)
    assert [file.name for file in run.files] == [
        "empty.csv", "plain.csv", "with space.csv", "it's \"quoted\".csv", "two?lines.csv", "caf�.csv",
        "ünï.csv", "z.csv",
    ]  # fmt: skip
    assert [upload.state for upload in run.uploads] == ["received"] * len(run.files)
    assert pipeline.originals.path(run.uploads[-1].upload_id).read_bytes() == large
    again = pipeline.run_feed("crm")
    assert (again.files, again.known) == ([], len(run.files))
    private = (server.folder / "login").read_bytes().splitlines()[2]
    assert not [path for path, content in bytes_of(home).items() if private in content]


def test_what_is_planned_is_moved_and_what_is_refused_stays(outbox, source, pipeline, feed):
    feed(f"{source}/*", after={"move": "fetched"})
    drop_in(outbox, {ODD[4]: people("Ada"), "empty.csv": b""})
    (outbox / "fetched").mkdir()
    (outbox / "fetched" / ODD[4]).write_bytes(b"of last week")

    run = pipeline.run_feed("crm", stage=True)

    assert [upload.state for upload in run.uploads] == ["applied", "refused"]
    assert [path.name for path in outbox.iterdir() if path.is_file()] == ["empty.csv"]
    assert {path.name: path.read_bytes() for path in (outbox / "fetched").iterdir()} == {
        ODD[4]: b"of last week",
        ODD[4].replace(".csv", "-2.csv"): people("Ada"),
    }
    assert [upload.state for upload in pipeline.run_feed("crm", stage=True, again=True).uploads] == ["refused"]


def test_a_file_that_is_replaced_while_it_is_fetched_waits_for_the_next_run(
    outbox, source, pipeline, feed, monkeypatch
):
    feed(f"{source}/*.csv")
    drop_in(outbox, {"list.csv": people("Ada")})
    import sshfs

    fetch = sshfs.SSHFileSystem.get_file

    def replaced(self, *given, **options):
        fetch(self, *given, **options)
        (outbox / "list.csv").write_bytes(people("Rosa"))

    with monkeypatch.context() as patch:
        patch.setattr(sshfs.SSHFileSystem, "get_file", replaced)
        run = pipeline.run_feed("crm")

    assert (run.files, run.waiting) == ([], 1)
    assert [upload.file_size for upload in pipeline.run_feed("crm").uploads] == [len(people("Rosa"))]


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("KNOWN_HOSTS", "other_hosts", "feed-host-unknown"),
        ("KNOWN_HOSTS", "none", "feed-host-unknown"),
        ("KEY_FILE", "stranger", "feed-login"),
        ("KEY_FILE", "known_hosts", "feed-login"),
    ],
)
def test_nobody_is_believed_unseen(server, outbox, source, pipeline, feed, monkeypatch, variable, value, code):
    feed(f"{source}/*.csv")
    monkeypatch.setenv(f"CONTACT_PIPELINE_FEED_CRM_{variable}", str(server.folder / value))

    with pytest.raises(Refusal) as refused:
        pipeline.run_feed("crm")

    assert refused.value.code == code
    assert pipeline.feeds()[0].problem["code"] == code


def test_what_may_not_be_read_or_is_not_there_is_said(outbox, source, pipeline, feed, monkeypatch):
    feed(f"{source}/*.csv")
    drop_in(outbox, {"a.csv": people("Ada"), "b.csv": people("Rosa")})
    import asyncssh
    import sshfs

    fetch = sshfs.SSHFileSystem.get_file

    def denied(self, path, *given, **options):  # root, who runs the server where this is tested, may read everything
        if path.endswith("a.csv"):
            raise asyncssh.SFTPPermissionDenied("a.csv of crm")
        return fetch(self, path, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sshfs.SSHFileSystem, "get_file", denied)
        run = pipeline.run_feed("crm")
    assert (run.problem.code, [upload.file_name for upload in run.uploads]) == ("feed-permission", ["b.csv"])
    feed(f"{source}/none/*.csv")

    with pytest.raises(Refusal, match="is not there"):
        pipeline.run_feed("crm")
