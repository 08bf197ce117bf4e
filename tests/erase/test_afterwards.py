"""What comes after an erasure: plans that held the person, undoing, and files that bring the person back."""

import subprocess
import sys
import time

import pytest

from contact_pipeline.errors import Refusal, StoreBusy
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.store.erasures import fingerprint, read_secret
from tests.erase.home import BOB, DIRECTOR, IAN, OUTREACH, SHE, TRACES, found, write_csv
from tests.homes import fill_once

LEADS = ("Name", "Phone", "Email")
HOLDS = """
import duckdb, sys, time
held = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


@pytest.fixture
def plan(small, tmp_path):
    """Plans an outreach upload."""

    def planned(name, *rows, **options):
        file = write_csv(tmp_path / name, OUTREACH, *rows)
        return small.plan(file, "outreach_contacts", group="Spring", user=DIRECTOR, **options)

    return planned


@pytest.fixture
def imported(small, plan):
    """Her and Bob, applied as contacts 1 and 2; the upload."""

    def fill():
        return small.apply(plan("first.csv", SHE, BOB).upload_id, user=DIRECTOR).upload_id

    return small.show(fill_once(small.settings.home, fill))


def test_a_staged_upload_that_holds_the_person_is_stale_and_planned_again_without_her(small, plan, imported):
    """X2: nothing of what was approved is applied; the new plan leaves her rows out and keeps the others."""
    staged = plan("staged.csv", SHE, IAN)
    small.erase(1)
    stale = small.apply(staged.upload_id, user=DIRECTOR)
    assert (stale.state, stale.reason["rows"]) == ("stale", [2])

    again = small.plan_again(staged.upload_id)
    assert (again.state, again.outcomes["rejected"], again.outcomes["created"]) == ("staged", 1, 1)
    assert again.rejections["code"].to_list() == ["erased"]
    assert small.apply(staged.upload_id, user=DIRECTOR).state == "applied"
    assert found(small.settings.home, TRACES) == set()


def test_what_lies_beside_a_page_goes_with_the_person(small, plan, imported, monkeypatch):
    """All rows and changes of an upload, packed; those of an upload that others sent stay."""
    monkeypatch.setattr("contact_pipeline.pages.review.rows._ROOM", 0)  # as of an upload that is too much for the page
    hers, others = imported.upload_id, plan("others.csv", IAN).upload_id
    packed = {upload: small.review(upload).everything for upload in (hers, others)}
    small.erase(1)
    assert not packed[hers].exists()
    assert packed[others].exists()
    assert found(small.settings.home, TRACES) == set()


def test_undoing_an_upload_leaves_the_erased_contact_alone_and_says_so(small, imported):
    """X4: erased since is a conflict; what else the upload did is taken back."""
    small.erase(1)
    undone = small.undo(imported.upload_id, user=DIRECTOR)
    assert undone.state == "undone"
    conflicts = undone.inverse.conflicts.select("target", "id", "left_as", "reason").rows()
    assert conflicts == [("contact", 1, "left as it is", "erased since")]
    assert [(contact["contact_id"], contact["erased"]) for contact in small.store.contacts()] == [(1, True)]
    again = small.redo(imported.upload_id, user=DIRECTOR)
    assert again.state == "applied"
    assert [contact["email"] for contact in small.store.contacts()] == [None, BOB[6]]


def test_a_contact_that_undoing_removed_is_erased_from_the_history(small, imported):
    small.undo(imported.upload_id, user=DIRECTOR)
    assert small.erase(1).contact_ids == [1]
    assert found(small.settings.home, TRACES) == set()
    small.redo(imported.upload_id, user=DIRECTOR)
    assert [contact["email"] for contact in small.store.contacts()] == [BOB[6]]


@pytest.mark.parametrize(
    "row",
    [
        SHE,
        ("Q", "", "", "Q", "", "ac-778899", "", ""),
        ("Q", "", "219-09-9990", "Q", "", "", "other@example.com", ""),
        ("Q", "", "", "Q", "", "", "QUINTESSA.Q@example.com", ""),
        ("Q", "+1 202 555 0187", "", "Q", "", "", "", ""),
    ],
    ids=["everything", "account", "ssn", "email", "phone"],
)
def test_a_later_upload_that_holds_the_person_says_so_and_holds_the_row(small, plan, imported, row):
    small.erase(1)
    later = plan("later.csv", IAN, row)
    assert (later.outcomes["created"], later.outcomes["review"]) == (1, 1)
    assert later.outcome_rows["reason"][1] == "is contact 1, who was erased"
    told = later.rejections.select("row_number", "code", "severity").rows()
    assert [line for line in told if line[0] == 3] == [(3, "erased-person", "warning")]
    small.apply(later.upload_id, user=DIRECTOR)
    assert [contact["email"] for contact in small.store.contacts()] == [None, BOB[6], IAN[6]]


@pytest.mark.parametrize(("choice", "outcome"), [("new", "created"), ("skip", "rejected")])
def test_the_row_is_decided_like_any_other_in_review(small, plan, imported, choice, outcome):
    small.erase(1)
    later = plan("later.csv", IAN, SHE)
    decided = small.resolve(later.upload_id, 3, choice, user=DIRECTOR)
    assert (decided.outcomes["review"], decided.outcomes[outcome]) == (0, 1 + (outcome == "created"))
    assert small.apply(later.upload_id, user=DIRECTOR).state == "applied"


def test_nobody_can_decide_that_a_row_is_the_erased_contact_or_make_it_active(small, plan, imported):
    small.erase(1)
    later = plan("later.csv", SHE)
    with pytest.raises(Refusal, match="There is no contact 1"):
        small.resolve(later.upload_id, 2, 1, user=DIRECTOR)
    with pytest.raises(Refusal, match="was erased"):
        small.set_active(1, active=True)


def test_a_row_whose_account_number_is_another_one_is_another_person(small, plan, imported):
    """By the profile's own rules: of a row that shares only the phone, a differing account number says that."""
    small.erase(1)
    later = plan("later.csv", ("Hugo", "(202) 555-0187", "", "Berg", "", "AC-101010", "", ""))
    assert later.outcomes["created"] == 1


