"""One commit: all of a changeset or nothing of it, the same table on either way of writing, and the history kept."""

from collections.abc import Iterator

import pytest

from contact_pipeline.apply import commit
from contact_pipeline.engines import merging
from contact_pipeline.profiles import Profile, load_profile
from contact_pipeline.store.schema import add_contact_fields
from tests.match.ground import sides
from tests.match.reference import Entity

ROWS = [
    {"email": "a@example.com", "company": "One", "job_title": None},
    {"email": "b@example.com", "company": "Two", "job_title": "Boss"},
]


def test_applying_executes_exactly_the_staged_changes(ground):
    """A9, X2: nothing is in the contacts before the plan is applied; then it is what the plan says."""
    planned = ground.plan("program_contacts", ROWS)
    assert ground.table("contact", "program") == {}

    ground.apply(planned)

    assert [ground.contact(number)["email"] for number in (1, 2)] == ["a@example.com", "b@example.com"]
    (one, two) = ground.table("contact", "program").values()
    assert (one["revision"], one["created_commit"], one["last_commit"], one["active"]) == (1, 1, 1, True)
    assert two["last_upload_id"] == planned.upload_id


def test_an_update_raises_the_revision_and_leaves_other_fields_alone(ground):
    """A7: the contact keeps its id and what the change does not name."""
    ground.fill("program", [Entity(1, {"email": "a@example.com", "job_title": "Boss"}), Entity(2, {})])
    planned = ground.run("program_contacts", ROWS[:1])
    record = ground.table("contact", "program")[1]
    assert (record["company"], record["job_title"], record["revision"]) == ("One", "Boss", 2)
    assert (record["created_commit"], record["last_commit"]) == (0, 1)
    assert record["last_upload_id"] == planned.upload_id


def test_commits_are_numbered_and_name_upload_plan_and_person(ground):
    """X2: who applied which plan, one number after the other."""
    first = ground.run("program_contacts", ROWS[:1])
    second = ground.run("program_contacts", ROWS)
    records = ground.book.records("FROM commits ORDER BY commit_number")
    assert [(r["commit_number"], r["upload_id"]) for r in records] == [(1, first.upload_id), (2, second.upload_id)]
    assert records[1]["changeset_sha256"] == second.changeset.sha256
    assert records[1]["actor"] == "tester"


