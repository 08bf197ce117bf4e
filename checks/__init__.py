"""The Dagster asset checks over uploads, one file each.

None is blocking: an upload that fails one is a state in the ledger, shown as a failed check, never a failed run.
"""

from .change_guard import change_guard
from .deactivation_guard import deactivation_guard
from .duplicate_count import duplicate_count
from .encoding_guard import encoding_guard
from .error_count import error_count
from .file_accepted import file_accepted
from .reconciliation import reconciliation
from .rejection_guard import rejection_guard

CHECKS = (
    file_accepted,
    error_count,
    duplicate_count,
    reconciliation,
    encoding_guard,
    deactivation_guard,
    rejection_guard,
    change_guard,
)

__all__ = [
    "CHECKS",
    "change_guard",
    "deactivation_guard",
    "duplicate_count",
    "encoding_guard",
    "error_count",
    "file_accepted",
    "reconciliation",
    "rejection_guard",
]
