"""Homes in which the same people stand several times, which no rule of the profile that made them could tell."""

import pytest

from contact_pipeline import Pipeline
from tests.homes import new_home
from tests.pipeline.conftest import contacts, leads, outreach, pipeline, write  # noqa: F401 - fixtures

# Matches by a number of its own alone, so that it makes one contact of each row; `people` has rules that see more.
ENTERED = """
name: entered
title: Entered twice
address_book: people
file: {types: [csv]}
headings: mapped
columns: &columns
  - {field: source_number, heading: Source, example: "1"}
  - {field: full_name, heading: Name, type: name, example: Ana Lee}
  - {field: email, heading: Email, type: email, example: ana@example.com}
  - {field: phone, heading: Phone, type: phone, example: "+12025550143"}
  - {field: ssn, heading: SSN, type: ssn, sensitive: true, example: 219-09-9990}
  - {field: account_number, heading: Account, example: AC-1}
  - {field: address, heading: Address, example: 1 Main St}
  - {field: city, heading: City, example: Springfield}
  - {field: tags, heading: Tags, type: list, kind: list, separator: ";", choices: [a, b, c], example: a}
  - {field: do_not_contact, heading: Leave alone, type: boolean, example: "no"}
region: US
match: [{equal: [source_number]}]
matched: update
within_file: first_wins
blank: keep
on_error: reject
group: {default: Everybody}
apply: approval
"""
RULES = """match:
  - {equal: [account_number]}
  - {equal: [ssn], higher_differs: review}
  - {equal: [email], higher_differs: another}
  - {equal: [full_name, phone], higher_differs: another}
"""
HEADINGS = {
    "no": "Source", "name": "Name", "email": "Email", "phone": "Phone", "ssn": "SSN", "account": "Account",
    "address": "Address", "city": "City", "tags": "Tags", "leave": "Leave alone",
}  # fmt: skip


@pytest.fixture
def base(tmp_path):
    """A pipeline on a home with the profiles `entered` and `people`."""
    home = new_home(tmp_path / "base")
    (home / "profiles").mkdir()
    (home / "profiles" / "entered.yaml").write_text(ENTERED)
    people = ENTERED.replace("name: entered", "name: people").replace("match: [{equal: [source_number]}]\n", RULES)
    (home / "profiles" / "people.yaml").write_text(people)
    return Pipeline(home)


@pytest.fixture
def enter(base, write):  # noqa: F811 - the fixture
    """Makes one contact of each row, given by short names of the columns; the number is the row's place."""
    entered = []

    def enter_them(*rows, group=None, profile="entered"):
        cells = []
        for row in rows:
            entered.append(row)
            cells.append([str(row.get(name, len(entered) if name == "no" else "")) for name in HEADINGS])
        file = write(f"entered-{len(entered)}.csv", HEADINGS.values(), cells)
        options = {"group": group} if group else {}
        return base.apply(base.plan(file, profile, **options).upload_id)

    return enter_them