def test_who_was_erased_is_recognized_by_two_of_three_and_in_every_address_book(small, tmp_path, imported):
    small.erase(1)
    rows = [("Quintessa Quennevais", "202-555-0187", ""), ("Quintessa Quennevais", "", "new@example.com")]
    file = write_csv(tmp_path / "leads.csv", LEADS, *rows)
    upload = small.plan(file, "dealer_leads", lead_type="SMS", rule="merge", user=DIRECTOR)
    assert (upload.outcomes["review"], upload.outcomes["created"]) == (1, 1)


def test_who_was_erased_under_an_earlier_version_is_recognized_by_its_keys(small, tmp_path):
    """Fingerprints were made of names without the marks of any script, and cannot be made anew."""
    lead = ("たかだ はな", "(202) 555-0171", "")
    options = {"lead_type": "SMS", "rule": "merge", "user": DIRECTOR}
    small.apply(
        small.plan(write_csv(tmp_path / "a.csv", LEADS, lead), "dealer_leads", **options).upload_id, user=DIRECTOR
    )
    small.erase(1)
    secret = read_secret(small.settings)
    with small.store.change() as contacts:
        before = fingerprint("name", "'たかた はな'", secret)
        contacts.run(f"UPDATE fingerprints SET fingerprint = {before} WHERE field = 'name'")

    later = (*lead[:2], "new@example.com")
    later = small.plan(write_csv(tmp_path / "b.csv", LEADS, later), "dealer_leads", **options)
    assert later.outcomes["review"] == 1


def test_an_erased_lead_takes_the_leads_linked_to_it_along(small, tmp_path):
    for number, email in enumerate(("", "q.quennevais@example.com")):
        row = ("Quin Quennevais", "202-555-0187", email)
        file = write_csv(tmp_path / f"leads{number}.csv", LEADS, row, (f"Lee {number}", "", f"lee{number}@example.com"))
        planned = small.plan(file, "dealer_leads", lead_type="SMS", rule="create", user=DIRECTOR)
        small.apply(planned.upload_id, user=DIRECTOR)
    assert small.store.contact(3)["links"] == [1]

    assert small.erase(3).contact_ids == [1, 3]

    assert found(small.settings.home, ["quennevais", "2025550187", "202-555-0187"]) == set()
    assert [contact["links"] for contact in small.store.contacts()] == [[], [], [], []]
    with small.store.open(read_only=True) as database:
        assert database.value("SELECT count(*) FROM links") == 0


