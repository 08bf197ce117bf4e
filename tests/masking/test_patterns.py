"""What is masked, the same in Python, Polars and SQL; and what looks a little like it and is not."""

from __future__ import annotations

import polars as pl
import pytest

from contact_pipeline.engines import open_database
from contact_pipeline.masking import (
    ALONE,
    ANY,
    TOLD,
    Looks,
    mask,
    mask_column,
    mask_file_name,
    mask_heading,
    mask_sql,
    mask_within,
)
from contact_pipeline.settings import Settings

ALWAYS = {
    "536-22-1487": "***-**-****",
    "536 22 1487": "*** ** ****",
    "536.22.1487": "***.**.****",
    "536\u201322\u20131487": "***\u2013**\u2013****",
    "536 - 22 - 1487": "*** - ** - ****",
    "a_536-22-1487.csv": "a_***-**-****.csv",
    "536-22-1487,536-22-1488 536-22-1489": "***-**-****,***-**-**** ***-**-****",
    "SSN 536221487": "SSN ***-**-****",
    "536\u200b-22-\u20601487": "***-**-****",
    "5\ufeff36-2\u00ad2-1487": "***-**-****",
    "SSN 536\u200b221487": "SSN ***-**-****",
    "Social security number '536221487' is blank": "Social security number '***-**-****' is blank",
    "DOB 03/19/1971": "DOB **/**/****",
    "dob_1971-03-19.csv": "dob_**/**/****.csv",
    "born on March 19, 1971 in Salem": "born on **/**/**** in Salem",
    "Date of birth: 19 March 1971": "Date of birth: **/**/****",
    "Geburtsdatum 19.03.1971": "Geburtsdatum **/**/****",
    "nascida em 19/03/1971": "nascida em **/**/****",
    "1971-03-19 is her birthday": "**/**/**** is her birthday",
}
ALONE_TOO = [
    "536221487",
    "536221487 536221488",
    "call 536221487 now",
    "03/19/1971",
    "1971-03-19",
    "19.3.71",
    "19 Mar 1971",
    "19710319",
]
ANYWHERE_TOO = ["could not convert 'Rosa 1971-03-19' to INT32"]
NEVER = [
    "+12025550143", "(202) 555-0143", "202-555-0143", "202 555 0143", "+44 20 7946 0123", "02139-7781", "02139",
    "AC-100234", "AC536221487", "+536221487", "123456-SP", "11.222.333/0001-81", "390.533.447-05",
    "123456789@example.com", "20261127-045207-abc123", "Osborn, 12 Main Street", "rows 123, 45, 6789",
    "12 rows of 2024", "$1,536.22",
]  # fmt: skip


def in_every_way(texts: list[str], looks: Looks) -> list[list[str]]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    polars = frame.select(mask_column(pl.col("text"), looks))["text"].to_list()
    many = pl.concat([frame] * 100).select(mask_column(pl.col("text"), looks))["text"].to_list()
    assert many == polars * 100  # so many go through Polars' own patterns
    with open_database(None, Settings()) as database:
        database.see("given", frame.with_row_index())
        sql = database.rows(f"SELECT {mask_sql('text', looks)} FROM given ORDER BY index")
    return [[mask(text, looks) for text in texts], polars, [shown for (shown,) in sql]]


@pytest.mark.parametrize("looks", [TOLD, ALONE, ANY])
def test_what_is_sensitive_by_its_form_or_a_label_is_always_masked(looks: Looks) -> None:
    for shown in in_every_way([*ALWAYS], looks):
        assert shown == [*ALWAYS.values()]


def test_a_number_or_a_day_by_itself_is_masked_where_neither_belongs() -> None:
    assert in_every_way(ALONE_TOO, TOLD) == [ALONE_TOO] * 3
    for shown in in_every_way(ALONE_TOO, ALONE):
        assert not [text for text in shown if any(letter.isdigit() for letter in text)]


def test_what_has_invisible_characters_within_is_masked_all_the_same() -> None:
    for shown in in_every_way(["536\u200b221487", "03/\u200b19/1971", "1971\u2060-03-19"], ALONE):
        assert not [text for text in shown if any(letter.isdigit() for letter in text)]


def test_any_day_is_masked_in_a_text_that_quotes_cells() -> None:
    assert in_every_way(ANYWHERE_TOO, ALONE) == [ANYWHERE_TOO] * 3
    for shown in in_every_way(ANYWHERE_TOO, ANY):
        assert shown == ["could not convert 'Rosa **/**/****' to INT32"]


def test_a_column_of_nothing_stays_one() -> None:
    for nothing in ([], [None, None]):
        frame = pl.DataFrame({"text": nothing}, schema={"text": pl.String})
        assert frame.select(mask_column(pl.col("text"), ALONE)).equals(frame)


@pytest.mark.parametrize("looks", [TOLD, ALONE, ANY])
def test_telephone_numbers_zip_codes_and_other_numbers_are_not_masked(looks: Looks) -> None:
    assert in_every_way(NEVER, looks) == [NEVER] * 3


def test_a_heading_that_is_a_row_of_data_shows_no_number() -> None:
    assert mask_heading("Social security number") == "Social security number"
    assert mask_heading("536221487") == "*********"
    assert mask_heading("'03/19/1971' is not expected") == "'**/**/****' is not expected"
    assert mask_heading("(202) 555-0143") == "(***) ***-****"


def test_the_name_of_a_file_has_no_asterisk() -> None:
    assert mask_file_name("leads 536-22-1487.csv") == "leads xxx-xx-xxxx.csv"
    assert mask_file_name("leads_2026-05-01.csv") == "leads_2026-05-01.csv"


def test_names_of_a_mapping_are_masked_like_its_values():
    """Headings are names of columns, and may be data."""
    content = {"536-22-1487": ["536-22-1488", {"SSN 536221489": 7}]}
    assert mask_within(content) == {"***-**-****": ["***-**-****", {"SSN ***-**-****": 7}]}
