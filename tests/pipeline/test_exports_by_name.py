"""Whole exports of other systems, with the headings that these write: full rows and sparse ones become their people.

In every file Ana Lima has all there is, Bo Dahl an e-mail address alone and Cy Ode a telephone number alone, each in
another column than the first of its kind where the system has several.
"""

import csv
from typing import NamedTuple

import pytest

from tests.pipeline.conftest import DIRECTOR

GOOGLE_PARTS = "Street,City,PO Box,Region,Postal Code,Country,Extended Address"
ANA, ANA_2 = "ana@example.com", "ana.work@example.com"
FIRST, SECOND, CY = "(202) 555-0145", "(202) 555-0190", "(202) 555-0148"
NAMES = [("Ana", "Lima"), ("Bo", "Dahl"), ("Cy", "Ode")]


class Export(NamedTuple):
    """An export of one system.

    Attributes:
        headings: with commas between them.
        name: the columns of first and last name, or of the whole.
        ana, bo, cy: heading → cell, besides the names.
        noted: what the notes hold of Ana.
    """

    headings: str
    name: list[str]
    ana: dict[str, str]
    bo: dict[str, str]
    cy: dict[str, str]
    noted: list[str]


EXPORTS = {
    "google": Export(
        "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,"
        "Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,"
        "Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,"
        "Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Address 1 - Label,Address 1 - Formatted,"
        + ",".join(f"Address 1 - {part}" for part in GOOGLE_PARTS.split(","))
        + ",Website 1 - Label,Website 1 - Value",
        ["First Name", "Last Name"],
        {
            "E-mail 1 - Label": "* Home",
            "E-mail 1 - Value": f"{ANA} ::: {ANA_2}",
            "Phone 1 - Label": "Mobile",
            "Phone 1 - Value": FIRST,
            "Phone 2 - Label": "Work",
            "Phone 2 - Value": SECOND,
            "Labels": "* myContacts ::: Friends",
            "Address 1 - Formatted": "1 Elm St\nSpringfield",
        },
        {"E-mail 2 - Label": "Work", "E-mail 2 - Value": "bo@example.com"},
        {"Phone 2 - Label": "Work", "Phone 2 - Value": CY},
        [ANA_2, "+12025550190"],
    ),
    "google, before 2024": Export(
        "Name,Given Name,Additional Name,Family Name,Yomi Name,Given Name Yomi,Additional Name Yomi,Family Name Yomi,"
        "Name Prefix,Name Suffix,Initials,Nickname,Short Name,Maiden Name,Birthday,Gender,Location,"
        "Billing Information,Directory Server,Mileage,Occupation,Hobby,Sensitivity,Priority,Subject,Notes,Language,"
        "Photo,Group Membership,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Type,E-mail 2 - Value,Phone 1 - Type,"
        "Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Organization 1 - Type,Organization 1 - Name",
        ["Given Name", "Family Name"],
        {
            "E-mail 1 - Type": "* Home",
            "E-mail 1 - Value": ANA,
            "E-mail 2 - Value": ANA_2,
            "Phone 1 - Type": "Work Fax",
            "Phone 1 - Value": SECOND,
            "Phone 2 - Type": "Mobile",
            "Phone 2 - Value": FIRST,
        },
        {"E-mail 2 - Value": "bo@example.com"},
        {"Phone 2 - Type": "Home", "Phone 2 - Value": CY},
        [ANA_2, f"Work Fax: {SECOND}"],
    ),
    "outlook": Export(
        "First Name,Middle Name,Last Name,Title,Suffix,Nickname,Given Yomi,Surname Yomi,E-mail Address,"
        "E-mail 2 Address,E-mail 3 Address,Home Phone,Home Phone 2,Business Phone,Business Phone 2,Mobile Phone,"
        "Car Phone,Other Phone,Primary Phone,Pager,Business Fax,Home Fax,Other Fax,Company Main Phone,Callback,"
        "Radio Phone,Telex,TTY/TDD Phone,IMAddress,Job Title,Department,Company,Office Location,Manager's Name,"
        "Assistant's Name,Assistant's Phone,Company Yomi,Business Street,Business City,Business State,"
        "Business Postal Code,Business Country/Region,Home Street,Home City,Home State,Home Postal Code,"
        "Home Country/Region,Personal Web Page,Spouse,Schools,Hobby,Location,Web Page,Birthday,Anniversary,Notes",
        ["First Name", "Last Name"],
        {
            "Title": "Dr.",
            "E-mail Address": ANA,
            "E-mail 2 Address": ANA_2,
            "Mobile Phone": FIRST,
            "Home Phone": SECOND,
            "Business Fax": "(202) 555-0199",
            "Assistant's Phone": "(202) 555-0198",
            "Birthday": "0/0/00",
        },
        {"E-mail 3 Address": "bo@example.com", "Birthday": "0/0/00"},
        {"Home Phone 2": CY, "Business Fax": "(202) 555-0199", "Birthday": "0/0/00"},
        [ANA_2, "+12025550190"],
    ),
    "outlook, in German": Export(
        "Vorname,Weitere Vornamen,Nachname,Anrede,Suffix,Spitzname,E-Mail-Adresse,E-Mail 2: Adresse,"
        "Telefon (privat),Telefon geschäftlich,Mobiltelefon,Fax geschäftlich,Firma,Position,Straße geschäftlich,"
        "Ort geschäftlich,Postleitzahl geschäftlich,Land/Region geschäftlich,Geburtstag,Notizen",
        ["Vorname", "Nachname"],
        {
            "Anrede": "Frau",
            "E-Mail-Adresse": ANA,
            "E-Mail 2: Adresse": ANA_2,
            "Mobiltelefon": FIRST,
            "Telefon (privat)": SECOND,
        },
        {"E-Mail 2: Adresse": "bo@example.com"},
        {"Telefon (privat)": CY, "Fax geschäftlich": "(202) 555-0199"},
        [ANA_2, "+12025550190"],
    ),
    "outlook, in Turkish": Export(
        "Ad,İkinci Ad,Soyadı,Şirket,Departman,İş Unvanı,İş Adresi Sokak,İş Adresi Şehir,İş Adresi Posta Kodu,"
        "İş Adresi Ülke/Bölge,İş Telefonu,Ev Telefonu,Cep Telefonu,E-posta Adresi,E-posta 2 Adresi,Doğum Günü,Notlar",
        ["Ad", "Soyadı"],
        {"E-posta Adresi": ANA, "E-posta 2 Adresi": ANA_2, "Cep Telefonu": FIRST, "Ev Telefonu": SECOND},
        {"E-posta 2 Adresi": "bo@example.com"},
        {"İş Telefonu": CY},
        [ANA_2, "+12025550190"],
    ),
    "outlook, in Japanese": Export(
        "名,姓,会社名,部署,役職,番地 (会社),市区町村 (会社),都道府県 (会社),郵便番号 (会社),国 (会社),"
        "会社電話,自宅電話,携帯電話,電子メール アドレス,電子メール 2 アドレス,誕生日,メモ",
        ["名", "姓"],
        {"電子メール アドレス": ANA, "電子メール 2 アドレス": ANA_2, "携帯電話": FIRST, "会社電話": SECOND},
        {"電子メール 2 アドレス": "bo@example.com"},
        {"自宅電話": CY},
        [ANA_2, "+12025550190"],
    ),
    "outlook, in Hungarian": Export(
        "Utónév,Vezetéknév,Cég,Beosztás,Utca (munkahelyi),Város (munkahelyi),Irányítószám (munkahelyi),"
        "Ország (munkahelyi),Telefon (munkahelyi),Telefon (otthoni),Mobiltelefon,E-mail cím,E-mail 2 cím,"
        "Születésnap,Megjegyzések",
        ["Utónév", "Vezetéknév"],
        {"E-mail cím": ANA, "E-mail 2 cím": ANA_2, "Mobiltelefon": FIRST, "Telefon (otthoni)": SECOND},
        {"E-mail 2 cím": "bo@example.com"},
        {"Telefon (munkahelyi)": CY},
        [ANA_2, "+12025550190"],
    ),
    "thunderbird": Export(
        "First Name,Last Name,Display Name,Nickname,Primary Email,Secondary Email,Screen Name,Work Phone,Home Phone,"
        "Fax Number,Pager Number,Mobile Number,Home Address,Home Address 2,Home City,Home State,Home ZipCode,"
        "Home Country,Work Address,Work Address 2,Work City,Work State,Work ZipCode,Work Country,Job Title,Department,"
        "Organization,Web Page 1,Web Page 2,Birth Year,Birth Month,Birth Day,Custom 1,Custom 2,Custom 3,Custom 4,Notes",
        ["First Name", "Last Name"],
        {"Primary Email": ANA, "Secondary Email": ANA_2, "Mobile Number": FIRST, "Home Phone": SECOND},
        {"Secondary Email": "bo@example.com"},
        {"Work Phone": CY, "Fax Number": "(202) 555-0199"},
        [ANA_2, "+12025550190"],
    ),
    "hubspot": Export(
        "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Contact owner,"
        "Primary Associated Company ID,Associated Company,Last Activity Date (GMT),Lead Status,"
        "Marketing contact status,Create Date,Associated Company IDs,Additional email addresses",
        ["First Name", "Last Name"],
        {"Email": ANA, "Additional email addresses": ANA_2, "Phone Number": FIRST, "Mobile Phone Number": SECOND},
        {"Additional email addresses": "bo@example.com"},
        {"Mobile Phone Number": CY, "Create Date": "2026-01-02 10:11"},
        [ANA_2, "+12025550190"],
    ),
    "salesforce": Export(
        "Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Mailing City,Mailing State/Province,"
        "Mailing Zip/Postal Code,Mailing Country,Phone,Fax,Mobile,Email,Account Owner",
        ["First Name", "Last Name"],
        {"Salutation": "Ms.", "Email": ANA, "Phone": FIRST, "Mobile": SECOND, "Fax": "(202) 555-0199"},
        {"Email": "bo@example.com", "Account Name": "Dahl Garage"},
        {"Mobile": CY},
        ["+12025550190"],
    ),
    "pipedrive": Export(
        "Person - Name,Person - Label,Person - Organization,Person - Email - Work,Person - Email - Home,"
        "Person - Email - Other,Person - Phone - Work,Person - Phone - Home,Person - Phone - Mobile,"
        "Person - Phone - Other,Person - Owner,Person - ID",
        ["Person - Name"],
        {
            "Person - Email - Home": ANA,
            "Person - Email - Work": ANA_2,
            "Person - Phone - Mobile": FIRST,
            "Person - Phone - Work": SECOND,
            "Person - Owner": "M Keane",
        },
        {"Person - Email - Other": "bo@example.com"},
        {"Person - Phone - Home": CY},
        [ANA_2, "+12025550190"],
    ),
    "zoho": Export(
        "Record Id,Contact Owner.id,Contact Owner,Lead Source,First Name,Last Name,Account Name.id,Account Name,"
        "Vendor Name.id,Vendor Name,Email,Title,Department,Phone,Home Phone,Other Phone,Fax,Mobile,Date of Birth,"
        "Assistant,Asst Phone,Mailing Street,Other Street,Mailing City,Other City,Mailing State,Other State,"
        "Mailing Zip,Other Zip,Mailing Country,Other Country,Description,Skype ID,Secondary Email,Tag,Salutation",
        ["First Name", "Last Name"],
        {"Record Id": "zcrm_1", "Email": ANA, "Secondary Email": ANA_2, "Phone": FIRST, "Mobile": SECOND},
        {"Record Id": "zcrm_2", "Secondary Email": "bo@example.com"},
        {"Record Id": "zcrm_3", "Other Phone": CY, "Fax": "(202) 555-0199", "Asst Phone": "(202) 555-0198"},
        [ANA_2, "+12025550190"],
    ),
    "mailchimp": Export(
        "Email Address,First Name,Last Name,Address,Phone Number,Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,"
        "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS",
        ["First Name", "Last Name"],
        {"Email Address": ANA, "Phone Number": FIRST, "MEMBER_RATING": "2", "TAGS": '"vip"'},
        {"Email Address": "bo@example.com", "MEMBER_RATING": "2"},
        {"Phone Number": CY, "MEMBER_RATING": "2"},
        [],
    ),
    "brevo": Export(
        "CONTACT ID,EMAIL,LASTNAME,FIRSTNAME,SMS,EXT_ID,DOUBLE_OPT-IN,OPT_IN,WHATSAPP",
        ["FIRSTNAME", "LASTNAME"],
        {"CONTACT ID": "1", "EMAIL": ANA, "SMS": "12025550145", "WHATSAPP": "12025550190"},
        {"CONTACT ID": "2", "EMAIL": "bo@example.com"},
        {"CONTACT ID": "3", "WHATSAPP": "12025550148"},
        ["+12025550190"],
    ),
    "odoo": Export(
        "Name,Phone,Mobile,Email,Salesperson,Activities,City,Country,Company,Street,Zip,Tags",
        ["Name"],
        {"Phone": "+1 202-555-0145", "Mobile": "+1 202-555-0190", "Email": ANA, "Salesperson": "M Keane"},
        {"Email": "bo@example.com"},
        {"Mobile": "+1 202-555-0148"},
        ["+12025550190"],
    ),
    "quickbooks": Export(
        "Customer,Company,Street Address,City,State,Country,Zip,Phone,Email,Attachments,Open Balance",
        ["Customer"],
        {"Phone": f"Phone: {FIRST} Mobile: {SECOND}", "Email": ANA, "Open Balance": "0.00"},
        {"Email": "bo@example.com", "Open Balance": "0.00"},
        {"Phone": f"Mobile: {CY}", "Open Balance": "12.50"},
        ["+12025550190"],
    ),
}
LINKEDIN = """Notes:
"When exporting your connection data, you may notice that some of the email addresses are missing."

First Name,Last Name,URL,Email Address,Company,Position,Connected On
Ana,Lima,https://www.example.com/in/ana,ana@example.com,Lima Ltd,CEO,02 Jan 2026
Bo,Dahl,https://www.example.com/in/bo,bo@example.com,Dahl Garage,Mechanic,03 Jan 2026
"""


