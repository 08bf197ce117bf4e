"""Ctrl-C while DuckDB works is Ctrl-C, whatever DuckDB makes of it."""

import polars as pl
import pytest

from contact_pipeline.engines import open_database
from contact_pipeline.settings import Settings


class Interrupted:
    """A frame during whose reading Ctrl-C is pressed, after it was asked for itself some times."""

    def __init__(self, frame, times):
        self._frame = frame
        self._left = times

    def __arrow_c_stream__(self, requested_schema=None):
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return self._frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("times", [0, 1])  # while its columns are read, and its rows
@pytest.mark.parametrize("named", [None, "some.duckdb"])
def test_ctrl_c_while_a_frame_is_read_is_no_defect(named, times, tmp_path):
    path, settings = tmp_path / named if named else None, Settings(home=tmp_path)
    with pytest.raises(KeyboardInterrupt), open_database(path, settings) as database:
        database.store("numbers", Interrupted(pl.DataFrame({"number": [1, 2]}), times))
    with open_database(path, settings) as database:
        database.store("numbers", pl.DataFrame({"number": [1, 2]}))
        assert database.rows("FROM numbers") == [(1,), (2,)]
