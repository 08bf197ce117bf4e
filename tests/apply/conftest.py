"""A ground on which rows are matched and applied; the contact database is empty at the start of each test."""

from collections.abc import Iterator

import pytest

from tests.match.ground import Ground


@pytest.fixture(scope="session")
def one_ground() -> Iterator[Ground]:
    """The databases, which all tests share: making them takes longer than most tests."""
    ground = Ground()
    yield ground
    ground.close()


@pytest.fixture
def ground(one_ground: Ground) -> Ground:
    one_ground.empty()
    return one_ground
