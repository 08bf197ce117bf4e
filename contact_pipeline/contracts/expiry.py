"""The kinds of data of an upload that can be deleted by age, once its life has ended. Ledger and history stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal["staged_data", "originals", "reports", "runs"]

KINDS: Final[Mapping[Kind, str]] = {
    "staged_data": "staged data",
    "originals": "originals",
    "reports": "reports",
    "runs": "what Dagster keeps of runs",
}