def test_what_another_contact_holds_too_stays_with_that_one(small, plan, imported):
    other = plan("other.csv", ("Rob", "(202) 555-0187", "", "Hale", "", "AC-313131", "rob@example.com", ""))
    small.apply(other.upload_id, user=DIRECTOR)
    erased = small.erase(1)
    assert erased.shared == {"phone": [3]}
    assert small.store.contact(3)["phone"] == "+12025550187"
    assert small.show(other.upload_id).raw_rows["Phone number"].to_list() == ["(202) 555-0187"]
    assert found(small.settings.home, ["quintessa.q@example.com", "quennevais"]) == set()


def test_a_file_that_waits_in_the_inbox_is_named_and_left(small, imported):
    write_csv(small.settings.inbox / "outreach_contacts" / "waiting.csv", OUTREACH, SHE)
    assert small.erase(1).left == ["inbox/outreach_contacts/waiting.csv"]


def test_while_an_upload_that_holds_the_person_is_being_staged_erasing_is_refused(small, tmp_path, imported):
    received = small.receive(
        write_csv(tmp_path / "now.csv", OUTREACH, SHE, IAN), "outreach_contacts", group="G", user=DIRECTOR
    )
    with pytest.raises(Refusal) as refused:
        small.erase(1)
    assert refused.value.code == "being-staged"
    assert small.store.contact(1)["email"] is not None
    small.cancel(received.upload_id)
    assert small.erase(1).contact_ids == [1]


def test_with_a_staging_database_open_elsewhere_it_waits_and_then_says_whose(small, imported):
    path = small.store.staging(imported.upload_id).path
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"open\n"
        hasty = Pipeline(settings=Settings(home=small.settings.home, lock_wait_seconds=0.3))
        start = time.monotonic()
        with pytest.raises(StoreBusy, match=f"Upload {imported.upload_id}: .*Then erase again"):
            hasty.erase(1)
        assert time.monotonic() - start >= 0.3
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    small.erase(1)
    assert found(small.settings.home, TRACES) == set()


def test_without_its_key_a_home_recognizes_nobody_and_takes_no_file(small, plan, imported):
    small.erase(1)
    small.settings.erasure_key_path.unlink()
    refused = plan("later.csv", SHE)
    assert (refused.state, refused.reason["code"]) == ("refused", "erasure-key")
    assert "erasure.key" in refused.reason["fix"]


def test_an_unknown_contact_is_refused(small):
    with pytest.raises(Refusal) as refused:
        small.erase(7)
    assert refused.value.code == "contact-unknown"


@pytest.mark.parametrize("folder", ["reports", "exports"])
def test_files_given_back_that_hold_the_person_go_and_others_stay(small, imported, folder):
    """Whoever needs one can make it again, without her."""
    hers = write_csv(small.settings.home / folder / "march" / "spring.csv", ("Mail",), (SHE[6],))
    others = write_csv(small.settings.home / folder / "march" / "others.csv", ("Mail",), (BOB[6],))

    erased = small.erase(1)

    assert (hers.exists(), others.exists()) == (False, True)
    assert f"{folder}/march/spring.csv" in erased.deleted
    assert not [name for name in erased.deleted if name.endswith("others.csv")]


def test_an_erased_lead_that_is_held_is_published_as_erased(small, tmp_path):
    """E10: held or not, what is left of an erased contact is its number; another held lead stays unseen."""
    file = write_csv(tmp_path / "leads.csv", LEADS, ("Quintessa Quennevais", SHE[1], SHE[6]), ("Bob Oakes", "", BOB[6]))
    planned = small.plan(file, "dealer_leads", lead_type="SMS", rule="merge", user=DIRECTOR)
    small.apply(planned.upload_id, user=DIRECTOR)
    assert small.store.contacts(published=True) == []

    small.erase(1)

    (published,) = small.store.contacts(published=True)
    assert published == small.store.contacts()[0]
    assert (published["contact_id"], published["erased"], published["active"]) == (1, True, False)
    assert (published["full_name"], published["email"], published["phone"]) == (None, None, None)
