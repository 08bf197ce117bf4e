"""A home in which everything has happened and one person has left traces everywhere, and a backup of it."""

import shutil

import pytest

from contact_pipeline import Pipeline
from tests.erase.home import fill_with_traces


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """The folder of the home that is filled, with a backup beside it; nobody writes to it any more."""
    folder = tmp_path_factory.mktemp("filled")
    fill_with_traces(folder).backup(folder / "home.tar.gz")
    return folder / "home"


@pytest.fixture
def backup(filled):
    """The backup of that home."""
    return filled.with_name("home.tar.gz")


@pytest.fixture
def pipeline(filled, tmp_path):
    """A pipeline on a copy of the home; in it contact 1 is the person."""
    shutil.copytree(filled, tmp_path / "home")
    return Pipeline(tmp_path / "home")
