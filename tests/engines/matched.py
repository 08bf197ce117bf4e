"""What every engine has to give for the sample files and for texts: the same as DuckDB."""

from itertools import chain

import yaml

from tests.engines.sail import ROOT

# The shipped profiles; those of which one needs what the other imports are together.
TOGETHER = (
    ("portfolio_accounts", "portfolio_contacts"),
    ("program_contacts",),
    ("outreach_contacts",),
    ("dealer_leads",),
    ("suppression_list",),
    ("property_contacts",),
)
ONE = ("suppression_list",)  # the smallest


def assert_all_are_the_same(answers, names):
    """These sample files, or those of these profiles, have the same changeset, outcomes, reviews and rejections."""
    uploads = yaml.safe_load((ROOT / "data" / "samples" / "expected.yaml").read_text(encoding="utf-8"))["uploads"]
    assert {*chain(*TOGETHER)} == {each["profile"] for each in uploads}
    assert [each["file"] for each in answers] == [
        each["file"] for each in uploads if {each["profile"], each["file"]} & {*names}
    ]
    for what in ("sha256", "outcomes", "rows", "rejections"):
        for each in answers:
            here, there = each[what]
            assert here == there, (each["file"], what)
        assert any(each[what][0] for each in answers), what


def assert_texts_are_the_same(answers):
    """The keys of every letter, and what hides sensitive values."""
    assert {each["asked"] for each in answers} == {"text", "full_name", "email", "hidden"}
    assert [each for each in answers if each["differing"]] == []
    assert all(each["changed"] for each in answers)
