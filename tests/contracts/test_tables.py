"""The catalogue of the staged tables says what uploads really stage, and what of it is personal."""

from itertools import chain
from pathlib import Path

import duckdb
import pytest
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.contracts.tables import STAGED, is_personal

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
OF_INVERSE = {"created_commit", "last_upload_id"}
CALLED_LIKE_OURS = """
name: readers
title: Readers
address_book: news
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email}
  - {field: full_name, heading: Name, type: name}
  - {field: reason, heading: Reason}
  - {field: code, heading: Code}
match:
  - equal: [email]
  - {equal: [full_name], higher_differs: another}
matched: update
on_error: reject
apply: approval
"""


def columns_of(database):
    """Table → its columns with their types, of one staging database and the Parquet files beside it."""
    with duckdb.connect() as connection:
        connection.execute(f"SET file_search_path = '{database.parent}'")
        connection.execute(f"ATTACH '{database}' AS staged (READ_ONLY)")
        connection.execute("USE staged")
        tables = connection.execute("""
            SELECT table_name AS name FROM duckdb_tables() WHERE database_name = 'staged' UNION ALL
            SELECT view_name FROM duckdb_views() WHERE database_name = 'staged' AND NOT internal""").fetchall()
        return {
            name: {row[0]: row[1] for row in connection.execute(f'DESCRIBE "{name}"').fetchall()} for (name,) in tables
        }


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """Table → its columns wherever it was staged: contacts, accounts, both, rows decided later, and an inverse."""
    home = tmp_path_factory.mktemp("catalogue")
    pipeline = Pipeline(home)
    pipeline.store.load_users(SAMPLES / "users.yaml")
    pipeline.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")

    def plan(name):
        options = yaml.safe_load((SAMPLES / f"{name}.options.yaml").read_text(encoding="utf-8"))
        return pipeline.plan(SAMPLES / name, name.rsplit(".", 1)[0].rsplit("_", 1)[0], **options), options["user"]

    for name in ("portfolio_accounts_1.xlsx", "dealer_leads_1.csv", "dealer_leads_2.csv"):
        planned, user = plan(name)
        upload = pipeline.apply(planned.upload_id, user=user)
    plan("portfolio_contacts_1.xlsx")
    review = next(row for row in upload.as_dict(rows=True)["rows"] if row["outcome"] == "review")
    pipeline.resolve(upload.upload_id, review["row_number"], "new", user=user)
    pipeline.plan_undo(upload.upload_id)
    found = {}
    for database in sorted(home.rglob("staging.duckdb")):
        for table, columns in columns_of(database).items():
            found.setdefault(table, []).append(columns)
    return found


def test_every_staged_table_is_in_the_catalogue_and_no_other(staged):
    assert sorted(staged) == sorted(table.name for table in STAGED)


@pytest.mark.parametrize("table", STAGED, ids=lambda table: table.name)
def test_a_table_has_the_columns_of_the_catalogue(staged, table):
    declared = {column.name: column.type for column in table.columns}
    always = {name: kind for name, kind in declared.items() if name not in OF_INVERSE}

    for columns in staged[table.name]:
        assert {name: columns.get(name) for name in always} == always
        further = columns.keys() - declared.keys()
        assert bool(table.open) or not further
    assert {*declared} <= {*chain.from_iterable(staged[table.name])}
    assert {*table.key} <= {*declared}


def test_our_words_are_not_personal_and_what_a_profile_calls_so_is():
    assert not is_personal("rejections", "code")
    assert is_personal("rejections", "value")
    assert is_personal("normalized_rows", "code")
    assert is_personal("a table of an earlier version", "code")


def test_who_is_erased_leaves_no_value_in_fields_that_are_called_like_ours(tmp_path):
    """As of a row that was decided later, whose normalized form is a table of its own."""
    pipeline = Pipeline(tmp_path / "home")
    profiles = tmp_path / "home" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "readers.yaml").write_text(CALLED_LIKE_OURS)
    known, more = tmp_path / "known.csv", tmp_path / "more.csv"
    known.write_text("Email,Name,Reason,Code\na1@example.com,Ann Bee,,\na2@example.com,Ann Bee,,\n")
    more.write_text("Email,Name,Reason,Code\n,Ann Bee,moved to the lighthouse,heather\n")
    pipeline.apply(pipeline.plan(known, "readers").upload_id)
    upload = pipeline.apply(pipeline.plan(more, "readers").upload_id)
    pipeline.resolve(upload.upload_id, 2, 1)

    pipeline.erase(1)

    held = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and b"lighthouse" in path.read_bytes()]
    held += [path for path in (tmp_path / "home").rglob("*") if path.is_file() and b"heather" in path.read_bytes()]
    assert held == []
