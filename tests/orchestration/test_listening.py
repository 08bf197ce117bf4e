"""The Unix socket of `serve`: who may open it, what is replaced, and what is refused. tests/e2e serves through one."""

import os
import socket
import stat
from pathlib import Path

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.orchestration.listening import at_socket
from contact_pipeline.settings import Settings
from contact_pipeline.web.visitor import check_settings


def refused(path: Path) -> str:
    with pytest.raises(Refusal) as refusal, at_socket(path):
        pass
    assert refusal.value.fix
    return refusal.value.code


def test_the_socket_is_for_its_owner_and_group_while_the_server_runs(tmp_path: Path) -> None:
    path, mask = tmp_path / "serve.sock", os.umask(0)
    try:
        with at_socket(path) as place:
            assert stat.S_IMODE(path.lstat().st_mode) == 0o660
            assert (place.path, place.url, place.arguments) == (path, "", ("--fd", str(place.descriptors[0])))
            assert refused(path) == "socket-taken"
        assert not path.exists()
    finally:
        os.umask(mask)


def test_what_a_dead_server_left_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    path, other = tmp_path / "serve.sock", tmp_path / "other"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with at_socket(path):
        path.unlink()
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's", "only what is ours is removed"

    other.symlink_to(path)
    impossible = [path, other, tmp_path, tmp_path / "missing" / "serve.sock", tmp_path / ("x" * 120)]
    assert {refused(each) for each in impossible} == {"socket-path"}
    assert path.read_text() == "somebody else's"


def test_nobody_decides_in_the_name_of_the_owner_through_a_socket(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        check_settings(Settings(home=tmp_path, decide_locally=True), None)
    assert refusal.value.code == "deciding-settings"
