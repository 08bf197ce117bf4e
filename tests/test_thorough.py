"""A run that is not thorough tries less, never nothing; THOROUGH makes it thorough, and single tests have variables."""

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

    def __init__(self, parent, originalname, case):
        self.parent, self.originalname, self.name = parent, originalname, f"{originalname}[{case}]"


def test_of_every_test_some_cases_are_tried(monkeypatch):
    cases = [Case(parent, name, case) for parent in "ab" for name in ("one", "two") for case in range(9)]
    single = Case("a", "three", "")
    monkeypatch.setattr(conftest, "CASES", 3)
    monkeypatch.setattr(thorough, "THOROUGH", False)
    tried = sorted((case.parent, case.name) for case in conftest.some_cases([*cases, single]))
    three = [f"{name}[{case}]" for name in ("one", "two") for case in (1, 4, 7)]
    assert tried == sorted([*(("a", name) for name in [*three, single.name]), *(("b", name) for name in three)])
