"""A plan is stale when one of its targets has moved or a row would now be decided otherwise, and only then."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_pipeline.apply.decided_otherwise import differing_rows
from contact_pipeline.match import parts_of
from contact_pipeline.profiles import Profile, load_profile
from tests.match import reference
from tests.match.cases import cases
from tests.match.reference import Entity
from tests.match.test_reference import agreeing
from tests.thorough import examples

LEAD = {"full_name": "Ann Bee", "phone": "+12025550143", "email": "ann@example.com"}
WISH = {"do_not_contact": True}


def test_a_target_that_another_upload_has_changed_makes_the_plan_stale(ground):
    """X2: the row of the moved contact is named."""
    ground.fill("program", [Entity(1, {"email": "a@example.com"}), Entity(2, {"email": "b@example.com"})])
    rows = [{"email": "a@example.com", "company": "One"}, {"email": "b@example.com", "company": "One"}]
    planned = ground.plan("program_contacts", rows)
    other = [{"email": "b@example.com", "job_title": "Boss"}]

    between(ground, planned, lambda: ground.run("program_contacts", other))

    assert ground.stale_rows(planned) == [3]


def test_a_contact_that_another_upload_has_created_meanwhile_makes_the_plan_stale(ground):
    """X2: two staged uploads that create the same person; the second one would make it twice."""
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}, {"email": "b@example.com"}])
    between(ground, planned, lambda: ground.run("program_contacts", [{"email": "B@example.com"}]))
    assert ground.stale_rows(planned) == [3]


def test_a_second_candidate_that_appeared_since_makes_the_plan_stale(ground):
    """X2: what was one contact is now two, so a person has to judge."""
    ground.fill("outreach", [Entity(1, {"account_number": "1", "email": "a@example.com"})])
    planned = ground.plan("outreach_contacts", [{"email": "a@example.com"}], group="G")
    between(
        ground,
        planned,
        lambda: ground.run("outreach_contacts", [{"account_number": "2", "email": "a@example.com"}], group="G"),
    )
    assert ground.stale_rows(planned) == [2]


def test_a_candidate_whose_key_has_changed_makes_the_plan_stale(ground):
    """X2: the contact that the row was to be a duplicate of is somebody else now."""
    ground.fill("property", [Entity(1, {"full_name": "Ann Bee", "phone": "+12025550143", "email": "a@example.com"})])
    planned = ground.plan("property_contacts", [{"email": "a@example.com"}])
    change = [{"first_name": "Ann", "last_name": "Bee", "phone": "+12025550143", "email": "new@example.com"}]
    between(ground, planned, lambda: ground.run("property_contacts", change))
    assert planned.changes == []
    assert ground.stale_rows(planned) == [2]


def test_a_contact_to_be_deactivated_that_has_changed_makes_the_plan_stale(ground):
    """A8, X2: no row names it, so none is named."""
    ground.fill("program", [Entity(1, {"email": "a@example.com"})])
    planned = ground.plan("program_contacts", [{"email": "b@example.com"}], deactivate_missing=True)
    between(ground, planned, lambda: ground.run("program_contacts", [{"email": "a@example.com", "company": "One"}]))
    assert ground.stale_rows(planned) == [None]


def test_an_unrelated_change_does_not_make_the_plan_stale(ground):
    """X2: neither in this address book nor in another one."""
    ground.fill("program", [Entity(1, {"email": "a@example.com"}), Entity(2, {"email": "b@example.com"})])
    planned = ground.plan(
        "program_contacts", [{"email": "a@example.com", "company": "One"}, {"email": "c@example.com"}]
    )

    def others():
        ground.run("program_contacts", [{"email": "b@example.com", "company": "Two"}, {"email": "d@example.com"}])
        ground.run("property_contacts", [{"email": "c@example.com"}])

    between(ground, planned, others)
    assert ground.stale_rows(planned) == []


def test_an_applied_plan_would_be_stale(ground):
    """X2: its creations are there and its targets have moved, so that it cannot be applied twice."""
    ground.fill("program", [Entity(1, {"email": "a@example.com"})])
    planned = ground.plan(
        "program_contacts", [{"email": "a@example.com", "company": "One"}, {"email": "b@example.com"}]
    )
    ground.apply(planned)
    assert ground.stale_rows(planned)[:2] == [2, 3]


def linked_leads(ground, *, wishes=()):
    """Two leads who are one person, without a wish not to be contacted but those named."""
    leads = [Entity(n, LEAD | {"do_not_contact": n in wishes}, linked_to=of) for n, of in ((1, None), (2, 1))]
    ground.fill("leads", leads)


def leads_profile(matched):
    content = load_profile("dealer_leads").model_dump(mode="json")
    content["columns"].append({"field": "do_not_contact", "heading": "Unsubscribed", "type": "boolean"})
    return Profile.model_validate(content | {"matched": matched, "options": {}})


def test_a_linked_contact_that_has_changed_makes_the_plan_of_a_wish_stale(ground):
    """X2: it is a target like the contact that the row reaches."""
    linked_leads(ground)
    planned = ground.plan(leads_profile("update"), [LEAD | WISH], lead_type="SMS")
    assert ground.stale_rows(planned) == []
    for contact_id in (2, 1):  # the row is named once
        ground.book.run("UPDATE contacts SET revision = 2 WHERE contact_id = ?", [contact_id])
        assert ground.stale_rows(planned) == [2]


def test_a_contact_that_was_linked_since_makes_the_plan_of_a_wish_stale(ground):
    """X2: it would stay contactable; planned again, it gets the wish as well."""
    linked_leads(ground)
    planned = ground.plan(leads_profile("update"), [LEAD | WISH], lead_type="SMS")
    between(ground, planned, lambda: ground.run(leads_profile("create"), [LEAD], lead_type="SMS"))
    assert ground.stale_rows(planned) == [2]

    again = ground.run(leads_profile("update"), [LEAD | WISH], lead_type="SMS")
    assert [change["contact_id"] for change in again.changes] == [1, 2, 3]
    assert ground.stale_rows(ground.plan(leads_profile("update"), [LEAD | WISH], lead_type="SMS")) == []


def test_a_contact_that_was_linked_since_and_has_the_wish_itself_leaves_the_plan_as_it_is(ground):
    """X2: nothing would be missed."""
    linked_leads(ground)
    planned = ground.plan(leads_profile("update"), [LEAD | WISH], lead_type="SMS")

    def link():
        ground.fill("leads", [Entity(3, LEAD | WISH)])
        ground.book.run("INSERT INTO links VALUES (3, 1)")
        ground.book.run("INSERT INTO link_changes VALUES ('other', 1, 2, 'create', 3, 1)")
        ground.book.run("INSERT INTO commits VALUES (1, now(), 'other', 'apply', 'leads', NULL, NULL, NULL, NULL)")

    between(ground, planned, link)
    assert ground.stale_rows(planned) == []


@pytest.mark.parametrize("said", [{}, {"do_not_contact": False}])
def test_a_wish_that_came_since_makes_the_plan_of_a_linked_contact_stale(ground, said):
    """X2: the new contact would be contactable beside one that is not; planned again, it has the wish."""
    linked_leads(ground)
    planned = ground.plan(leads_profile("create"), [LEAD | said], lead_type="SMS")
    between(ground, planned, lambda: ground.run(leads_profile("update"), [LEAD | WISH], lead_type="SMS"))
    assert ground.stale_rows(planned) == [2]

    again = ground.plan(leads_profile("create"), [LEAD | said], lead_type="SMS")
    assert ground.stale_rows(again) == []
    ground.apply(again)
    assert {lead["do_not_contact"] for lead in ground.table("contact", "leads").values()} == {True}


def test_a_wish_that_a_younger_contact_has_makes_no_plan_of_a_linked_contact_stale(ground):
    """X2: the new contact has it, and the oldest need not."""
    linked_leads(ground, wishes={2})
    planned = ground.plan(leads_profile("create"), [LEAD], lead_type="SMS")
    between(ground, planned, lambda: ground.run("program_contacts", [{"email": "x@example.com"}]))
    ground.book.run("INSERT INTO commits VALUES (9, now(), 'other', 'apply', 'leads', NULL, NULL, NULL, NULL)")
    assert ground.stale_rows(planned) == []


def test_an_account_that_has_changed_makes_the_plan_stale(ground):
    """D5, X2: accounts are targets like contacts."""
    ground.fill("portfolio", accounts=[Entity(1, {"account_number": "1", "account_name": "One"})])
    planned = ground.plan("portfolio_accounts", [{"account_number": "1", "account_name": "Two"}])
    other = [{"account_number": "1", "account_name": "Three"}]
    between(ground, planned, lambda: ground.run("portfolio_accounts", other))
    assert ground.stale_rows(planned) == [2]


@pytest.mark.parametrize("there", [False, True])
def test_an_account_that_comes_or_goes_makes_the_rows_that_name_it_stale(ground, there):
    """D7, X2: a row rejected for want of its account would be taken now, and one that was taken would be rejected."""
    account = [Entity(1, {"account_number": "1", "account_name": "One"})]
    ground.fill("portfolio", accounts=account if there else [])
    rows = [{"account_number": n, "identifier": n, "full_name": "Ana", "contact_type": "DOCTOR"} for n in ("1", "2")]
    planned = ground.plan("portfolio_contacts", rows)
    assert planned.row_outcomes == ["created" if there else "rejected", "rejected"]

    if there:
        ground.book.run("DELETE FROM accounts")
        ground.book.run("INSERT INTO commits VALUES (1, now(), 'other', 'undo', 'portfolio', NULL, NULL, NULL, NULL)")
    else:
        account = {"account_number": "1", "account_name": "One", "account_type": "MEDICAL"}
        between(ground, planned, lambda: ground.run("portfolio_accounts", [account]))

    assert ground.stale_rows(planned) == [2]


@pytest.mark.timeout(1800)
@settings(agreeing, max_examples=examples(6, 12, "REFERENCE_EXAMPLES"))
@given(case=cases(), moved=st.integers(0, 2**16 - 1), made=st.integers(0, 2**16 - 1))
def test_the_rows_that_would_be_decided_otherwise_are_those_of_the_reference(one_ground, case, moved, made):
    """X2: after contacts have exchanged their values, and rows have become contacts, in another upload's commit."""
    one_ground.empty()
    one_ground.fill(case.profile.address_book, case.book.contacts, case.book.accounts)
    planned = one_ground.plan(case.profile, case.rows, columns=case.columns, **case.given)

    after = exchanged(case, planned.profile, moved, made)
    touched = [contact for contact in after if contact not in case.book.contacts]
    one_ground.book.run("DELETE FROM contacts WHERE contact_id IN (SELECT unnest(?))", [[c.id for c in touched]])
    one_ground.book.run("DELETE FROM links WHERE contact_id IN (SELECT unnest(?))", [[c.id for c in touched]])
    one_ground.fill(planned.profile.address_book, touched, commit=1)

    book = planned.profile.address_book
    in_turn = {row for (row,) in one_ground.staging.rows("FROM rows_in_turn")}
    found = set()
    for place, part in enumerate(parts_of(planned.profile, planned.options, case.columns, {})):
        rows = differing_rows(one_ground.book, part, one_ground.store.settings, book, 0, limit=1000)
        alone = expected(case, planned, after, place)
        assert alone <= {*rows} <= alone | in_turn
        found |= {*rows}
    if not found:
        now = reference.Book(after, case.book.accounts)
        assert people(case, planned, now) == people(case, planned, case.book)


