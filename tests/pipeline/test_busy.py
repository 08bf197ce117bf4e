"""While another process holds a database nobody waits for each other, and nothing has to be begun anew."""

import subprocess
import sys
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import StoreBusy

ROOT = Path(__file__).parents[2]

HOLDS_STAGING_AND_WANTS_CONTACTS = """
import sys, time
from contact_pipeline import Pipeline
pipeline = Pipeline(sys.argv[1])
with pipeline.store.staging(sys.argv[2]).open():
    print("held", flush=True)
    time.sleep(1)
    with pipeline.store.open() as contacts:
        print(contacts.value("SELECT count(*) FROM contacts"), flush=True)
"""


@pytest.fixture
def impatient(pipeline):
    """The same home, by settings that wait for four seconds only."""
    return Pipeline(settings=pipeline.settings.model_copy(update={"lock_wait_seconds": 4}))


def test_applying_and_matching_do_not_wait_for_each_other(impatient, outreach):
    """X2: who matches holds the staged rows and wants the contacts; an apply takes them in the same order."""
    upload = outreach({"account": "A-1"})
    command = [sys.executable, "-c", HOLDS_STAGING_AND_WANTS_CONTACTS]
    command += [str(impatient.settings.home), upload.upload_id]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert impatient.apply(upload.upload_id).state == "applied"
        assert process.stdout.readline() == "0\n"


def test_an_upload_that_met_a_busy_database_goes_on_from_there(pipeline, outreach, monkeypatch):
    """B5: it is not failed; one command takes it up again."""

    def busy(*_):
        raise StoreBusy("contacts.duckdb has been in use by another process.")

    with monkeypatch.context() as patch:
        patch.setattr("contact_pipeline.pipeline.stages.match", busy)
        with pytest.raises(StoreBusy, match="replan"):
            outreach({"account": "A-1"})
    (upload,) = pipeline.uploads()
    assert (upload.state, upload.line.stage) == ("received", "validated")

    assert pipeline.plan_again(upload.upload_id).state == "staged"
    assert pipeline.apply(upload.upload_id).outcomes["created"] == 1
