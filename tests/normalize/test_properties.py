"""What holds for any text: accepted is accepted again, nothing changes unsaid, fast paths agree with libraries."""

import re
import unicodedata

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contact_pipeline.kinds import email_addresses
from contact_pipeline.kinds.kind import Context
from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.normalize.fast_path import take_fast_path
from contact_pipeline.normalize.normalize import _read
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import FURTHER
from contact_pipeline.validate import find_doubtful, reject, validate
from tests.thorough import examples

REFERENCE = Reference(
    logins=frozenset({"Test.User"}), vocabularies={"specialties": ("Cardiology", "Pediatrics", "Médica")}
)
COLUMNS = {
    "text": {"type": "text", "max_length": 12},
    "nickname": {"type": "name", "title_case": True},
    "email": {"type": "email"},
    "phone": {"type": "phone"},
    "date_of_birth": {"type": "date", "formats": ["%m/%d/%Y", "%d/%m/%Y", "%d %b %y"], "pivot": 25},
    "ssn": {"type": "ssn"},
    "zip_code": {"type": "zip_code"},
    "country": {"type": "country"},
    "identifier": {"type": "identifier", "identifiers": ["crm", "cnpj", "cpf"]},
    "choice": {"type": "choice", "choices": ["MEDICAL", "Ação"]},
    "qualifications": {"type": "list", "vocabulary": "specialties"},
    "login": {"type": "login", "nothing": "Without Portfolio"},
    "do_not_contact": {"type": "boolean"},
}
PROFILE = Profile.model_validate(
    {
        "name": "any",
        "title": "Any",
        "address_book": "test",
        "file": {"types": ["csv"]},
        "headings": "exact",
        "region": "US",
        "columns": [{"field": field, "heading": field, **column} for field, column in COLUMNS.items()],
        "match": [{"equal": ["email"]}],
        "on_error": "reject",
        "apply": "automatic",
    }
)
FIELDS = {field: field for field in COLUMNS}
LIKELY = [
    "04/17/1984", "03/04/1984", "17 Apr 84", "1984-04-17 00:00:00", "2139", "1067", "sw1a1aa", "1234567", "219 09 9999",
    "(202) 555-0143 x12", "011 44 20 7946 0123", "call 202-555-0143", "+44 20 7946 0123", "CRM/SP 001.234", "USA", "br",
    "11.222.333/0001-81", "1234567000195", "1234567890", "A@EXAMPLE.COM", "Rosa <rosa@EXAMPLE.com>", "mailto:a@b.co",
    "a@example.com; b@example.com", "a@bücher.example", "böb@example.com", "a@gamil.com", "cardiology; PEDIATRICS",
    "test.user", "without portfolio", "MEDICAL", "acao", "4.479E+11", "e\u0301", "TRUE", "no", "N/A", "-", "ROSA",
    "O'BRIEN", "Ro\u200bsa", "\ufeff", "ǅ", "ß", "İ", "２０２ ５５５ ０１４３",
]  # fmt: skip
TEXTS = (
    st.sampled_from(LIKELY)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.text("0123456789+-/. ()ABCSPabc;@<>,", max_size=24)
)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, st.none() | TEXTS)), min_size=5, max_size=30)
QUICK = settings(deadline=None, max_examples=examples(8, 16), phases=[Phase.explicit, Phase.reuse, Phase.generate])


def raw_of(rows):
    numbers = pl.Series(range(len(rows)), dtype=pl.UInt32)
    raw = pl.DataFrame({name: pl.Series([cells[name] for cells in rows], dtype=pl.String) for name in COLUMNS})
    return raw.with_columns(row_number=numbers, line_number=numbers, anchor=pl.lit("x"))


def read(rows):
    """What becomes of each row: its values, the fields in error, and the fields that are repaired."""
    raw = raw_of(rows)
    clean, _ = normalize(raw, FIELDS, PROFILE, REFERENCE)
    told = validate(clean, PROFILE, REFERENCE, FIELDS).filter(pl.col("severity") == "error")
    repairs = repairs_of(raw, clean, FIELDS, PROFILE, REFERENCE)
    wrong, repaired = ([set() for _ in rows] for _ in range(2))
    for found, frame in ((wrong, told), (repaired, repairs)):
        for number, field in frame.select("row_number", "field").iter_rows():
            found[number].add(field)
    return list(zip(clean.to_dicts(), wrong, repaired, strict=True))


