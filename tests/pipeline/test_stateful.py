"""Any sequence of commands leaves a home in which everything adds up; Hypothesis draws the commands.

`STATEFUL_EXAMPLES=200 pytest tests/pipeline/test_stateful.py` runs that many sequences, longer ones, drawn anew.
"""

import csv
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
import yaml
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contact_pipeline import Pipeline
from contact_pipeline.contracts.states import APPLIED, CALLS, PLANNED
from contact_pipeline.terms import OUTCOMES
from tests.apply.effective import deviations, read_tables
from tests.thorough import examples

WHO = "d.rivers"
MORE = os.environ.get("STATEFUL_EXAMPLES")

# Few values, so that rows meet each other and the contacts in every way.
FIRST, LAST = st.sampled_from(["", "Ann", "Bo"]), st.sampled_from(["", "Bee", "Oak"])
NAME = st.sampled_from(["", "Ann Bee", "Bo Oak"])
EMAIL = st.sampled_from(["", "ann@example.com", "BO@example.com", "cy@example.com", "broken@"])
PHONE = st.sampled_from(["", "(202) 555-0143", "202-555-0166"])
SSN = st.sampled_from(["", "219-09-9990", "078051121"])
NUMBER = st.sampled_from(["", "AC-100001", "AC-100002", "AC-100003"])
COMPANY = st.sampled_from(["", "Acme", "Borealis"])
CRM = st.sampled_from(["123456-SP", "654321-RJ"])
KIND = st.sampled_from(["", "DOCTOR", "SECRETARY"])
NOTHING = st.just("")

# Profile → its headings, what a row may be, and the options of an upload.
FILES = {
    "outreach_contacts": (
        ("First name", "Phone number", "Social security number", "Last name", "Date of birth", "Account number",
         "Email", "Zip code"),
        st.tuples(FIRST, PHONE, SSN, LAST, NOTHING, NUMBER, EMAIL, NOTHING),
        st.fixed_dictionaries({"group": st.sampled_from(["Spring", "Autumn"])}),
    ),
    "dealer_leads": (
        ("Name", "Phone", "Email"),
        st.tuples(NAME, PHONE, EMAIL),
        st.fixed_dictionaries({"lead_type": st.just("SMS"), "rule": st.sampled_from(["merge", "create"])}),
    ),
    "program_contacts": (
        ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title"),
        st.tuples(EMAIL.filter("broken@".__ne__), FIRST, LAST, PHONE, COMPANY, NOTHING),
        st.fixed_dictionaries(
            {"blank": st.sampled_from(["fill", "keep", "overwrite"]), "deactivate_missing": st.booleans(),
             "allow_deactivations": st.just(100)}),
    ),
    "portfolio_accounts": (
        ("Account Number", "Account Name", "Account Type", "Portfolio", "Status", "Contact Name", "Contact Type",
         "Contact Phone", "Contact Email"),
        st.tuples(CRM, COMPANY, st.just("MEDICAL"), st.sampled_from([WHO, "Without Portfolio"]), NOTHING, NAME, KIND,
                  PHONE, NOTHING),
        st.just({}),
    ),
}  # fmt: skip


METHODS = {
    "replan": "plan_again", "apply": "apply", "resolve": "resolve_many", "finalize": "finalize", "undo": "undo",
    "redo": "redo", "cancel": "cancel",
}  # fmt: skip


def watched(pipeline):
    """A pipeline whose calls must lead where the table of states says."""

    def watch(call, method):
        def asked(upload_id, *given, **options):
            before = pipeline.show(upload_id).state
            upload = method(upload_id, *given, **options)
            assert pipeline.show(upload_id).state in CALLS[call].leads[before], (call, before)
            return upload

        return asked

    for call, name in METHODS.items():
        setattr(pipeline, name, watch(call, getattr(pipeline, name)))
    return pipeline


