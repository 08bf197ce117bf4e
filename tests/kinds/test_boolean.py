import polars as pl

from contact_pipeline.normalize import normalize
from contact_pipeline.profiles.reference import Reference


def test_yes_and_no_are_read_in_the_usual_words(values_of):
    texts = ["Yes", "TRUE", "1", "x", "no", "False", "0", "perhaps", None]
    expected = [True, True, True, True, False, False, False, None, None]
    assert values_of(texts, type="boolean", kind="boolean") == expected


def test_only_in_a_column_of_wishes_unsubscribed_means_yes(values_of):
    assert values_of(["Unsubscribed", "yes"], type="boolean") == [None, True]


def test_what_is_neither_yes_nor_no_is_kept_for_validation(one_column, raw):
    profile = one_column(type="boolean", kind="boolean")
    clean, _ = normalize(raw(value=["perhaps", "yes"]), {"value": "value"}, profile, Reference())
    assert clean.schema["value"] == pl.Boolean()
    assert clean["unread_value"].to_list() == ["perhaps", None]
