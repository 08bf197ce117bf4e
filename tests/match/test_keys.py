"""What counts when values are compared: case and accents where scripts have them, and every other letter as written."""

import unicodedata

import duckdb
import pytest

from contact_pipeline.apply.decided_otherwise import rows_compared_otherwise
from contact_pipeline.letters import folded
from contact_pipeline.match import key_of, parts_of
from contact_pipeline.match.resolutions import keys_as_text
from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity

DIFFERENT = [
    ("मीना शर्मा", "मोना शर्मा"),  # vowel signs of Devanagari
    ("कुमार राम", "कमार रामा"),
    ("தமிழ", "தமிழி"),
    ("রবি", "রব"),
    ("กมล", "กามล"),
    ("たかた はな", "たかだ はな"),  # dakuten and handakuten
    ("ハンダ ケン", "パンダ ケン"),
    ("バンダ ケン", "パンダ ケン"),
    ("Андрей", "Андреи"),
    ("Їжак", "Іжак"),
    ("ΑΝΝΑ", "АННА"),  # Greek and Cyrillic
    ("סרה", "שרה"),
    ("김지", "강지"),
]
SAME = [
    ("José Núñez", "JOSE NUNEZ"),
    ("Dvořák", "dvorak"),
    ("Nguyễn", "nguyen"),
    ("Ştefan", "stefan"),
    ("İpek", "ipek"),
    ("Straße", "STRASSE"),
    ("Άννα Παππάς", "αννα παππασ"),
    ("Королёв", "КОРОЛЕВ"),
    ("مُحَمَّد", "محمد"),
    ("محمـد", "محمد"),
    ("علی\u200cرضا", "علیرضا"),
    ("ﻋﻠﻲ", "علي"),  # by position
    ("ﻻ", "لا"),
    ("ﾊﾝﾀﾞ ｹﾝ", "ハンダ ケン"),  # half and full width
    ("Ａｎａ Ｌｉｍａ", "ana lima"),
    ("ﬁona", "Fiona"),
    ("กำพล", "ก\u0e4d\u0e32พล"),
    ("O\u2019Neil", "o'neil"),
    ("Jean\u2010Luc", "jean luc"),
    ("José 田中", "jose 田中"),
]


@pytest.fixture(scope="module")
def keys():
    """The keys of texts as some field, by one query."""

    def keys_of(texts: list[str], field: str = "full_name", **options: bool) -> list[str]:
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE t AS SELECT unnest(?) AS {field}", [texts])
            rows = connection.execute(f"SELECT {key_of(field, 't', [field], **options)} FROM t").fetchall()
        return [key for (key,) in rows]

    return keys_of


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_letters_that_differ_make_different_keys(keys, one, other):
    first, second = keys([one, other])
    assert first != second


@pytest.mark.parametrize(("one", "other"), SAME)
def test_case_accents_and_forms_make_no_difference(keys, one, other):
    first, second = keys([one, other])
    assert first == second


def test_letters_without_a_mark_stay_apart_and_tone_marks_come_off(keys):
    """As record 0034 says."""
    assert keys(["Hùng", "Hưng", "Hung"]) == ["hung"] * 3
    assert keys(["Işık", "IŞIK", "Đặng", "Łukasz", "Øster"]) == ["isık", "isik", "đang", "łukasz", "øster"]


def test_keys_are_what_names_of_countries_are_folded_to(keys):
    """One meaning in SQL and in Python, of every letter of Unicode's first plane that names are written in."""
    letters = [chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code)).startswith("L")]
    usual = [unicodedata.normalize("NFC", each) for each in letters if not _is_seldom(each)]
    assert len(usual) > 45_000
    assert keys([f"田{each}田" for each in usual]) == [f"田{folded(each)}田" for each in usual]


def _is_seldom(letter: str) -> bool:
    """Letters of phonetics and mathematics, in circles, of phrases; and those of old books, which `lower` leaves."""
    in_forms = "\ufb50" <= letter <= "\ufefc" or "\uff01" <= letter <= "\uffee"
    plain = unicodedata.normalize("NFKC", letter)
    is_sign = plain != unicodedata.normalize("NFC", letter) and (len(plain) != 1 or not in_forms)
    is_old = letter.casefold() != letter.lower() and letter not in "ßẞς"
    return is_sign or is_old or "APOSTROPHE" in unicodedata.name(letter, "")


@pytest.mark.parametrize("field", ["account_number", "company"])
def test_other_values_keep_their_accents(keys, field):
    assert keys(["Café", "CAFÉ", "Cafe"], field) == ["café", "café", "cafe"]


def test_a_column_may_keep_its_case(keys):
    """Identifiers such as those of Salesforce differ in case alone."""
    assert keys(["0015g00A", "0015g00a", "ÄB", "äb"], "account_number", keeps_case=True) == [
        "0015g00A", "0015g00a", "ÄB", "äb",
    ]  # fmt: skip