class Home(RuleBasedStateMachine):
    """One home, and what is done to it."""

    @initialize()
    def open_home(self):
        self.folder = Path(tempfile.mkdtemp(prefix="stateful-"))
        users = self.folder / "users.yaml"
        users.write_text(yaml.safe_dump([{"login": WHO, "name": "D", "roles": ["director"], "can_import": True}]))
        self.pipeline = watched(Pipeline(self.folder / "home"))
        self.pipeline.store.load_users(users)
        self.files = 0
        self.checked = {}

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def uploads(self, *states):
        return [upload.upload_id for upload in self.pipeline.uploads() if upload.state in states]

    def some(self, data, things):
        """One of the things, the latest most easily; they are ids, which are not drawn but pointed at."""
        return things[data.draw(st.integers(0, len(things) - 1), label="which")] if things else None

    def write(self, heading, rows, kind):
        self.files += 1
        path = self.folder / f"file {self.files}.{kind}"
        if kind == "csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([heading, *rows])
        else:
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet()
                for number, row in enumerate([heading, *rows]):
                    sheet.write_row(number, 0, row)
        return path

    @rule(data=st.data(), profile=st.sampled_from(sorted(FILES)), at_once=st.booleans())
    def plan(self, data, profile, at_once):
        heading, row, options = FILES[profile]
        rows = data.draw(st.lists(row, min_size=1, max_size=4), label="rows")
        path = self.write(heading, rows, "csv" if profile in {"outreach_contacts", "dealer_leads"} else "xlsx")
        upload = self.pipeline.plan(path, profile, user=WHO, force=True, **data.draw(options, label="options"))
        assert upload.state in {"staged", "blocked", "refused"}, upload.reason
        if at_once and upload.state == "staged":
            assert self.pipeline.apply(upload.upload_id, user=WHO).state == "applied"

    @rule(data=st.data())
    def apply(self, data):
        upload_id = self.some(data, self.uploads("staged"))
        if upload_id:
            upload = self.pipeline.apply(upload_id, user=WHO)
            assert upload.state in {"applied", "stale"}
            again = self.pipeline.apply(upload_id, user=WHO)
            assert again.line == upload.line

    @rule(data=st.data())
    def plan_again(self, data):
        upload_id = self.some(data, self.uploads("stale"))
        if upload_id:
            upload = self.pipeline.plan_again(upload_id)
            assert upload.state in {"staged", "blocked"}
            if upload.state == "staged":
                assert self.pipeline.apply(upload_id, user=WHO).state == "applied"

    @rule(data=st.data(), to=st.sampled_from(["new", "skip", "contact"]))
    def resolve(self, data, to):
        waiting = [
            (upload_id, row) for upload_id in self.uploads(*PLANNED, *APPLIED) for row in self.in_review(upload_id)
        ]
        chosen = self.some(data, waiting)
        if chosen is None:
            return
        if to == "contact":
            book = self.pipeline.store.line(chosen[0]).address_book
            there = [contact for contact in self.contacts() if not contact["erased"]]
            to = self.some(data, [contact["contact_id"] for contact in there if contact["address_book"] == book])
        if to is not None:
            self.pipeline.resolve(*chosen, to, user=WHO)

    def in_review(self, upload_id):
        rows = self.pipeline.show(upload_id).outcome_rows
        return rows.filter(pl.col("outcome") == "review")["row_number"] if "outcome" in rows.columns else []

    @rule(data=st.data())
    def finalize(self, data):
        held = [upload.upload_id for upload in self.pipeline.uploads() if upload.held and upload.state == "applied"]
        upload_id = self.some(data, held)
        if upload_id:
            assert self.pipeline.finalize(upload_id, user=WHO).state == "finalized"

    @rule(data=st.data())
    def undo(self, data):
        upload_id = self.some(data, self.uploads(*APPLIED))
        if upload_id:
            assert self.pipeline.undo(upload_id, user=WHO).state == "undone"

    @rule(data=st.data())
    def redo(self, data):
        upload_id = self.some(data, self.uploads("undone"))
        if upload_id:
            assert self.pipeline.redo(upload_id, user=WHO).state in APPLIED

    @rule(data=st.data())
    def cancel(self, data):
        upload_id = self.some(data, self.uploads(*PLANNED))
        if upload_id:
            self.pipeline.cancel(upload_id, user=WHO)
            assert not self.pipeline.store.staging(upload_id).folder.exists()

    @rule(email=EMAIL.filter(bool), company=COMPANY)
    def add(self, email, company):
        upload = self.pipeline.plan_contact("program_contacts", {"email": email, "company": company}, user=WHO)
        if upload.state == "staged":
            assert self.pipeline.apply(upload.upload_id, user=WHO).state == "applied"

    @rule(data=st.data())
    def set_active(self, data):
        contact_id = self.some(data, [contact["contact_id"] for contact in self.contacts() if not contact["erased"]])
        if contact_id is not None:
            active = self.pipeline.store.contact(contact_id)["active"]
            self.pipeline.set_active(contact_id, active=not active, user=WHO)

    @rule(data=st.data(), group=st.sampled_from(["Spring", "spring", "Autumn"]))
    def change_group(self, data, group):
        contact_id = self.some(data, [contact["contact_id"] for contact in self.contacts() if not contact["erased"]])
        if contact_id is not None:
            groups = {name.casefold() for name in self.pipeline.store.contact(contact_id)["groups"]}
            is_in = group.casefold() in groups
            plan = self.pipeline.plan_group_remove if is_in else self.pipeline.plan_group_add
            assert self.pipeline.apply(plan(group, [contact_id], user=WHO).upload_id, user=WHO).state == "applied"

    @precondition(lambda self: hasattr(self, "pipeline"))
    @rule(data=st.data())
    def erase(self, data):
        contact_id = self.some(data, [contact["contact_id"] for contact in self.contacts() if not contact["erased"]])
        if contact_id is not None:
            erased = self.pipeline.erase(contact_id, user=WHO)
            for each in erased.contact_ids:
                assert self.pipeline.store.contact(each)["erased"]

    def contacts(self):
        return self.pipeline.store.contacts()

    @invariant()
    def every_upload_adds_up(self):
        """X1: rows = the sum over the outcomes, in the ledger and in the staged rows."""
        for upload in self.pipeline.uploads():
            if upload.line == self.checked.get(upload.upload_id):
                continue
            self.checked[upload.upload_id] = upload.line
            if upload.state not in {*PLANNED, *APPLIED, "undone"} or upload.profile == "by_hand":
                continue
            note(f"{upload.upload_id}: {upload.profile} {upload.state} {upload.outcomes} {upload.reason}")
            assert sum(upload.outcomes.values()) == upload.line.data_rows
            rows = upload.outcome_rows
            counted = dict(rows.group_by("outcome").len().iter_rows())
            assert counted == {name: count for name, count in upload.outcomes.items() if count}
            assert set(counted) <= set(OUTCOMES)
            assert rows["row_number"].to_list() == upload.raw_rows["row_number"].to_list()
            if upload.state in PLANNED:
                for entity in ("contact", "account"):
                    changes = upload.staging.table(f"{entity}_changes")
                    if "action" in changes.columns:
                        assert changes[f"{entity}_id"].is_unique().all()

    @invariant()
    def the_tables_are_what_the_effective_changes_make(self):
        """And at most one change of a target in a changeset, and no membership, link or account without its ends."""
        with self.pipeline.store.open(read_only=True) as database:
            assert deviations(database) == []
            stored = read_tables(database)
            for entity in ("contact", "account"):
                twice = f"SELECT 1 FROM {entity}_changes GROUP BY commit_number, {entity}_id HAVING count(*) > 1"
                assert not database.rows(twice), "two changes of one target in a changeset"
        contacts = stored.contacts.keys()
        assert {contact_id for *_, contact_id in stored.memberships} <= contacts
        assert {(book, group) for book, group, _ in stored.memberships} <= stored.groups.keys()
        assert {end for pair in stored.links for end in pair} <= contacts
        accounts = {account["account_number"] for account in stored.accounts.values()}
        of_accounts = {c["account_number"] for c in stored.contacts.values() if c["address_book"] == "portfolio"}
        assert of_accounts - {None} <= accounts

    @invariant()
    def as_of_now_is_the_table_and_nothing_is_published_that_is_not_there(self):
        then = self.pipeline.store.contacts_as_of(datetime(2200, 1, 1))  # noqa: DTZ001 - the tables hold UTC without it
        now = {contact["contact_id"]: contact for contact in self.contacts()}
        assert [contact["contact_id"] for contact in then] == sorted(now)
        for contact in then:
            there = now[contact["contact_id"]]
            assert contact == {name: there[name] for name in contact}
        published = {contact["contact_id"] for contact in self.pipeline.store.contacts(published=True)}
        assert published <= set(now)
        if not any(upload.held and upload.state == "applied" for upload in self.pipeline.uploads()):
            assert published == set(now)


Home.TestCase.settings = settings(
    max_examples=examples(3, 6, "STATEFUL_EXAMPLES"),
    stateful_step_count=30 if MORE else 14,
    deadline=None,
    derandomize=MORE is None,
    suppress_health_check=list(HealthCheck),
)
test_any_sequence_of_commands_leaves_everything_adding_up = pytest.mark.slow(Home.TestCase)
