"""The catalogue of the kept tables says what the contact database really has: in a new home, and in an old one."""

import shutil
import tarfile
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.contracts.kept import KEPT
from contact_pipeline.contracts.ledger import COLUMNS
from contact_pipeline.engines import quoted
from contact_pipeline.pipeline.found import Found
from contact_pipeline.terms import CANONICAL, OUTCOMES

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
OLD_HOME = Path(__file__).parents[1] / "store" / "home_of_first_schema.tgz"
FEED = "source: in/*.csv\nprofile: outreach_contacts\noptions: {group: Fed}\n"
NOTICES = "targets: {a: {env: NO_SUCH_A}, b: {env: NO_SUCH_B}}\nnotices: [{to: [a, b], on: [applied, undone]}]\n"
FURTHER = {"", "before_", "after_"}


def fill(pipeline):
    """Imports samples, decides, undoes, erases and tells, so that every kept table has rows."""
    pipeline.settings.notices_path.write_text(NOTICES)
    pipeline.store.load_users(SAMPLES / "users.yaml")
    pipeline.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")
    applied = {}
    for name in (
        "portfolio_accounts_1.xlsx", "program_contacts_1.xlsx", "outreach_contacts_1.csv", "dealer_leads_1.csv",
        "dealer_leads_2.csv", "dealer_leads_3.csv",
    ):  # fmt: skip
        options = yaml.safe_load((SAMPLES / f"{name}.options.yaml").read_text(encoding="utf-8"))
        user, profile = options["user"], name.rsplit("_", 1)[0]
        planned = pipeline.plan(SAMPLES / name, profile, **options)
        applied[name] = pipeline.apply(planned.upload_id, user=user)
        if applied[name].held:
            pipeline.finalize(planned.upload_id, user=user)
    leads = applied["dealer_leads_2.csv"]
    review = next(row for row in leads.as_dict(rows=True)["rows"] if row["outcome"] == "review")
    pipeline.resolve(leads.upload_id, review["row_number"], "new", user=user)
    later = pipeline.plan(SAMPLES / "outreach_contacts_1.csv", "outreach_contacts", force=True, group="Later")
    city = {"where": ("Zip code", later.raw_rows["Zip code"].drop_nulls()[0]), "set": {"zip_code": "02134"}}
    pipeline.correct(later.upload_id, **city, remember=True)
    feeds, source = pipeline.settings.feeds_path, pipeline.settings.home / "in"
    for folder in (feeds, source):
        folder.mkdir(mode=0o700)
    (feeds / "crm.yaml").write_text(FEED)
    shutil.copy2(SAMPLES / "outreach_contacts_1.csv", source)
    pipeline.run_feed("crm")
    pipeline.store.save_mapping("dealer_leads", ["Who"], {"c1": "full_name"}, ["c1"])
    pipeline.undo(applied["program_contacts_1.xlsx"].upload_id, user="k.adeyemi")
    pipeline.erase(1)
    pipeline.expire(older_than=0, profile="program_contacts")
    pipeline.send_notices()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    pipeline = Pipeline(tmp_path_factory.mktemp("kept"))
    fill(pipeline)
    return pipeline


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A home of the first schema, brought up to date."""
    home = tmp_path_factory.mktemp("old")
    with tarfile.open(OLD_HOME) as kept:
        kept.extractall(home, filter="data")
    return Pipeline(home)


@pytest.fixture(scope="module", params=["new", "filled", "old"])
def database(request, tmp_path_factory):
    """A contact database, open: of an empty home, of one with everything in it, of an old one."""
    new = request.param == "new"
    pipeline = Pipeline(tmp_path_factory.mktemp("new")) if new else request.getfixturevalue(request.param)
    with pipeline.store.open(read_only=True) as contacts:
        yield contacts


def columns_of(database, table):
    """Its columns: name → type, whether it is required, default."""
    return {
        name: (sql_type, not nullable, default or "")
        for name, sql_type, nullable, default in database.rows(
            """SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns()
               WHERE NOT internal AND database_name = current_database() AND table_name = ? ORDER BY column_index""",
            [table.name],
        )
    }


def fields_that_came_with_uploads(database):
    return {
        f"{side}{name}": kind
        for name, kind in database.rows("SELECT name, kind FROM fields")
        if name not in CANONICAL or CANONICAL[name].rare
        for side in FURTHER
    }


def test_every_table_and_view_is_in_the_catalogue_and_no_other(database):
    found = database.rows("""
        SELECT table_name, 'database' FROM duckdb_tables() WHERE database_name = current_database()
        UNION ALL
        SELECT view_name, 'view' FROM duckdb_views() WHERE database_name = current_database() AND NOT internal""")
    assert sorted(found) == sorted((table.name, table.lies) for table in KEPT)


@pytest.mark.parametrize("table", KEPT, ids=lambda table: table.name)
def test_a_table_has_the_columns_of_the_catalogue(database, table):
    found = columns_of(database, table)
    declared = {column.name: (column.type, column.required, column.default) for column in table.columns}
    if table.lies == "view":
        found = {name: (sql_type,) for name, (sql_type, *_) in found.items()}
        declared = {name: (sql_type,) for name, (sql_type, *_) in declared.items()}

    assert {name: found.get(name) for name in declared} == declared
    further = found.keys() - declared.keys()
    assert further <= (fields_that_came_with_uploads(database).keys() if table.open else set())
    if not further:
        assert [*found] == [*declared]


@pytest.mark.parametrize("table", KEPT, ids=lambda table: table.name)
def test_a_key_tells_the_rows_apart(filled, table):
    assert {*table.key} <= {column.name for column in table.columns}
    with filled.store.open(read_only=True) as database:
        if table.name != "erased_rows":  # empty once an erasure is whole
            assert database.value(f"SELECT count(*) FROM {quoted(table.name)}")
        if table.key:
            twice = f"SELECT 1 FROM {quoted(table.name)} GROUP BY {', '.join(table.key)} HAVING count(*) > 1"
            assert database.rows(twice) == []


def test_what_a_stage_finds_has_a_column_of_the_ledger():
    found = {each.name for kind in Found.__subclasses__() for each in fields(kind)} - {"outcomes"}
    assert found <= {column.name for column in COLUMNS}


def test_a_line_of_the_ledger_counts_every_outcome():
    assert {*OUTCOMES} <= {column.name for column in COLUMNS if column.default == "0"}
