"""Headings in other words and other languages, and what is only suggested."""

import polars as pl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.normalize.mapping import map_headings
from contact_pipeline.normalize.synonyms import folded, singular, synonyms
from contact_pipeline.normalize.witness import what_columns_hold
from contact_pipeline.profiles import Profile, load_profile

EVERYTHING = Profile.model_validate(
    {
        "name": "everything",
        "title": "Everything",
        "address_book": "everything",
        "file": {"types": ["csv", "xlsx"]},
        "headings": "mapped",
        "columns": [
            {"field": name, "heading": f"The {name}", "type": kind}
            for name, kind in {
                **dict.fromkeys(["first_name", "last_name", "full_name"], "name"),
                **dict.fromkeys(["company", "job_title", "address", "city", "region", "country"], "text"),
                "email": "email",
                "phone": "phone",
                "zip_code": "zip_code",
                "date_of_birth": "date",
                "ssn": "ssn",
                "account_number": "text",
            }.items()
        ],
        "match": [{"equal": ["email"]}],
        "on_error": "reject",
        "apply": "approval",
    }
)


def mapped(*headings, profile=EVERYTHING, chosen=None, holds=None):
    columns = [f"raw {n}" for n in range(len(headings))]
    mapping = map_headings(list(headings), columns, profile, chosen, holds=holds)
    return {headings[columns.index(column)]: field for column, field in mapping.fields.items()}, mapping


@pytest.mark.parametrize(
    "headings",
    [
        {"First Name": "first_name", "Middle Name": None, "Last Name": "last_name", "E-mail 1 - Label": None,
         "E-mail 1 - Value": "email", "Phone 1 - Label": None, "Phone 1 - Value": "phone", "Phone 2 - Value": None,
         "Organization Name": "company", "Organization Title": "job_title", "Address 1 - Street": "address",
         "Address 1 - City": "city", "Address 1 - Region": "region", "Address 1 - Postal Code": "zip_code",
         "Address 1 - Country": "country", "Birthday": "date_of_birth", "Labels": None},
        {"Name": "full_name", "Given Name": "first_name", "Family Name": "last_name", "E-mail 1 - Value": "email",
         "E-mail 2 - Value": None, "Phone 1 - Value": "phone", "Organization 1 - Name": "company",
         "Organization 1 - Title": "job_title"},
        {"First Name": "first_name", "Last Name": "last_name", "Company": "company", "Job Title": "job_title",
         "Business Street": "address", "Business City": "city", "Business State": "region",
         "Business Postal Code": "zip_code", "Business Country/Region": "country", "Home Phone": None,
         "Mobile Phone": "phone", "Business Phone": None, "E-mail Address": "email", "E-mail 2 Address": None},
        {"Record ID": None, "First Name": "first_name", "Last Name": "last_name", "Email": "email",
         "Phone Number": "phone", "Contact owner": None, "Associated Company": "company", "Lead Status": None,
         "Postal Code": "zip_code", "State/Region": "region", "Country/Region": "country"},
        {"Lead Owner": None, "First Name": "first_name", "Last Name": "last_name", "Title": "job_title",
         "Company / Account": "company", "Email": "email", "Mobile": "phone", "Phone": None,
         "Mailing Street": "address", "Mailing City": "city", "Mailing State/Province": "region",
         "Mailing Zip/Postal Code": "zip_code", "Mailing Country": "country"},
        {"Email Address": "email", "First Name": "first_name", "Last Name": "last_name", "Address": "address",
         "Phone Number": "phone", "MEMBER_RATING": None, "TAGS": None},
        {"FNAME": "first_name", "LNAME": "last_name", "EMAIL": "email", "PHONE": "phone"},
    ],
    ids=["Google", "Google, older", "Outlook", "HubSpot", "Salesforce", "Mailchimp", "Mailchimp, merge tags"],
)  # fmt: skip
def test_the_exports_of_other_programs_are_understood(headings):
    fields, mapping = mapped(*headings)

    assert fields == {heading: field for heading, field in headings.items() if field}
    assert mapping.ignored == [heading for heading, field in headings.items() if not field]


