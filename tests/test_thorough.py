"""A run that is not thorough tries less, never nothing; a variable makes it thorough, others speak for single tests."""

import pytest

from tests import thorough
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
