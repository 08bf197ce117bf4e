import polars as pl
import pytest

from contact_pipeline.normalize import normalize
from contact_pipeline.profiles.reference import Reference


def test_a_choice_takes_its_registered_spelling(values_of):
    texts = ["medico", " MÉDICO ", "Médico", "other"]
    assert values_of(texts, type="choice", choices=["Médico", "Secretária"]) == ["Médico"] * 3 + ["other"]


def test_of_two_registered_spellings_the_first_is_taken(values_of):
    assert values_of(["MEDICO"], type="choice", choices=["Médico", "Medico"]) == ["Médico"]


def test_only_in_a_column_of_wishes_unsubscribed_means_yes(values_of):
    assert values_of(["Unsubscribed", "yes"], type="boolean") == [None, True]


def test_a_vocabulary_gives_the_registered_spelling(values_of):
    reference = Reference(vocabularies={"specialties": ("Cardiology",)})
    column = {"type": "choice", "vocabulary": "specialties"}
    assert values_of(["CARDIOLOGY"], reference=reference, **column) == ["Cardiology"]


def test_a_list_is_split_and_holds_each_registered_value_once(values_of):
    """D7: several qualifications are separated by a semicolon."""
    reference = Reference(vocabularies={"specialties": ("Cardiology", "Pediatrics")})
    column = {"type": "list", "vocabulary": "specialties", "kind": "list"}
    texts = ["cardiology;Pediatrics; CARDIOLOGY", "Surgery;pediatrics", " ; ", None]
    expected = [["Cardiology", "Pediatrics"], ["Surgery", "Pediatrics"], None, None]
    assert values_of(texts, reference=reference, **column) == expected


def test_a_login_takes_the_spelling_in_which_it_is_known(values_of):
    """D4: the portfolio column holds a user's login."""
    reference = Reference(logins=frozenset({"Test.User"}))
    assert values_of(["test.user", "TEST.USER", "nobody"], reference=reference, type="login") == [
        "Test.User", "Test.User", "nobody",
    ]  # fmt: skip


def test_the_word_for_nothing_is_the_explicit_nothing(values_of):
    """D4: 'Without Portfolio' empties the owner; a blank does not."""
    column = {"type": "login", "nothing": "Without Portfolio"}
    assert values_of(["WITHOUT  PORTFOLIO", "Without Portfolio", None], **column) == ["", "", None]


def test_yes_and_no_are_read_in_the_usual_words(values_of):
    texts = ["Yes", "TRUE", "1", "x", "no", "False", "0", "perhaps", None]
    expected = [True, True, True, True, False, False, False, None, None]
    assert values_of(texts, type="boolean", kind="boolean") == expected


def test_what_is_neither_yes_nor_no_is_kept_for_validation(one_column, raw):
    profile = one_column(type="boolean", kind="boolean")
    clean, _ = normalize(raw(value=["perhaps", "yes"]), {"value": "value"}, profile, Reference())
    assert clean.schema["value"] == pl.Boolean()
    assert clean["unread_value"].to_list() == ["perhaps", None]


def test_a_word_for_a_blank_is_no_value_of_a_list(values_of):
    assert values_of(["CPA;-", "-;", "n/a; CPA"], type="list", choices=["CPA"]) == [["CPA"], None, ["CPA"]]


def test_a_separator_behind_a_backslash_is_part_of_a_value(values_of):
    texts = [r"very\, cool\, label", r"a\,b,c", "C:\\x,d", r"a\\,b", "a,,b"]
    expected = [["very, cool, label"], ["a,b", "c"], ["C:\\x", "d"], ["a\\,b"], ["a", "b"]]
    assert values_of(texts, type="list", kind="list", separator=",") == expected
    assert values_of([r"x\; y;z"], type="list", kind="list") == [["x; y", "z"]]


@pytest.mark.parametrize(
    ("column", "texts", "expected"),
    [
        ({"type": "boolean", "blank_means": "yes"}, ["no", "", None, "n/a", "yes"], [False, True, True, True, True]),
        ({"type": "boolean", "blank_means": "no"}, ["ja", " ", None], [True, False, False]),
        ({"type": "text", "blank_means": "web"}, ["shop", "", "N/A"], ["shop", "web", "web"]),
        ({"type": "choice", "choices": ["Médico", "Any"], "blank_means": "Any"}, ["medico", None], ["Médico", "Any"]),
        ({"type": "list", "blank_means": "a; b"}, ["c", None], [["c"], ["a", "b"]]),
    ],
)  # fmt: skip
def test_a_blank_says_what_the_profile_lets_it_mean(values_of, column, texts, expected):
    assert values_of(texts, **column) == expected


def test_a_word_that_is_neither_yes_nor_no_is_no_blank(raw, one_column):
    rows, profile = raw(value=["perhaps", ""]), one_column(type="boolean", blank_means="yes")

    clean, blank = normalize(rows.with_columns(key=pl.lit("k")), {"value": "value", "key": "key"}, profile, Reference())

    assert clean.select("value", "unread_value").rows() == [(None, "perhaps"), (True, None)]
    assert blank.is_empty()


def test_without_the_column_every_row_with_data_says_it(raw, one_column):
    rows, profile = raw(key=["k", None, "m"]), one_column(type="boolean", blank_means="yes")

    clean, blank = normalize(rows, {"key": "key"}, profile, Reference())

    assert clean.select("row_number", "value", "unread_value", "key").rows() == [
        (2, True, None, "k"),
        (4, True, None, "m"),
    ]
    assert blank["row_number"].to_list() == [3]
    assert (clean["repaired"] == 0).all()
