"""Homes with the people of the samples, and ways to put values into them that an import would refuse."""

import csv
from pathlib import Path

import openpyxl
import pytest

from contact_pipeline import Pipeline
from tests.homes import new_home

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
ADMIN = "m.keane"
# Import profile → the samples that bring its contacts, each with its profile.
BROUGHT_BY = {
    "dealer_leads": [("dealer_leads_1.csv", "dealer_leads"), ("dealer_leads_3.csv", "dealer_leads")],
    "outreach_contacts": [("outreach_contacts_1.csv", "outreach_contacts")],
    "portfolio_accounts": [("portfolio_accounts_1.xlsx", "portfolio_accounts")],
    "portfolio_contacts": [
        ("portfolio_accounts_1.xlsx", "portfolio_accounts"),
        ("portfolio_contacts_1.xlsx", "portfolio_contacts"),
    ],
    "program_contacts": [("program_contacts_1.xlsx", "program_contacts")],
    "property_contacts": [("property_contacts_1.xlsx", "property_contacts")],
    "suppression_list": [
        ("outreach_contacts_1.csv", "outreach_contacts"),
        ("suppression_list_1.csv", "suppression_list"),
    ],
}
OPTIONS = {"dealer_leads": {"lead_type": "SMS"}}


@pytest.fixture
def pipeline(tmp_path):
    pipeline = Pipeline(home=new_home(tmp_path / "home"))
    pipeline.store.load_users(SAMPLES / "users.yaml")
    pipeline.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")
    return pipeline


@pytest.fixture
def bring(pipeline):
    """Imports the samples that bring a profile's contacts."""

    def import_samples(profile):
        for file, by in BROUGHT_BY[profile]:
            options = {"rule": "create", **OPTIONS[by]} if file == "dealer_leads_3.csv" else OPTIONS.get(by, {})
            upload = pipeline.plan(SAMPLES / file, by, user=ADMIN, **options)
            if upload.state == "staged":
                pipeline.apply(upload.upload_id, user=ADMIN)

    return import_samples


@pytest.fixture
def insert(pipeline):
    """Puts contacts or accounts into the database without an import: field → value, and the address book."""

    def put(book, *rows, table="contacts"):
        key = table.removesuffix("s") + "_id"
        with pipeline.store.change() as database:
            first = database.value(f"SELECT coalesce(max({key}), 0) + 1 FROM {table}")
            for number, row in enumerate(rows, start=first):
                own = {key: number, "address_book": book, "revision": 1, "created_commit": 1, "last_commit": 1}
                values = own | ({"active": True} if table == "contacts" else {}) | row
                names = ", ".join(f'"{name}"' for name in values)
                signs = ", ".join("?" * len(values))
                database.run(f"INSERT INTO {table} ({names}) VALUES ({signs})", list(values.values()))
        return first

    return put


@pytest.fixture
def plan_again(pipeline, tmp_path):
    """Exports by a profile and plans the unchanged file; gives the export and the upload."""

    def export_and_plan(profile, *, ending=None, **filters):
        target = pipeline.profiles()[0][profile]
        path = tmp_path / f"{profile}.{ending or target.file.types[0]}"
        written = pipeline.export(path, profile, overwrite=True, **filters)
        return written, pipeline.plan(path, profile, user=ADMIN, **OPTIONS.get(profile, {}))

    return export_and_plan


def cells(path):
    """The rows of a CSV file or a workbook, as text."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [*csv.reader(file)]
    sheet = openpyxl.load_workbook(path).active
    return [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
