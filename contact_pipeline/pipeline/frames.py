"""What the staged frames of an upload look like, as the Pandera schemas of the stages say it."""

from __future__ import annotations

import pandera.polars as pa

from contact_pipeline.contracts.frames import REJECTIONS, raw_rows
from contact_pipeline.normalize import with_formats
from contact_pipeline.pipeline.states import resolved
from contact_pipeline.store import LedgerLine, Staging
from contact_pipeline.store.facts import FileFacts, NormalizedFacts
from contact_pipeline.validate import schema_for


def schema_of(line: LedgerLine, staging: Staging, table: str) -> pa.DataFrameSchema | None:
    """The schema of a staged frame, with the columns that it has in this upload.

    Args:
        line: the upload.
        staging: what is staged of it.
        table: raw_rows, normalized_rows or rejections; others are tables that SQL makes, which have none.

    Returns:
        The schema; None where there is none, or the upload did not come that far.
    """
    if table == "rejections":
        return REJECTIONS
    facts = staging.facts() if staging.exists() else FileFacts()
    if table == "raw_rows" and facts.columns:
        return raw_rows(facts.columns)
    if table == "normalized_rows" and isinstance(facts, NormalizedFacts):
        profile = with_formats(resolved(line)[0], facts.formats)
        every = schema_for(profile, facts.reference)
        there = {"row_number", "repaired", *facts.columns_normalized}
        return every.select_columns([name for name in every.columns if name in there])
    return None
