"""Fail if a wheel would install anything at the top level but `contact_pipeline`, or lacks a file it needs."""

import sys
import zipfile

NEEDED = {
    "contact_pipeline/py.typed",
    "contact_pipeline/orchestration/assets/raw_upload.py",
    "contact_pipeline/orchestration/checks/__init__.py",
    "contact_pipeline/pages/templates/review.html",
    "contact_pipeline/pages/vendor/tabulator.min.js",
    "contact_pipeline/profiles/outreach_contacts.yaml",
    "contact_pipeline/upload/text/letters.tsv",
}

with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = set(wheel.namelist())
top_level = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
if top_level != {"contact_pipeline"}:
    sys.exit(f"The wheel squats top-level names: {sorted(top_level)}")
if missing := NEEDED - names:
    sys.exit(f"The wheel lacks {sorted(missing)}")
