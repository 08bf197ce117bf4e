"""A run that is not thorough tries less, never nothing; THOROUGH makes it thorough, and single tests have variables."""

from types import SimpleNamespace

import pytest

from tests import conftest, thorough
from tests.thorough import examples, spread


@pytest.mark.parametrize(("is_thorough", "expected"), [(False, 5), (True, 50)])
def test_a_thorough_run_tries_more(monkeypatch, is_thorough, expected):
    monkeypatch.setattr(thorough, "THOROUGH", is_thorough)
    monkeypatch.delenv("SOME_EXAMPLES", raising=False)
    assert examples(5, 50) == examples(5, 50, "SOME_EXAMPLES") == expected
    monkeypatch.setenv("SOME_EXAMPLES", "7")
    assert examples(5, 50, "SOME_EXAMPLES") == 7


@pytest.mark.parametrize(("count", "default"), [(1, 1), (3, 1), (4, 3), (5, 2), (18, 9), (29, 7), (60, 12), (2, 7)])
def test_a_selection_is_spread_over_all_items(monkeypatch, count, default):
    items = range(count)
    monkeypatch.setattr(thorough, "THOROUGH", True)
    assert spread(items, default) == items
    monkeypatch.setattr(thorough, "THOROUGH", False)
    chosen = [*spread(items, default)]
    assert len(chosen) == len({*chosen}) == min(count, default)
    assert chosen == sorted(chosen)
    assert chosen[0] <= count / default
    assert chosen[-1] >= count - 1 - count / default


class Case:
    """A case of a test, as pytest collects it."""

    def __init__(self, parent, originalname, case, fixturenames=()):
        self.parent, self.originalname, self.name = parent, originalname, f"{originalname}[{case}]"
        self.fixturenames = fixturenames


def test_of_every_test_some_cases_are_tried(monkeypatch):
    cases = [Case(parent, name, case) for parent in "ab" for name in ("one", "two") for case in range(9)]
    single = Case("a", "three", "")
    monkeypatch.setattr(conftest, "CASES", 3)
    monkeypatch.setattr(conftest, "CASES_WITH_FILES", 1)
    monkeypatch.setattr(thorough, "THOROUGH", False)
    tried = sorted((case.parent, case.name) for case in conftest.some_cases([*cases, single]))
    three = [f"{name}[{case}]" for name in ("one", "two") for case in (1, 4, 7)]
    assert tried == sorted([*(("a", name) for name in [*three, single.name]), *(("b", name) for name in three)])


def test_fewer_cases_are_tried_of_a_test_that_makes_files(monkeypatch):
    cases = [Case("a", "one", case, ["tmp_path_factory", "tmp_path"]) for case in range(9)]
    monkeypatch.setattr(conftest, "CASES", 3)
    monkeypatch.setattr(conftest, "CASES_WITH_FILES", 1)
    monkeypatch.setattr(thorough, "THOROUGH", False)
    assert [case.name for case in conftest.some_cases(cases)] == ["one[4]"]


def test_temporary_files_lie_in_memory_only_where_there_is_room(monkeypatch, tmp_path):
    assert not conftest.has_room(tmp_path / "nowhere")
    for free, expected in ((conftest.ENOUGH, False), (conftest.ENOUGH + 1, True)):
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(conftest.shutil, "disk_usage", lambda _, usage=usage: usage)
        assert conftest.has_room(tmp_path) is expected
