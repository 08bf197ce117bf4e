"""Changes are kept beside their database: those that were written last, in order, or none."""

import pytest

from contact_pipeline.engines import DATA_FAULTS, open_database

ONE, TWO = "SELECT 1 AS contact_id", "SELECT 2 AS contact_id"


@pytest.fixture
def database(settings):
    settings.home.mkdir()
    with open_database(settings.home / "staging.duckdb", settings) as database:
        yield database


def test_staged_changes_are_read_in_the_order_of_their_queries(database):
    database.keep("contact_changes", TWO, ONE)
    assert database.rows("FROM contact_changes") == [(2,), (1,)]
    assert [frame["contact_id"].to_list() for frame in database.kept("contact_changes")] == [[2], [1]]


def test_there_are_no_staged_changes_after_an_interrupted_write(database):
    """Neither the old ones, of which a part is gone, nor a part of the new ones."""
    database.keep("contact_changes", ONE)
    with pytest.raises(DATA_FAULTS):
        database.keep("contact_changes", TWO, "SELECT error('cut off') AS contact_id")
    assert not database.has("contact_changes")

    database.keep("contact_changes", ONE)
    assert database.rows("FROM contact_changes") == [(1,)]
