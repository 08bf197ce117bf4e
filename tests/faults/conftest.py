"""A filled home, and a process that runs commands in it with a call made to fail; both made once."""

import pytest

from tests.faults.sweep import bench


@pytest.fixture(scope="session")
def ground():
    """The filled home, the uploads in it, and the worker."""
    with bench() as made:
        yield made
