"""Leftovers of a killed command that made the next staging database do not count as staged files."""

import pytest

from contact_pipeline.store.frozen import differences, digests, replace, successor


@pytest.mark.parametrize("left", ["staging.duckdb.4711.next", "staging.duckdb.4711.next.wal"])
def test_a_killed_successor_and_its_log_are_no_staged_files_and_go_with_the_next(tmp_path, left):
    staged = tmp_path / "staging.duckdb"
    staged.write_bytes(b"as frozen")
    frozen = digests(tmp_path)
    (tmp_path / left).write_bytes(b"killed")

    assert differences(tmp_path, frozen) == []

    successor(staged, "abc").write_bytes(b"the next")
    replace(staged, "abc")
    assert [path.name for path in tmp_path.iterdir()] == ["staging.duckdb"]


def test_any_other_file_beside_it_is_named(tmp_path):
    (tmp_path / "staging.duckdb").write_bytes(b"as frozen")
    frozen = digests(tmp_path)
    (tmp_path / "staging.duckdb.wal").write_bytes(b"from outside")

    assert differences(tmp_path, frozen) == ["staging.duckdb.wal was added"]
