"""A profile that asks for two people: who counts, what ends the first approval, and what stands in the ledger then."""

from unicodedata import normalize

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.contracts.actors import Verified
from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline import committing
from contact_pipeline.profiles import load_profile
from tests.homes import fill_once
from tests.trust import record

PROFILE = """
name: readers
title: Readers
address_book: news
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email}
  - {field: full_name, heading: Name, type: name}
match:
  - equal: [email]
  - {equal: [full_name], higher_differs: another}
matched: update
on_error: reject
apply: approval
approvals: 2
"""
KNOWN = "Email,Name\na1@example.com,Ann Bee\na2@example.com,Ann Bee\n"
FILE = "Email,Name\nnew@example.com,Cy Dow\nother@example.com,Di Elm\n"
IN_DOUBT = "Email,Name\n,Ann Bee\n"  # nobody knows which one is meant
SENDER, ANN, BEN = "s.énder", "ann", "ben"


def planned(pipeline, text, user=SENDER, **options):
    file = pipeline.settings.home.parent / "readers.csv"
    file.write_text(text)
    return pipeline.plan(file, "readers", user=user, **options)


@pytest.fixture
def filled(pipeline):
    """Two contacts of one name, and an upload that waits for two approvals."""

    def fill():
        folder = pipeline.settings.profiles_path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "readers.yaml").write_text(PROFILE)
        known = planned(pipeline, KNOWN).upload_id
        for who in (ANN, BEN):
            pipeline.apply(known, user=who)
        return planned(pipeline, FILE).upload_id

    return fill_once(pipeline.settings.home, fill)


def refused(call, *arguments, **options):
    with pytest.raises(Refusal) as refusal:
        call(*arguments, **options)
    assert refusal.value.fix
    return refusal.value.code


def test_two_people_who_did_not_send_it_approve_and_both_stand_in_ledger_and_history(pipeline, filled):
    """X2: the first approval changes no contact; neither the sender nor the same person again is the second."""
    before, sha256 = pipeline.store.contacts(), pipeline.show(filled).changeset_sha256
    tried = [
        refused(pipeline.apply, filled, user=SENDER),
        refused(pipeline.apply, filled, user=f" {normalize('NFD', SENDER).upper()} "),
        refused(pipeline.apply, filled, user=ANN, changeset="0" * 64),
        refused(pipeline.apply, filled, user=ANN, automatic=True),
    ]
    assert tried == ["approved-by-sender", "approved-by-sender", "changeset-differs", "two-approvals"]
    assert pipeline.show(filled).waits_for == "approve as the first of two"

    first = pipeline.apply(filled, user=Verified(ANN), changeset=sha256)
    assert (first.state, first.approved_by, first.first_approved_as) == ("staged", None, "verified")
    assert first.waits_for == "approve as the second, after ann"
    again = [refused(pipeline.apply, filled, user=who) for who in (SENDER, ANN, "Ann", Verified("ANN"))]
    assert again == ["approved-by-sender", *["approved-before"] * 3]
    assert pipeline.store.contacts() == before

    applied = pipeline.apply(filled, user=BEN)
    assert applied.state == "applied"
    document = applied.as_dict()
    assert (document["approvals"], document["first_approved_by"], document["approved_by"]) == (2, ANN, BEN)
    assert document["first_approved_at"] <= document["finished_at"]
    made = next(each["contact_id"] for each in pipeline.store.contacts() if each["email"] == "new@example.com")
    (entry,) = pipeline.store.history(made)
    names = [entry[key] for key in ("first_approved_by", "first_approved_as", "by", "by_as")]
    assert names == [ANN, "verified", BEN, "claimed"]
    assert refused(pipeline.withdraw_approval, filled, user=ANN) == "not-approved"
    pipeline.undo(filled, user=SENDER)  # undo and redo bring in nothing that the two have not approved
    assert pipeline.redo(filled, user=SENDER).first_approved_by == ANN
    record("approved-by-one-of-two", tried=len(tried + again), failed=0)


def by_correcting(pipeline, upload_id):
    pipeline.correct(upload_id, row=2, set={"full_name": "Cy Dew"}, user=ANN)
    pipeline.withdraw_correction(upload_id, 1, user=ANN)  # the hash is what was approved again; it was not looked at
    return upload_id


def by_planning_again(pipeline, upload_id):
    other = planned(pipeline, "Email,Name\nnew@example.com,Cy Dow\n").upload_id
    for who in (ANN, BEN):
        pipeline.apply(other, user=who)
    assert pipeline.apply(upload_id, user=BEN, replan=True).state == "stale", "nobody has approved what it would be now"
    pipeline.plan_again(upload_id, user=SENDER)
    return upload_id


def by_withdrawing(pipeline, upload_id):
    assert refused(pipeline.withdraw_approval, upload_id, user=BEN) == "approved-by-another"
    pipeline.withdraw_approval(upload_id, user="Ann")
    return upload_id


def by_erasing(pipeline, upload_id):
    doubtful = planned(pipeline, "Email,Name\na1@example.com,Ann Bay\n").upload_id
    pipeline.apply(doubtful, user=ANN)
    contact = next(each["contact_id"] for each in pipeline.store.contacts() if each["email"] == "a1@example.com")
    pipeline.erase(contact)
    assert pipeline.show(doubtful).state == "stale"
    pipeline.plan_again(doubtful)
    pipeline.withdraw_approval(upload_id, user=ANN)  # of this one nothing was erased, and its approval had held
    return doubtful


