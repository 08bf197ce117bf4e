"""A store in a home of its own, which does not wait long for others."""

from pathlib import Path

import pytest

from contact_pipeline.settings import Settings
from contact_pipeline.store import Store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", lock_wait_seconds=0.3)


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)
