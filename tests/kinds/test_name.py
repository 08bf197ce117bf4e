import polars as pl
import pytest
from nameparser import parse

from contact_pipeline.kinds.name_parts import parts_of_names
from contact_pipeline.normalize import normalize
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


NOT_ONE_PERSON = [
    "Mr & Mrs Smith", "Mr. and Mrs. John Smith", "Herr und Frau Müller", "M. et Mme Dupont", "Sr. y Sra. García",
    "SR. Y SRA. GARCÍA", "Sr. e Sra. Silva", "Sig. e Sig.ra Rossi", "Pan a Paní Novákovi", "pan i pani Kowalscy",
    "Mr/Mrs Smith", "Mr. / Mrs. Smith", "Mr. Mrs. Smith", "John and Jane Smith", "John & Jane", "John/Jane Smith",
    "Juan y María García", "JUAN Y MARÍA GARCÍA", "Maria e João Silva", "Josep i Maria Puig", "Jan en Marie de Vries",
    "Per og Kari Nordmann", "Иван и Мария Петровы", "Smith, John & Jane", "García, Juan y María",
    "Sr. Juan García y Sra. María López", "Sr. João e Maria Silva", "The Smith Family", "Smith Family", "The Smiths",
    "Familie Müller", "Familia García", "Famille Dupont", "Fam. Meier", "Müller GmbH", "Acme, Inc.", "Siemens AG",
    "A.C.M.E. S.A.R.L.", "Smith & Sons", "John Smith c/o Jane Doe", "Attn: John Smith", "Jr Smith", "III John Smith",
    "Ortega y Gasset",
]  # fmt: skip


def test_a_name_that_is_not_one_person_s_stays_whole():
    """X5: a couple, a family or a company has no first name."""
    names = pl.Series(NOT_ONE_PERSON)
    apart = parts_of_names(names).with_columns(name=names).filter(~pl.all_horizontal(pl.exclude("name").is_null()))
    assert apart["name"].to_list() == []


ONE_PERSON = {
    "José Ortega y Gasset": (None, "José", "Ortega y Gasset", None),
    "Dr. José Ortega y Gasset": ("Dr.", "José", "Ortega y Gasset", None),
    "Ortega y Gasset, José": (None, "José", "Ortega y Gasset", None),
    "Josep Puig i Cadafalch": (None, "Josep", "Puig i Cadafalch", None),
    "João Silva e Costa": (None, "João", "Silva e Costa", None),
    "Johann von und zu Liechtenstein": (None, "Johann", "von und zu Liechtenstein", None),
    "John E Smith": (None, "John E", "Smith", None),
    "JOHN E SMITH": (None, "JOHN E", "SMITH", None),
    "Maria E King": (None, "Maria E", "King", None),
    "Kim Ja Young": (None, "Kim Ja", "Young", None),
    "Sandy Anderson": (None, "Sandy", "Anderson", None),
    "Andrew Yi": (None, "Andrew", "Yi", None),
    "And. Müller": (None, "And.", "Müller", None),
    "MARIA SA": (None, "MARIA", "SA", None),
    "Rosalía Casal": (None, "Rosalía", "Casal", None),
    "Sr. García": ("Sr.", None, "García", None),
    "Smith, John Jr.": (None, "John", "Smith", "Jr."),
}


def test_words_that_join_halves_of_a_surname_and_initials_join_no_people():
    assert parts_of_names(pl.Series(list(ONE_PERSON))).rows() == [*ONE_PERSON.values()]


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
