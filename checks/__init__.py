"""The Dagster asset checks over uploads: each file beside this one has a check of its own name.

No check is blocking. An upload that fails a check has a state in the ledger that says so; its run does not fail.
"""

from importlib import import_module
from pkgutil import iter_modules

from contact_pipeline.orchestration.checking import UploadCheck

CHECKS: tuple[UploadCheck, ...] = tuple(
    getattr(import_module(f"{__name__}.{found.name}"), found.name) for found in iter_modules(__path__)
)

__all__ = ["CHECKS"]
