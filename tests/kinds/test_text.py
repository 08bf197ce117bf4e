import pytest

from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.profiles.reference import Reference


def test_text_is_trimmed_and_runs_of_white_space_become_one_space(values_of):
    assert values_of(["  a  b ", "a\u00a0\u00a0b", "a\u2003b", "a\t\nb"]) == ["a b"] * 4


def test_a_cell_with_nothing_visible_is_blank(values_of):
    assert values_of(["", "   ", "\u00a0", "\t", None]) == [None] * 5


def test_text_is_put_into_the_composed_form_of_unicode(values_of):
    assert values_of(["Zoe\u0308"], type="name") == ["Zoë"]


def test_the_case_of_a_name_is_kept(values_of):
    assert values_of(["McDONALD", "de la Cruz"], type="name") == ["McDONALD", "de la Cruz"]


def test_what_cannot_be_seen_is_taken_out(values_of):
    texts = ["Ro\u200bsa", "\ufeffRosa", "Ro\u00adsa", "Rosa\u200e", "Ro\x00sa\x1b", "Ro\u2060sa"]
    assert values_of(texts, type="name") == ["Rosa"] * 6
    assert values_of(["\u200b", "\x00 \u200e"]) == [None, None]


def test_look_alikes_stay_as_they_are(values_of):
    assert values_of(["Rоsa", "①", "ﬁn", "Ａ"]) == ["Rоsa", "①", "ﬁn", "Ａ"]


def test_a_word_that_means_nothing_is_a_blank_and_that_is_listed(values_of, repairs_in):
    """X5: no cell is silently changed."""
    texts = ["N/A", "n/a", "#N/A", "-", "--", "—", "None", "NULL", " none ", "Nonesuch", "a-b", None]
    assert values_of(texts) == [None] * 9 + ["Nonesuch", "a-b", None]
    assert repairs_in(texts) == [True] * 9 + [False] * 3


def test_a_word_that_means_nothing_is_listed_in_columns_of_booleans_and_lists_too(values_of, repairs_in):
    """X5: what is neither yes nor no is no repair but an error."""
    answers = ["N/A", "-", "none", "yes", "no", "perhaps", "", None]
    assert values_of(answers, type="boolean") == [None, None, None, True, False, None, None, None]
    assert repairs_in(answers, type="boolean") == [True] * 3 + [False] * 5
    lists = ["N/A", "-", "a; N/A", "n/a;-", "a;b", "a;;b", "a; b-c", None]
    assert values_of(lists, type="list") == [None, None, ["a"], None, ["a", "b"], ["a", "b"], ["a", "b-c"], None]
    assert repairs_in(lists, type="list") == [True] * 4 + [False] * 4
    assert repairs_in(["N/A", "unknown"], type="boolean", blanks=["unknown"]) == [False, True]


def test_a_repair_of_a_list_says_what_was_done(one_column, raw):
    rows, profile = raw(value=["N/A", "a; -"], other=["x", "x"]), one_column(type="list")
    clean, _ = normalize(rows, {"value": "value"}, profile, Reference())
    assert repairs_of(rows, clean, {"value": "value"}, profile, Reference()).select("after", "why").rows() == [
        (None, "a word for nothing: blank"),
        ("a", "a word for nothing left out"),
    ]


def test_a_profile_s_column_says_which_words_are_blanks(values_of):
    assert values_of(["none", "unknown", "N/A"], blanks=["unknown"]) == ["none", None, "N/A"]
    assert values_of(["none", "N/A"], blanks=[]) == ["none", "N/A"]


def test_a_word_that_the_column_needs_is_no_blank(values_of):
    assert values_of(["None", "n/a"], type="choice", choices=["none", "some"]) == ["none", None]
    assert values_of(["none"], type="login", nothing="None") == [""]