def by_deciding(pipeline, _):
    upload = planned(pipeline, IN_DOUBT)
    assert (upload.state, upload.reason["code"]) == ("blocked", "rows-in-review")
    assert upload.waits_for == "decide 1 row"
    assert pipeline.apply(upload.upload_id, user=ANN).first_approved_by is None
    assert pipeline.resolve(upload.upload_id, 2, "new").state == "staged"
    pipeline.apply(upload.upload_id, user=ANN)
    return pipeline.resolve(upload.upload_id, 2, "skip").upload_id


@pytest.mark.parametrize("change", [by_correcting, by_planning_again, by_withdrawing, by_erasing, by_deciding])
def test_what_changes_the_plan_ends_the_first_approval(pipeline, filled, change):
    """X2: of what is planned then, two people approve again; whoever gave the approval can take it back."""
    pipeline.apply(filled, user=ANN)
    upload_id = change(pipeline, filled)
    upload = pipeline.show(upload_id)
    assert (upload.first_approved_by, upload.first_approved_at) == (None, None)
    assert upload.line.first_approved_sha256 is None
    if upload.state == "staged":
        assert pipeline.apply(upload_id, user=BEN).state == "staged"
        assert pipeline.apply(upload_id, user=ANN).state == "applied"


def test_an_approval_taken_back_at_the_moment_of_the_second_counts_no_more(pipeline, filled, monkeypatch):
    pipeline.apply(filled, user=ANN)
    commit = committing.commit

    def late(*arguments):
        Pipeline(home=pipeline.settings.home).withdraw_approval(filled, user=ANN)
        return commit(*arguments)

    monkeypatch.setattr(committing, "commit", late)
    assert refused(pipeline.apply, filled, user=BEN) == "changed-meanwhile"
    assert pipeline.show(filled).state == "staged"


def test_a_guard_is_confirmed_by_both(pipeline, filled):
    upload = planned(pipeline, "Email,Name\nok@example.com,Ed Fir\nbroken@,Flo Gum\n", allow_rejected=10)
    assert upload.state == "blocked"
    assert pipeline.apply(upload.upload_id, user=ANN).first_approved_by is None
    first = pipeline.apply(upload.upload_id, user=ANN, confirm_rejected=True)
    assert first.waits_for == "confirm as the second, after ann or correct"
    assert pipeline.apply(upload.upload_id, user=BEN).state == "blocked"
    assert pipeline.apply(upload.upload_id, user=BEN, confirm_rejected=True).state == "applied"


def test_contacts_merged_by_the_rules_of_the_profile_need_two_as_well(pipeline, filled):
    ids = [each["contact_id"] for each in pipeline.store.contacts()]
    merge = pipeline.merge_duplicates("readers", sets=[ids], user=SENDER)
    assert refused(pipeline.apply, merge.upload_id, user=SENDER) == "approved-by-sender"
    assert [pipeline.apply(merge.upload_id, user=who).state for who in (ANN, BEN)] == ["staged", "applied"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("apply: approval", "apply: automatic", "exclude each other"),
        ("approvals: 2", "approvals: 3", "equal to 2"),
        ("approvals: 2", "approvals: true", "valid integer"),  # which would else be one
    ],
)
def test_a_profile_that_asks_for_what_cannot_be_is_refused(pipeline, before, after, said):
    folder = pipeline.settings.profiles_path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "readers.yaml").write_text(PROFILE.replace(before, after))
    with pytest.raises(Refusal, match=said):
        load_profile("readers", folder)


def test_on_the_command_line(pipeline, filled, tmp_path, capsys, monkeypatch):
    """What is said at each step; `import` stages, and applies nothing."""
    monkeypatch.setenv("COLUMNS", "300")  # a cell of the history is one line then

    def said(*words):
        capsys.readouterr()
        status = run([*words, "--home", str(pipeline.settings.home)])
        shown = capsys.readouterr()
        return status, " ".join((shown.out + shown.err).split())

    assert said("apply", filled, "--user", SENDER)[0] == 1
    status, shown = said("apply", filled, "--user", ANN)
    assert status == 0
    assert "Approved by ann, the first of two; nothing is changed yet: 2 to create." in shown
    assert "by ann (claimed)" in shown
    assert "approve as the second, after ann" in said("uploads", "--waiting")[1]
    assert said("apply", filled, "--withdraw", "--confirm-rejected", "--user", ANN)[0] == 2
    assert "Planned, nothing is changed yet" in said("apply", filled, "--withdraw", "--user", ANN)[1]
    said("apply", filled, "--user", ANN)
    assert "Applied: 2 created." in said("apply", filled, "--user", BEN)[1]

    (tmp_path / "more.csv").write_text("Email,Name\nmore@example.com,Gil Hay\n")
    status, shown = said("import", str(tmp_path / "more.csv"), "--profile", "readers", "--user", SENDER, "--yes")
    assert status == 1
    assert "It stays planned. Two others approve it" in shown
    assert pipeline.uploads()[0].state == "staged"
    made = next(each["contact_id"] for each in pipeline.store.contacts() if each["email"] == "new@example.com")
    assert "ann (claimed) and ben (claimed)" in said("contacts", "history", str(made))[1]
