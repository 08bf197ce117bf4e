"""The rules of the profile say which contacts of the base are one person; near pairs are listed and decide nothing."""

import json

import pytest

from contact_pipeline.cli.app import run
from contact_pipeline.duplicates import compared
from contact_pipeline.errors import Refusal


@pytest.fixture
def sets(base):
    """The sets that are found, as lists of ids, and those of them that are chains."""

    def find(**asked):
        found = base.find_duplicates("people", **asked)
        whole = found.sets.group_by("first", maintain_order=True).agg("contact_id", "is_chain")
        return whole["contact_id"].to_list(), [ids for _, ids, chain in whole.iter_rows() if chain[0]]

    return find


def test_contacts_that_agree_by_any_rule_are_one_set_compared_as_matching_compares(enter, sets):
    enter(
        {"name": "José O'Neil", "email": "JO@example.com", "phone": "202 555 0143"},
        {"name": "Ben Lee", "email": "ben@example.com"},
        {"name": "jose oneil", "phone": "(202) 555-0143"},
        {"name": "J. Oneil", "email": "jo@EXAMPLE.com"},
        {"name": "Ben Lee", "phone": "202 555 0199"},
    )

    assert sets() == ([[1, 3, 4]], [[1, 3, 4]])  # 3 and 4 agree in nothing: a chain by 1


def test_a_higher_key_that_differs_makes_another_person_or_a_question(enter, sets, base):
    enter(
        {"name": "Ana Lee", "email": "a@example.com", "account": "AC-1", "ssn": "219-09-9990"},
        {"name": "Ana Lee", "email": "a@example.com", "account": "AC-2"},
        {"name": "Ana Lee", "email": "other@example.com", "account": "AC-3", "ssn": "219-09-9990"},
        {"name": "Ana Lee", "email": "a@example.com"},
    )

    assert sets()[0] == [[1, 2, 4]]  # 4 has no account: it is 1 and 2, which are not one another
    assert sets()[1] == [[1, 2, 4]]
    asked = base.find_duplicates("people", near=True).near.filter(is_doubtful=True)
    assert asked.select("one", "other").rows() == [(1, 3)]


def test_linked_and_deactivated_contacts_are_no_duplicates(leads, pipeline):
    leads(("Ana Lee", "2025550143", "ana@example.com"))
    leads(("Ana Lee", "2025550143", "ana@example.org"), rule="create", name="again.csv")
    leads(("Ben Lee", "2025550111", "ben@example.com"), name="ben.csv")
    leads(("Ben Lee", "2025550111", "ben@example.org"), rule="create", name="ben again.csv")
    pipeline.set_active(4, active=False)

    found = pipeline.find_duplicates("dealer_leads", near=True)

    assert (found.compared, found.set_count, found.near.height) == (3, 0, 0)


def test_a_value_that_too_many_share_is_left_out_and_told(enter, sets, base, monkeypatch):
    monkeypatch.setattr(compared, "SHARED_BY", 3)
    enter(
        *({"name": f"N{number}", "account": "MAIN", "email": f"{number}@example.com"} for number in range(4)),
        {"name": "X", "account": "MAIN", "email": "0@example.com"},
        {"name": "Y", "email": "1@example.com"},
        {"name": "Z", "email": "1@example.com"},
    )

    # What shares the account is not one person by it, nor by the e-mail address, where the accounts are not compared.
    assert sets()[0] == [[2, 6, 7]]
    (left_out,) = base.find_duplicates("people").left_out
    assert (left_out.fields, left_out.values, left_out.contacts) == (("account_number",), 1, 5)
    assert "shared by more than 3" in str(left_out)


def test_near_pairs_say_what_is_equal_and_how_like_the_rest_is(enter, base):
    enter(
        {"name": "Katherine Bellweather", "email": "kbell@example.com", "phone": "2025550143", "city": "Springfield"},
        {"name": "Bellweather Kathrine", "email": "kbel@example.com", "phone": "2025550143", "city": "Springfeld"},
        {"name": "Omar Haddad", "email": "omar@example.com", "phone": "2025550143"},
        {"name": "王小明", "email": "wang@example.com", "city": "臺北"},
        {"name": "王小名", "email": "wang@example.org", "city": "臺北"},
        {"name": "עדי לוי", "phone": "2025550111", "city": "תל אביב"},
        {"name": "לוי עדי", "phone": "2025550112", "city": "תל אביב"},
    )

    near = base.find_duplicates("people", near=True, at_least=70).near

    assert near.select("one", "other").sort("one").rows() == [(1, 2), (4, 5), (6, 7)]
    (why,) = near.filter(one=1)["why"]
    assert why.startswith(("same phone", "same city"))
    assert base.find_duplicates("people", near=True, at_least=99.9).near.is_empty()


def test_only_what_has_somebody_of_a_group(enter, base, sets):
    for group in ("Spring", "Autumn"):
        enter({"name": group, "email": f"{group}@example.com"}, {"email": f"{group}@example.com"}, group=group)

    assert sets(group="spring")[0] == [[1, 2]]
    with pytest.raises(Refusal, match="no group 'Winter'"):
        base.find_duplicates("people", group="Winter")


def test_the_file_has_a_line_a_contact_and_masks_what_is_sensitive(enter, base, tmp_path, capsys):
    enter(
        {"name": "=cmd() <b>", "email": "a@example.com", "ssn": "219-09-9990"},
        {"name": "Ana\u202eLee", "email": "a@example.com", "ssn": "219-09-9990"},
        {"name": "Ben Leigh", "phone": "2025550143"},
        {"name": "Ben Leight", "phone": "2025550143"},
    )
    file = tmp_path / "found.csv"
    home = ["--home", str(base.settings.home)]

    assert run(["duplicates", "find", "-p", "people", "--near", "-o", str(file), "--json", *home]) == 0
    told = json.loads(capsys.readouterr().out)
    assert run(["duplicates", "find", "-p", "people", "--near", *home]) == 0
    shown = capsys.readouterr().out

    assert (told["file"], told["rows"], told["set_count"], told["near_count"]) == (str(file), 4, 1, 1)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "set,contact_id,merge,kind,score,why,name,email,phone,account_number,company"
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["1", "1", "yes", "same"], ["1", "2", "yes", "same"], ["2", "3", "no", "near"], ["2", "4", "no", "near"],
    ]  # fmt: skip
    assert "'=cmd()" in lines[1]
    assert "\u202e" not in shown
    assert "219-09-9990" not in file.read_text() + shown + json.dumps(told)
    assert run(["duplicates", "find", "-p", "people", "-o", str(file), *home]) == 2


def test_a_profile_of_accounts_finds_by_the_rules_for_its_contacts(pipeline):
    assert pipeline.find_duplicates("portfolio_accounts").set_count == 0
    with pytest.raises(Refusal, match="profile"):
        pipeline.find_duplicates("nobody")
