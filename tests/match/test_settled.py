"""Lines that occur twice in a file are settled without the loop, with the same result.

SETTLED_EXAMPLES=200 tries more cases, of some forty address books each.
"""

import os
from dataclasses import replace
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from contact_pipeline.match import settled
from contact_pipeline.profiles import Profile
from tests.match.cases import SEEDS, cases
from tests.match.reference import Entity
from tests.match.test_reference import changes, names, outcomes, prepare
from tests.thorough import examples

WORLDS = 40
MORE = os.environ.get("SETTLED_EXAMPLES")
BY_PHONE = [{"equal": ["company"]}, {"equal": ["email", "phone"]}]
ANN = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Bee", "phone": "+12025550143"}


def profile_of(**given):
    columns = [
        {"field": "email", "heading": "E-mail", "type": "email"},
        {"field": "first_name", "heading": "First", "type": "name"},
        {"field": "last_name", "heading": "Last", "type": "name"},
        {"field": "phone", "heading": "Phone", "type": "phone"},
        {"field": "company", "heading": "Company"},
    ]
    content = {
        "name": "twice", "title": "Twice", "address_book": "twice", "file": {"types": ["csv"]}, "headings": "mapped",
        "apply": "automatic", "matched": "update", "on_error": "reject", "columns": columns,
        "match": [{"equal": ["email"]}, {"equal": ["name", "phone"]}],
    }  # fmt: skip
    return Profile.model_validate(content | given)


def settled_rows(ground):
    return ground.staging.rows("SELECT row_number, first, decision FROM settled ORDER BY ALL")


@pytest.mark.timeout(1800)
@settings(
    max_examples=examples(3, 6, "SETTLED_EXAMPLES"),
    derandomize=MORE is None,
    phases=(Phase.generate,),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases(WORLDS), seed=SEEDS)
def test_the_loop_would_come_to_the_same(one_ground, case, seed):
    """X1: of any profile and address book, where most lines of the file stand in it once more."""
    ground, random = one_ground, Random(seed)
    numbers = count(max([row.number for row in case.rows], default=1) + 1)
    again = [replace(row, number=next(numbers)) for row in case.rows if random.random() < 0.7]
    prepare(ground, case)

    def planned(*, settles):
        with pytest.MonkeyPatch.context() as patch:
            if not settles:
                patch.setattr(settled, "_can_settle", lambda *_: False)
            plan = ground.plan(case.profile, [*case.rows, *again], columns=case.columns, **case.given)
        made = names(plan, "contact")
        links = {(made[link["contact_id"]], link["linked_to"]) for link in plan.links}
        return outcomes(plan), sorted(map(repr, changes(plan))), links, plan.changeset.sha256

    assert planned(settles=True) == planned(settles=False)


@pytest.mark.parametrize(("known", "decision"), [([Entity(1, ANN)], "matched"), ([], "new")])
def test_a_line_that_stands_three_times_is_settled(ground, known, decision):
    ground.fill("twice", known)

    planned = ground.plan(profile_of(), [ANN | {"company": "One"}] * 3)

    assert settled_rows(ground) == [(2, 2, decision), (3, 2, decision), (4, 2, decision)]
    assert planned.row_outcomes == ["updated" if known else "created", "duplicate", "duplicate"]


@pytest.mark.parametrize(
    ("profile", "contact", "rows"),
    [
        (profile_of(), {}, [ANN, ANN, {"email": "ann@example.com", "first_name": "Bob"}]),  # another shares a key
        (
            profile_of(),
            ANN,
            [{"email": ANN["email"]}] * 2 + [ANN | {"email": None}],
        ),  # another reaches the same contact
        # together with what the contact has, their number is the key of another
        (
            profile_of(match=BY_PHONE),
            ANN | {"phone": None, "company": "One"},
            [{"company": "One", "phone": ANN["phone"]}] * 2 + [ANN],
        ),
        # the contact has a name that is neither its own nor the file's
        (profile_of(), ANN, [{"email": "ann@example.com", "first_name": "Carl"}] * 2),
        (profile_of(blank="fill"), ANN, [ANN, ANN]),
        (
            profile_of(match=[{"equal": ["email"], "narrow": [{"field": "company", "otherwise": "new"}]}]),
            ANN,
            [ANN] * 2,
        ),
    ],
)
def test_what_the_first_row_may_change_is_left_to_the_loop(ground, profile, contact, rows):
    ground.fill("twice", [Entity(1, contact)] if contact else [])

    ground.plan(profile, rows, columns=["email", "first_name", "last_name", "phone", "company"])

    assert settled_rows(ground) == []


def test_fields_may_be_called_like_columns_of_settling(ground):
    called = [{"field": name, "heading": f"{name} ?"} for name in ("first", "decision", "target", "representative")]
    profile = profile_of(columns=[*profile_of().model_dump(mode="json", exclude_none=True)["columns"], *called])
    row = ANN | {column["field"]: "A" for column in called}
    ground.fill("twice", [Entity(1, ANN)])

    planned = ground.plan(profile, [row, row])

    assert settled_rows(ground) == [(2, 2, "matched"), (3, 2, "matched")]
    assert planned.change(1)["decision"] == "A"


def test_a_key_that_the_loop_composes_brings_settled_rows_back(ground):
    """Rows 4 and 5 are one person by themselves; the two rows before them make that person together."""
    ann, number = {"first_name": "Ann", "last_name": "Bee"}, {"phone": "+12025550143"}
    rows = [{"email": "a@example.com"} | ann, {"email": "a@example.com"} | number, ann | number, ann | number]

    planned = ground.plan(profile_of(within_file="merge"), rows)

    assert settled_rows(ground) == []
    assert planned.row_outcomes == ["created", "duplicate", "duplicate", "duplicate"]
