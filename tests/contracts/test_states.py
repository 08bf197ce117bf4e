"""Every call on an upload in every state does what the table of states says, and no state is left out of it."""

import shutil
from itertools import product
from typing import get_args

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.contracts.states import APPLIED, CALLS, PLANNED, RECEIVED, STATES, WAS_APPLIED, State
from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline.uploads import end

PROFILE = """
name: readers
title: Readers
description: People who read.
address_book: news
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email}
  - {field: full_name, heading: Name, type: name}
match:
  - equal: [email]
  - {equal: [full_name], higher_differs: another}
matched: update
on_error: reject
apply: approval
finalize: true
"""
KNOWN = "Email,Name\na1@example.com,Ann Bee\na2@example.com,Ann Bee\n"  # of whom nobody knows which one a name means
FILE = "Email,Name\nnew@example.com,Cy Dow\n,Ann Bee\n"
BROKEN = FILE + "broken@,Di Elm\nworse@,Ed Fir\n"


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A home for each state, and the upload in it that is in this state."""
    folder = tmp_path_factory.mktemp("homes")
    empty = Pipeline(folder / "empty")
    (folder / "empty" / "profiles").mkdir(parents=True, exist_ok=True)
    (folder / "empty" / "profiles" / "readers.yaml").write_text(PROFILE)
    empty.apply(planned(empty, folder, KNOWN).upload_id)
    made = {}
    for state in STATES:
        home = folder / state
        shutil.copytree(folder / "empty", home)
        made[state] = home, bring_to(state, Pipeline(home), folder)
    return made


def planned(pipeline, folder, text, **options):
    (folder / "file.csv").write_text(text)
    return pipeline.plan(folder / "file.csv", "readers", **options)


def bring_to(state, pipeline, folder):
    """An upload in this state; a failed one cannot be brought about, and its line is written."""
    upload_id = begun(state, pipeline, folder).upload_id
    for done in AFTERWARDS.get(state, ()):
        DOING[done](pipeline, upload_id)
    if state == "repeated":
        upload_id = planned(pipeline, folder, FILE).upload_id
    if state == "failed":
        end(pipeline.store, upload_id, "failed", {"code": "failed", "message": "Made up.", "fix": ""})
    assert pipeline.show(upload_id).state == state
    return upload_id


def begun(state, pipeline, folder):
    match state:
        case "received" | "failed":
            (folder / "file.csv").write_text(FILE)
            return pipeline.receive(folder / "file.csv", "readers")
        case "blocked":
            return planned(pipeline, folder, BROKEN, allow_rejected=10)
        case "refused":
            return planned(pipeline, folder, "Colour\nblue\n")
        case "stale":  # somebody else makes the same contact before it is applied
            upload = planned(pipeline, folder, FILE)
            pipeline.apply(planned(pipeline, folder, "Email,Name\nnew@example.com,Cy Dow\n").upload_id)
            return upload
        case _:
            return planned(pipeline, folder, FILE)


AFTERWARDS = {
    "stale": ["apply"], "applied": ["apply"], "repeated": ["apply"], "finalized": ["apply", "finalize"],
    "undone": ["apply", "undo"], "cancelled": ["cancel"],
}  # fmt: skip
DOING = {
    "replan": lambda pipeline, upload_id: pipeline.plan_again(upload_id),
    "apply": lambda pipeline, upload_id: pipeline.apply(upload_id, confirm_rejected=True),
    "correct": lambda pipeline, upload_id: pipeline.correct(upload_id, row=2, set={"full_name": "Cy Dew"}),
    "resolve": lambda pipeline, upload_id: pipeline.resolve(upload_id, 3, "new"),
    "finalize": lambda pipeline, upload_id: pipeline.finalize(upload_id),
    "undo": lambda pipeline, upload_id: pipeline.undo(upload_id),
    "redo": lambda pipeline, upload_id: pipeline.redo(upload_id),
    "cancel": lambda pipeline, upload_id: pipeline.cancel(upload_id),
    "erase": lambda pipeline, _: pipeline.erase(1),
}


def test_every_state_and_every_call_is_in_the_table():
    assert set(STATES) == {*get_args(State)}
    assert {*CALLS} == {*DOING}
    assert RECEIVED | PLANNED | WAS_APPLIED | {"repeated", "refused", "cancelled", "failed"} == {*STATES}
    assert APPLIED < WAS_APPLIED


@pytest.mark.parametrize(("state", "call"), [*product(STATES, CALLS)])
def test_a_call_leads_where_the_table_says_or_is_refused(homes, tmp_path, state, call):
    home, upload_id = homes[state]
    shutil.copytree(home, tmp_path / "home")
    pipeline = Pipeline(tmp_path / "home")
    leads = CALLS[call].leads.get(state)
    if leads is None:
        with pytest.raises(Refusal, match=f"is {state}; it cannot be {CALLS[call].wanted}") as refused:
            DOING[call](pipeline, upload_id)
        assert refused.value.code == "wrong-state"
        leads = {state}
    else:
        DOING[call](pipeline, upload_id)
    assert pipeline.show(upload_id).state in leads


def test_what_is_refused_in_which_state():
    """Spelled by hand: the test above asks the table that the calls ask."""
    over = {"repeated", "refused", "failed"}
    assert {call: {*STATES} - {*CALLS[call].leads} for call in CALLS} == {
        "replan": set(),
        "apply": over | {"received", "cancelled", "undone"},
        "correct": over | {"received", "applied", "finalized", "cancelled", "undone"},
        "resolve": over | {"received", "cancelled", "undone"},
        "finalize": over | {"received", "staged", "blocked", "stale", "cancelled", "undone"},
        "undo": over | {"received", "staged", "blocked", "stale", "cancelled"},
        "redo": over | {"received", "staged", "blocked", "stale", "cancelled"},
        "cancel": over | {"applied", "finalized", "undone"},
        "erase": set(),
    }
