"""Headings in other words and other languages, and what is only suggested."""

import polars as pl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.headings.synonyms import folded, singular, synonyms
from contact_pipeline.headings.witness import what_columns_hold
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
         "E-mail 1 - Value": "email", "Phone 1 - Label": None, "Phone 1 - Value": "phone", "Phone 2 - Value": "phone",
         "Organization Name": "company", "Organization Title": "job_title", "Address 1 - Street": "address",
         "Address 1 - City": "city", "Address 1 - Region": "region", "Address 1 - Postal Code": "zip_code",
         "Address 1 - Country": "country", "Birthday": "date_of_birth", "Labels": None},
        {"Name": "full_name", "Given Name": "first_name", "Family Name": "last_name", "E-mail 1 - Value": "email",
         "E-mail 2 - Value": "email", "Phone 1 - Value": "phone", "Organization 1 - Name": "company",
         "Organization 1 - Title": "job_title"},
        {"First Name": "first_name", "Last Name": "last_name", "Company": "company", "Job Title": "job_title",
         "Business Street": "address", "Business City": "city", "Business State": "region",
         "Business Postal Code": "zip_code", "Business Country/Region": "country", "Home Phone": "phone",
         "Mobile Phone": "phone", "Business Phone": "phone", "Home Fax": None, "Assistant's Phone": None,
         "E-mail Address": "email", "E-mail Display Name": None, "E-mail 2 Address": "email"},
        {"Record ID": None, "First Name": "first_name", "Last Name": "last_name", "Email": "email",
         "Phone Number": "phone", "Contact owner": None, "Associated Company": "company", "Lead Status": None,
         "Postal Code": "zip_code", "State/Region": "region", "Country/Region": "country"},
        {"Lead Owner": None, "First Name": "first_name", "Last Name": "last_name", "Title": "job_title",
         "Company / Account": "company", "Email": "email", "Mobile": "phone", "Phone": "phone",
         "Mailing Street": "address", "Mailing City": "city", "Mailing State/Province": "region",
         "Mailing Zip/Postal Code": "zip_code", "Mailing Country": "country"},
        {"Email Address": "email", "First Name": "first_name", "Last Name": "last_name", "Address": "address",
         "Phone Number": "phone", "MEMBER_RATING": None, "TAGS": None},
        {"FNAME": "first_name", "LNAME": "last_name", "EMAIL": "email", "PHONE": "phone"},
        {"Person - Name": "full_name", "Person - Label": None, "Person - Email - Work": "email",
         "Person - Email - Home": "email", "Person - Phone - Mobile": "phone", "Person - ID": None},
        {"Contact: First Name": "first_name", "Contact: Last Name": "last_name", "Contact: Email": "email"},
    ],
    ids=["Google", "Google, older", "Outlook", "HubSpot", "Salesforce", "Mailchimp", "Mailchimp, merge tags",
         "Pipedrive", "Salesforce, report"],
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

    assert list(fields) == ["Phone number", "Telefon", "Name"]
    assert mapping.ignored == []


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
        (["Mr."], "honorific"),
        (["Mr.", "Dr.", "Ms", "Professor"], "honorific"),
        (["Herr Dr.", "Frau", "Prof. Dr."], "honorific"),
        (["Mme", "M."], "honorific"),
        (["Sra.", "Sr."], "honorific"),
        (["г-н", "г-жа"], "honorific"),
        (["Professor", "Professor"], None),
        (["Director", "Mr.", "Engineer"], None),
        ([None, None], None),
    ],
)
def test_cells_tell_what_a_column_holds(cells, expected):
    assert what_columns_hold(pl.DataFrame({"x": cells}, schema={"x": pl.String})).get("x") == expected


def in_order(mapping, headings, field):
    return [headings[int(column.removeprefix("raw "))] for column, found in mapping.fields.items() if found == field]


