"""Where the set-based stages run. The only package that imports duckdb."""

from contact_pipeline.engines.asking import answer, masked, must_read
from contact_pipeline.engines.copies import copy_database, rewrite_database
from contact_pipeline.engines.duckdb import Database, open_database
from contact_pipeline.engines.instance import DATA_FAULTS
from contact_pipeline.engines.location import forget_left
from contact_pipeline.engines.on_spark import Work, move_from_spark, working
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
    "Work",
    "answer",
    "copy_database",
    "forget_left",
    "literal",
    "masked",
    "move_from_spark",
    "must_read",
    "on_delta",
    "open_database",
    "parquet_in_words",
    "quoted",
    "read_parquet",
    "rewrite_database",
    "take_in_all",
    "working",
]
