"""The stages' SQL on another engine: Sail, which speaks Spark Connect."""

from itertools import chain

import pytest

from tests.engines.matched import ONE, TOGETHER, assert_all_are_the_same, assert_texts_are_the_same
from tests.engines.sail import run_on_sail
from tests.thorough import THOROUGH, spread

PROFILES = [*chain(*spread(TOGETHER, 1))]


def test_sail_gives_the_same_changesets(tmp_path):
    assert_all_are_the_same(run_on_sail("on_spark.py", "sail", "match", tmp_path, *PROFILES), PROFILES)


def test_a_cluster_of_sail_gives_the_same_changesets(tmp_path):
    found = run_on_sail("on_spark.py", "sail", "match", tmp_path, *ONE, SAIL_MODE="local-cluster")
    assert_all_are_the_same(found, ONE)


def test_sail_makes_the_same_of_every_letter(tmp_path):
    assert_texts_are_the_same(run_on_sail("on_spark.py", "sail", "keys", tmp_path))


@pytest.mark.skipif(not THOROUGH, reason="more than a minute: THOROUGH=1")
def test_a_home_lives_the_same_life_on_a_cluster_of_sail(tmp_path):
    steps = run_on_sail("on_delta.py", "lives", tmp_path, "dealer_leads_1", SAIL_MODE="local-cluster")
    assert [each for each in steps if each["differing"]] == []
    assert {"planned", "apply", "finalize", "undo", "redo", "erase", "verified"} <= {each["step"] for each in steps}
