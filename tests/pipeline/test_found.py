"""What a stage found becomes values of the ledger line."""

import pytest

from contact_pipeline.pipeline.found import Matched, Normalized

MATCHED = {
    "outcomes": {"created": 2, "rejected": 0}, "warnings": [], "changeset_sha256": "0" * 64, "snapshot": 0,
    "duplicates_of_existing": 0, "duplicates_within_file": 0, "deactivated": 0, "contacts_created": 2,
    "error_count": 0, "row_warning_count": 0, "staged_files": {},
}  # fmt: skip


def test_a_count_of_none_replaces_an_earlier_one():
    """Planned again after a correction, an upload may have no repair and no warning any more."""
    line = Normalized(mapping=None, processed=3, repairs=0, corrections=0).as_line()
    assert line == {"mapping": None, "processed": 3, "repairs": 0, "corrections": 0}


@pytest.mark.parametrize(("reason", "state"), [(None, "staged"), ({"code": "rows-in-review"}, "blocked")])
def test_a_matched_upload_is_blocked_if_there_is_a_reason(reason, state):
    line = Matched(**MATCHED, reason=reason).as_line()
    assert (line["state"], line["reason"]) == (state, reason)
    assert (line["created"], line["rejected"], line["warnings"]) == (2, 0, [])
    assert "outcomes" not in line
