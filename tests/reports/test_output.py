"""Where files for people are written: whole or not at all, for their owner only, and never over something else."""

import os
import signal
import subprocess
import sys

import pytest

from contact_pipeline.errors import Usage
from contact_pipeline.reports import output
from contact_pipeline.reports.output import new_file
from tests.trust import record


def write(path, text="new", *, overwrite=False):
    with new_file(path, overwrite=overwrite) as file:
        file.write(text.encode())


@pytest.fixture(params=["a file without a name", "a hidden file"])
def _way(request, monkeypatch):
    """Both ways of writing aside: not every file system knows files without a name."""
    if request.param == "a hidden file":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_new_file_is_for_its_owner_only_and_alone_in_its_folder(tmp_path, overwrite):
    """B8: files that give the user's own data back are owner-only."""
    write(tmp_path / "rows.csv", overwrite=overwrite)
    assert (tmp_path / "rows.csv").read_text() == "new"
    assert (tmp_path / "rows.csv").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.usefixtures("_way")
def test_a_file_is_replaced_only_where_that_is_asked_for(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("old")
    file.chmod(0o644)
    with pytest.raises(Usage, match="--overwrite") as refused:
        write(file)
    assert refused.value.code == "file-exists"
    assert file.read_text() == "old"

    write(file, overwrite=True)

    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["link", "dangling link", "link to a folder", "folder", "device", "pipe"])
def test_nothing_is_written_through_a_link_or_into_anything_but_a_file(tmp_path, kind, overwrite):
    path, victim = tmp_path / "rows.csv", tmp_path / "victim"
    match kind:
        case "link":
            victim.write_text("old")
            path.symlink_to(victim)
        case "dangling link":
            path.symlink_to(victim)
        case "link to a folder":
            victim.mkdir()
            path.symlink_to(victim)
        case "folder":
            path.mkdir()
        case "device":
            path = path.__class__("/dev/null")
        case "pipe":
            os.mkfifo(path)
    with pytest.raises(Usage) as refused:
        write(path, overwrite=overwrite)
    assert refused.value.code == "not-a-file"
    assert not victim.is_file() or victim.read_text() == "old"
    record("output-over-something-else", tried=1, failed=0, where=kind)


@pytest.mark.usefixtures("_way")
def test_what_appears_meanwhile_is_not_overwritten(tmp_path):
    path, victim = tmp_path / "rows.csv", tmp_path / "victim"
    victim.write_text("old")
    with pytest.raises(Usage, match="already"), new_file(path, overwrite=False):
        path.symlink_to(victim)
    with pytest.raises(Usage, match="is a link"), new_file(tmp_path / "other.csv", overwrite=True):
        (tmp_path / "other.csv").symlink_to(victim)
    assert victim.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.csv", "rows.csv", "victim"]


@pytest.mark.usefixtures("_way")
def test_a_file_that_fails_midway_is_not_there(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "rows.csv", "\udc80")
    assert list(tmp_path.iterdir()) == []


def test_without_hard_links_the_file_is_renamed(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    monkeypatch.setattr("pathlib.Path.hardlink_to", no_links)
    write(tmp_path / "rows.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name")
def test_killed_midway_it_leaves_nothing(tmp_path):
    (tmp_path / "rows.csv").write_text("old")
    script = (
        "import os, signal, sys; from pathlib import Path; from contact_pipeline.reports.output import new_file\n"
        "with new_file(Path(sys.argv[1]), overwrite=True) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "rows.csv")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert (tmp_path / "rows.csv").read_text() == "old"


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(Usage, match="There is no folder"):
        output.refuse_output(tmp_path / "nowhere" / "rows.csv", overwrite=True)