def test_a_number_with_a_dash_is_the_one_with_a_hyphen(keys):
    assert keys(["AC\u20131", "ac-1"], "account_number") == ["ac-1", "ac-1"]


def test_people_of_one_household_stay_apart(ground):
    """Two names that differ in a sign are two people, though their phone is the same."""
    ground.fill("leads", [Entity(1, {"full_name": "मीना शर्मा", "phone": "+12025550101"})])
    rows = [
        {"full_name": "मोना शर्मा", "phone": "+12025550101"},
        {"full_name": "たかた はな", "phone": "+12025550102"},
        {"full_name": "たかだ はな", "phone": "+12025550102"},
        {"full_name": "मीना शर्मा", "phone": "+12025550101"},
    ]
    planned = ground.plan("dealer_leads", rows, lead_type="SMS")
    assert planned.row_outcomes == ["created", "created", "created", "unchanged"]


def _keeping_case(**more) -> Profile:
    content = load_profile("outreach_contacts").model_dump(mode="json")
    for column in content["columns"]:
        column["case"] = "keep" if column["field"] == "account_number" else "fold"
    return Profile.model_validate(content | more)


def test_numbers_that_differ_in_case_are_different_people(ground):
    ground.fill("outreach", [Entity(1, {"account_number": "0015g00A1bCd"})])
    rows = [{"account_number": "0015g00a1BcD"}, {"account_number": "0015g00A1bCd"}]
    assert ground.plan(_keeping_case(), rows, group="G").row_outcomes == ["created", "duplicate"]


def test_numbers_that_differ_in_case_are_the_same_unless_the_column_says_otherwise(ground):
    ground.fill("outreach", [Entity(1, {"account_number": "0015g00A1bCd"})])
    planned = ground.plan("outreach_contacts", [{"account_number": "0015g00a1BcD"}], group="G")
    assert planned.row_outcomes == ["duplicate"]


def _as_before(ground, entity: str, keys: str) -> None:
    """Makes the view of a plan's keys what an earlier version made, whose keys have no version."""
    ground.staging.run(f"CREATE OR REPLACE VIEW {entity}_keys AS {keys}")


def test_a_plan_of_an_earlier_version_is_stale_where_keys_are_others_now(ground):
    """It has merged two people whose names differ in a sign; planned again, they are two."""
    rows = [
        {"full_name": name, "phone": "+12025550102", "email": None}
        for name in ("たかた はな", "たかだ はな", "Ann Bee")
    ]
    planned = ground.plan("dealer_leads", rows, lead_type="SMS")
    (part,) = parts_of(planned.profile, planned.options, planned.columns, {})
    assert rows_compared_otherwise(ground.book, part) == []

    old = "strip_accents(lower(full_name)) AS key_name, phone AS key_phone, email AS key_email"
    _as_before(ground, "contact", f"SELECT row_number, {old} FROM contact_rows")
    assert rows_compared_otherwise(ground.book, part) == [3]


def test_what_was_decided_about_other_letters_is_not_remembered(ground):
    """An earlier version wrote たかた down for たかだ, too; what is plain ASCII is remembered as before."""
    rows = [{"full_name": name, "phone": "+12025550102"} for name in ("たかた はな", "José Bee")]
    planned = ground.plan("dealer_leads", rows, lead_type="SMS")
    (part,) = parts_of(planned.profile, planned.options, planned.columns, {})
    told = ground.staging.rows(f"SELECT {keys_as_text(part, 'k')} FROM contact_row_keys AS k ORDER BY row_number")
    assert told[0][0].startswith("name=たかた はな (2)\x1f")
    assert told[1][0].startswith("name=jose bee\x1f")
    assert "phone=+12025550102" in told[1][0]


@pytest.mark.parametrize(
    ("field", "value"),
    [("ssn", "219-09-9999"), ("email", "NoReply@example.com"), ("phone", "+12022222222"),
     ("phone", "+12022222222;ext=3")],
)  # fmt: skip
def test_nobody_is_recognized_by_a_placeholder(ground, field, value):
    ground.fill("outreach", [Entity(1, {field: value, "first_name": "Ann"})])
    rows = [{field: value, "first_name": "Bob"}, {field: value, "first_name": "Cy"}]
    assert ground.plan("outreach_contacts", rows, group="G").row_outcomes == ["created", "created"]

    content = load_profile("outreach_contacts").model_dump(mode="json")
    for column in content["columns"]:
        column["placeholders"] = "take"
    taking = Profile.model_validate(content)
    assert ground.plan(taking, rows, group="G").row_outcomes == ["duplicate", "duplicate"]


def test_an_extension_of_the_same_digits_makes_no_placeholder(ground):
    value = "+12025550143;ext=7777777"
    ground.fill("outreach", [Entity(1, {"phone": value, "first_name": "Ann"})])
    planned = ground.plan("outreach_contacts", [{"phone": value, "first_name": "Ann"}], group="G")
    assert planned.row_outcomes == ["duplicate"]
