from pathlib import Path

import phonenumbers
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from contact_pipeline.headings import qualifiers
from contact_pipeline.kinds import phone, phone_numbering
from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.profiles.reference import Reference
from tests.thorough import examples, spread

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
NOTATIONS = [
    PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.RFC3966,
]  # fmt: skip


def test_the_usual_spellings_of_a_national_number_become_one(values_of):
    texts = ["(202) 555-0143", "202.555.0143", "1-202-555-0143", "+1 202 555 0143", "2025550143", "1 (202) 5550143"]
    assert values_of(texts, type="phone", region="US") == ["+12025550143"] * 6


def test_an_extension_is_kept_in_any_spelling(values_of):
    texts = ["202-555-0143 x12", "202-555-0143 ext. 12", "+12025550143;ext=12", "(202) 555-0143 extension 12"]
    assert values_of(texts, type="phone", region="US") == ["+12025550143;ext=12"] * 4


def test_international_prefixes_are_read_as_the_region_dials_them(values_of):
    assert values_of(["011 44 20 7946 0123"], type="phone", region="US") == ["+442079460123"]
    assert values_of(["00 1 202 555 0143"], type="phone", region="GB") == ["+12025550143"]


def test_two_zeros_stand_for_the_plus_where_the_number_is_none_otherwise(values_of):
    texts = ["00 44 20 7946 0123", "0044 (0)20 7946 0123", "001 202 555 0143", "00 12", "(00) 44 20 7946 0123"]
    expected = ["+442079460123", "+442079460123", "+12025550143", "00 12", "+442079460123"]
    assert values_of(texts, type="phone", region="US") == expected
    assert values_of(texts, type="phone", region=None) == expected


def test_an_extension_may_be_a_ramal_or_a_poste(values_of, repairs_in):
    assert values_of(["(11) 5555-0123 ramal 12"], type="phone", region="BR") == ["+551155550123;ext=12"]
    assert values_of(["+1 202 555 0143 poste 7"], type="phone", region=None) == ["+12025550143;ext=7"]
    assert repairs_in(["202-555-0143 ramal 12", "202-555-0143 poste 7"], type="phone") == [False, False]


def test_a_trunk_prefix_is_taken_off(values_of):
    assert values_of(["020 7946 0123"], type="phone", region="GB") == ["+442079460123"]
    assert values_of(["(0 11) 5555-0123"], type="phone", region="BR") == ["+551155550123"]


def test_full_width_digits_are_digits(values_of):
    assert values_of(["２０２ ５５５ ０１４３"], type="phone", region="US") == ["+12025550143"]


def test_a_national_number_without_a_region_is_never_guessed(values_of):
    texts = ["(202) 555-0143", "+44 20 7946 0123"]
    assert values_of(texts, type="phone", region=None) == ["(202) 555-0143", "+442079460123"]


SPLIT = [
    ("+8 495 123 45 67", "RU"), ("+8(495)123-45-67", None), ("(+8) 495 123 45 67", "US"), ("+ 8 495 123-45-67", "US"),
    ("＋8 495 123 45 67", "US"), ("00 8 495 123 45 67", "GB"), ("011 8 495 123 45 67", "US"),
    ("+35 1 912 345 678", "PT"), ("+4-4 20 7946 0123", "GB"), ("mobile: +8 495 123 45 67", "RU"),
    ("+8 495 123 45 67 x5", "RU"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "region"), SPLIT)
def test_a_calling_code_in_two_pieces_is_none(values_of, text, region):
    """X5: +84 is Vietnam, and nobody who writes +8 495 means it."""
    assert values_of([text], type="phone", region=region) == [text]


def test_a_calling_code_in_one_piece_is_one_whatever_follows(values_of):
    texts = ["+84 95 123 4567", "+1 202 555 0143", "+7 (495) 123-45-67", "+44(0)20 7946 0123", "(+351) 912 345 678"]
    expected = ["+84951234567", "+12025550143", "+74951234567", "+442079460123", "+351912345678"]
    assert values_of(texts, type="phone", region="US") == expected
    assert values_of(["0120-123-456", "001 202 555 0143"], type="phone", region="JP")[0] == "+81120123456"


def test_what_is_no_number_stays_as_given(values_of):
    texts = ["12345", "call me", "(123) 456-7890", "+44 12", "415-555-01320000"]
    assert values_of(texts, type="phone", region="US") == texts


def test_what_a_spreadsheet_destroyed_is_never_guessed(values_of):
    """X5: scientific notation stays as it was given."""
    assert values_of(["2.02556E+09", "4.479E+11"], type="phone", region="US") == ["2.02556E+09", "4.479E+11"]


def test_letters_that_are_left_out_or_read_as_digits_are_a_repair(repairs_in):
    """X5: a number read from a text with more in it is listed."""
    texts = ["1-800-FLOWERS", "202-555-0143", "202-555-0143 ext. 7", "call me"]
    assert repairs_in(texts, type="phone") == [True, False, False, False]