@pytest.mark.parametrize(
    ("headings", "field", "expected"),
    [
        (["Home Phone", "Work Phone", "Mobile Number"], "phone", ["Mobile Number", "Home Phone", "Work Phone"]),
        (["Business Phone", "Business Phone 2", "Home Phone", "Mobile Phone", "Primary Phone"], "phone",
         ["Primary Phone", "Mobile Phone", "Business Phone", "Business Phone 2", "Home Phone"]),
        (["Phone 2 - Value", "Phone 10 - Value", "Phone 1 - Value"], "phone",
         ["Phone 1 - Value", "Phone 2 - Value", "Phone 10 - Value"]),
        (["Mobile Phone Number", "Phone Number"], "phone", ["Phone Number", "Mobile Phone Number"]),
        (["Person - Phone - Work", "Person - Phone - Home", "Person - Phone - Mobile"], "phone",
         ["Person - Phone - Mobile", "Person - Phone - Home", "Person - Phone - Work"]),
        (["Home Phone", "Other Phone", "Asst Phone", "Phone", "Fax", "Mobile"], "phone",
         ["Phone", "Mobile", "Home Phone", "Other Phone"]),
        (["SMS", "WHATSAPP"], "phone", ["SMS", "WHATSAPP"]),
        (["Telefon geschäftlich", "Telefon geschäftlich 2", "Fax privat", "Telefon privat", "Mobiltelefon",
          "Haupttelefon",
          "Telefon Assistent"], "phone",
         ["Haupttelefon", "Mobiltelefon", "Telefon geschäftlich", "Telefon geschäftlich 2", "Telefon privat"]),
        (["Téléphone (bureau)", "Téléphone 2 (bureau)", "Télécopie (bureau)", "Téléphone (domicile)", "Tél. mobile",
          "Téléphone de l'assistant(e)"], "phone",
         ["Tél. mobile", "Téléphone (bureau)", "Téléphone 2 (bureau)", "Téléphone (domicile)"]),
        (["Teléfono del trabajo", "Teléfono del trabajo 2", "Teléfono móvil", "Otro teléfono", "Teléfono del ayudante"],
         "phone", ["Teléfono móvil", "Teléfono del trabajo", "Teléfono del trabajo 2", "Otro teléfono"]),
        (["Telefoon op werk", "Telefoon thuis", "Mobiele telefoon", "Telefoon assistent", "Fax thuis"], "phone",
         ["Mobiele telefoon", "Telefoon op werk", "Telefoon thuis"]),
        (["Telefone comercial", "Telefone residencial", "Celular"], "phone",
         ["Celular", "Telefone comercial", "Telefone residencial"]),
        (["Рабочий телефон", "Домашний телефон", "Мобильный телефон"], "phone",
         ["Мобильный телефон", "Рабочий телефон", "Домашний телефон"]),
        (["E-Mail 2: Adresse", "E-Mail-Adresse", "E-Mail-Typ", "E-Mail 2: Angezeigter Name"], "email",
         ["E-Mail-Adresse", "E-Mail 2: Adresse"]),
        (["Adresse de messagerie", "Type de messagerie", "Adresse de messagerie 2"], "email",
         ["Adresse de messagerie", "Adresse de messagerie 2"]),
        (["Secondary Email", "Primary Email", "Email Opt Out"], "email", ["Primary Email", "Secondary Email"]),
        (["Email2", "Email", "Email3"], "email", ["Email", "Email2", "Email3"]),
        (["Person - Email - Home", "Person - Email - Work"], "email", ["Person - Email - Home",
          "Person - Email - Work"]),
        (["Emergency Contact Phone", "Spouse Phone", "Phone"], "phone", ["Phone"]),
    ],
)  # fmt: skip
def test_every_column_of_a_number_or_an_address_is_taken_in_order_of_preference(headings, field, expected):
    _, mapping = mapped(*headings)

    assert in_order(mapping, headings, field) == expected


