"""Where the set-based stages run. The only package that imports duckdb."""

from contact_pipeline.engines.asking import answer, masked, must_read
from contact_pipeline.engines.copies import copy_database, rewrite_database
from contact_pipeline.engines.duckdb import Database, open_database
from contact_pipeline.engines.instance import DATA_FAULTS
from contact_pipeline.engines.on_spark import (
    kept_on_spark,
    move_from_spark,
    move_to_spark,
    staged_on_spark,
    tidy_delta,
)
from contact_pipeline.engines.parquet import parquet_in_words, read_parquet
from contact_pipeline.engines.record import on_delta, take_in_all
from contact_pipeline.engines.sql import PLACE, literal, quoted
from contact_pipeline.engines.tables import KeptTables, StoredTables, Tables

__all__ = [
    "DATA_FAULTS",
    "PLACE",
    "Database",
    "KeptTables",
    "StoredTables",
    "Tables",
    "answer",
    "copy_database",
    "kept_on_spark",
    "literal",
    "masked",
    "move_from_spark",
    "move_to_spark",
    "must_read",
    "on_delta",
    "open_database",
    "parquet_in_words",
    "quoted",
    "read_parquet",
    "rewrite_database",
    "staged_on_spark",
    "take_in_all",
    "tidy_delta",
]
