"""Fail if an installed wheel, away from the checkout, does not give Dagster the assets."""

import sys
from importlib.util import find_spec

from contact_pipeline.orchestration.definitions import defs

ASSETS = {
    "raw_upload", "normalized_frame", "validated_rows", "matched_changeset", "applied_contacts", "awaiting_approval",
    "contacts",
}  # fmt: skip

found = {key.to_user_string() for key in defs.resolve_all_asset_keys()}
if found != ASSETS:
    sys.exit(f"The definitions have the assets {sorted(found)}, not {sorted(ASSETS)}")
if not list(defs.asset_checks or []):
    sys.exit("The definitions have no asset checks")
if squatted := [name for name in ("assets", "checks") if find_spec(name)]:
    sys.exit(f"The install squats top-level names: {squatted}")
