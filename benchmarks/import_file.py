"""How the command line is called to import the file that make_contacts made."""

from __future__ import annotations

from typing import Final

ARGUMENTS: Final = ("--profile", "benchmark_contacts", "--deactivate-missing", "--yes")

# The largest files are above what one upload may have by default.
ENVIRONMENT: Final = {"CONTACT_PIPELINE_MAX_ROWS": "100000000", "CONTACT_PIPELINE_MAX_FILE_BYTES": "100000000000"}