@pytest.mark.parametrize("step", ["_write_entities", "_write_pairs", "_keep"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_or_an_interruption_in_the_middle_leaves_nothing(ground, monkeypatch, step, error):
    """B5, X2: whatever was written before it is taken back, and applying again finishes it."""
    ground.fill("outreach", [Entity(1, {"email": "old@example.com"})])
    planned = ground.plan("outreach_contacts", [{"email": "a@example.com"}], group="G")
    before = everything(ground)
    work = getattr(commit, step)

    def fails(*given):
        work(*given)
        raise error

    monkeypatch.setattr(commit, step, fails)
    with pytest.raises(error):
        ground.apply(planned)
    monkeypatch.undo()

    assert everything(ground) == before
    ground.apply(planned)
    assert ground.contact(2)["email"] == "a@example.com"


def test_both_ways_of_writing_give_the_same_table(ground, monkeypatch):
    """X2: deleting and inserting, and writing the table anew, differ in speed only."""
    tables = []
    for share in (0, 1):
        ground.empty()
        monkeypatch.setattr(merging, "REWRITE_SHARE", share)
        ground.fill("program", [Entity(n, {"email": f"{n}@example.com", "company": "Old"}) for n in range(1, 8)])
        ground.fill("property", [Entity(n, {"email": f"{n}@example.com"}) for n in range(11, 14)])
        rows = [{"email": f"{n}@example.com", "company": "New"} for n in (2, 5, 9)]
        ground.run("program_contacts", rows, blank="keep", deactivate_missing=True)
        description = ground.book.rows("SELECT column_name, column_type FROM (DESCRIBE contacts)")
        rows = ground.book.rows("SELECT * EXCLUDE (last_upload_id) FROM contacts ORDER BY contact_id")
        tables.append((description, rows))
    assert tables[0] == tables[1]
    assert len(tables[0][1]) == 11


@pytest.mark.parametrize(("contacts", "rewritten"), [(5, True), (40, False)])
def test_the_table_is_written_anew_above_a_tenth(ground, contacts, rewritten, monkeypatch):
    """X2: one changed contact of five, and of forty, on the two sides of the share."""
    ground.fill("program", [Entity(n, {"email": f"{n}@example.com"}) for n in range(1, contacts + 1)])
    planned = ground.plan("program_contacts", [{"email": "3@example.com", "company": "New"}])
    said = []
    run = type(ground.book).run
    monkeypatch.setattr(type(ground.book), "run", lambda self, sql, *more: (said.append(sql), run(self, sql, *more))[1])
    ground.apply(planned)
    assert any("RENAME TO contacts" in sql for sql in said) is rewritten
    assert ground.contact(3)["company"] == "New"
    assert len(ground.table("contact", "program")) == contacts


def test_a_field_can_be_added_after_the_table_was_written_anew(ground):
    """X2: the published contacts still stand on it."""
    ground.fill("program", [Entity(1, {"email": "a@example.com"})])
    ground.run("program_contacts", ROWS)
    with ground.book.transaction():
        add_contact_fields(ground.book, {"shoe_size": "text"}, frozenset())
    assert "shoe_size" in ground.store.contacts(published=True)[0]


def test_the_history_keeps_before_and_after_of_every_field(ground):
    """X4: what undoing and looking back will need."""
    first = ground.run("program_contacts", ROWS)
    second = ground.run("program_contacts", [{"email": "A@example.com", "company": "Three"}], blank="keep")
    history = ground.book.records("FROM contact_changes WHERE contact_id = 1 ORDER BY commit_number")
    assert [(h["upload_id"], h["action"], h["row_number"]) for h in history] == [
        (first.upload_id, "create", 2),
        (second.upload_id, "update", 2),
    ]
    assert sides(history[0]).keys() == {"email", "company", "active"}
    assert (history[1]["before_company"], history[1]["after_company"]) == ("One", "Three")
    assert (history[1]["before_email"], history[1]["after_email"]) == ("a@example.com", "A@example.com")


def test_the_contacts_are_what_replaying_the_history_gives(ground):
    """X4: creations, updates, links, merges and deactivations put on one another, oldest first."""
    lead = {"full_name": "Ann Bee", "phone": "+12025550143", "email": "ann@example.com"}
    everyone = Profile.model_validate(
        load_profile("dealer_leads").model_dump(mode="json") | {"options": {"deactivate_missing": True}}
    )
    ground.run(
        "dealer_leads", [lead, {"full_name": "Bob Dee", "phone": "+12025550144", "email": None}], lead_type="SMS"
    )
    ground.run("dealer_leads", [lead | {"email": "new@example.com"}], lead_type="SMS")
    ground.run("dealer_leads", [lead], lead_type="SMS", rule="create")
    ground.run(everyone, [lead], lead_type="SMS", deactivate_missing=True)

    replayed = dict(replay(ground))

    fields = {name for (name,) in ground.book.rows("SELECT name FROM fields")} | {"active"}
    table = ground.table("contact", "leads")
    assert replayed == {n: {name: record[name] for name in fields} for n, record in table.items()}
    assert [record["active"] for record in table.values()] == [True, False, True]


def replay(ground) -> Iterator[tuple[int, dict]]:
    fields = [name for (name,) in ground.book.rows("SELECT name FROM fields")] + ["active"]
    contacts: dict[int, dict] = {}
    for change in ground.book.records("FROM contact_changes ORDER BY commit_number"):
        contact = contacts.setdefault(change["contact_id"], dict.fromkeys(fields))
        for name, (before, after) in sides(change).items():
            assert contact[name] == before
            contact[name] = after
    yield from contacts.items()


def everything(ground) -> dict[str, list]:
    names = [
        "contacts",
        "accounts",
        "groups",
        "memberships",
        "links",
        "commits",
        "contact_changes",
        "membership_changes",
    ]
    return {name: ground.book.rows(f"FROM {name} ORDER BY ALL") for name in names}
