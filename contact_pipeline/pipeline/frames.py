"""The Pandera schemas of an upload's staged frames."""

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
        staging: its staged data.
        table: raw_rows, normalized_rows or rejections; other tables are made by SQL and have no schema.

    Returns:
        The schema; None where there is none, or the upload has not reached that stage.
    """
    if table == "rejections":
        return REJECTIONS
    facts = staging.facts() if staging.exists() else FileFacts()
    if table == "raw_rows" and facts.columns:
        return raw_rows(facts.columns)
    if table == "normalized_rows" and isinstance(facts, NormalizedFacts):
        profile = with_formats(resolved(line)[0], facts.formats)
        every = schema_for(profile, facts.reference)
        present = {"row_number", "repaired", *facts.columns_normalized}
        return every.select_columns([name for name in every.columns if name in present])
    return None
