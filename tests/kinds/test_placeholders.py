"""Values that identify nobody: warned about, refused or taken, as the profile says; and names that stay whole."""

import polars as pl
import pytest

from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate import validate

PLACEHOLDERS = [
    ("ssn", "078-05-1120"), ("ssn", "219-09-9999"), ("ssn", "123-45-6789"), ("ssn", "111-11-1111"),
    ("email", "noreply@example.com"), ("email", "No-Reply@example.com"), ("email", "test@example.com"),
    ("email", "do.not.reply@example.com"), ("phone", "+44 7777 777777"), ("phone", "(202) 222-2222"),
    ("phone", "212-777-7777 x3"), ("phone", "+12127777777;ext=12345"),
]  # fmt: skip
REAL = [
    ("ssn", "219-09-9998"), ("ssn", "123-45-6780"), ("email", "testa@example.com"), ("email", "a.test@example.com"),
    ("email", "noreplya@example.com"), ("phone", "(202) 555-0143"),
    ("phone", "(202) 555-0143 x3"), ("phone", "(202) 555-0143 x7777777"),
]  # fmt: skip


def _profile(columns, **more) -> Profile:
    return Profile.model_validate(
        {
            "name": "people",
            "title": "People",
            "address_book": "people",
            "file": {"types": ["csv"]},
            "headings": "exact",
            "region": "US",
            "columns": columns,
            "match": [{"equal": [columns[0]["field"]]}],
            "on_error": "reject",
            "apply": "automatic",
            **more,
        }
    )


def _told(profile: Profile, **cells: str) -> list[tuple[str, str, str]]:
    numbers = pl.Series([2], dtype=pl.UInt32)
    raw = pl.DataFrame(
        {"row_number": numbers, "line_number": numbers, **{name: [cell] for name, cell in cells.items()}}
    )
    clean, _ = normalize(raw, {name: name for name in cells}, profile, Reference())
    return validate(clean, profile, Reference(), {}).select("column", "code", "severity").rows()


def _of(kind: str, value: str, **more: str) -> list[tuple[str, str, str]]:
    return _told(_profile([{"field": kind, "heading": "Value", "type": kind, **more}]), **{kind: value})


@pytest.mark.parametrize(("kind", "value"), PLACEHOLDERS)
def test_a_placeholder_is_taken_with_a_warning_refused_or_taken(kind, value):
    assert _of(kind, value) == [("Value", "placeholder", "warning")]
    assert _of(kind, value, placeholders="reject") == [("Value", "placeholder-rejected", "error")]
    assert _of(kind, value, placeholders="take") == []


@pytest.mark.parametrize(("kind", "value"), REAL)
def test_what_only_looks_like_one_is_a_value(kind, value):
    assert _of(kind, value, placeholders="reject") == []


def test_a_number_of_zeros_is_no_number():
    assert ("Value", "phone-invalid", "error") in _of("phone", "0000000000")


NAMES = [
    {"field": "full_name", "heading": "Name", "type": "name", "split": True},
    {"field": "first_name", "heading": "First", "type": "name"},
    {"field": "last_name", "heading": "Last", "type": "name"},
]


def test_a_name_that_stays_whole_is_warned_about():
    assert _told(_profile(NAMES), full_name="Judge Reinhold", first_name="", last_name="") == [
        ("Name", "name-whole", "warning")
    ]
    assert _told(_profile(NAMES), full_name="Wm. Smith", first_name="", last_name="") == []
    assert _told(_profile(NAMES), full_name="Judge Reinhold", first_name="Judge", last_name="Reinhold") == []
