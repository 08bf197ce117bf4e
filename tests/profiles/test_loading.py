"""Mistakes in a profile's file are found when it is loaded, with the key, the reason and what was probably meant."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile, check_profile, find_profiles, load_profile
from contact_pipeline.profiles.options import choose

CLUB = """
name: club
title: Club
address_book: club
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email}
match:
  - equal: [email]
on_error: reject
apply: approval
"""
COLUMN = "  - {field: email, heading: Email, type: email}\n"


@pytest.fixture
def problems(tmp_path):
    """What is wrong with the profile in which a text is exchanged: key → reason."""

    def find(old, new):
        assert old in CLUB
        (tmp_path / "club.yaml").write_text(CLUB.replace(old, new), encoding="utf-8")
        try:
            check_profile(tmp_path / "club.yaml")
        except Refusal as refused:
            return {each["key"]: each["message"] for each in refused.details["problems"]}
        return {}

    return find


def column(text):
    return COLUMN, f"{COLUMN}  - {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("field: phone, heading: Phone", "type", "'phone' is of type phone, not text"),
        ("field: phone, heading: Phone, type: list", "type", "'phone' is of type phone, not list"),
        ("field: date_of_birth, heading: Born", "type", "'date_of_birth' is of type date, not text"),
        ("field: ssn, heading: SSN, type: identifier", "type", "'ssn' is of type ssn, not identifier"),
        ("field: country, heading: Country", "type", "'country' is of type country, not text"),
        ("field: do_not_contact, heading: Stop", "type", "'do_not_contact' is of type boolean, not text"),
        ("field: do_not_contact, heading: Stop, type: boolean, kind: text", "type", "stored as boolean, not as text"),
        ("field: full_name, heading: Name, type: choice, choices: [A]", "type", "'full_name' is of type name"),
        ("field: company, heading: Company, type: list", "type", "'company' is stored as text, not as list"),
        ("field: qualifications, heading: Exams", "type", "'qualifications' is stored as list, not as text"),
        ("field: notes, heading: Notes", "type", "'notes' is stored as list, not as text"),
        ("field: tags, heading: Tags, type: list, kind: text", "kind", "of type list is stored as list, not as text"),
        ("field: tags, heading: Tags, kind: list", "kind", "of type text is stored as text, not as list"),
        ("field: vip, heading: VIP, type: boolean, kind: text", "kind", "of type boolean is stored as boolean"),
        ('field: tags, heading: Tags, type: list, separator: ""', "separator", "is empty"),
        ("field: id, heading: Id, identifiers_column: kind_of_id", "identifiers_column", "that no column fills"),
        ("field: size, heading: Size, type: choice, choices: [S, M], default: L", "default", "not one of the choices"),
    ],
)
def test_a_column_that_only_fails_when_a_file_comes_is_refused(problems, text, key, reason):
    found = problems(*column(text))

    assert list(found) == [f"columns.1.{key}"]
    assert reason in found[f"columns.1.{key}"]


@pytest.mark.parametrize(
    "text",
    [
        "field: zip_code, heading: Zip",  # another country's, as a shipped profile has it
        "field: full_name, heading: Name, type: name, split: true",
        "field: contact_type, heading: Type, type: choice, choices: [A, B], default: B",
        "field: qualifications, heading: Exams, type: list",
        "field: tags, heading: Tags, type: list, kind: list",
        "field: vip, heading: VIP, type: boolean",
        "field: vip, heading: VIP, type: boolean, kind: boolean",
        'field: phone, heading: "No", type: phone, example: "0664 1234567"',
    ],
)
def test_a_column_that_can_be_used_is_taken(problems, text):
    assert problems(*column(text)) == {}


@pytest.mark.parametrize("sign", ["a", "'1'", "'\"'", '"\\n"'])
def test_what_parts_no_cells_is_no_delimiter(problems, sign):
    assert "does not part cells" in problems("[csv]", f"[csv], delimiter: {sign}")["file.delimiter"]


def test_an_encoding_that_is_none_is_refused(problems):
    assert problems("[csv]", "[csv], encoding: utf9") == {"file.encoding": "'utf9' is no encoding that is known"}


@pytest.mark.parametrize(
    ("old", "new", "key", "meant"),
    [
        ("title:", "titel:", "titel", "title"),
        ("on_error:", "on-error:", "on-error", "on_error"),
        ("match:", "mach:", "mach", "match"),
        ("{types:", "{type:", "file.type", "types"),
        ("- equal:", "- equals:", "match.0.equals", "equal"),
        ("heading: Email", "headng: Email", "columns.0.headng", "heading"),
        ("on_error:", "rules: [{any_off: [[email]], message: x}]\non_error:", "rules.0.any_of.any_off", "any_of"),
        ("on_error:", "rules: [{unqiue: [email]}]\non_error:", "rules.0.unique.unqiue", "unique"),
        ("on_error:", "rules: [{required: email, whem: {email: []}}]\non_error:", "rules.0.required.whem", "when"),
        ("on_error:", "guards: {rejected_percents: 5}\non_error:", "guards.rejected_percents", "rejected_percent"),
        ("on_error:", "options: {reactivat: true}\non_error:", "options.reactivat", "reactivate"),
        ("type: email", "type: emial", "columns.0.type", "email"),
        ("reject", "rejct", "on_error", "reject"),
    ],
)
def test_what_is_mistyped_is_met_with_what_was_meant(problems, old, new, key, meant):
    found = problems(old, new)

    assert next(iter(found)) == key  # before what is missing because of it
    assert f"did you mean '{meant}'?" in found[key]


def test_a_key_that_is_like_no_other_is_met_with_those_there_are(problems):
    assert problems("{types:", "{zebra: 1, types:")["file.zebra"].endswith("keys: types, delimiter, encoding, sheet")


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("on_error:", "region: NO\non_error:", "region", "No, Off and False without quotes are the truth value false"),
        ("heading: Email", "heading: Yes", "columns.0.heading", "Yes, On and True without quotes are the truth value"),
        (*column("field: vip, heading: V, type: choice, choices: [Yes, x]"), "columns.1.choices.0", "Yes, On and True"),
        ("heading: Email", "heading: 2024-01-31", "columns.0.heading", "2024-01-31 without quotes is a date in YAML"),
        ("heading: Email", "heading: Email, example: 12345", "columns.0.example", "12345 without quotes is a number"),
        ("title: Club", "title:", "title", "nothing at all are no text in YAML"),
        ("on_error: reject", "on_error: off", "on_error", "No, Off and False without quotes"),
        ("on_error:", "blanks: [None, null]\non_error:", "blanks.1", "null, ~ and nothing at all"),
    ],
)
def test_a_word_that_yaml_takes_for_something_else_is_explained(problems, old, new, key, reason):
    found = problems(old, new)

    assert reason in found[key]
    assert found[key].endswith("Put it in quotes")


def test_all_that_is_wrong_is_listed_at_once(problems):
    found = problems(COLUMN, "  - {field: email, heading: No, typ: email}\n  - {field: x, heading: 3, kinds: text}\n")

    assert set(found) == {"columns.0.heading", "columns.0.typ", "columns.1.heading", "columns.1.kinds"}


EVERYTHING = """\
name: club
title: Club
adress_book: club
file: {types: [csv, exel], delimiter: a}
headings: maped
region: us
columns:
  - {field: phone, heading: Phone, typ: phone}
  - {field: company, heading: Firm, type: emial}
  - {field: email, heading: Mail, type: email, required: maybe}
  - {field: email, heading: mail, type: email}
  - {field: born, heading: Born, type: date, formats: [DD/MM/YY]}