def test_the_numbers_reserved_for_fiction_are_valid(values_of):
    numbers = [f"+1202555{last:04d}" for last in range(100, 200)]
    assert pl.DataFrame({"n": numbers}).select(phone_numbering.is_certain(pl.col("n"))).to_series().all()


def by_the_library(text, region):
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


@pytest.mark.parametrize("region", spread(REGIONS, 80))
def test_the_example_numbers_of_a_region_agree_with_the_library_in_every_notation(values_of, region):
    of_kinds = [phonenumbers.example_number_for_type(region, kind) for kind in range(11)]
    numbers = [number for number in [*of_kinds, phonenumbers.invalid_example_number(region)] if number is not None]
    texts = [phonenumbers.format_number(number, notation) for number in numbers for notation in NOTATIONS]
    texts += [text.replace("-", " ") for text in texts] + [text.replace(" ", "") for text in texts]
    texts += [f"{text} ext. 12" for text in texts] + [f"{text}0" for text in texts] + [text[:-1] for text in texts]
    assert len(texts) > 20
    for here in (region, None):
        expected = [by_the_library(text, here) for text in texts]
        assert values_of(texts, type="phone", region=here) == expected


def test_the_numbers_of_no_region_agree_with_the_library(values_of):
    numbers = [phonenumbers.example_number_for_non_geo_entity(code) for code in sorted(
        phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    )]  # fmt: skip
    texts = [phonenumbers.format_number(number, notation) for number in numbers if number for notation in NOTATIONS]
    assert len(texts) >= 4 * 5
    assert values_of(texts, type="phone") == [by_the_library(text, "US") for text in texts]


def test_extensions_in_their_many_spellings_do_not_need_the_library(values_of):
    spellings = ["x12", " x12", " X 12", " ext 12", " ext. 12", ";ext=12", " extn 12", " extension 12", " #12", ",,12"]
    texts = [f"(202) 555-0143{spelling}" for spelling in spellings]
    assert values_of(texts, type="phone") == ["+12025550143;ext=12"] * len(texts)
    assert phone.left_open(pl.Series(texts), "US").len() <= 2


def test_wrong_numbers_do_not_need_the_library():
    texts = [
        "555-0178",
        "call me",
        "202-555-014",
        "+44 12",
        "(202) 555-01430000",
        "999 999 9999",
    ]
    assert phone.left_open(pl.Series(texts), "US").to_list() == []


@settings(deadline=None, max_examples=examples(80, 500))
@given(
    text=st.text(alphabet="0123456789+ ()-.", min_size=4, max_size=18)
    | st.text(alphabet="0123456789+ ()-.x#;=extn,A２", min_size=1, max_size=22)
    | st.from_regex(
        r"(011|00|0|1|\+1|\+44|55|)[ -]?\(?[2-9][0-9]{2}\)?[ -]?[2-9][0-9]{2}[ -]?[0-9]{4}"
        r"( ?(x|ext\.?|#|;ext=) ?[0-9]{1,9})?",
        fullmatch=True,
    ),
    region=st.sampled_from(["US", "GB", "BR", "IT", "MX", "RU", None]),
)
def test_the_fast_path_never_contradicts_the_library(text, region):
    values = pl.Series([text])
    assert phone._normalized(values, region)[0] == (phone._verdict(text, region) or text)
    settled = phone._settled(values, region)[0]
    assert settled is None or settled == phone_numbering.verdict(text, region)
    assert phone.left_open(values, region).len() or settled or phone_numbering.verdict(text, region) is None


@pytest.mark.parametrize(
    ("text", "region", "first", "others"),
    [
        ("(202) 555-0143 / (202) 555-0199", "US", "+12025550143", "+12025550199"),
        ("(202) 555-0143, (202) 555-0199; (202) 555-0188", "US", "+12025550143", "+12025550199, +12025550188"),
        ("(202) 555-0143 ::: (202) 555-0199", "US", "+12025550143", "+12025550199"),
        ("202-555-0143 or 202-555-0199", "US", "+12025550143", "+12025550199"),
        ("Mobile: 202-555-0143; Home: 202-555-0199 x12", "US", "+12025550143", "+12025550199;ext=12"),
        ("202-555-0143 (home), 202-555-0199 (cell)", "US", "+12025550143", "+12025550199"),
        ("020 7946 0123 oder +1 202 555 0143", "GB", "+442079460123", "+12025550143"),
        ("Phone: 202-555-0143 Mobile: 202-555-0199", "US", "+12025550143", "+12025550199"),
        ("202-555-0143 Fax: 202-555-0199 Home: 202-555-0188", "US", "+12025550143", "+12025550188, Fax: 202-555-0199"),
        ("202-555-0143 ext: 12", "US", "+12025550143;ext=12", None),
        ("202-555-0143 / (202) 555-0143", "US", "+12025550143", None),
        ("202-555-0143 / fax 202-555-0199", "US", "+12025550143", "fax 202-555-0199"),
        ("030/901820", "DE", "+4930901820", None),
        ("+1 202 555 0143, ext. 12", "US", "+12025550143;ext=12", None),
        ("202-555-0143 / 12", "US", "202-555-0143 / 12", None),
        ("555-0143 / 202-555-0199", "US", "555-0143 / 202-555-0199", None),
    ],
)
def test_of_several_numbers_the_first_counts_and_others_are_kept(raw, one_column, text, region, first, others):
    """E12: nothing is lost."""
    clean, _ = normalize(raw(value=[text]), {"value": "value"}, one_column(type="phone", region=region), Reference())

    assert clean.select("value", "further_value").rows() == [(first, others)]


