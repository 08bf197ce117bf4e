"""The answer to a request for access has, or names as withheld, all that erasing would take; nothing of others."""

import json
import stat

import pytest

from contact_pipeline.engines import open_database, read_parquet
from contact_pipeline.errors import Refusal
from tests.erase.home import BOB, TRACES


def exported(pipeline, tmp_path, contact=1, **options):
    file = tmp_path / "held.json"
    pipeline.export_person(contact, file, overwrite=True, **options)
    return json.loads(file.read_text(encoding="utf-8"))


def texts(part):
    match part:
        case str():
            yield part
        case dict():
            for name, value in part.items():
                yield from texts(name)
                yield from texts(value)
        case list():
            for each in part:
                yield from texts(each)


def stored(home, settings):
    """(upload, table, column, row, value) of every text that the databases and Parquet files of a home hold."""
    found = set()
    for path in sorted(home.rglob("*.parquet")):
        upload, table = path.relative_to(home / "staging").parts[0], path.name.partition("-")[0]
        found |= {(upload, table, *each) for each in cells(read_parquet(path).to_dicts())}
    for path in (*sorted(home.rglob("staging.duckdb")), settings.contacts_path):
        upload = "" if path == settings.contacts_path else path.relative_to(home / "staging").parts[0]
        with open_database(path, settings, read_only=True) as database:
            for (table,) in database.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary"):
                found |= {(upload, table, *each) for each in cells(database.records(f'FROM "{table}"'))}
    return found


def cells(records):
    """(column, row, text) of every text in records; keys that stand together are taken apart."""
    for record in records:
        for name, value in record.items():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and each:
                    several = [key.partition("=")[2] for key in each.split("\x1f")] if name == "keys" else [each]
                    yield from ((name, record.get("row_number"), one) for one in several)


def test_whatever_erasing_takes_away_is_shown_or_named_as_left_out(pipeline, tmp_path):
    home, settings = pipeline.settings.home, pipeline.settings
    document = exported(pipeline, tmp_path)
    shown = set(texts(document))
    all_shown = "\n".join(shown).casefold()
    partly = {
        (upload["upload_id"], row["row_number"])
        for upload in document["uploads"]
        for row in upload["rows"]
        if row["whose"] != "theirs"
    }
    before = stored(home, settings)

    pipeline.erase(1, user="dpo")

    taken = before - stored(home, settings)
    assert len(taken) > 100
    missing = {
        (upload, table, name, row, value)
        for upload, table, name, row, value in taken
        if value.casefold() not in all_shown and (upload, row) not in partly
    }
    ours = {"state", "stage", "reason", "staged_files", "warnings", "message", "fix", "outcome", "last_upload_id"}
    assert {each for each in missing if each[2] not in ours} == set()


def test_every_trace_of_her_is_there_in_full(pipeline, tmp_path):
    said = "\n".join(texts(exported(pipeline, tmp_path))).casefold()

    assert [trace for trace in TRACES if trace.casefold() not in said] == []


def test_nobody_elses_values_are_there(pipeline, tmp_path):
    document = exported(pipeline, tmp_path)
    said = "\n".join(texts(document)).casefold()

    others = (
        BOB[6],
        "AC-112233",
        "kim@example.com",
        "AC-445566",
        "ida@example.com",
        "ian@example.com",
        "bea@example.com",
    )
    assert [value for value in others if value.casefold() in said] == []
    rows = {(upload["file_name"], row["row_number"]): row for upload in document["uploads"] for row in upload["rows"]}
    kim = rows["again.csv", 3]  # who came with her number
    assert kim["whose"] != "theirs"
    assert kim["cells"] == {"Social security number": "219-09-9990"}
    assert kim["withheld"] == ["Account number", "Email", "First name", "Last name"]


def test_rejected_rows_that_are_hers_are_there(pipeline, tmp_path):
    document = exported(pipeline, tmp_path)

    (row,) = [
        row
        for upload in document["uploads"]
        for row in upload["rows"]
        if row["outcome"] == "rejected" and "13/45/1984" in row["cells"].values()
    ]
    assert (row["whose"], row["withheld"]) == ("theirs", [])


def test_the_files_that_erasing_deletes_are_named(pipeline, tmp_path):
    document = exported(pipeline, tmp_path)

    erased = pipeline.erase(1, user="dpo")

    places = document["other_places"]
    assert {*erased.deleted} == {*places["files"], *places["copies"]}
    assert erased.left == places["left_by_erasing"]
    assert places["previews"] > 0


def test_the_home_stays_as_it_is_and_the_file_is_for_its_owner_only(pipeline, tmp_path):
    home = pipeline.settings.home
    pipeline.uploads()
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    written = pipeline.export_person(1, tmp_path / "held.html")

    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert stat.S_IMODE(written.file.stat().st_mode) == 0o600


def test_a_page_in_the_home_goes_with_the_person(pipeline):
    file = pipeline.export_person(1).file

    assert file == pipeline.settings.home / "reports" / "contact-1.html"
    assert "reports/contact-1.html" in pipeline.erase(1, user="dpo").deleted
    assert not file.exists()
    with pytest.raises(Refusal, match="erased"):
        pipeline.export_person(1)
