"""The values that identify a person are found alike by DuckDB, Polars and Python, and find nobody else."""

import re

import duckdb
import polars as pl
import pytest

from contact_pipeline.erase.person import find_person
from tests.erase.home import OUTREACH, open_home, write_csv

BLANK = dict.fromkeys(OUTREACH, "")


@pytest.fixture
def pipeline(tmp_path):
    return open_home(tmp_path)


def import_people(pipeline, folder, *people):
    """Applies a file of people, each a dict by headings; the contacts are numbered from 1."""
    rows = [tuple((BLANK | person).values()) for person in people]
    planned = pipeline.plan(write_csv(folder / "people.csv", OUTREACH, *rows), "outreach_contacts", group="G")
    return pipeline.apply(planned.upload_id)


def finds(pattern: str, text: str) -> bool:
    """Whether the pattern finds something in the text; all three who read it say the same."""
    found = {
        duckdb.execute("SELECT regexp_matches(?, ?)", [text, pattern]).fetchall()[0][0],
        pl.Series([text]).str.contains(pattern)[0],
        re.search(pattern, text) is not None,
    }
    assert len(found) == 1, text
    return found.pop()


@pytest.mark.parametrize(
    ("heading", "value", "hers", "of_others"),
    [
        (
            "Account number",
            "550143",
            ("550143", "account 550143.", "a,550143,b", "550143\t12"),
            ("(202) 555-0143", "+12025550143", "202 550143", "55-01-43", "550143 22"),
        ),
        ("Account number", "260112", ("260112",), ("26/01/12", "2026-01-12", "26-01-12")),
        ("Account number", "55-0143", ("55-0143", "550143"), ("(202) 555-0143", "202-55-0143")),
        (
            "Phone number",
            "+354 551 2345",
            ("+3545512345", "551-2345 (home)", "551 2345", "00354 5512345", "+354 (551) 2345"),
            ("(212) 551-2345", "+12125512345", "2125512345", "551 2345 678"),
        ),
        (
            "Phone number",
            "+44 20 7946 0018",
            ("020 7946 0018", "+44 (0)20 7946 0018", "011 44 20 7946 0018", "00442079460018", "20.7946.0018"),
            ("120 7946 00189",),
        ),
        ("Email", "an@example.com", ("AN@example.com", "«an@example.com»"), ("joan@example.com", "жan@example.com")),
        ("Email", "an@example.com", ("an@example.com",), ("ñan@example.com", "an@example.comé")),
        ("Email", "İrosa@example.com", ("İrosa@example.com", "İROSA@example.com", "irosa@example.com"), ()),
    ],
)
def test_a_value_is_found_as_it_may_be_written_and_not_in_what_others_have(
    pipeline, tmp_path, heading, value, hers, of_others
):
    needed = {} if heading == "Account number" else {"First name": "Ann", "Last name": "One"}
    import_people(pipeline, tmp_path, needed | {heading: value})
    with pipeline.store.open(read_only=True) as database:
        pattern = find_person(database, [1]).pattern

    assert [text for text in hers if not finds(pattern, text)] == []
    assert [text for text in of_others if finds(pattern, text)] == []


def test_a_number_that_ends_as_another_ones_does_takes_nobody_else_with_it(pipeline, tmp_path):
    """Her account number was found at the end of his telephone number: his rows were emptied, and left out of plans."""
    import_people(
        pipeline,
        tmp_path,
        {"Account number": "550143"},
        {"Account number": "777001", "Phone number": "(202) 555-0143"},
        {"Account number": "777002", "Email": "550143@example.com"},
    )
    new = tuple((BLANK | {"Account number": "777003", "Phone number": "+1 202 555 0143"}).values())
    planned = pipeline.plan(write_csv(tmp_path / "new.csv", OUTREACH, new), "outreach_contacts", group="G")

    erased = pipeline.erase(1)

    assert [*erased.rows.values()] == [[2]]
    assert erased.shared == {"account_number": [3]}
    assert pipeline.show(planned.upload_id).state == "staged"
    assert pipeline.apply(planned.upload_id).outcomes["created"] == 1
    assert pipeline.verify().findings == []
