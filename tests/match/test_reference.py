"""The SQL agrees with the row-at-a-time reference on any profile, address book and file.

The cases are the same at every run; REFERENCE_EXAMPLES=1000 tries other and more ones. Each run of the SQL decides many
small address books that have nothing in common; the reference decides them one by one.
"""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.match import reference
from tests.match.cases import Case, cases
from tests.match.ground import Ground, Planned, sides
from tests.thorough import examples

WORLDS = 40
MORE = os.environ.get("REFERENCE_EXAMPLES")
agreeing = settings(
    max_examples=examples(12, 24, "REFERENCE_EXAMPLES"),
    derandomize=MORE is None,
    phases=(Phase.generate, Phase.shrink) if MORE else (Phase.generate,),  # shrinking takes minutes
    report_multiple_bugs=False,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(1800)
@agreeing
@given(case=cases(WORLDS))
def test_outcomes_changes_and_final_tables_are_those_of_the_reference(one_ground, case):
    """X1, X2, A7, C4, D8, E5: every row has the outcome, and every contact the one change, that the reference says."""
    ground = one_ground
    prepare(ground, case)

    planned = ground.plan(case.profile, case.rows, blanks=case.blanks, columns=case.columns, **case.given)
    expected = reference.together(
        reference.plan(world.book, world.rows, planned.profile, planned.options) for world in case.worlds
    )

    assert outcomes(planned) == expected.outcomes | dict.fromkeys(case.blanks, reference.Outcome("blank"))
    assert by_target(changes(planned)) == by_target(expected.changes)
    contacts = names(planned, "contact")
    assert {(contacts[m["contact_id"]], m["group_name"]) for m in planned.memberships} == expected.memberships
    assert {(contacts[link["contact_id"]], link["linked_to"]) for link in planned.links} == expected.links
    found = {
        r["row_number"]: r["code"]
        for r in planned.rejections
        if r["code"] not in {"made-up", "another-match", "consent-carried", "consent-kept", "consent-set"}
    }
    assert found == expected.rejected
    assert planned.changeset.rejected_without_key == expected.rejected_without_key
    assert ground.stale_rows(planned) == []

    ground.apply(planned)
    for entity, entities in (("contact", case.book.contacts), ("account", case.book.accounts)):
        ids = {name: number for number, name in names(planned, entity).items()}
        after = reference.apply(entities, expected.changes, entity, ids)
        assert table(ground, entity, case, after) == after
    assert neighbour(ground) == {c.id + 1000: (1, c.active, c.values.get("email")) for c in case.book.contacts}


def prepare(ground: Ground, case: Case) -> None:
    """Fills the address book, and another one with the very same contacts, which must never be looked at."""
    ground.empty()
    ground.fill(case.profile.address_book, case.book.contacts, case.book.accounts)
    away = [replace(c, id=c.id + 1000, linked_to=c.linked_to and c.linked_to + 1000) for c in case.book.contacts]
    ground.fill("neighbour", away)


def neighbour(ground: Ground) -> dict[int, tuple[Any, ...]]:
    return {i: (c["revision"], c["active"], c["email"]) for i, c in ground.table("contact", "neighbour").items()}


def names(planned: Planned, entity: str) -> dict[int, str]:
    """The id of everything that the upload makes → "row n"."""
    made = [change for change in planned.changes if change["entity"] == entity and change["action"] == "create"]
    return {change[f"{entity}_id"]: f"row {change['row_number']}" for change in made}


def outcomes(planned: Planned) -> dict[int, reference.Outcome]:
    entity = planned.profile.target
    made = names(planned, entity)
    found = {}
    for number, record in planned.outcomes.items():
        target = record[f"{entity}_id"]
        reason = record["reason"] or ""
        assert bool(reason) == (record["outcome"] == "review" or "is deactivated" in reason)
        found[number] = reference.Outcome(
            record["outcome"],
            made.get(target, target),
            record["duplicate_of_row"],
            record["duplicate_of_contact"],
            record["outcome"] != "review" and "is deactivated" in reason,
        )
    return found


def changes(planned: Planned) -> list[reference.Change]:
    found = []
    for record in planned.changes:
        entity, target = record["entity"], record[f"{record['entity']}_id"]
        target = names(planned, entity).get(target, target)
        found.append(reference.Change(entity, target, record["action"], record["row_number"], sides(record)))
    return found


def by_target(changes: list[reference.Change]) -> dict[tuple[str, str], reference.Change]:
    found = {(change.entity, str(change.target)): change for change in changes}
    assert len(found) == len(changes), "a target has more than one change"
    return found


def table(ground: Ground, entity: str, case: Case, like: dict[int, Any]) -> dict[int, Any]:
    """The table as it stands, with the columns that the reference names."""
    columns = list(next(iter(like.values()), {}))
    records = ground.table(entity, case.profile.address_book)
    return {number: {name: record[name] for name in columns} for number, record in records.items()}
