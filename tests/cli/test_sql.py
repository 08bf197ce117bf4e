"""`sql`: what analysts ask of staged rows and of the contacts, read-only and masked."""

import csv
import json

import polars as pl
import pytest

from contact_pipeline import Pipeline
from contact_pipeline.contracts.tables import STAGED
from contact_pipeline.pipeline import asking
from tests.homes import fill_once

SSN, BORN, NOTED = "899-99-0176", "1984-04-17", "899-99-0177"


def fill(home, file):
    pipeline = Pipeline(home)
    applied = pipeline.plan(file, "outreach_contacts", group="Spring").upload_id
    pipeline.apply(applied)
    file.write_text(file.read_text() + "Kim,202-555-0174,,Lund,,AC-4,kim@example.com,02139\n")
    return applied, pipeline.plan(file, "outreach_contacts", group="Spring").upload_id


@pytest.fixture
def uploads(home, outreach):
    file = outreach(
        f"Hana,202-555-0171,{SSN},Ames,{BORN},AC-1,hana@example.com,02139",
        f"Ida,202-555-0172,,call {NOTED},,AC-2,ida@example.com,02139",
        "Jo,202-555-0173,,Lund,,AC-3,wrong@,02139",
    )
    return fill_once(home, fill, home, file)


@pytest.fixture
def upload(uploads):
    """An applied one."""
    return uploads[0]


def test_rows_are_joined_with_the_contacts_as_they_are_now(run, upload):
    ended = run("sql", upload, """
        SELECT o.row_number, b.first_name, n.ssn FROM outcome_rows AS o
        JOIN normalized_rows AS n USING (row_number) JOIN base_contacts AS b USING (contact_id) ORDER BY ALL;""",
        "--json")  # fmt: skip
    assert ended.document == [
        {"row_number": 2, "first_name": "Hana", "ssn": "***-**-****"},
        {"row_number": 3, "first_name": "Ida", "ssn": None},
    ]


def test_no_table_shows_what_is_sensitive_unless_asked(run, home, upload):
    pipeline = Pipeline(home)
    asked = [each.name for each in pipeline.sql_tables(upload)]
    assert {"raw_rows", "normalized_rows", "contact_changes", "base_contacts", "base_contact_changes"} <= {*asked}
    shown = {name: str(pipeline.sql(upload, f"FROM {name}").to_dicts()) for name in asked}
    plain = {name: str(pipeline.sql(upload, f"FROM {name}", unmasked=True).to_dicts()) for name in asked}
    for value in (SSN, BORN, NOTED):
        assert [name for name, rows in shown.items() if value in rows] == []
        assert {"raw_rows", "normalized_rows", "base_contacts"} <= {name for name in asked if value in plain[name]}
    for made in ("query_table('raw_' || 'rows')", "query('FROM raw_' || 'rows')"):
        assert SSN not in str(pipeline.sql(upload, f"FROM {made}").to_dicts())
    assert "hana@example.com" in shown["raw_rows"]
    assert run("sql", upload, "FROM raw_rows", "--unmasked").out.count(SSN) == 1
    assert run("sql", upload, "FROM raw_rows").out.count("***-**-****") == 2  # one in the column, one in a name


def test_every_table_of_the_catalogue_is_known_and_none_of_the_base_has_the_name_of_another():
    assert {table.name for table in STAGED}.isdisjoint(asking._KEPT)
    assert len(asking._KEPT) == len(asking._OF_THE_BASE)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELEC 1", "syntax error"),
        ("FROM nix", "nix does not exist"),
        ("SELECT 1; SELECT 2", "Only one query"),
        ("DROP TABLE raw_rows", "Only one query"),
        ("COPY raw_rows TO 'raw.csv'", "Only one query"),
        ("WITH gone AS (DELETE FROM outcome_rows RETURNING *) FROM gone", "DuckDB says"),
        (f"SELECT '{SSN}'::INTEGER", "***-**-****"),
        ("SELECT 1) UNION (SELECT 2", "syntax error"),
        ("FROM 'nix.csv'", "No files found"),
        ("FROM force_checkpoint()", "DuckDB says"),
    ],
)
def test_what_is_no_query_or_would_change_something_is_refused(run, home, upload, query, said):
    ended = run("sql", upload, query)
    assert (ended.status, said in ended.err, "Traceback" in ended.err) == (1, True, False), ended.err
    assert Pipeline(home).sql(upload, "SELECT count(*) FROM outcome_rows").item() == 3


