"""A wish not to be contacted wins: in any order within a file, under every policy, and over what is stored."""

import json
from itertools import product

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.errors import Refusal
from tests.homes import fill_once, new_home
from tests.thorough import spread

PROFILE = """
name: readers
title: Readers
description: People and whether they may be written to.
address_book: news
file: {{types: [csv]}}
headings: mapped
columns:
  - {{field: email, heading: Email, type: email, required: true}}
  - {{field: full_name, heading: Name, type: name}}
  - {{field: do_not_contact, heading: Unsubscribed, type: boolean}}
match:
  - equal: [email]
matched: {matched}
within_file: {within_file}
blank: {blank}
on_error: {on_error}
apply: approval
"""
DIRECTOR = "d.rivers"


@pytest.fixture
def plan(tmp_path):
    """Plans rows "email,name,unsubscribed" with a profile of these choices, and applies them."""
    pipeline = Pipeline(new_home(tmp_path / "home"))
    (tmp_path / "home" / "profiles").mkdir(parents=True)

    def planned(*rows, matched="update", within_file="first_wins", blank="keep", on_error="reject", apply=True):
        profile = PROFILE.format(matched=matched, within_file=within_file, blank=blank, on_error=on_error)
        (tmp_path / "home" / "profiles" / "readers.yaml").write_text(profile)
        (tmp_path / "file.csv").write_text("\n".join(["email,name,unsubscribed", *rows]) + "\n")
        upload = pipeline.plan(tmp_path / "file.csv", "readers", force=True, allow_rejected=100, allow_changed=100)
        return pipeline.apply(upload.upload_id) if apply else upload

    planned.pipeline = pipeline
    return planned


def wishes(plan):
    return {contact["email"]: contact["do_not_contact"] for contact in plan.pipeline.store.contacts()}


SAID = (("yes", "no"), ("no", "yes"), ("", "yes"), ("yes", ""), ("no", "", "yes", "no"))
WITHIN_FILE = ("first_wins", "last_wins", "merge", "reject_later")
BLANK = ("keep", "fill", "overwrite")


# Five of the twelve have every policy, and every meaning of a blank.
@pytest.mark.parametrize(("within_file", "blank"), spread([*product(WITHIN_FILE, BLANK)], 5))
def test_a_wish_wins_in_every_order_of_the_rows_of_a_file(plan, within_file, blank):
    people = [f"p{number}@example.com" for number in range(len(SAID))]
    rows = [f"{email},Ana Lima,{word}" for email, said in zip(people, SAID, strict=True) for word in said]
    plan(*rows, within_file=within_file, blank=blank)
    assert wishes(plan) == dict.fromkeys(people, True)


# Five of the nine likewise.
@pytest.mark.parametrize(("matched", "blank"), spread([*product(["update", "merge", "ignore"], BLANK)], 5))
def test_a_wish_is_written_over_a_stored_no(plan, matched, blank):
    plan("ana@example.com,Ana Lima,no", "bo@example.com,Bo,")
    plan("ana@example.com,Ana Lima,yes", "bo@example.com,Bo,yes", matched=matched, blank=blank)
    assert wishes(plan) == {"ana@example.com": True, "bo@example.com": True}


def test_only_the_wish_is_written_to_an_ignored_contact_with_a_warning(plan):
    plan("ana@example.com,Ana Lima,no", "bo@example.com,Bo,no")
    upload = plan("ana@example.com,Somebody Else,", "ana@example.com,,yes", "bo@example.com,Other,no", matched="ignore")
    contacts = {contact["email"]: contact for contact in plan.pipeline.store.contacts()}
    assert (contacts["ana@example.com"]["full_name"], contacts["ana@example.com"]["do_not_contact"]) == (
        "Ana Lima",
        True,
    )
    assert (contacts["bo@example.com"]["full_name"], contacts["bo@example.com"]["do_not_contact"]) == ("Bo", False)
    assert (upload.outcomes["updated"], upload.outcomes["duplicate"]) == (1, 2)
    assert upload.rejections.select("row_number", "code", "severity").rows() == [(2, "consent-set", "warning")]
    assert plan("ana@example.com,,yes", matched="ignore").outcomes["duplicate"] == 1


@pytest.mark.parametrize("said", ["", "no"])
def test_a_contact_made_beside_one_that_is_the_same_person_has_the_wish_too(plan, said):
    plan("ana@example.com,Ana Lima,yes", "bo@example.com,Bo,no")
    upload = plan(f"ana@example.com,Ana L.,{said}", f"bo@example.com,Bo B.,{said}", matched="create")
    contacts = plan.pipeline.store.contacts()
    assert {contact["do_not_contact"] for contact in contacts if contact["email"] == "ana@example.com"} == {True}
    assert True not in {contact["do_not_contact"] for contact in contacts if contact["email"] == "bo@example.com"}
    assert upload.rejections.select("row_number", "code").rows() == [(2, "consent-carried")]