def exported(values):
    """The values as an export writes them into cells."""
    as_text = {True: "yes", False: "no", "": "Without Portfolio"}
    return {
        name: "; ".join(value) if isinstance(value, list) else as_text.get(value, value)
        for name, value in values.items()
    }


def test_the_likely_texts_hold_values_that_every_column_accepts_changes_or_rejects():
    """The properties below would say nothing of a column whose every text is wrong, or is taken as it stands."""
    judged = read([dict.fromkeys(COLUMNS, text) for text in LIKELY])
    free = {"nickname", "text", "qualifications"}  # any text will do, or it is a list, which changes in form alone
    for name in COLUMNS:
        assert any(values[name] is not None and name not in wrong for values, wrong, _ in judged), name
        assert name in free or any(name in wrong for _, wrong, _ in judged), name
        changed = [text for text, (values, _, _) in zip(LIKELY, judged, strict=True) if values[name] != text]
        assert changed, name
    assert {name for _, _, repaired in judged for name in repaired} >= {
        "nickname", "email", "phone", "date_of_birth", "ssn", "zip_code", "identifier",
    }  # fmt: skip


@QUICK
@given(rows=ROWS)
def test_what_is_accepted_is_accepted_again_after_export_and_import(rows):
    kept = [{name: None if name in wrong else values[name] for name in COLUMNS} for values, wrong, _ in read(rows)]
    for values, (again, wrong, repaired) in zip(kept, read([exported(values) for values in kept]), strict=True):
        assert {name: again[name] for name in COLUMNS} == values
        assert (wrong, repaired) == (set(), set())


@QUICK
@given(rows=ROWS)
def test_a_value_never_changes_without_its_repair_being_listed(rows):
    """X5: no cell is silently changed."""
    spelled_as_registered = {"choice", "qualifications", "login", "do_not_contact", "country"}
    for cells, (values, wrong, repaired) in zip(rows, read(rows), strict=True):
        for name in set(COLUMNS) - wrong - repaired - spelled_as_registered:
            assert bare(name, values[name]) == bare(name, cells[name]), (name, cells[name], values[name])


@QUICK
@given(texts=st.lists(TEXTS, min_size=5, max_size=30), region=st.sampled_from(["US", "BR", None]))
def test_the_fast_path_says_nothing_that_the_whole_way_does_not(texts, region):
    profile = PROFILE.model_copy(update={"region": region})
    cells = pl.DataFrame({"text": pl.Series([*texts, *LIKELY, None], dtype=pl.String)})
    for column in profile.columns:
        values, certain = take_fast_path(cells["text"], column, profile, by_country=False)
        read = _read(cells, column, Context(profile, REFERENCE, None)).filter(certain)
        assert read[column.field].equals(values.filter(certain), null_equal=True), column.field
        assert not read["_changed"].any()
        assert all(read[name].is_null().all() for name in read.columns if name.startswith(FURTHER))


def test_the_fast_path_is_enough_for_what_most_cells_hold():
    """The property above would say nothing of a fast path that is never certain."""
    usual = {
        "text": "Ad Agency", "nickname": "Rosa Bel", "email": "Rosa.Bel@example.com", "phone": "(202) 555-0143",
        "date_of_birth": "1984-04-17", "ssn": "219099990", "zip_code": "02139-4307",
    }  # fmt: skip
    for field, text in usual.items():
        _, certain = take_fast_path(pl.Series([text, "", None]), PROFILE.column_of[field], PROFILE, by_country=False)
        assert certain.to_list() == [True, False, False], field


@settings(QUICK, max_examples=examples(4, 10))
@given(rows=ROWS)
def test_values_are_the_same_however_often_they_stand_in_a_column(rows):
    once, often = read(rows), read(rows * 40)
    for number, (values, wrong, repaired) in enumerate(often):
        first = once[number % len(rows)]
        assert ({**values, "row_number": 0}, wrong, repaired) == ({**first[0], "row_number": 0}, *first[1:])