@pytest.fixture
def people(pipeline):
    """Plans and applies a file of leads; the contacts that it makes, in the order of the rows."""

    def imported(file):
        upload = pipeline.plan(file, "dealer_leads", user=DIRECTOR, lead_type="SMS", rule="merge")
        assert (upload.state, upload.outcomes["created"]) == ("staged", upload.line.data_rows), upload
        pipeline.apply(upload.upload_id, user=DIRECTOR)
        pipeline.finalize(upload.upload_id, user=DIRECTOR)
        return pipeline.store.contacts()

    return imported


@pytest.mark.parametrize("system", EXPORTS)
def test_every_person_of_an_export_is_there_with_the_first_filled_cell(system, people, tmp_path):
    export = EXPORTS[system]
    with (tmp_path / "export.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, export.headings.split(","))
        writer.writeheader()
        for names, cells in zip(NAMES, (export.ana, export.bo, export.cy), strict=True):
            own = dict(zip(export.name, names if len(export.name) > 1 else [" ".join(names)], strict=True))
            writer.writerow(own | cells)
    made = people(tmp_path / "export.csv")
    assert [(lead["full_name"], lead["email"], lead["phone"]) for lead in made] == [
        ("Ana Lima", ANA, "+12025550145"),
        ("Bo Dahl", "bo@example.com", None),
        ("Cy Ode", None, "+12025550148"),
    ]
    notes = " ".join(made[0]["notes"] or [])
    assert [value for value in export.noted if value not in notes] == []


def test_the_lines_above_the_headings_of_linkedin_are_no_people(people, tmp_path):
    (tmp_path / "Connections.csv").write_text(LINKEDIN)
    made = people(tmp_path / "Connections.csv")
    assert [(lead["full_name"], lead["email"]) for lead in made] == [("Ana Lima", ANA), ("Bo Dahl", "bo@example.com")]


def test_a_row_with_nothing_but_a_fax_has_no_telephone_number(people, tmp_path):
    (tmp_path / "export.csv").write_text(
        "First Name,Last Name,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n"
        f"Ana,Lima,{ANA},Work Fax,{FIRST}\n"
        f"Bo,Dahl,bo@example.com,Work,{SECOND}\n"
    )
    made = people(tmp_path / "export.csv")
    assert [lead["phone"] for lead in made] == [None, "+12025550190"]
    assert "Work Fax: (202) 555-0145" in " ".join(made[0]["notes"])


def test_a_label_that_says_not_to_call_is_not_lost(people, tmp_path):
    (tmp_path / "export.csv").write_text(
        "First Name,Last Name,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n"
        f"Ana,Lima,{ANA},DO NOT CALL,{FIRST}\n"
        f"Bo,Dahl,bo@example.com,* Work,{SECOND}\n"
    )
    made = people(tmp_path / "export.csv")
    assert [lead["phone"] for lead in made] == [None, "+12025550190"]
    assert "DO NOT CALL: (202) 555-0145" in " ".join(made[0]["notes"])