def test_a_contact_made_beside_the_person_has_the_wish_without_its_column(plan, tmp_path):
    plan("ana@example.com,Ana Lima,yes")
    profile = PROFILE.format(matched="create", within_file="merge", blank="keep", on_error="reject")
    spoken = "".join(line for line in profile.splitlines(keepends=True) if "do_not_contact" not in line)
    (tmp_path / "home" / "profiles" / "readers.yaml").write_text(spoken)
    (tmp_path / "file.csv").write_text("email,name\nana@example.com,Ana L.\n")
    plan.pipeline.apply(plan.pipeline.plan(tmp_path / "file.csv", "readers").upload_id)
    assert [contact["do_not_contact"] for contact in plan.pipeline.store.contacts()] == [True, True]


def test_a_wish_in_any_column_counts(plan, tmp_path):
    said = {"ana": ",,TRUE", "cy": "1,,", "di": "no,Do Not Allow,FALSE", "bo": ",Allow,0"}
    plan(*(f"{name}@example.com,{name},no" for name in said))
    rows = [
        "Email,Email Opt Out,Do Not Allow Emails,HasOptedOutOfEmail",
        *(f"{name}@example.com,{cells}" for name, cells in said.items()),
    ]
    (tmp_path / "file.csv").write_text("\n".join(rows) + "\n")
    upload = plan.pipeline.plan(tmp_path / "file.csv", "readers", allow_changed=100)
    plan.pipeline.apply(upload.upload_id)
    assert wishes(plan) == {f"{name}@example.com": name != "bo" for name in said}


@pytest.mark.parametrize("on_error", ["reject", "note"])
def test_a_word_that_nobody_understands_holds_the_row(plan, on_error):
    words = ["perhaps", "2026-03-01", "Bounced", "-1"]
    rows = [f"p{number}@example.com,Ana Lima,{word}" for number, word in enumerate(words)]
    upload = plan(*rows, "bo@example.com,Bo,no", on_error=on_error)
    assert wishes(plan) == {"bo@example.com": False}
    assert upload.rejections.select("row_number", "code", "severity").rows() == [
        (number, "boolean-format", "error") for number in range(2, 2 + len(words))
    ]


WORDS = {
    True: (
        "1", "TRUE", "Yes", "on", "T", "ja", "oui", "sí", "Да", "はい", "unsubscribed",
        "Opted out", "opt-out", "Do_Not_Contact", "X", "✓", "1.0", "yes ", "True.", "désabonné",
    ),
    False: ("0", "FALSE", "off", "N", "nein", "não", "нет", "Subscribed", "opted-in"),
}  # fmt: skip


def test_words_of_many_languages_are_understood(plan):
    said = [(word, meant) for meant, words in WORDS.items() for word in words]
    plan(*(f"p{number}@example.com,Ana Lima,{word}" for number, (word, _) in enumerate(said)))
    told = wishes(plan)
    assert {word: told[f"p{number}@example.com"] for number, (word, _) in enumerate(said)} == dict(said)


def test_an_undo_that_lets_people_be_contacted_again_asks_first(plan):
    plan("ana@example.com,Ana Lima,no", "bo@example.com,Bo,no")
    upload = plan("ana@example.com,Ana Lima,yes", "bo@example.com,Bo B,", "new@example.com,New,yes")
    undo = plan.pipeline.undo
    with pytest.raises(Refusal, match="1 contact") as refused:
        undo(upload.upload_id)
    assert refused.value.code == "clears-do-not-contact"
    assert "1 contact" in plan.pipeline.plan_undo(upload.upload_id).warnings[-1]
    assert plan.pipeline.show(upload.upload_id).state == "applied"
    assert undo(upload.upload_id, clear_do_not_contact=True).state == "undone"
    assert wishes(plan)["ana@example.com"] is False


def test_the_plan_of_an_undo_says_it_on_the_command_line(plan, capsys):
    plan("ana@example.com,Ana Lima,no")
    upload = plan("ana@example.com,Ana Lima,yes")
    home = ["--home", str(plan.pipeline.settings.home)]
    assert run(["undo", upload.upload_id, *home]) == 1
    assert "--clear-do-not-contact" in capsys.readouterr().err
    assert run(["undo", upload.upload_id, "--plan", *home]) == 0
    assert "from 1 contact the wish" in " ".join(capsys.readouterr().out.split())
    assert run(["undo", upload.upload_id, "--clear-do-not-contact", *home]) == 0
    assert wishes(plan) == {"ana@example.com": False}


def test_an_undo_that_takes_back_nobodys_wish_asks_nothing(plan):
    plan("ana@example.com,Ana Lima,yes")
    upload = plan("ana@example.com,Ana L,yes", "new@example.com,New,yes")
    assert plan.pipeline.undo(upload.upload_id).state == "undone"
    assert wishes(plan)["ana@example.com"] is True