@pytest.mark.parametrize(
    ("headings", "places"),
    [
        (["Home Street", "Home City", "Home Zip", "Business Street", "Work City", "Work Zip"],
         {"home": [0, 1, 2], "work": [3, 4, 5]}),
        (["Straße geschäftlich", "Straße geschäftlich 2", "Ort geschäftlich", "Postleitzahl geschäftlich",
          "Land/Region geschäftlich", "Straße privat", "Ort privat", "Weitere Straße", "Weiterer Ort"],
         {"work": [0, 2, 3, 4], "home": [5, 6], "other": [7, 8]}),
        (["Rue (bureau)", "Rue (bureau) 2", "Ville (bureau)", "Dép/Région (bureau)", "Pays/Région (bureau)",
          "Rue (domicile)", "Ville (domicile)", "Code postal (domicile)"],
         {"work": [0, 2, 3, 4], "home": [5, 6, 7]}),
        (["Calle del trabajo", "Ciudad de trabajo", "Código postal del trabajo", "País o región del trabajo",
          "Otra calle",
          "Otra ciudad"], {"work": [0, 1, 2, 3], "other": [4, 5]}),
        (["Huisadres, straat", "Huisadres, plaats", "Werkadres, straat", "Werkadres, plaats", "Werkadres, postcode",
          "Land/regio (werk)"], {"work": [2, 3, 4, 5], "home": [0, 1]}),
        (["Address 2 - Street", "Address 2 - City", "Address 1 - Street", "Address 1 - City", "Address 1 - Country"],
         {"1": [2, 3, 4], "2": [0, 1]}),
        (["Home Address", "Home City", "Home ZipCode", "Work Address", "Work City"], {"home": [0, 1, 2], "work": [3,
          4]}),
        (["Mailing Street", "Mailing City", "Other Street", "Other City", "Country"],
         {"mailing": [0, 1, 4], "other": [2, 3]}),
        (["Billing Street", "Billing City", "Shipping Street", "Shipping City", "Street", "City"],
         {"": [4, 5], "billing": [0, 1], "shipping": [2, 3]}),
        (["Street", "City", "Street", "City"], {"": [0, 1], " 2": [2, 3]}),
    ],
)  # fmt: skip
def test_parts_of_addresses_belong_to_the_place_that_their_headings_name(headings, places):
    _, mapping = mapped(*headings)

    found: dict[str, list[int]] = {}
    for column, place in mapping.places.items():
        found.setdefault(place, []).append(int(column.removeprefix("raw ")))
    assert {place: sorted(columns) for place, columns in found.items()} == places


def test_the_city_of_another_place_than_the_chosen_street_is_not_taken():
    fields, mapping = mapped("Home Street", "Business Street", "Business City", chosen={"Home Street": "address"})

    assert fields == {"Home Street": "address"}
    assert mapping.ignored == ["Business Street", "Business City"]


def test_forms_of_address_under_title_are_no_jobs():
    fields, mapping = mapped("Title", "Email", holds={"raw 0": "honorific"})
    assert (fields, mapping.ignored) == ({"Email": "email"}, ["Title"])
    assert mapping.suggestions == {}

    assert mapped("Title", "Email")[0] == {"Title": "job_title", "Email": "email"}


def test_forms_of_address_under_title_fill_the_honorific():
    honorific = {"field": "honorific", "heading": "Form of address"}
    profile = Profile.model_validate(
        EVERYTHING.model_dump() | {"columns": [*EVERYTHING.model_dump()["columns"], honorific]}
    )
    fields, _ = mapped("Title", "Job Title", "Email", profile=profile, holds={"raw 0": "honorific"})

    assert fields == {"Title": "honorific", "Job Title": "job_title", "Email": "email"}


BY_LANGUAGE = {
    "es": "Organización,Calle del trabajo,Provincia o estado de trabajo,País o región del trabajo,Cumpleaños,Notas",
    "it": "Società,Via (uff.),Provincia (uff.),Paese (uff.),Compleanno,Note",
    "nl": "Bedrijf,Werkadres (straat),Werkadres (provincie),Werkadres (land/regio),Verjaardag,Notities",
    "pt": "Empresa,Rua do endereço comercial,Estado do endereço comercial,País do endereço comercial,Aniversário,Notas",
    "pl": "Firma,Adres służbowy - ulica,Adres służbowy - województwo,Adres służbowy - kraj,Urodziny,Notatki",
    "sv": "Företag,Gatuadress (arbete),Region (arbete),Land (arbete),Födelsedag,Anteckningar",
    "da": "Firma,Gade (arbejde),Område (arbejde),Land/område (arbejde),Fødselsdag,Noter",
    "no": "Firma,Gate (arbeid),Fylke (arbeid),Land/område (arbeid),Fødselsdag,Notater",
    "fi": "Yritys,Katuosoite (työ),Maakunta (työ),Maa (työ),Syntymäpäivä,Muistiinpanot",
    "ja": "会社名,番地 (会社),都道府県 (会社),国 (会社),誕生日,メモ",
    "hu": "Cég,Utca (munkahelyi),Megye (munkahelyi),Ország (munkahelyi),Születésnap,Megjegyzések",
    "ro": "Firmă,Stradă (serviciu),Județ (serviciu),Țară (serviciu),Zi de naștere,Note",
    "ru": "Организация,Улица (раб. адрес),Область (раб. адрес),Страна (раб. адрес),День рождения,Заметки",
    "el": "Εταιρεία,Οδός (εργασίας),Νομός (εργασίας),Χώρα (εργασίας),Γενέθλια,Σημειώσεις",
}