@QUICK
@given(rows=ROWS)
def test_a_quick_rule_passes_nothing_that_the_rules_do_not(rows):
    clean, _ = normalize(raw_of(rows), FIELDS, PROFILE, REFERENCE)
    doubtful = find_doubtful(clean, PROFILE, REFERENCE)
    assert reject(clean, PROFILE, REFERENCE, FIELDS).equals(reject(doubtful, PROFILE, REFERENCE, FIELDS))
    assert doubtful["row_number"].to_list() == sorted(set(reject(clean, PROFILE, REFERENCE, FIELDS)["row_number"]))


def bare(name, value):
    """What a value says, without the punctuation, the case or the prefixes that its field does not count."""
    value = value or ""
    visible = "".join(c for c in value if c in "\t\n\v\f\r\x85" or unicodedata.category(c) not in {"Cf", "Cc"})
    text = " ".join(unicodedata.normalize("NFC", visible).split())
    if name == "email":
        local, _, domain = text.partition("@")
        return f"{local}@{domain.lower()}"
    if name == "phone":
        # Only the last digits, which tell one subscriber or extension from another; prefixes are the numbering plan's.
        spelled = unicodedata.normalize("NFKC", text).replace(";ext=", "x")
        return re.sub(r"\D", "", spelled)[-4:] if ";" not in spelled else ""
    if name == "date_of_birth":
        return re.sub(r"[T ]00:00(:00(\.0+)?)?$", "", text)
    if name in {"ssn", "zip_code"}:
        return re.sub("[^0-9A-Z]", "", text.upper())
    if name == "identifier":  # a registration's state may stand before its number
        return sorted(re.sub("CRM|N[ºO°]|[^0-9A-Z]", "", text.upper()))
    return text


ADDRESSES = st.from_regex(r"[a-z.+'-]{1,8}@([a-zé0-9-]{1,8}\.){1,2}[a-z0-9]{1,5}", fullmatch=True)


@settings(deadline=None, max_examples=examples(50, 120))
@given(texts=st.lists(TEXTS | ADDRESSES, min_size=10, max_size=30))
def test_the_fast_path_and_the_library_judge_addresses_alike(texts):
    accepted = [email_addresses.verdict(text) is not None for text in texts]
    assert email_addresses.are_addresses(pl.Series(texts)).to_list() == accepted
    assert all(accepted[place] for place, plain in enumerate(are_plain(texts)) if plain)


def are_plain(texts):
    return pl.DataFrame({"text": texts}).select(email_addresses.is_plain(pl.col("text"))).to_series().to_list()


LABELS = ["example", "xn--bcher-kva", "a-b", "-a", "a-", "ab--cd", "xn--", "test", "b" * 63, "b" * 64, "1", "é", "_x"]
ENDINGS = ["com", "co.uk", "c1", "1c", "1", "test", "local", "onion", "c-m", "c-", "", "museum", "xn--p1ai"]
LOCALS = ["a", "a.b", ".a", "a.", "a..b", "a+b", "a/b", "o'neil", '"a"', "a b", "é", "a" * 64, "a" * 65, "(c)a", ""]


def test_the_fast_path_and_the_library_judge_a_large_made_up_set_alike():
    texts = [f"{local}@{label}.{ending}" for local in LOCALS for label in LABELS for ending in ENDINGS]
    texts += [f"{local}@{label}" for local in LOCALS for label in LABELS]
    judged = email_addresses.are_addresses(pl.Series(texts)).to_list()
    accepted = [email_addresses.verdict(text) is not None for text in texts]
    assert [text for text, ours, its in zip(texts, judged, accepted, strict=True) if ours != its] == []
    assert 100 < sum(judged) < len(texts) / 2
    plain = are_plain(texts)
    assert [text for text, ours, sure in zip(texts, judged, plain, strict=True) if sure and not ours] == []
    assert sum(plain) > 10