@pytest.fixture
def linked(plan):
    """Ana twice: the second contact was created beside the first, and is linked with it."""

    def fill():
        plan("ana@example.com,Ana Lima,no")
        plan("ana@example.com,Ana L.,no", matched="create")

    fill_once(plan.pipeline.settings.home, fill)
    return plan


def both(plan):
    return {contact["contact_id"]: contact["do_not_contact"] for contact in plan.pipeline.store.contacts()}


@pytest.mark.parametrize("matched", ["update", "merge", "ignore"])
def test_a_linked_contact_gets_it_and_the_upload_shows_both_changes(linked, matched):
    upload = linked("ana@example.com,,yes", matched=matched, apply=False)
    assert [(c["contact_id"], c["action"], c["row_number"], c["fields"]) for c in upload.first_changes(None)] == [
        (1, "update", 2, {"do_not_contact": ["false", "true"]}),
        (2, "update", 2, {"do_not_contact": ["false", "true"]}),
    ]
    assert (upload.outcomes["updated"], upload.count_changes("update")) == (1, 2)
    assert both(linked) == {1: False, 2: False}
    linked.pipeline.apply(upload.upload_id)
    assert both(linked) == {1: True, 2: True}
    assert linked.pipeline.verify().findings == []


def test_both_changes_are_in_the_documents_and_the_history(linked, capsys):
    upload = linked("ana@example.com,,yes")
    home = ["--home", str(linked.pipeline.settings.home)]
    assert run(["show", upload.upload_id, "--changes", *home]) == 0
    shown = capsys.readouterr().out
    assert "contact 1" in shown
    assert "contact 2" in shown
    assert run(["contacts", "history", "2", "--json", *home]) == 0
    assert json.loads(capsys.readouterr().out)[-1]["fields"]["do_not_contact"] == [False, True]


def test_the_change_guard_counts_both(linked):
    file = linked.pipeline.settings.home.parent / "file.csv"
    file.write_text("email,name,unsubscribed\nana@example.com,,yes\n")
    upload = linked.pipeline.plan(file, "readers", allow_changed=99)
    assert upload.state == "blocked"
    assert "2 of 2 contacts" in upload.reason["message"]


def test_an_undo_takes_it_from_both_once_that_is_confirmed_and_a_redo_brings_it_back(linked):
    upload = linked("ana@example.com,,yes")
    with pytest.raises(Refusal, match="2 contacts"):
        linked.pipeline.undo(upload.upload_id)
    linked.pipeline.undo(upload.upload_id, clear_do_not_contact=True)
    assert both(linked) == {1: False, 2: False}
    linked.pipeline.redo(upload.upload_id)
    assert both(linked) == {1: True, 2: True}
    assert linked.pipeline.verify().findings == []


def test_of_an_undone_upload_that_linked_a_contact_the_wish_of_a_later_one_stays(linked):
    linking = linked.pipeline.uploads()[0]
    linked("ana@example.com,,yes")
    linked.pipeline.undo(linking.upload_id)
    contacts = {c["contact_id"]: (c["active"], c["do_not_contact"]) for c in linked.pipeline.store.contacts()}
    assert contacts == {1: (True, True), 2: (False, True)}
    assert linked.pipeline.verify().findings == []


@pytest.mark.parametrize(("chosen", "applied"), spread([(2, True), (1, True), (1, False), (2, False)], 2))
def test_a_row_that_a_person_decides_gives_it_to_every_contact_of_the_one_that_is_chosen(linked, chosen, applied):
    linked("other@example.com,Ana Lima,")
    profiles = linked.pipeline.settings.home / "profiles"
    email = (profiles / "readers.yaml").read_text()
    (profiles / "readers.yaml").write_text(email.replace("equal: [email]", "equal: [full_name]"))
    file = linked.pipeline.settings.home.parent / "file.csv"
    file.write_text("email,name,unsubscribed\nnew@example.com,Ana Lima,yes\n")
    upload = linked.pipeline.plan(file, "readers", allow_changed=100)
    assert upload.outcomes["review"] == 1
    if applied:
        linked.pipeline.apply(upload.upload_id)
    linked.pipeline.resolve(upload.upload_id, 2, chosen)
    if not applied:
        linked.pipeline.apply(upload.upload_id)
    assert both(linked) == {1: True, 2: True, 3: None}
    assert linked.pipeline.show(upload.upload_id).outcomes["updated"] == 1
    assert linked.pipeline.verify().findings == []


def test_erasing_the_person_afterwards_takes_both_along(linked):
    upload = linked("ana@example.com,,yes")
    assert linked.pipeline.erase(2).contact_ids == [1, 2]
    assert upload.upload_id in {line.upload_id for line in linked.pipeline.uploads()}
    assert linked.pipeline.verify().findings == []