@pytest.mark.parametrize(
    "headings",
    [
        ["Vorname", "Nachname", "E-Mail-Adresse", "Handynummer"],
        ["Prénom", "Nom de famille", "Courriel", "Téléphone portable"],
        ["Nombres", "Apellidos", "Correo electrónico", "Teléfono móvil"],
        ["Primeiro nome", "Sobrenome", "Endereço de e-mail", "Celular"],
        ["Nome di battesimo", "Cognome", "Posta elettronica", "Cellulare"],
        ["Voornaam", "Achternaam", "E-mailadres", "Mobiel nummer"],
        ["Imię", "Nazwisko", "Adres e-mail", "Numer telefonu"],
        ["Förnamn", "Efternamn", "E-postadress", "Mobilnummer"],
        ["Fornavn", "Efternavn", "E-mailadresse", "Telefonnummer"],
        ["Etunimi", "Sukunimi", "Sähköposti", "Matkapuhelin"],
        ["Jméno", "Příjmení", "E-mailová adresa", "Mobilní telefon"],
        ["Ad", "Soyadı", "E-posta", "Cep telefonu"],
        ["Имя", "Фамилия", "Электронная почта", "Мобильный телефон"],
        ["Όνομα", "Επώνυμο", "Ηλεκτρονική διεύθυνση", "Κινητό"],
        ["Keresztnév", "Vezetéknév", "E-mail cím", "Telefonszám"],
        ["名", "姓", "メールアドレス", "電話番号"],
        ["名字", "姓", "电子邮箱", "手机"],
    ],
    ids=lambda headings: headings[0],
)
@pytest.mark.parametrize("change", [str, str.upper, lambda heading: heading.replace(" ", "_"), lambda h: f" {h}: "])
def test_headings_in_other_languages_are_understood(headings, change):
    fields, _ = mapped(*map(change, headings))

    assert list(fields.values()) == ["first_name", "last_name", "email", "phone"]


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (["Vorname", "Name"], ["first_name", "last_name"]),
        (["Nom", "Prénom"], ["last_name", "first_name"]),
        (["Nombre", "Apellidos"], ["first_name", "last_name"]),
        (["Nome", "Cognome"], ["first_name", "last_name"]),
        (["Nome"], ["full_name"]),
        (["Name", "First name", "Last name"], ["full_name", "first_name", "last_name"]),
    ],
)
def test_a_name_beside_half_a_name_is_the_other_half(headings, expected):
    fields, _ = mapped(*headings)

    assert [fields[heading] for heading in headings] == expected


def test_accents_plural_case_and_punctuation_do_not_matter():
    assert folded("  E-Mail_Adressé ") == "emailadresse"
    assert singular("Email Addresses") == singular("E-mail address")
    assert singular("companies") == singular("Company")
    assert singular("Status") == "status"


def test_no_heading_in_the_table_means_two_fields():
    meanings: dict[str, set[str]] = {}
    for field, headings in synonyms().items():
        for heading in headings:
            meanings.setdefault(singular(heading), set()).add(field)

    assert {heading: sorted(fields) for heading, fields in meanings.items() if len(fields) > 1} == {}


def test_the_profiles_own_headings_go_before_synonyms():
    fields, mapping = mapped("Phone number", "Telefon", "Name", profile=load_profile("dealer_leads"))

    assert fields == {"Phone number": "phone", "Name": "full_name"}
    assert mapping.ignored == ["Telefon"]


def test_a_close_spelling_is_suggested_and_not_taken():
    fields, mapping = mapped("Emial", "First name")

    assert fields == {"First name": "first_name"}
    assert mapping.suggestions == {"Emial": "email"}
    assert mapping.warnings == [
        "Heading 'Emial' is ignored; it may be meant for email. If so, map it: \"Emial=email\"."
    ]  # fmt: skip


def test_a_close_spelling_of_what_is_needed_is_refused_with_the_suggestion():
    """E6: starred fields must be mapped."""
    with pytest.raises(Refusal) as refused:
        mapped("Name", "Telephon", profile=load_profile("dealer_leads"))

    assert "phone* (nearest heading: 'Telephon')" in refused.value.message
    assert '"Telephon=phone"' in refused.value.fix


def test_a_column_of_addresses_under_another_heading_is_suggested_as_email():
    rows = pl.DataFrame({"raw 0": ["Ada", "Grace"], "raw 1": ["a@example.com", "g@example.org"]})
    _, mapping = mapped("First name", "Contact info", holds=what_columns_hold(rows))

    assert mapping.suggestions == {"Contact info": "email"}


def test_a_column_of_addresses_under_the_heading_of_a_name_is_not_taken_for_names():
    """E6: starred fields must be mapped."""
    rows = pl.DataFrame({"raw 0": ["a@example.com", "g@example.org"], "raw 1": ["1", "2"]})
    with pytest.raises(Refusal) as refused:
        mapped("Contact", "Phone", profile=load_profile("dealer_leads"), holds=what_columns_hold(rows))

    assert "'Contact' holds e-mail addresses" in refused.value.message


def test_what_somebody_chose_goes_before_what_the_cells_look_like():
    fields, _ = mapped("Contact", chosen={"Contact": "full_name"}, holds={"raw 0": "email"})

    assert fields == {"Contact": "full_name"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a@example.com", None, "b@example.com"], "email"),
        (["+1 202 555 0143", "(202) 555-0166"], "phone"),
        (["202-555-0143", "202.555.0166"], "phone"),
        (["2024-02-29", "1984-04-17"], None),
        (["29.02.2024", "17.04.1984"], None),
        (["12345", "67890"], None),
        (["a@example.com", "Ada"], None),
        (["a@example.com"], None),
        ([None, None], None),
    ],
)
def test_cells_tell_what_a_column_holds(cells, expected):
    assert what_columns_hold(pl.DataFrame({"x": cells}, schema={"x": pl.String})).get("x") == expected