@pytest.mark.parametrize("language", BY_LANGUAGE)
def test_parts_of_a_business_address_birthdays_and_notes_are_known_in_many_languages(language):
    notes = {"field": "notes", "heading": "The notes"}
    everything = EVERYTHING.model_dump()
    profile = Profile.model_validate(everything | {"columns": [*everything["columns"], notes]})
    headings = BY_LANGUAGE[language].split(",")

    fields, mapping = mapped(*headings, profile=profile)

    expected = ["company", "address", "region", "country", "date_of_birth", "notes"]
    assert fields == dict(zip(headings, expected, strict=True))
    assert len(set(mapping.places.values())) <= 1


def test_a_postal_code_is_no_mobile_phone():
    """CEP is a postal code in Portuguese and the pocket of a mobile phone in Turkish."""
    fields, _ = mapped("CEP do endereço comercial", "Cep telefonu", "CEP residencial")

    assert fields == {
        "CEP do endereço comercial": "zip_code",
        "Cep telefonu": "phone",
        "CEP residencial": "zip_code",
    }


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (["Ada Lovelace", "Zoë O’Neill", "José Luis García", "Жанна Иванова"], "full_name"),
        (["04/17/1984", "1990-01-02", "3.5.1971"], "date_of_birth"),
        (["Germany", "Österreich", "US", "Česko"], "country"),
        (["02139", "10115", "90210-1234"], "zip_code"),
        (["SW1A 1AA", "M1 1AE", "EC1A 1BB"], "zip_code"),
    ],
)
def test_names_days_countries_and_postal_codes_are_suggested_by_their_cells_and_never_taken(cells, field):
    rows = pl.DataFrame({"raw 0": [f"c{n}@example.com" for n in range(len(cells))], "raw 1": cells})
    fields, mapping = mapped("Email", "Kolumna", holds=what_columns_hold(rows))

    assert fields == {"Email": "email"}
    assert mapping.suggestions == {"Kolumna": field}


@pytest.mark.parametrize(
    "cells",
    [
        ["2026-01-02", "2026-03-04", "2025-11-30"],  # visits, not births
        ["CA", "DE", "IN"],  # states or countries
        ["1001", "1002", "1003"],
        ["Acme Inc", "Bolt Ltd", "Cargo GmbH"],
        ["New York", "New York", "San Diego"],
        ["red", "blue", "green"],
        ["Ada Lovelace", "Zoë O’Neill"],
    ],
)
def test_cells_that_may_be_much_else_suggest_nothing(cells):
    rows = pl.DataFrame({"raw 0": ["x"] * len(cells), "raw 1": cells})

    assert mapped("Email", "Kolumna", holds=what_columns_hold(rows))[1].suggestions == {}


def test_names_are_not_suggested_beside_names():
    rows = pl.DataFrame({"raw 0": ["Ada", "Bo", "Cy"], "raw 1": ["Ada Lovelace", "Bo Dahl", "Cy Ode"]})

    assert mapped("First name", "Kolumna", holds=what_columns_hold(rows))[1].suggestions == {}


def test_what_the_cells_hold_does_not_deny_a_known_heading():
    rows = pl.DataFrame({"raw 0": ["Ada Lovelace", "Bo Dahl", "Cy Ode"], "raw 1": ["02139", "10115", "90210"]})

    assert mapped("City", "Company", holds=what_columns_hold(rows))[0] == {"City": "city", "Company": "company"}


def test_a_file_of_which_no_heading_is_known_is_refused_with_what_its_cells_look_like():
    rows = pl.DataFrame(
        {"raw 0": ["Ada Lovelace", "Bo Dahl", "Cy Ode"], "raw 1": ["(202) 555-0143", "(202) 555-0144", None]}
    )
    with pytest.raises(Refusal, match=r"'Kto' may be full_name, 'Kam' may be phone") as refused:
        mapped("Kto", "Kam", profile=load_profile("dealer_leads"), holds=what_columns_hold(rows))

    assert refused.value.code == "headings-unknown"
    assert '--map "Kto=full_name"' in refused.value.fix
