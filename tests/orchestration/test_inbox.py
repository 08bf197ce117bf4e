"""What the inbox takes and what it leaves alone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contact_pipeline.orchestration.inbox import Drop, Settling, look_through, owner, read_options, write_notice


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox" / "outreach_contacts"
    folder.mkdir(parents=True)
    return folder


def drops(folder: Path) -> list[Drop]:
    return look_through(folder).drops


def drop(path: Path) -> Drop:
    return next(found for found in drops(path.parents[1]) if found.path == path)


def test_ordinary_files_are_found_in_order_of_name(inbox: Path) -> None:
    for name in ("b.csv", "a.csv", "Ä ö.csv"):
        (inbox / name).write_text("x")
    assert [found.name for found in drops(inbox.parent)] == [
        "outreach_contacts/a.csv",
        "outreach_contacts/b.csv",
        "outreach_contacts/Ä ö.csv",
    ]


@pytest.mark.parametrize("name", [".hidden.csv", "a.csv.part", "a.csv.tmp", "A.CSV.PART", "a.csv.options.yaml"])
def test_unfinished_and_hidden_files_are_left_alone(inbox: Path, name: str) -> None:
    (inbox / name).write_text("x")
    assert list(drops(inbox.parent)) == []


def test_links_devices_and_folders_are_left_alone(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("x")
    (inbox / "link.csv").symlink_to(tmp_path / "outside.csv")
    (inbox / "broken.csv").symlink_to(tmp_path / "nowhere.csv")
    (inbox / "refused").mkdir()
    (inbox / "refused" / "old.csv").write_text("x")
    os.mkfifo(inbox / "pipe.csv")
    (inbox.parent / "loose.csv").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "theirs.csv").write_text("x")
    (inbox.parent / "dealer_leads").symlink_to(tmp_path / "elsewhere")
    found = look_through(inbox.parent, ["outreach_contacts", "dealer_leads"])
    assert found.drops == []
    assert found.strays.keys() == {
        "dealer_leads",
        "loose.csv",
        "outreach_contacts/broken.csv",
        "outreach_contacts/link.csv",
        "outreach_contacts/pipe.csv",
    }
    assert "is a link, which is not followed" in found.strays["dealer_leads"]
    assert "lies in the inbox itself" in found.strays["loose.csv"]


def test_an_options_file_whose_file_never_came_is_said(inbox: Path) -> None:
    for name in ("a.csv.options.yaml", "b.csv.options.yaml", "b.csv"):
        (inbox / name).write_text("group: Spring\n")
        os.utime(inbox / name, (0, 0))
    (inbox / "c.csv.options.yaml").write_text("group: Spring\n")  # its file may be on the way
    assert look_through(inbox.parent).strays.keys() == {"outreach_contacts/a.csv.options.yaml"}


def test_names_that_look_sensitive_are_kept_and_shown_masked(inbox: Path) -> None:
    """B2: in the cursor of the sensor and in the notice; files whose names look alike then settle all the same."""
    for name in ("219-09-9998.csv", "219-09-9997.csv", "219-09-9996.csv.part"):
        (inbox / name).write_text("x")
    (inbox.parent / "219-09-9995.csv").write_text("x")
    kept = None
    for settled in (False, True):
        found = look_through(inbox.parent)
        settling = Settling(kept, 0.0)
        assert [settling.has_settled(each) for each in found.drops] == [settled] * 2
        kept = settling.kept(found)
    write_notice(inbox.parent, found.strays)
    notice = (inbox.parent / "NOT_TAKEN.txt").read_text()
    assert "xxx-xx-xxxx.csv" in kept
    assert "xxx-xx-xxxx.csv" in notice
    assert "219-09" not in kept + notice
    (inbox / "219-09-9996.csv.part").rename(inbox / "219-09-9996.csv")
    settling = Settling(kept, 60.0)
    assert settling.has_settled(drop(inbox / "219-09-9996.csv"))


def test_a_home_without_an_inbox_has_no_files(tmp_path: Path) -> None:
    assert list(drops(tmp_path / "inbox")) == []


def test_a_growing_file_looks_different(inbox: Path) -> None:
    (inbox / "a.csv").write_text("x")
    before = drop(inbox / "a.csv").look
    (inbox / "a.csv").write_text("xy")
    assert drop(inbox / "a.csv").look != before


def test_options_are_read_with_hyphens_or_underscores(inbox: Path) -> None:
    leads = inbox.parent / "dealer_leads"
    leads.mkdir()
    (leads / "a.csv").write_text("x")
    (leads / "a.csv.options.yaml").write_text(
        "lead-type: SMS\nsave_mapping: true\nmap: {Nome: full_name}\ncontinues: 20260103-101500-0a1b2c\n"
    )
    options, problem = read_options(drop(leads / "a.csv"), inbox.parent / "profiles")
    assert problem is None
    assert options == {
        "lead_type": "SMS", "save_mapping": True, "map": {"Nome": "full_name"}, "continues": "20260103-101500-0a1b2c",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"group: [", "not readable as YAML: line 1, at 'group'"),
        (b"group: Spring\nuser: a: b\n", "not readable as YAML: line 2, at 'user'"),
        (b"\xff\xfe\x00", "not readable as YAML"),
        (b"just words", "holds no options"),
        (b"move: false", "'move' on line 1, which is no option"),
        (b"group: A\nfile: /etc/passwd", "'file' on line 2, which is no option"),
        (b"group: A\n\ngroup: B", "'group' twice, on lines 1 and 3"),
    ],
)
def test_a_defective_options_file_is_a_refusal(inbox: Path, content: bytes, said: str) -> None:
    (inbox / "a.csv").write_text("x")
    (inbox / "a.csv.options.yaml").write_bytes(content)
    options, problem = read_options(drop(inbox / "a.csv"), inbox.parent / "profiles")
    assert options == {}
    assert problem is not None
    assert problem.code == "options-file"
    assert said in str(problem)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (
            "# for spring\ngroup: Spring\ncolour: green\n",
            "option-unknown",
            "line 3: Profile outreach_contacts has no option",
        ),
        ("group:\n  - Spring\n", "option-value", "line 1: Option 'group'"),
        ("group: Spring\nencoding: 8\n", "option-value", "line 2: Option 'encoding'"),
    ],
)
def test_an_option_that_the_profile_does_not_take_is_named_with_its_line(
    inbox: Path, content: str, code: str, said: str
) -> None:
    (inbox / "a.csv").write_text("x")
    (inbox / "a.csv.options.yaml").write_text(content)
    options, problem = read_options(drop(inbox / "a.csv"), inbox.parent / "profiles")
    assert options == {}
    assert problem is not None
    assert (problem.code, problem.file) == (code, "a.csv.options.yaml")
    assert f"a.csv.options.yaml, {said}" in problem.message


def _link(path: Path) -> None:
    path.symlink_to(path.parent / "secret.yaml")


@pytest.mark.parametrize("make", [_link, os.mkfifo, Path.mkdir])
def test_an_options_file_that_is_no_ordinary_file_is_not_read_but_refuses_the_upload(
    inbox: Path, make: Callable[[Path], None]
) -> None:
    (inbox / "secret.yaml").write_text("group: Secret")
    (inbox / "a.csv").write_text("x")
    make(inbox / "a.csv.options.yaml")
    options, problem = read_options(drop(inbox / "a.csv"), inbox.parent / "profiles")
    assert options == {}
    assert problem is not None
    assert "a.csv.options.yaml is a link, a device or a folder" in str(problem)


def test_the_owner_is_named_by_login_or_else_by_number(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = inbox / "a.csv"
    path.write_text("x")
    assert owner(path) == path.owner()

    def nobody(_path: Path) -> str:
        raise KeyError

    monkeypatch.setattr(Path, "owner", nobody)
    assert owner(path) == str(path.stat().st_uid)