def test_a_row_of_words_that_mean_nothing_is_blank(one_column, raw):
    """E11: rows without data are not processed."""
    _, blank = normalize(raw(value=["N/A", "x"], other=["-", None]), {"value": "value"}, one_column(), Reference())
    assert blank["row_number"].to_list() == [2]


def test_a_repair_of_a_word_that_means_nothing_says_so(one_column, raw):
    rows, profile = raw(value=["N/A"], other=["x"]), one_column()
    clean, _ = normalize(rows, {"value": "value"}, profile, Reference())
    repairs = repairs_of(rows, clean, {"value": "value"}, profile, Reference())
    assert repairs.rows() == [(2, "value", "value", "N/A", None, "a word for nothing: blank")]


def test_joiners_stay_in_scripts_that_use_them(values_of, repairs_in):
    """Persian, Sinhala, Malayalam, Hindi; and pictures that are put together of several."""
    names = ["علی\u200cرضا", "ක්\u200dෂිතිජ", "ക്\u200dഷ", "क्\u200dष", "👩\u200d🚀 Zoe", "❤\ufe0f\u200d🔥"]
    assert values_of(names, type="name") == names
    assert repairs_in(names, type="name") == [False] * 6
    strays = ["Ro\u200dsa", "Ro\u200csa", "\u200dRosa", "田\u200d中"]
    assert values_of(strays, type="name") == ["Rosa", "Rosa", "Rosa", "田中"]
    assert repairs_in(strays, type="name") == [True] * 4


def test_whatever_is_taken_out_of_a_value_is_listed(repairs_in):
    """X5: spaces and composed letters are form, a character that is gone is not."""
    assert repairs_in(["Ro\u200bsa", "Rosa\u200e", "Ro\u00adsa"], type="name") == [True] * 3
    assert repairs_in(["  Rosa ", "Ro\u00a0sa", "Zoe\u0308"], type="name") == [False] * 3
    assert repairs_in(["ann\u200b@example.com"], type="email") == [True]
    assert repairs_in(["\u202a+1 202-555-0143\u202c"], type="phone") == [True]


ENCODED = [
    ("Altmann &amp; S&ouml;hne", "Altmann & Söhne"),
    ("Dr&auml;xler", "Dräxler"),
    ("O&#39;Hara", "O'Hara"),
    ("O&amp;#x27;Hara", "O'Hara"),
    ("Ren&#233;e", "Renée"),
    ("D&#146;Arcy", "D\u2019Arcy"),
    ("A&nbsp;B", "A B"),
    ("Ro&#8203;sa", "Rosa"),
]


@pytest.mark.parametrize(("given", "value"), ENCODED)
def test_html_entities_are_decoded_and_that_is_listed(values_of, repairs_in, given, value):
    assert values_of([given], type="name") == [value]
    assert values_of([given]) == [value]
    assert repairs_in([given], type="name") == [True]


def test_what_is_no_entity_stays(values_of, repairs_in):
    texts = ["AT&T", "R&D; Sales", "a&bogus;b", "Smith &copy Co", "a&#0;b", "a&#xD800;b", "Q&A", "A&notary;"]
    assert values_of(texts) == texts
    assert repairs_in(texts) == [False] * 8


def test_an_apostrophe_comes_off_only_before_a_number_or_a_formula(values_of, repairs_in):
    assert values_of(["'02139", "'=1+1", "'+1 202", "'-5", "'@here"]) == ["02139", "=1+1", "+1 202", "-5", "@here"]
    assert repairs_in(["'02139", "'=1+1"]) == [True, True]
    names = ["'s-Gravenhage", "'t Hooft", "O'Neil", "'Aisha"]
    assert values_of(names, type="name") == names
    assert repairs_in(names, type="name") == [False] * 4


