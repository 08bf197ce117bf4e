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
from contact_pipeline.engines.parquet import parquet_in_words, read_parquet

__all__ = [
    "DATA_FAULTS",
    "Database",
    "copy_database",
    "open_database",
    "parquet_in_words",
    "quoted",
    "read_parquet",
    "rewrite_database",
    "text",
]
