"""One of a set survives with the values that win; everything else is kept, and undo brings it all back."""

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contact_pipeline.cli.app import run
from contact_pipeline.duplicates.winners import winning
from contact_pipeline.errors import Refusal
from tests.thorough import examples


@pytest.fixture
def people(base):
    """Contacts by id, without what each change moves."""

    def read(**asked):
        return {
            each["contact_id"]: {
                name: value
                for name, value in each.items()
                if name not in {"contact_id", "revision", "last_upload_id", "address_book", "source_number"}
                and value not in (None, [], False)
            }
            for each in base.store.contacts(**asked)
        }

    return read


@pytest.fixture
def merge(base):
    """Plans a merge and applies it."""

    def apply(*sets, **how):
        planned = base.merge_duplicates("people", sets=sets or None, **how)
        return base.apply(planned.upload_id, confirm_deactivations=True)

    return apply


def verified(base):
    return [finding.message for finding in base.verify().findings]


def test_one_survives_with_the_values_that_win_and_nothing_is_lost(base, enter, merge, people):
    enter({"name": "Ana Lee", "email": "a@example.com", "address": "1 Main St", "city": "Springfield", "tags": "a"})
    other = {"name": "Ana Lee-Moss", "email": "a@example.com", "phone": "2025550143", "city": "Shelbyville"}
    enter({**other, "leave": "yes"}, group="Two")
    enter({"email": "a@example.com", "tags": "b;a", "ssn": "219-09-9990"}, group="Three")
    before = people()

    planned = base.merge_duplicates("people")
    assert (planned.state, planned.profile, planned.deactivated) == ("blocked", "people", 2)
    assert people() == before
    done = base.apply(planned.upload_id, confirm_deactivations=True)

    after = people()
    assert after[3] == {
        "active": True, "full_name": "Ana Lee-Moss", "email": "a@example.com", "phone": "+12025550143",
        "city": "Shelbyville", "tags": ["b", "a"], "ssn": "***-**-****", "do_not_contact": True,
        "groups": ["Everybody", "Three", "Two"], "links": [1, 2],
    }  # fmt: skip
    assert after[1] == {
        **{name: value for name, value in before[1].items() if name not in {"active", "groups"}},
        "links": [3], "merged_into": 3, "do_not_contact": True,
    }  # fmt: skip
    assert after[2]["merged_into"] == 3
    assert not verified(base)

    undone = base.undo(done.upload_id, clear_do_not_contact=True)
    assert (undone.state, people()) == ("undone", before)
    base.redo(done.upload_id)
    assert people() == after
    assert not verified(base)


def test_the_rest_of_an_address_is_filled_from_whoever_has_the_same_city():
    """A street of one and a city of another would be an address of nobody."""
    contacts = pl.DataFrame({
        "survivor": [3, 3, 3],
        "contact_id": [1, 2, 3],
        "address": ["1 Main St", "2 Oak St", None],
        "city": ["Springfield", "Shelbyville", "Shelbyville"],
        "at_address": [9, 1, None],
        "at_city": [9, 1, 10],
    })  # fmt: skip
    after = winning(contacts, {"address": pl.String(), "city": pl.String()})
    assert after.rows() == [(3, "2 Oak St", "Shelbyville")]


def test_what_was_merged_is_reached_as_the_survivor(base, enter, merge, people):
    enter({"name": "Ana Lee", "email": "a@example.com"}, {"name": "Ana Lee", "email": "old@example.com"})
    enter({"name": "Cy Lee", "email": "cy@example.com"})
    merge([1, 2])  # of one commit, the oldest survives
    assert people()[2]["merged_into"] == 1
    merge([1, 3])  # 3 survives: it was changed last, as nothing of 1 was in the merge

    enter({"name": "Ana Lee", "email": "OLD@example.com", "phone": "2025550111"}, profile="people")

    assert people()[3]["phone"] == "+12025550111"
    assert [people()[number].get("merged_into") for number in (1, 2, 3)] == [3, 3, None]
    assert len(people()) == 3


