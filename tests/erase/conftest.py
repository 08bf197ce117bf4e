"""One home in which a person has left traces everywhere, filled once and copied for the tests that erase her."""

import shutil

import pytest

from contact_pipeline import Pipeline
from tests.erase.home import fill_with_traces, open_home, run_in_dagster


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """The folder of the filled home, which no test changes."""
    folder = tmp_path_factory.mktemp("filled")
    run_in_dagster(fill_with_traces(folder), folder)
    return folder / "home"


@pytest.fixture
def pipeline(filled, tmp_path):
    """A pipeline on a copy of the filled home, in which contact 1 is the person, in outreach_contacts."""
    shutil.copytree(filled, tmp_path / "home")
    return Pipeline(tmp_path / "home")


@pytest.fixture
def uploads(pipeline):
    """Upload ids by file name, the newest of each."""
    return {upload.file_name: upload.upload_id for upload in reversed(pipeline.uploads())}


@pytest.fixture
def small(tmp_path):
    """A pipeline on an empty home."""
    return open_home(tmp_path / "small")
