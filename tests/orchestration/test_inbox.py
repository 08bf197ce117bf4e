"""What the inbox takes and what it leaves alone."""

import os
from pathlib import Path

import pytest

from contact_pipeline.orchestration.inbox import Drop, drops, owner, read_options


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox" / "outreach_contacts"
    folder.mkdir(parents=True)
    return folder


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
    assert list(drops(inbox.parent)) == []


def test_a_home_without_an_inbox_has_no_files(tmp_path: Path) -> None:
    assert list(drops(tmp_path / "inbox")) == []


def test_a_growing_file_looks_different(inbox: Path) -> None:
    (inbox / "a.csv").write_text("x")
    before = drop(inbox / "a.csv").look
    (inbox / "a.csv").write_text("xy")
    assert drop(inbox / "a.csv").look != before


def test_options_are_read_with_hyphens_or_underscores(inbox: Path) -> None:
    (inbox / "a.csv").write_text("x")
    (inbox / "a.csv.options.yaml").write_text("lead-type: SMS\nmap: {Nome: full_name}\n")
    assert read_options(drop(inbox / "a.csv")) == ({"lead_type": "SMS", "map": {"Nome": "full_name"}}, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"group: [", "not readable as YAML: line 1, at 'group'"),
        (b"group: Spring\nuser: a: b\n", "not readable as YAML: line 2, at 'user'"),
        (b"\xff\xfe\x00", "not readable as YAML"),
        (b"just words", "holds no options"),
        (b"move: false", "'move', which is no option"),
        (b"file: /etc/passwd", "'file', which is no option"),
    ],
)
def test_a_defective_options_file_is_a_refusal(inbox: Path, content: bytes, said: str) -> None:
    (inbox / "a.csv").write_text("x")
    (inbox / "a.csv.options.yaml").write_bytes(content)
    options, problem = read_options(drop(inbox / "a.csv"))
    assert options == {}
    assert problem is not None
    assert problem.code == "options-file"
    assert said in str(problem)


def test_an_options_file_that_is_a_link_is_not_read(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("group: Secret")
    (inbox / "a.csv").write_text("x")
    (inbox / "a.csv.options.yaml").symlink_to(tmp_path / "secret.yaml")
    assert read_options(drop(inbox / "a.csv")) == ({}, None)


def test_the_owner_is_named_by_login_or_else_by_number(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = inbox / "a.csv"
    path.write_text("x")
    assert owner(path) == path.owner()

    def nobody(_path: Path) -> str:
        raise KeyError

    monkeypatch.setattr(Path, "owner", nobody)
    assert owner(path) == str(path.stat().st_uid)