def test_the_survivor_of_a_merge_can_be_merged_and_all_of_them_follow(base, enter, merge, people):
    enter(*({"name": f"N{number}", "email": f"{number}@example.com"} for number in range(4)))
    first = merge([3, 4])
    second = merge([1, 3])

    assert [people()[number].get("merged_into") for number in (1, 2, 3, 4)] == [None, None, 1, 1]
    base.undo(first.upload_id)  # in either order the contacts are a function of what is effective
    assert not verified(base)
    base.undo(second.upload_id)
    assert [people()[number].get("active") for number in (1, 2, 3, 4)] == [True] * 4
    assert not verified(base)


def test_undo_after_later_changes_leaves_these(base, enter, merge, people):
    enter({"name": "Ana Lee", "email": "a@example.com"}, {"name": "Ana M Lee", "email": "a@example.com"})
    done = merge()
    enter({"no": 1, "name": "Ana Maria Lee"})
    assert people()[1]["links"] == [2]

    base.undo(done.upload_id)

    assert people()[1]["full_name"] == "Ana Maria Lee"
    assert people()[2]["full_name"] == "Ana M Lee"
    assert people()[2]["active"]
    assert not verified(base)


@pytest.mark.parametrize("change", ["value", "group", "active", "merge"])
def test_a_plan_is_stale_where_one_of_them_has_changed(base, enter, merge, change):
    enter({"name": "Ana Lee", "email": "a@example.com"}, {"name": "Ana Lee", "email": "a@example.com"})
    enter({"name": "Ben Lee", "email": "b@example.com"})
    planned = base.merge_duplicates("people", sets=[[1, 2]])
    if change == "value":
        enter({"no": 1, "name": "Ana Lee", "phone": "2025550143"})
    elif change == "group":
        base.apply(base.plan_group_add("Late", [2]).upload_id)
    elif change == "active":
        base.set_active(1, active=False)
    else:
        merge([1, 3])

    assert base.apply(planned.upload_id).state == "stale"


def test_chains_and_near_pairs_are_merged_only_where_they_are_named(base, enter, tmp_path, people, capsys):
    enter(
        {"name": "Ana Lee", "email": "a@example.com", "phone": "2025550143"},
        {"name": "Ana Lee", "phone": "2025550143"},
        {"name": "A. Lee", "email": "a@example.com"},
        {"name": "Ben Leigh", "email": "b@example.com", "phone": "2025550111"},
        {"name": "Ben Leight", "email": "b@example.org", "phone": "2025550111"},
        {"name": "Ben Leigh", "email": "bl@example.com", "city": "Springfield"},
        {"name": "Ben Leigh", "email": "bl2@example.com", "city": "Springfeld"},
    )
    with pytest.raises(Refusal, match="1 chain is left out"):
        base.merge_duplicates("people")
    file, home = tmp_path / "found.csv", ["--home", str(base.settings.home)]
    found = ["duplicates", "find", "-p", "people", "--near", "--at-least", "80", "-o", str(file), *home]
    assert run(found) == 0
    with pytest.raises(Refusal, match="yes to nothing"):
        base.merge_duplicates("people", file=file)
    file.write_text(file.read_text(encoding="utf-8-sig").replace(",no,", ",yes,"))
    capsys.readouterr()

    assert run(["duplicates", "merge", "-p", "people", "--from", str(file), "--json", *home]) == 0
    told = json.loads(capsys.readouterr().out)

    assert (told["state"], told["reason"]["code"]) == ("blocked", "deactivation-guard")
    assert {change["contact_id"] for change in told["changes"] if change["action"] == "deactivate"} == {2, 3, 5, 6, 7}
    assert run(["apply", told["upload_id"], *home]) == 1
    assert run(["apply", told["upload_id"], "--confirm-deactivations", *home]) == 0
    assert [number for number, each in people().items() if each.get("active")] == [1, 4]