def test_rows_are_written_as_csv_and_parquet(run, upload, tmp_path):
    query = """SELECT row_number, ['a', NULL, 'b'] AS list, 1 AS x, 2 AS x, {'n': 1} AS one, [{'n': 1}] AS many
        FROM outcome_rows ORDER BY 1"""
    assert run("sql", upload, query, "-o", tmp_path / "rows.csv").status == 0
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [*csv.reader(file)][:2] == [
            ["row_number", "list", "x", "x_1", "one", "many"],
            ["2", "a; ; b", "1", "2", '{"n": 1}', '[{"n": 1}]'],
        ]
    assert run("sql", upload, query, "-o", tmp_path / "rows.parquet").status == 0
    assert pl.read_parquet(tmp_path / "rows.parquet").height == 3
    assert run("sql", upload, query, "-o", tmp_path / "rows.csv").status == 2  # it is there
    assert run("sql", upload, query, "-o", tmp_path / "rows.txt").status == 2


@pytest.mark.parametrize(
    ("value", "shown", "written"),
    [
        ("now() - now() + INTERVAL 3 DAY", "3 days", "3 days"),
        ("[INTERVAL 3 DAY]", "[3 days]", "[3 days]"),
        ("'x'::BLOB", "x", "x"),
        ("'101'::BIT", "101", "101"),
        ("union_value(a := 1)", "1", "1"),
        ("'infinity'::DATE", "infinity", "infinity"),
        ("'290000-01-01'::TIMESTAMP", "290000-01-01 00:00:00", "290000-01-01 00:00:00"),
        ("'0044-03-15 (BC)'::DATE", "0044-03-15 (BC)", "0044-03-15 (BC)"),
        ("'2024-04-17'::DATE", "2024-04-17", "2024-04-17"),
        ("[NULL, 'x']", [None, "x"], "; x"),
        ("['nan'::DOUBLE]", [None], "nan"),
        ("{'a': 'inf'::DOUBLE}", {"a": None}, '{"a": null}'),
        ("[[1, NULL], NULL]", [[1, None], None], "[[1, null], null]"),
        ("[{'a': DATE '2024-04-17'}]", [{"a": "2024-04-17"}], '[{"a": "2024-04-17"}]'),
        ("NULL::INTEGER[]", None, ""),
    ],
)
def test_a_value_of_every_kind_is_shown_and_written(run, upload, tmp_path, value, shown, written):
    query = f"SELECT {value} AS x, 1 AS y"
    assert run("sql", upload, query).status == 0
    assert run("sql", upload, query, "--json").document == [{"x": shown, "y": 1}]
    assert run("sql", upload, query, "-o", tmp_path / "rows.csv").status == 0
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [*csv.reader(file)][1:] == [[written, "1"]]
    assert run("sql", upload, query, "-o", tmp_path / "rows.parquet").status == 0


@pytest.mark.parametrize("end", [";", "; -- done", " ; /* é; */ ;", " -- ;", ";;"])
def test_a_query_may_end_in_a_comment(run, upload, end):
    assert run("sql", upload, f"/* first */\nSELECT 'é;' AS said{end}", "--json").document == [{"said": "é;"}]


def test_the_copies_behind_the_contacts_cannot_be_named(run, home, upload):
    ended = run("sql", upload, "FROM base_contacts, _base_contacts")
    assert (ended.status, SSN in ended.out) == (1, False)
    assert "_base_contacts does not exist" in ended.err


def test_a_query_comes_from_stdin_and_without_one_the_tables_are_listed(run, upload):
    assert run("sql", upload, answer="SELECT 'from stdin' AS said").out.count("from stdin") == 1
    assert "raw_rows" in run("sql", upload).out
    assert "base_contacts" in {each["table"] for each in json.loads(run("sql", upload, "--json").out)}
    assert run("sql", upload, "SELECT 'nan'::DOUBLE AS x", "--json").document == [{"x": None}]
    query = "SELECT sum(x) AS x, [sum(x)] AS y, sum(1.50) AS z FROM range(3) AS r(x)"
    assert run("sql", upload, query, "--json").document == [{"x": 3, "y": [3], "z": "4.50"}]


def test_of_an_upload_that_is_not_staged_any_more_it_says_so(run, uploads):
    run("cancel", uploads[1])
    assert "its rows are not kept" in run("sql", uploads[1], "FROM raw_rows").err
    assert run("sql", "nix", "FROM raw_rows").status == 1