def test_a_repair_says_all_that_was_done(one_column, raw):
    rows, profile = raw(value=["JO&Euml;LLE\u200b"], other=["x"]), one_column(type="name", title_case=True)
    clean, _ = normalize(rows, {"value": "value"}, profile, Reference())
    (repair,) = repairs_of(rows, clean, {"value": "value"}, profile, Reference()).rows(named=True)
    assert repair["after"] == "Joëlle"
    assert repair["why"] == "HTML entities decoded; invisible characters taken out; capitals made title case"


def test_null_none_nan_nil_and_na_are_names(values_of, repairs_in):
    """X5: people are called so; what programs write for nothing is told by its case."""
    names = ["Null", "None", "Nan", "Nil", "Na", "NULL", "NIL", "NAN"]
    assert values_of(names, type="name") == names
    assert repairs_in(names, type="name") == [False] * 8


def test_what_programs_write_for_nothing_is_a_blank_in_names_too(values_of, repairs_in):
    words = ["\\N", "nan", "NaN", "undefined", "(blank)", "#N/A", "n/a", "n.a.", "-", '""']
    assert values_of(words, type="name") == [None] * 10
    assert repairs_in(words, type="name") == [True] * 10
    assert values_of(words, type="name", title_case=True) == [None] * 10
    assert values_of([*words, "null", "None", "NAN"]) == [None] * 13


def test_a_column_of_names_may_say_that_null_is_a_blank(values_of):
    assert values_of(["Null", "Ann"], type="name", blanks=["null"]) == [None, "Ann"]


def test_na_is_namibia(values_of):
    assert values_of(["NA", "nan"], type="country") == ["NA", None]


IN_FORMULAS = [
    ("text", '="00123"', "00123"),
    ("text", '=""00123""', "00123"),
    ("text", ' = " 00123 " ', "00123"),
    ("text", '\'="00123"', "00123"),
    ("text", "=&quot;00123&quot;", "00123"),
    ("text", '="say ""no"""', 'say "no"'),
    ("text", '="a=b"', "a=b"),
    ("name", '="O\'Neil"', "O'Neil"),
    ("email", '="ana@example.com"', "ana@example.com"),
    ("phone", '="(202) 555-0143"', "+12025550143"),
    ("zip_code", '="02139"', "02139"),
    ("ssn", '="212-09-9998"', "212-09-9998"),
    ("date", '="1984-04-17"', "1984-04-17"),
    ("country", '="France"', "FR"),
    ("boolean", '="yes"', True),
    ("list", '="a"', ["a"]),
]


@pytest.mark.parametrize(("kind", "given", "value"), IN_FORMULAS)
def test_a_formula_that_is_nothing_but_a_text_is_the_text_and_that_is_listed(values_of, repairs_in, kind, given, value):
    """The usual way to keep a spreadsheet from taking zeros off."""
    assert values_of([given], type=kind) == [value]
    assert repairs_in([given], type=kind) == [True]


def test_an_empty_text_in_a_formula_is_a_blank(values_of, repairs_in):
    assert values_of(['=""', '=" "', '="N/A"']) == [None] * 3
    assert repairs_in(['=""', '=" "', '="N/A"']) == [True] * 3


def test_a_formula_that_calculates_stays(values_of, repairs_in):
    texts = ['="A"&"B"', "=A1", '=HYPERLINK("https://example.com")', '="00123', "=00123", 'a="1"', '"00123"']
    assert values_of(texts) == texts
    assert repairs_in(texts) == [False] * len(texts)


def test_a_repair_says_that_a_formula_was_taken_off(one_column, raw):
    rows, profile = raw(value=['="00123"', '\'="00123"', '="N/A"'], other=["x"] * 3), one_column()
    clean, _ = normalize(rows, {"value": "value"}, profile, Reference())
    taken_off = "equals sign and quotation marks taken off"
    assert repairs_of(rows, clean, {"value": "value"}, profile, Reference())["why"].to_list() == [
        taken_off,
        f"apostrophe before a number or a formula taken off; {taken_off}",
        f"{taken_off}; a word for nothing: blank",
    ]
