"""Another contact's address or number in a text gives way to the contact's id, wherever it stands or stood."""

from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.access.others import hide_others
from contact_pipeline.access.theirs import Known
from contact_pipeline.erase.person import Person
from tests.homes import new_home

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
HEADINGS = "First name,Last name,Phone,Email\n"
ANN = "Ann,Avery,(202) 555-0101,ann@example.com"


@pytest.fixture
def bring(tmp_path):
    """Imports a file of leads."""
    pipeline = Pipeline(home=new_home(tmp_path / "home"))
    pipeline.store.load_users(SAMPLES / "users.yaml")

    def import_leads(name, *lines):
        (tmp_path / name).write_text(HEADINGS + "\n".join(lines) + "\n", encoding="utf-8")
        upload = pipeline.plan(tmp_path / name, "dealer_leads", rule="merge", lead_type="SMS", user="m.keane")
        pipeline.apply(upload.upload_id, user="m.keane")
        return pipeline

    return import_leads


def test_an_address_that_another_contact_had_once_is_not_shown(bring):
    bring("one.csv", ANN, "Bob,Brown,(202) 555-0102,bob.old@example.com")
    pipeline = bring("two.csv", "Bob,Brown,(202) 555-0102,bob.new@example.com")
    document = {"note": "her brother: bob.old@example.com, bob.new@example.com", "mine": "ann@example.com"}

    with pipeline.store.open(read_only=True) as database:
        hidden = hide_others(database, document, Known(Person([1], "", {}), {"ann@example.com"}), [1])

    assert hidden == {"note": "her brother: (contact 2), (contact 2)", "mine": "ann@example.com"}


def test_an_address_in_a_further_field_of_another_contact_is_not_shown(tmp_path):
    store = Pipeline(home=new_home(tmp_path / "home")).store
    with store.change() as database:
        for table, side in (("contacts", ""), ("contact_changes", "before_"), ("contact_changes", "after_")):
            database.run(f"ALTER TABLE {table} ADD COLUMN {side}work_email VARCHAR")
        database.run("INSERT INTO fields VALUES ('work_email', 'text', false)")
        database.run("INSERT INTO contacts (contact_id, active, work_email) VALUES (2, true, 'bob@example.com')")

    with store.open(read_only=True) as database:
        assert hide_others(database, ["ask Bob@example.com"], Known(Person([1], "", {}), {}), [1]) == [
            "ask (contact 2)"
        ]
