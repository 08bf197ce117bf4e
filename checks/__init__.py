"""The Dagster asset checks over uploads: each file beside this one has a check of its own name.

None is blocking: an upload that fails one is a state in the ledger, shown as a failed check, never a failed run.
"""

from importlib import import_module
from pkgutil import iter_modules

from contact_pipeline.orchestration.checking import UploadCheck

CHECKS: tuple[UploadCheck, ...] = tuple(
    getattr(import_module(f"{__name__}.{found.name}"), found.name) for found in iter_modules(__path__)
)

__all__ = ["CHECKS"]
