"""The stages' SQL on another engine: Sail, which speaks Spark Connect."""

from itertools import chain

import pytest
import yaml

from tests.engines.sail import ROOT, run_on_sail
from tests.thorough import spread

# The shipped profiles; those of which one needs what the other imports are together.
TOGETHER = (
    ("portfolio_accounts", "portfolio_contacts"),
    ("program_contacts",),
    ("outreach_contacts",),
    ("dealer_leads",),
    ("suppression_list",),
    ("property_contacts",),
)
PROFILES = [*chain(*spread(TOGETHER, 1))]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return run_on_sail("on_sail.py", tmp_path_factory.mktemp("sail") / "home", *PROFILES)


def test_all_samples_of_the_profiles_were_matched(compared):
    uploads = yaml.safe_load((ROOT / "data" / "samples" / "expected.yaml").read_text(encoding="utf-8"))["uploads"]
    assert {*chain(*TOGETHER)} == {each["profile"] for each in uploads}
    assert [each["file"] for each in compared] == [each["file"] for each in uploads if each["profile"] in PROFILES]


@pytest.mark.parametrize("what", ["sha256", "outcomes", "rows", "rejections"])
def test_sail_gives_the_same_changeset(compared, what):
    for each in compared:
        here, there = each[what]
        assert here == there, each["file"]
    assert any(each[what][0] for each in compared)
