"""A file cut in two, anywhere, and imported in order gives the same contacts as the file in one.

So it is where a profile treats a repeated row as it treats a known contact. CUT_EXAMPLES=100 tries more cases, of some
forty address books each.
"""

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contact_pipeline.profiles import Profile
from contact_pipeline.terms import ACCOUNT_FIELDS
from tests.match.cases import SEEDS, cases
from tests.match.test_reference import prepare
from tests.thorough import examples

ALIKE = [("merge", "merge"), ("ignore", "first_wins"), ("update", "last_wins")]
WORLDS = 40
MORE = os.environ.get("CUT_EXAMPLES")


@pytest.mark.timeout(3600)
@settings(
    max_examples=examples(2, 5, "CUT_EXAMPLES"),
    derandomize=MORE is None,
    phases=(Phase.generate,),  # shrinking takes minutes
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases(WORLDS), alike=st.sampled_from(ALIKE), seed=SEEDS)
def test_a_file_cut_in_two_gives_the_same_contacts(one_ground, case, alike, seed):
    """X1: rows in review and rejected ones are the same too; only the notes' order and new ids may differ."""
    ground, profile = one_ground, treating_alike(case.profile, alike)
    given = {name: value for name, value in case.given.items() if name not in {"deactivate_missing", "rule"}}
    given = {name: value for name, value in given.items() if name != "reactivate" or profile.options.reactivate}
    case.given, case.profile = given, profile
    columns = [name for name in case.columns if name in profile.row_fields]
    first = [row for world in case.worlds for row in world.rows[: cut_of(world, seed)]]
    second = [row for world in case.worlds for row in world.rows[cut_of(world, seed) :]]

    found = []
    for parts in ([case.rows], [first, second]):
        prepare(ground, case)
        said = {}
        for rows in parts:
            planned = ground.run(profile, rows, columns=columns, **given)
            said |= {row: outcome["outcome"] for row, outcome in planned.outcomes.items()}
        waiting = {row: outcome for row, outcome in said.items() if outcome in {"review", "rejected"}}
        found.append((waiting, contacts(ground, case, "contact"), contacts(ground, case, "account")))

    assert found[0] == found[1]


def treating_alike(profile, alike):
    """The profile, with one treatment of known contacts and of repeated rows.

    Without contacts made from accounts' rows, of which it says neither.
    """
    accounts = profile.target == "account"
    matched, within_file = ("update", "last_wins") if accounts else alike
    content = profile.model_dump(mode="json") | {"matched": matched, "within_file": within_file, "roles": None}
    if accounts:
        content |= {"account_contacts": None, "rules": []}
        content["columns"] = [column for column in content["columns"] if column["field"] in ACCOUNT_FIELDS]
    if matched == "merge":  # which displaces no value of a list
        content["columns"] = [column | {"lists": None} for column in content["columns"]]
    content["options"]["rule"] = []
    content["options"]["reactivate"] = matched in {"update", "merge"}
    return Profile.model_validate(content)


def cut_of(world, seed):
    return Random(f"{seed} {len(world.rows)} {world.rows[0].number if world.rows else 0}").randint(0, len(world.rows))


def contacts(ground, case, entity):
    """What there is: known ones by id, new ones by their values; notes without their order."""
    known = {e.id for e in (case.book.contacts if entity == "contact" else case.book.accounts)}
    records = ground.table(entity, case.profile.address_book).values()
    ours = {f"{entity}_id", "revision", "created_commit", "last_commit", "last_upload_id"}
    return Counter(
        (
            record[f"{entity}_id"] if record[f"{entity}_id"] in known else None,
            *(
                (name, str(sorted(value) if name == "notes" and value else value))
                for name, value in record.items()
                if name not in ours
            ),
        )
        for record in records
    )