@pytest.mark.parametrize(
    ("sets", "code"),
    [
        ([[1]], "set-too-small"),
        ([[1, 99]], "contact-unknown"),
        ([[1, 3]], "contact-inactive"),
        ([[1, 4]], "erased"),
        ([[]], "set-too-small"),
    ],
)
def test_what_cannot_be_merged_is_refused(base, enter, sets, code):
    enter(*({"name": f"N{number}", "email": f"{number}@example.com"} for number in range(4)))
    base.set_active(3, active=False)
    base.erase(4)

    with pytest.raises(Refusal) as refused:
        base.merge_duplicates("people", sets=sets)

    assert refused.value.code == code
    assert [upload.profile for upload in base.uploads()] == ["by_hand", "entered"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("1,x,yes", "row 2, column contact_id: 'x' is no contact id"),
        ("1,1,maybe", "row 2, column merge: 'maybe' is neither yes nor no"),
        (",1,yes", "row 2, column set: '' names no set"),
        ("1,1,yes", "yes to a single contact of set 1 (row 2)"),
    ],
)
def test_a_file_that_cannot_be_meant_names_row_and_column(base, enter, tmp_path, cells, said):
    enter({"name": "Ana"}, {"name": "Ben"})
    file = tmp_path / "sets.csv"
    file.write_text(f"set,contact_id,merge\n{cells}\n")

    with pytest.raises(Refusal) as refused:
        base.merge_duplicates("people", file=file)

    assert said in refused.value.message


def test_a_linked_lead_may_be_merged_and_its_links_lead_to_the_survivor(leads, pipeline, contacts):
    who = ("Ana Lee", "2025550143", "ana@example.com")
    leads(who)
    leads(("Ana Lee", "2025550143", "ana@example.org"), rule="create", name="again.csv")
    leads(("Ana Lea", "2025550144", "ana@example.net"), name="third.csv")

    with pytest.raises(Refusal, match="role"):
        pipeline.merge_duplicates("dealer_leads", sets=[[2, 3]], user="nobody")
    planned = pipeline.merge_duplicates("dealer_leads", sets=[[2, 3]], user="d.rivers")
    with pytest.raises(Refusal, match="role"):
        pipeline.apply(planned.upload_id, user="nobody")
    done = pipeline.apply(planned.upload_id, user="d.rivers")

    assert done.held
    assert [contacts()[number].get("merged_into") for number in (1, 2, 3)] == [None, 3, None]
    assert contacts()[3]["links"] == [1, 2]
    assert not pipeline.verify().findings


def test_an_account_keeps_a_contact_that_is_active(base, enter):
    enter({"name": "Ana Lee", "email": "x@example.com", "account": "AC-2"})
    enter({"name": "Ana Lee", "email": "a@example.com", "account": "AC-1"})
    with base.store.change() as database:
        database.run(
            "INSERT INTO accounts BY NAME SELECT 1 AS account_id, 'people' AS address_book, 'AC-2' AS account_number"
        )

    with pytest.raises(Refusal) as refused:
        base.merge_duplicates("people", sets=[[1, 2]])

    assert refused.value.code == "account-left-alone"


def test_erasing_takes_everybody_who_was_merged(base, enter, merge):
    enter({"name": "Ana Lee", "email": "zyx9@example.net"}, {"name": "Ana Zzyzx", "email": "zyx9@example.net"})
    enter({"name": "Ben Lee", "email": "ben@example.com"})
    merge()
    planned = base.merge_duplicates("people", sets=[[1, 3]])

    erased = base.erase(2)

    assert erased.contact_ids == [1, 2]
    assert base.apply(planned.upload_id).state == "stale"
    files = [path for path in base.settings.home.rglob("*") if path.is_file()]
    assert [path for path in files if b"Zzyzx" in path.read_bytes() or b"zyx9@example.net" in path.read_bytes()] == []
    assert not verified(base)


names = st.sampled_from(["Ana Lee", "Ana Lea", "Ben Moss", ""])
mails = st.sampled_from(["a@example.com", "b@example.com", ""])
phones = st.sampled_from(["2025550143", "2025550144", ""])
rows = st.lists(
    st.fixed_dictionaries({"name": names, "email": mails, "phone": phones, "leave": st.sampled_from(["yes", ""])}),
    min_size=2,
    max_size=6,
)


@settings(
    max_examples=examples(4, 15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=rows)
def test_merging_and_undoing_gives_the_same_contacts(base, enter, people, rows):
    entered = enter(*rows)
    before = people()
    if base.find_duplicates("people").mergeable():
        planned = base.merge_duplicates("people")
        done = base.apply(planned.upload_id, confirm_deactivations=True)
        assert not verified(base)
        assert base.find_duplicates("people").mergeable() == []
        base.undo(done.upload_id, clear_do_not_contact=True)
        assert people() == before
        assert not verified(base)
    base.undo(entered.upload_id, clear_do_not_contact=True)
