"""A pipeline on a home of its own, and small files for it."""

import csv
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from tests.homes import new_home

OUTREACH = {
    "first": "First name", "phone": "Phone number", "ssn": "Social security number", "last": "Last name",
    "born": "Date of birth", "account": "Account number", "email": "Email", "zip": "Zip code",
}  # fmt: skip
DIRECTOR = "d.rivers"


@pytest.fixture
def pipeline(tmp_path):
    users = tmp_path / "users.yaml"
    users.write_text(f"- {{login: {DIRECTOR}, name: Dana Rivers, roles: [director], can_import: true}}\n")
    pipeline = Pipeline(home=new_home(tmp_path / "home"))
    pipeline.store.load_users(users)
    return pipeline


@pytest.fixture
def write(tmp_path):
    """Writes a CSV file."""

    def write_it(name, headings, rows):
        path = Path(tmp_path / name)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(headings)
            writer.writerows(rows)
        return path

    return write_it


@pytest.fixture
def outreach(pipeline, write):
    """Plans an outreach upload of rows given by short names of their columns."""

    def plan(*rows, name="people.csv", **options):
        cells = [[row.get(column, "") for column in OUTREACH] for row in rows]
        return pipeline.plan(
            write(name, OUTREACH.values(), cells), "outreach_contacts", **{"group": "Spring", **options}
        )

    return plan


@pytest.fixture
def leads(pipeline, write):
    """Plans and applies an upload of leads given as (name, phone, email)."""

    def import_leads(*rows, name="leads.csv", **options):
        file = write(name, ["Name", "Phone", "Email"], rows)
        planned = pipeline.plan(file, "dealer_leads", user=DIRECTOR, **{"lead_type": "SMS", **options})
        return pipeline.apply(planned.upload_id, user=DIRECTOR)

    return import_leads


@pytest.fixture
def contacts(pipeline):
    """The contacts by id, without what every change moves (revision, last upload)."""

    def by_id(**options):
        return {
            contact["contact_id"]: {
                name: value
                for name, value in contact.items()
                if value not in (None, []) and name not in {"revision", "last_upload_id", "address_book", "contact_id"}
            }
            for contact in pipeline.store.contacts(**options)
        }

    return by_id
