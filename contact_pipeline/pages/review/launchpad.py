"""The address that opens Dagster's launchpad with everything filled in to apply an upload."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

import yaml

from contact_pipeline.store import Upload

# The code location that `serve` loads. With the repository before it, a browser that opens Dagster for the first time
# finds no such job.
_LOCATION: Final = "contact_pipeline"


def launchpad(upload: Upload, address: str) -> str:
    """The address of the launchpad of `apply_upload`: partition, changeset and what has to be confirmed.

    The reader has to fill in who approves, which the page does not know; Dagster launches nothing before that.

    Args:
        upload: what would be applied.
        address: at which `serve` is reached.
    """
    confirmed = {f"confirm_{guarded}": True for guarded in (upload.reason or {}).get("confirm", ())}
    config = {"changeset": upload.changeset_sha256, **confirmed}
    given = yaml.safe_dump({"ops": {"applied_contacts": {"config": config}}}, sort_keys=False)
    session = {
        "config": f"{given}      approved_by:  # your login\n",
        "tags[0][key]": "dagster/partition",
        "tags[0][value]": upload.upload_id,
    }
    place = f"/locations/{_LOCATION}/jobs/apply_upload/playground/setup"
    return f"{address.rstrip('/')}{place}?{urlencode(session, quote_via=quote)}"
