"""A short soak; `python -m tests.soak` is the long one."""

import pytest

from tests.soak.soak import SETTINGS, Soak
from tests.thorough import examples

pytestmark = [pytest.mark.serve, pytest.mark.timeout(1500)]


def test_files_decisions_and_kills_in_any_order_leave_everything_adding_up(tmp_path, monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    soak = Soak(tmp_path, seed=7)
    kills = examples(1, 2)
    soak.live(uploads=examples(4, 12), kills=kills, at_once=4)
    faults = list(soak.faults())
    assert faults == []
    assert soak.counts["kills of serve"] == kills
