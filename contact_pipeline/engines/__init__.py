"""Where the set-based stages run. The only package that imports duckdb."""

from contact_pipeline.engines.duckdb import (
    DATA_FAULTS,
    Database,
    copy_database,
    open_database,
    quoted,
    rewrite_database,
    text,
)

__all__ = ["DATA_FAULTS", "Database", "copy_database", "open_database", "quoted", "rewrite_database", "text"]
