"""Reads Parquet files of the home with Polars. An unreadable one becomes a fault in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contact_pipeline.machine import damaged, fault_in, missing

if TYPE_CHECKING:
    import polars as pl


def read_parquet(path: Path, *, columns: list[str] | None = None, most: int | None = None) -> pl.DataFrame:
    """Reads a file of the home.

    Args:
        path: the file, taken as it is: `[`, `*` and `?` in it mean nothing.
        columns: which columns; unset: all.
        most: how many rows at most; unset: all.

    Raises:
        MachineFault: the file is damaged or gone.
    """
    import polars as pl

    with parquet_in_words(path):
        return pl.read_parquet(path, glob=False, columns=columns, n_rows=most)


@contextmanager
def parquet_in_words(path: Path) -> Iterator[None]:
    """Turns Polars' errors about an unreadable file into a fault in words."""
    import polars as pl

    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise fault_in(str(error), path) or damaged(path) from error