match:
  - equal: [emial]
on_error: reject
options: {rule: [merge]}
on_error: block
apply: approval
"""


def test_everything_wrong_is_said_at_once_with_its_line(tmp_path):
    """Unknown words do not hide contradictions: what they probably mean is judged, too."""
    (tmp_path / "club.yaml").write_text(EVERYTHING)

    with pytest.raises(Refusal) as refused:
        check_profile(tmp_path / "club.yaml")

    found = [(each["line"], each["key"]) for each in refused.value.details["problems"]]
    assert found == [
        (3, "adress_book"), (4, "file.types.1"), (4, "file.delimiter"), (5, "headings"), (6, "region"),
        (8, "columns.0.typ"), (9, "columns.1.type"), (10, "columns.2.required"), (11, "columns.3.field"),
        (11, "columns.3.heading"), (12, "columns.4.formats"), (14, "match.0"), (16, "options.rule"), (17, "on_error"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("name: club\ntitle: [a\nfile: x\n", 3, "not readable as YAML"),
        ("name: club\n\ttitle: Club\n", 2, "(column 1)"),
        ("name: club\nname: club\n", 2, "'name' stands twice, first on line 1"),
        ("name: club\nguards: {changed_percent: 1,\n  changed_percent: 2}\n", 3, "first on line 2"),
        ("- name: club\n", None, "holds no keys"),
        ("name: 2024-02-31\n", None, "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_mapping_of_different_keys_is_refused_with_the_place(tmp_path, text, line, reason):
    (tmp_path / "club.yaml").write_text(text)

    with pytest.raises(Refusal) as refused:
        check_profile(tmp_path / "club.yaml")

    assert any(each["line"] == line and reason in each["message"] for each in refused.value.details["problems"]), (
        refused.value.details
    )


def test_a_profile_whose_file_ends_otherwise_is_not_passed_over_in_silence(tmp_path):
    """Its user means it; the shipped one of that name is not taken in its place."""
    (tmp_path / "program_contacts.yml").write_text(CLUB)
    _, broken = find_profiles(tmp_path)
    assert [str(each) for each in broken] == [
        "program_contacts.yml, only .yaml files are read: name it program_contacts.yaml"
    ]
    with pytest.raises(Refusal, match="name it program_contacts"):
        load_profile("program_contacts", tmp_path)


def test_such_a_profile_is_left_out_of_the_list_with_its_reason(tmp_path):
    (tmp_path / "club.yaml").write_text(CLUB.replace("type: email", "type: text"))

    found, broken = find_profiles(tmp_path)

    assert "club" not in found
    assert [str(each) for each in broken] == [
        "club.yaml, line 8, columns.0.type: the canonical field 'email' is of type email, not text"
    ]


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("{field: do_not_contact, heading: Out, type: boolean, blank_means: so}", "blank_means", "neither yes nor no"),
        ("{field: do_not_contact, heading: Out, type: boolean, choices: [ja]}", "choices", "are yes and no"),
        ("{field: do_not_contact, heading: Out, type: boolean, choices: ['yes'], blank_means: 'no'}", "blank_means",
         "not one of the choices"),
        ("{field: kind, heading: Kind, type: choice, choices: [A, B], blank_means: C}", "blank_means",
         "not one of the choices"),
        ("{field: country, heading: Country, type: country, blank_means: AT}", "blank_means", "not country"),
        ("{field: kind, heading: Kind, required: true, blank_means: C}", "blank_means", "neither required nor default"),
        ("{field: kind, heading: Kind, default: D, blank_means: C}", "blank_means", "neither required nor default"),
    ],
)  # fmt: skip
def test_what_a_blank_means_is_checked_with_the_profile(problems, text, key, reason):
    found = problems(COLUMN, f"{COLUMN}  - {text}\n")

    assert reason in found[f"columns.1.{key}"]


CONSENT = COLUMN + "  - {field: do_not_contact, heading: Stop, type: boolean}\n"
CLEARS = "options: {clear_do_not_contact: true"


@pytest.mark.parametrize(
    ("columns", "keys", "reason"),
    [
        (CONSENT, f"matched: ignore\n{CLEARS}}}", "contacts that match are left as they are (matched: ignore)"),
        (CONSENT, f"matched: create\n{CLEARS}}}", "contacts that match are left as they are (matched: create)"),
        (CONSENT, f"matched: create\n{CLEARS}, rule: [create]}}", "left as they are (matched: create)"),
        (CONSENT, f"blank: fill\n{CLEARS}}}", "'do_not_contact' is written only where it is blank (blank: fill)"),
        (CONSENT.replace("boolean}", "boolean, blank: fill}"), f"{CLEARS}}}", "written only where it is blank"),
        (COLUMN, f"{CLEARS}}}", "no column of contacts fills 'do_not_contact'"),
    ],
)
def test_to_permit_what_could_do_nothing_is_refused(tmp_path, columns, keys, reason):
    text = CLUB.replace(COLUMN, columns).replace("on_error:", f"{keys}\non_error:")
    (tmp_path / "club.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as refusal:
        check_profile(tmp_path / "club.yaml")
    (problem,) = refusal.value.details["problems"]
    assert (problem["key"], reason in problem["message"]) == ("options.clear_do_not_contact", True)


@pytest.mark.parametrize(
    "keys",
    [
        f"{CLEARS}}}",
        f"matched: merge\n{CLEARS}}}",
        f"matched: create\n{CLEARS}, rule: [merge, create]}}",
        f"blank: fill\n{CLEARS}, blank: [fill, keep]}}",
        "matched: ignore\noptions: {clear_do_not_contact: false}",
    ],
)
def test_to_permit_what_some_upload_can_do_is_taken(tmp_path, keys):
    text = CLUB.replace(COLUMN, CONSENT).replace("on_error:", f"{keys}\non_error:")
    (tmp_path / "club.yaml").write_text(text, encoding="utf-8")
    assert check_profile(tmp_path / "club.yaml").options.clear_do_not_contact == ("true" in keys)


def test_reactivating_is_refused_where_contacts_stay_as_they_are():
    content = load_profile("dealer_leads").model_dump(mode="json")
    content["options"]["reactivate"] = True
    profile = Profile.model_validate(content)

    with pytest.raises(Refusal, match="'reactivate' does nothing here: under 'create'") as refusal:
        choose(profile, {"rule": "create", "reactivate": True, "lead_type": "SMS"})

    assert (refusal.value.code, refusal.value.details) == ("option-value", {"option": "reactivate"})
    assert choose(profile, {"rule": "merge", "reactivate": True, "lead_type": "SMS"})[1].reactivate


@pytest.mark.parametrize(
    ("keys", "idle", "able"),
    [
        (f"matched: merge\n{CLEARS}, rule: [merge, create]}}", {"rule": "create"}, {}),
        (f"blank: fill\n{CLEARS}, blank: [fill, keep]}}", {}, {"blank": "keep"}),
        (f"{CLEARS}, blank: [fill, keep]}}", {"blank_in": {"Stop": "fill"}}, {"blank_in": {"Stop": "keep"}}),
    ],
)
def test_the_option_is_refused_for_an_upload_under_which_it_does_nothing(tmp_path, keys, idle, able):
    text = CLUB.replace(COLUMN, CONSENT).replace("on_error:", f"{keys}\non_error:")
    (tmp_path / "club.yaml").write_text(text, encoding="utf-8")
    profile = check_profile(tmp_path / "club.yaml")
    with pytest.raises(Refusal, match="'clear-do-not-contact' does nothing here") as refusal:
        choose(profile, {"clear_do_not_contact": True, **idle})
    assert (refusal.value.code, refusal.value.details) == ("option-value", {"option": "clear_do_not_contact"})
    assert choose(profile, {"clear_do_not_contact": True, **able})[1].clear_do_not_contact
    choose(profile, idle)