@pytest.mark.parametrize(
    "text",
    ["2025550143 (home)", "Mobile: 202-555-0143", "tel:+1-202-555-0143", "p:+12025550143", "Handy 202-555-0143",
     "202-555-0143 [work]", "моб. (202) 555-0143", "(home) (202) 555-0143", "Mobile phone (work): 202-555-0143",
     "Tel. du bureau: 202-555-0143", "202-555-0143 (home/work)", "手机：+1 202-555-0143", "Κινητό: 202-555-0143",
     "WhatsApp: 202-555-0143", "H: 202-555-0143", "Number: 202-555-0143"],
)  # fmt: skip
def test_words_beside_a_number_come_off_as_a_repair(raw, one_column, text):
    profile, rows = one_column(type="phone"), raw(value=[text])
    clean, _ = normalize(rows, {"value": "value"}, profile, Reference())

    assert clean["value"].to_list() == ["+12025550143"]
    assert repairs_of(rows, clean, {"value": "value"}, profile, Reference())["why"].to_list() == [
        "words beside the number taken off"
    ]


REMARKS = [
    ("DO NOT CALL 202-555-0143", "US"),
    ("202-555-0143 (do not call)", "US"),
    ("wrong number 202-555-0143", "US"),
    ("202-555-0143 (disconnected)", "US"),
    ("202-555-0143 old", "US"),
    ("202-555-0143 no", "US"),
    ("del 202-555-0143", "US"),
    ("202-555-0143 x12 old", "US"),
    ("202-555-0143 Mom", "US"),
    ("202-555-0143, call after 5", "US"),
    ("202-5543 OLD", "US"),
    ("DO NOT CALL 202-555-0143 / 202-555-0190", "US"),
    ("❌ 202-555-0143", "US"),
    ("не звонить 8 916 123-45-67", "RU"),
    ("8 916 123-45-67 не звонить", "RU"),
    ("falsche Nummer 030 901820", "DE"),
    ("030 901820 (alt)", "DE"),
    ("faux numéro 01 23 45 67 89", "FR"),
    ("请勿拨打 13800138000", "CN"),
    ("Παλιό 210 1234567", "GR"),
]


@pytest.mark.parametrize(("text", "region"), REMARKS)
def test_a_number_with_a_remark_beside_it_is_not_taken(values_of, repairs_in, text, region):
    """What the words say, not to call it above all, would be lost."""
    assert values_of([text], type="phone", region=region) == [text]
    assert repairs_in([text], type="phone", region=region) == [False]


def test_a_sign_that_may_mean_something_comes_off_as_a_repair(values_of, repairs_in):
    texts = ["202-555-0143?", "*202-555-0143", "202-555-0143 !"]
    assert values_of(texts, type="phone") == ["+12025550143"] * 3
    assert repairs_in(texts, type="phone") == [True] * 3


def test_letters_that_are_dialled_are_no_remark(values_of):
    texts = ["1-800-FLOWERS", "1 800 FLOWERS", "(202) 555-TELL", "1-800-GO-FEDEX"]
    assert values_of(texts, type="phone") == ["+18003569377", "+18003569377", "+12025558355", "+18004633339"]


def test_every_qualifier_of_the_table_is_a_label_beside_a_number(values_of):
    kinds = ("mobile", "home", "work", "business", "other")
    table = yaml.safe_load(Path(qualifiers.__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    words = [word for kind in kinds for found in table[kind].values() for word in found if word != "Alt"]
    assert values_of([f"{word}: 202-555-0143" for word in words], type="phone") == ["+12025550143"] * len(words)


@pytest.mark.parametrize("text", ["Fax: 202-555-0143", "202-555-0143 (fax)", "Pager 202-555-0143"])
def test_a_number_that_says_it_is_a_fax_is_no_telephone_number(values_of, text):
    assert values_of([text], type="phone") == [text]
