import pytest

from contact_pipeline.normalize import normalize
from contact_pipeline.profiles.reference import Reference


def test_the_domain_is_lower_case_and_the_local_part_stays_as_given(values_of):
    assert values_of([" Rosa.Delgado@EXAMPLE.Com "], type="email") == ["Rosa.Delgado@example.com"]


def test_an_internationalized_domain_becomes_ascii_and_that_is_a_repair(values_of, repairs_in):
    texts = ["a@BÜCHER.example.com", "böb@example.com", "a@example.com"]
    assert values_of(texts, type="email") == ["a@xn--bcher-kva.example.com", "böb@example.com", "a@example.com"]
    assert repairs_in(texts, type="email") == [True, False, False]


ONE = [
    "mailto:rosa@example.com", "MAILTO:rosa@example.com?subject=Hello", "<rosa@example.com>",
    "Rosa Delgado <rosa@example.com>", '"Delgado, Rosa" <rosa@example.com>', "Delgado, Rosa <rosa@EXAMPLE.com>",
    "<mailto:rosa@example.com>", "rosa@example.com;",
]  # fmt: skip


@pytest.mark.parametrize("text", ONE)
def test_what_stands_around_an_address_is_taken_off_with_a_repair(values_of, repairs_in, text):
    assert values_of([text], type="email") == ["rosa@example.com"]
    assert repairs_in([text], type="email") == [True]


@pytest.mark.parametrize(
    "text",
    [
        "rosa@example.com; r.delgado@example.org", "rosa@example.com,r.delgado@example.org",
        "rosa@example.com r.delgado@example.org", "rosa@example.com / r.delgado@example.org",
        "rosa@example.com and r.delgado@example.org", "Rosa <rosa@example.com>; Delgado <r.delgado@example.org>",
    ],
)  # fmt: skip
def test_of_several_addresses_the_first_is_taken_and_the_others_are_kept_beside_it(one_column, raw, text):
    clean, _ = normalize(raw(value=[text]), {"value": "value"}, one_column(type="email"), Reference())
    assert clean.row(0)[1:] == (1, "rosa@example.com", "r.delgado@example.org")


def test_an_address_within_a_sentence_is_not_taken_out_of_it(values_of):
    texts = [
        "write to rosa@example.com please",
        "rosa@example.com (home)",
        "rosa@ example.com",
        "a@b; rosa@example.com",
    ]
    assert values_of(texts, type="email") == texts


def test_a_slash_may_stand_in_a_local_part(values_of):
    assert values_of(["sales/eu@example.com"], type="email") == ["sales/eu@example.com"]


def test_what_is_no_address_stays_as_given(values_of):
    texts = ["NOT AN ADDRESS", "A@", "@B", "A@@B.COM", "A@B@C"]
    assert values_of(texts, type="email") == ["NOT AN ADDRESS", "A@", "@b", "A@@B.COM", "A@B@C"]
