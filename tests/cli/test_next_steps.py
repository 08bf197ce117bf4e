"""The first and the last lines of what is printed of an upload: true counts, and only what can be done."""

from datetime import datetime
from types import SimpleNamespace

import pytest
import typer

from contact_pipeline.cli.app import app
from contact_pipeline.contracts.states import CALLS, STATES
from contact_pipeline.reports.headline import headline
from contact_pipeline.reports.next_steps import MOST, next_steps
from contact_pipeline.terms import OUTCOMES

COMMAND = typer.main.get_command(app)
COUNTS = {"created": 285, "updated": 2, "rejected": 4, "duplicate": 163, "review": 2}


def upload_in(state, *, held=False, counts=COUNTS, confirm=(), by_hand=False, two=False, approved_by=None):
    """What the first and last lines ask of an upload."""
    profile = None if by_hand else {"roles": ["director"], "within_file": "first_wins"}
    options = {"group": "Spring", "lead_type": "SMS"}
    return SimpleNamespace(
        upload_id="20260101-000000-abcdef",
        state=state,
        held=held,
        outcomes=dict.fromkeys(OUTCOMES, 0) | counts,
        to_confirm=list(confirm),
        is_by_hand=by_hand,
        repeats="20250101-000000-abcdef" if state == "repeated" else None,
        profile="dealer_leads",
        user="dora",
        file_name="people.csv",
        deactivated=0,
        contacts_created=0,
        added_at=datetime(2026, 1, 1),  # noqa: DTZ001 - as the ledger has it
        first_changes=lambda limit: [],  # noqa: ARG005
        expired=None,
        line=SimpleNamespace(read_profile=lambda: profile, options=options, needs_two=two),
        first_approved_by=approved_by,
        is_half_approved=approved_by is not None,
        is_half_approved_by=lambda login: login == approved_by,
    )


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("confirm", [(), ("deactivations", "rejected", "changed", "encoding")])
@pytest.mark.parametrize("counts", [{}, COUNTS])
@pytest.mark.parametrize("state", STATES)
def test_every_step_is_a_command_that_the_state_allows(state, counts, confirm, held, by_hand):
    upload = upload_in(state, held=held, counts=counts, confirm=confirm, by_hand=by_hand)

    steps = next_steps(upload, "nils")

    assert 1 <= len(steps) <= MOST
    for step in steps:
        parsed(step.words)
        assert not step.call or state in CALLS[step.call].leads, step
        assert step.call or step.words[0] not in CALLS, step
    if not confirm:
        assert not [word for step in steps for word in step.words if word.startswith("--confirm")]
    if state == "blocked":
        assert [step.call for step in steps].count("apply") == bool(confirm)
    assert ("finalize" in [step.call for step in steps]) == (held and state == "applied")


def test_where_two_approve_the_next_step_is_somebody_elses():
    """No command is given that would be refused: one in the name of who sent it, or of who has approved it."""
    first, *_ = next_steps(upload_in("staged", two=True), "nils")
    assert (first.why, first.words[2:]) == ("Two people who did not send it approve it", [])
    for login, why in (
        ("nils", "Take your approval back"),
        ("olga", "Write the rows in review into a file to fill in"),
    ):
        second, then, *_ = next_steps(upload_in("staged", two=True, approved_by="nils"), login)
        assert second.why == "Somebody else who did not send it approves it, too, and applies it"
        assert (second.words[2:], then.why) == ([], why)
        parsed(then.words)


def parsed(words):
    """Parses a command as the command line does; a wrong one raises."""
    command, context, left = COMMAND, typer.Context(COMMAND), list(words)
    while hasattr(command, "get_command"):
        name = left.pop(0)
        command = command.get_command(context, name)
        assert command is not None, words
        if not hasattr(command, "get_command"):
            command.make_context(name, left, parent=context)


def test_the_headline_counts_what_came_in():
    assert headline(upload_in("applied")) == (
        "Applied: 285 created, 2 updated, 4 rejected, 163 duplicates ignored; 2 wait for review."
    )
    assert headline(upload_in("staged")).startswith("Planned, nothing is changed yet: 285 to create, 2 to update")


@pytest.mark.parametrize("state", ["blocked", "stale", "cancelled", "refused", "failed", "repeated"])
def test_what_is_only_planned_is_in_no_headline_as_imported(state):
    """B7: a blocked or cancelled upload has imported nothing."""
    said = headline(upload_in(state))

    assert "285" not in said
    assert "nothing" in said
