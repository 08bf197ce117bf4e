import polars as pl
import pytest
from nameparser import parse

from contact_pipeline.normalize import normalize
from contact_pipeline.normalize.name_parts import parts_of_names
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.reference import Reference


def test_the_case_of_a_name_is_kept(values_of):
    assert values_of(["McDONALD", "de la Cruz", "DELGADO"], type="name") == ["McDONALD", "de la Cruz", "DELGADO"]


def test_a_name_in_capitals_is_put_in_title_case_where_the_profile_says_so(values_of, repairs_in):
    """X5: no cell is silently changed."""
    texts = ["ROSA DELGADO", "O'BRIEN-SMITH", "ÁGUA", "McDONALD", "rosa", "J", "J.R."]
    expected = ["Rosa Delgado", "O'Brien-Smith", "Água", "McDONALD", "rosa", "J", "J.R."]
    assert values_of(texts, type="name", title_case=True) == expected
    assert repairs_in(texts, type="name", title_case=True) == [True, True, True] + [False] * 4


NAMES = {
    "Rosa Delgado": (None, "Rosa", "Delgado", None),
    "Dr. Jane van der Berg Jr.": ("Dr.", "Jane", "van der Berg", "Jr."),
    "Delgado, Rosa": (None, "Rosa", "Delgado", None),
    "Maria da Silva": (None, "Maria", "da Silva", None),
    "Prof Smith": ("Prof", None, "Smith", None),
    "Ana Luiza Souza": (None, "Ana Luiza", "Souza", None),
    "Rosa": (None, "Rosa", None, None),
}


def test_a_full_name_is_taken_apart_with_honorific_and_suffix_kept_apart():
    assert parts_of_names(pl.Series([*NAMES, None])).rows() == [*NAMES.values(), (None,) * 4]


ABBREVIATED = {
    "Wm. Smith": (None, "Wm.", "Smith", None),
    "Ma. Teresa Cruz": (None, "Ma. Teresa", "Cruz", None),
    "Chas. Dickens": (None, "Chas.", "Dickens", None),
    "Robt. E. Lee": (None, "Robt. E.", "Lee", None),
    "Dr. Wm. Smith": ("Dr.", "Wm.", "Smith", None),
    "St. John Smith": (None, "St. John", "Smith", None),
    "Joh. Brahms": (None, "Joh.", "Brahms", None),
    "Ing. Jan Novák": ("Ing.", "Jan", "Novák", None),
    "Sgt. Pepper": ("Sgt.", None, "Pepper", None),
}


def test_an_abbreviated_first_name_is_no_title():
    assert parts_of_names(pl.Series(list(ABBREVIATED))).rows() == [*ABBREVIATED.values()]


def test_a_name_that_begins_like_a_title_stays_whole():
    """X5: nobody can say whether Judge is his name or his office."""
    names = ["Judge Reinhold", "Prince Rogers Nelson", "Baron Davis", "Queen Latifah", "Xyz. Smith"]
    assert parts_of_names(pl.Series(names)).rows() == [(None,) * 4] * 5
    assert parts_of_names(pl.Series(["Mr. Judge Reinhold"])).rows() == [("Mr.", "Judge", "Reinhold", None)]


def test_plain_names_are_taken_apart_as_the_library_does():
    names = [
        f"{first} {last}" for first in ("Rosa", "Ian", "Zoë", "Van", "Al") for last in ("Lee", "Silva", "MD", "Do")
    ]
    alone = [parse(name) for name in names]
    assert parts_of_names(pl.Series(names)).select("first_name", "last_name").rows() == [
        (name.given or None, name.family or None) for name in alone
    ]


@pytest.fixture
def splitting(one_column):
    columns = [
        {"field": "full_name", "heading": "Name", "type": "name", "split": True},
        {"field": "first_name", "heading": "First", "type": "name"},
        {"field": "last_name", "heading": "Last", "type": "name"},
        {"field": "honorific", "heading": "Title"},
    ]
    return one_column().model_copy(update={"columns": [Column.model_validate(column) for column in columns]})


def test_parts_are_filled_where_the_row_gives_none(splitting, raw):
    rows = raw(Name=["Dr. Rosa Delgado", "Rosa Delgado", None], First=[None, "Rosie", "Kim"])
    clean, _ = normalize(rows, {"Name": "full_name", "First": "first_name"}, splitting, Reference())
    assert clean.select("full_name", "first_name", "last_name", "honorific").rows() == [
        ("Dr. Rosa Delgado", "Rosa", "Delgado", "Dr."),
        ("Rosa Delgado", "Rosie", None, None),
        ("Kim", "Kim", None, None),
    ]


def test_a_name_that_is_too_long_is_no_part_of_another(splitting, raw):
    """E12: what was taken out of a row is not imported by another way."""
    rows = raw(Name=[None, "Rosa " + "x" * 600], First=["x" * 600, None], Last=["Delgado", None])
    fields = {"Name": "full_name", "First": "first_name", "Last": "last_name"}
    clean, _ = normalize(rows, fields, splitting, Reference())
    assert clean["full_name"].to_list() == ["Delgado", "Rosa " + "x" * 600]
    assert clean.row(1, named=True)["last_name"] is None