def people(case, planned, book):
    """Whom every row means that is neither rejected nor in review; what it changes depends on values as well."""
    outcomes = reference.plan(book, case.rows, planned.profile, planned.options).outcomes
    return {row: (said.outcome in {"rejected", "review"}, said.target) for row, said in outcomes.items()}


def exchanged(case, profile, moved, made):
    """The contacts after some have exchanged their values, and the persons of some rows have become contacts."""
    contacts = list(case.book.contacts)
    chosen = [place for place in range(len(contacts)) if moved >> place & 1]
    for place, other in zip(chosen, chosen[1:] + chosen[:1], strict=True):
        contacts[place] = replace(contacts[place], values=case.book.contacts[other].values)
    subject = reference.subjects_of(profile)[-1]
    for place, row in enumerate(case.rows[:16]):
        values = subject.of(row)
        if made >> place & 1 and values and subject.entity == "contact":
            contacts.append(Entity(900 + place, {name: value or None for name, value in values.items()}))
    return contacts


def expected(case, planned, after, place):
    """The rows that the contacts alone would now decide otherwise."""
    subject = reference.subjects_of(planned.profile)[place]
    unknown = {r["row_number"] for r in planned.rejections if r["code"] == "account-unknown"}
    book = reference.Book(after, case.book.accounts)
    rows = set()
    for row in case.rows:
        values = subject.of(row)
        if row.wrong is None and row.number not in unknown and values is not None:
            before = reference.decide(values, subject.all_of(case.book), subject.rules)
            if reference.decide(values, subject.all_of(book), subject.rules) != before:
                rows.add(row.number)
    return rows


def between(ground, planned, others):
    """Lets other uploads be planned and applied, and puts what the plan staged back afterwards, views as tables."""
    kept = {name: ground.staging.frame(f"FROM {name}") for name, _ in ground.staged()}
    others()
    ground.unstage()
    for name, frame in kept.items():
        ground.staging.store(name, frame)


def test_an_id_that_somebody_else_has_taken_makes_the_plan_stale(ground):
    """X2: the tables have no index that would refuse it; nothing else of the other contact touches the plan."""
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}, {"email": "b@example.com"}])
    assert [change["contact_id"] for change in planned.changes] == [1, 2]
    ground.fill("property", [Entity(2, {"email": "c@example.com"})])

    assert ground.stale_rows(planned) == [3]


def test_a_target_that_is_gone_makes_the_plan_stale(ground):
    """X2: whatever took it away."""
    ground.fill("program", [Entity(1, {"email": "a@example.com"})])
    planned = ground.plan("program_contacts", [{"email": "a@example.com", "company": "One"}])
    ground.book.run("DELETE FROM contacts")

    assert ground.stale_rows(planned) == [2]
