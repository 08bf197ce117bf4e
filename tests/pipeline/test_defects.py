"""A defect of the program while an upload is staged ends it as failed, by whichever call it is staged."""

import polars as pl
import pytest

from contact_pipeline.pipeline import stages

ROSA = {"first": "Rosa", "account": "A-1", "email": "rosa@example.com"}
IAN = {"first": "Ian", "account": "A-2", "ssn": "219-09-9998"}
DOUBTFUL = IAN | {"account": "A-3"}  # in review: his number under another account


def defective(*_given):
    raise IndexError("no item for 219-09-9998")


def panicking(*_given):
    raise pl.exceptions.PanicException("index out of bounds")


@pytest.mark.parametrize("error", [defective, panicking])
def test_whoever_has_it_staged_it_fails_and_says_so(pipeline, outreach, monkeypatch, error):
    pipeline.apply(outreach(IAN).upload_id)
    calls = {
        "plan": None,
        "go on": pipeline.plan_again,
        "stale": pipeline.plan_again,
        "correct": lambda key: pipeline.correct(key, row=2, set={"email": "r@example.com"}),
        "leave out": lambda key: pipeline.leave_out(key, rows=[2]),
        "decide": lambda key: pipeline.resolve(key, 3, "skip"),
    }
    planned = {name: outreach(ROSA, DOUBTFUL, name=f"{name}.csv").upload_id for name in calls if name != "plan"}
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE uploads SET state = 'received', stage = 'validated' WHERE file_name = 'go on.csv'")
        contacts.run("UPDATE uploads SET state = 'stale' WHERE file_name = 'stale.csv'")
    monkeypatch.setattr(stages, "match", error)
    for name, call in calls.items():
        with pytest.raises((IndexError, RuntimeError)):
            call(planned[name]) if call else outreach(ROSA, name=f"{name}.csv")
        (upload,) = (each for each in pipeline.uploads() if each.file_name == f"{name}.csv")
        assert upload.state == "failed", name
        assert "while staging: a defect of the program" in upload.reason["message"]
        assert "9998" not in str(upload.reason)
