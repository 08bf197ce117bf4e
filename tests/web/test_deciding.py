"""What can be decided on the pages, by whom, and what refuses: each is the same call that the command line makes."""

import getpass
import re
import shutil
from importlib.resources import files

import pytest
import xlsxwriter

from contact_pipeline.cli.app import run
from contact_pipeline.contracts.actors import Verified
from contact_pipeline.settings import Settings
from contact_pipeline.web.deciding import ACTS
from contact_pipeline.web.desk import Desk
from tests.trust import record
from tests.web.client import Client
from tests.web.conftest import SECRET

ROW = 2  # of doubt.csv, in review


def page_of(upload_id):
    return f"/pages/uploads/{upload_id}"


def hash_on(page, of="changeset"):
    return re.search(rf'name="{of}" value="(\w{{64}})"', page.text).group(1)


def test_an_upload_goes_all_the_way_on_its_page(alone, pipeline, uploads):
    """A5, A9, X2, X4: rows in review are decided, what was on the page is approved, undone and brought back."""
    page = page_of(uploads["doubt"])
    assert "Decide 1 row in review" in alone.get(page).seen
    decided = alone.send(page, "resolve", **{f"row__{ROW}": "new"})
    assert "No row is left to decide" in decided.seen
    assert pipeline.decisions()[0]["decided_by"] == getpass.getuser()

    applied = alone.send(page, "apply", changeset=hash_on(decided))
    assert "Applied: 2 created, 1 rejected." in applied.seen
    again = alone.send(page, "apply", changeset=hash_on(decided))
    assert "It was applied before; nothing was changed now." in again.seen

    planned = alone.send(page, "plan-undo")
    assert "Nothing is changed yet." in planned.seen
    assert "hana@example.com" in planned.seen
    assert pipeline.show(uploads["doubt"]).state == "applied"
    assert "Undone." in alone.send(page, "undo", agreed=hash_on(planned, "agreed")).seen
    planned = alone.send(page, "plan-redo")
    assert "would be written" in planned.seen
    assert "it is applied again" in alone.send(page, "redo", agreed=hash_on(planned, "agreed")).seen


def test_without_a_login_everything_is_seen_and_nothing_can_be_done(browser, pipeline, uploads):
    """Read-only: without a proxy, past the proxy, with a wrong secret, and where `serve` was started so."""
    before = [(upload.upload_id, upload.state) for upload in pipeline.uploads()]
    visitors = {
        "Nobody is logged in": browser(),
        "did not come through the proxy": browser("m.keane", secret="a-guess-of-somebody-else-here"),
        "The proxy named no user": browser(" "),
        "--read-only": browser("m.keane", read_only=True),
    }
    for why, somebody in visitors.items():
        for page in ("/pages/", page_of(uploads["doubt"])):
            seen = somebody.get(page)
            assert seen.status == 200
            assert "doubt.csv" in seen.seen
            assert why in seen.seen
            assert 'method="post"' not in seen.text
        for act in [*ACTS, "rejected"]:
            answer = somebody.post(f"{page_of(uploads['doubt'])}/{act}", {"token": "x", f"row-{ROW}": "new"})
            assert (answer.status, why in answer.seen) == (403, True), act
    assert [(upload.upload_id, upload.state) for upload in pipeline.uploads()] == before
    assert not pipeline.decisions()
    record("deciding-without-a-login", tried=len(visitors) * (len(ACTS) + 1), failed=0, where="every form")


def test_whom_the_proxy_names_is_verified_in_the_ledger_and_everybody_else_claimed(browser, alone, pipeline, uploads):
    """E1, E10: with the role of the profile."""
    director, page = browser("m.keane"), page_of(uploads["leads"])
    assert "m.keane (verified)" in director.get(page).seen
    assert "held back until it is finalized" in director.send(page, "apply", changeset=hash_on(director.get(page))).seen
    assert "everybody sees its contacts" in director.send(page, "finalize").seen
    line = pipeline.show(uploads["leads"]).line
    assert (line.approved_by, line.approved_as) == ("m.keane", "verified")
    assert (line.finalized_by, line.finalized_as) == ("m.keane", "verified")
    assert pipeline.store.last_commit(uploads["leads"])["actor_as"] == "verified"
    assert pipeline.show(uploads["known"]).as_dict()["approved_as"] == "claimed"

    director.send(page_of(uploads["doubt"]), "resolve", **{f"row__{ROW}": "skip"})
    assert pipeline.decisions()[0]["decided_as"] == "verified"
    alone.send(page_of(uploads["doubt"]), "apply", changeset=pipeline.show(uploads["doubt"]).changeset_sha256)
    assert pipeline.show(uploads["doubt"]).approved_as == "claimed"


def test_a_role_that_is_missing_is_refused_whoever_asks(browser, pipeline, uploads):
    """E1: on every path, as `Pipeline` tests it."""
    page = page_of(uploads["leads"])
    for login in ("t.clerk", "nobody.known", "M.KEANE, automatic by profile"):
        clerk = browser(login)
        refused = clerk.send(page, "apply", changeset=hash_on(clerk.get(page)))
        assert "needs a user with the role" in refused.seen
    assert pipeline.show(uploads["leads"]).state == "staged"
    record("deciding-without-a-role", tried=3, failed=0)


def test_a_form_is_taken_only_from_the_page_that_its_sender_was_shown(browser, pipeline, uploads):
    one, other, same_name = browser("m.keane"), browser("t.clerk"), browser("m.keane")
    page = page_of(uploads["doubt"])
    tokens = {
        "of nobody": "",
        "invented": "0" * 64,
        "of somebody else": other.get(page).token,
        "of another browser": same_name.get(page).token,
    }
    one.get(page)
    tokens["of another login in the same browser"] = Client(
        one.app, {**one.headers, "x-forwarded-user": "t.clerk"}, one.cookies
    ).get(page).token  # fmt: skip
    for whose, token in tokens.items():
        for act in [*ACTS, "rejected"]:
            answer = one.post(f"{page}/{act}", {"token": token})
            assert (answer.status, "Nothing was done" in answer.seen) == (403, True), (whose, act)
    one.cookies.clear()
    assert one.post(f"{page}/cancel", {"token": tokens["of another browser"]}).status == 403
    assert one.post(f"{page}/cancel", {}, content_type="text/plain").status == 415
    assert one.post(f"{page}/cancel", {"token": "x" * 200_000}).status == 413
    assert pipeline.show(uploads["doubt"]).state == "staged"
    record("forged-forms", tried=len(tokens) * (len(ACTS) + 1) + 3, failed=0)


def test_what_comes_of_a_request_is_shown_only_to_whoever_made_it():
    desk = Desk()
    task = desk.begin("one", "m.keane", "Applying", lambda: "Applied.")
    desk.close()
    asked = [("one", "m.keane"), ("one", "t.clerk"), ("other", "m.keane")]
    assert [desk.find(task.number, *of) for of in asked] == [task, None, None]


def test_what_was_not_on_the_page_is_not_approved(alone, pipeline, uploads):
    """X2: in two tabs, one decides a row and the other approves what it still shows."""
    page = page_of(uploads["doubt"])
    old = alone.get(page)
    alone.send(page, "resolve", **{f"row__{ROW}": "new"})
    assert f"not {hash_on(old)}" in alone.send(page, "apply", changeset=hash_on(old)).seen
    assert "names no changeset" in alone.send(page, "apply").seen
    assert pipeline.show(uploads["doubt"]).state == "staged"


def test_an_undo_that_was_not_on_the_page_is_not_made(alone, pipeline, uploads):
    """X4: somebody changes a contact between the plan and the click."""
    page = page_of(uploads["known"])
    shown = alone.send(page, "plan-undo")
    pipeline.set_active(1, active=False)
    assert "would now write something else" in alone.send(page, "undo", agreed=hash_on(shown, "agreed")).seen
    assert "names no plan" in alone.send(page, "undo").seen
    assert pipeline.show(uploads["known"]).state == "applied"


def test_what_an_undo_leaves_alone_is_shown_with_its_values(browser, home, pipeline, tmp_path, capsys, monkeypatch):
    """X4: on the page and in the terminal, by the same names; what looks sensitive is hidden."""
    monkeypatch.setenv("COLUMNS", "300")
    file, ids = tmp_path / "leads.csv", []
    for email in ("ann@example.com", "219-09-9990@example.com", "ann.last@example.com"):
        file.write_text(f"Name,Phone,Email\nAnn Bee,(202) 555-0143,{email}\n")
        planned = pipeline.plan(file, "dealer_leads", lead_type="SMS", user="m.keane")
        ids.append(pipeline.apply(planned.upload_id, user="m.keane").upload_id)
    director = browser("m.keane")
    left = director.send(page_of(ids[1]), "plan-undo").seen
    made = "ann@example.com → ***-**-****@example.com ann.last@example.com changed since"
    assert f"contact 5 Ann Bee email {made} {ids[2]}" in left[left.index("left alone") :]
    run(["--home", str(home), "undo", ids[1], "--plan"])
    told = " ".join(capsys.readouterr().out.split())
    assert f"contact 5 Ann Bee email {made} {ids[2]}" in told
    built_upon = director.send(page_of(ids[0]), "plan-undo").seen
    assert "deactivated instead of removed built upon since" in built_upon
    assert "219-09-9990" not in left + told + built_upon


def test_cells_are_corrected_and_rows_left_out(browser, pipeline, uploads):
    """The same calls as `correct` and `leave-out`: each freezes the plan anew, and can be taken back."""
    upload_id, page = uploads["doubt"], page_of(uploads["doubt"])
    director = browser("m.keane")
    before = pipeline.show(upload_id).changeset_sha256
    corrected = director.send(page, "correct", row="4", field="Email", text="x@example.com")
    assert "Row 4 is corrected." in corrected.seen
    assert pipeline.show(upload_id).changeset_sha256 == hash_on(corrected)
    left = director.send(page, "leave-out", row="3")
    assert "Row 3 is left out." in left.seen
    assert pipeline.show(upload_id).outcomes["left_out"] == 1
    assert {(each["corrected_by"], each["corrected_as"]) for each in pipeline.corrections(upload_id)} == {
        ("m.keane", "verified")
    }
    assert "by m.keane (verified)" in director.get(page).seen
    for number in ("2", "1"):
        assert "taken back" in director.send(page, "withdraw-correction", number=number).seen
    assert pipeline.show(upload_id).changeset_sha256 == before

    wrong = {
        "names no row": {"row": "9" * 5_000, "field": "Email"},
        "names no field": {"row": "4"},
        "no row 99": {"row": "99", "field": "Email"},
        "Colour": {"row": "4", "field": "Colour"},
    }
    for said, form in wrong.items():
        assert said in director.send(page, "correct", **form).seen, said
    assert "cannot be corrected" in director.send(page_of(uploads["known"]), "correct", row="2", field="Email").seen
    assert pipeline.show(upload_id).changeset_sha256 == before


def test_deactivations_are_applied_only_where_they_are_confirmed(alone, pipeline, tmp_path):
    """A8: whether a guard asks for it or not."""
    for name, emails in (("all.xlsx", "abcdefgh"), ("few.xlsx", "abcdefg")):
        with xlsxwriter.Workbook(tmp_path / name) as workbook:
            sheet = workbook.add_worksheet()
            sheet.write_row(0, 0, ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title"))
            for number, letter in enumerate(emails, 1):
                sheet.write_row(number, 0, (f"{letter}@example.com", "Dana", "Whitfield"))
    pipeline.apply(pipeline.plan(tmp_path / "all.xlsx", "program_contacts").upload_id)
    upload = pipeline.plan(tmp_path / "few.xlsx", "program_contacts", deactivate_missing=True)
    page = page_of(upload.upload_id)
    shown = alone.get(page)
    assert "Deactivate 1 contact that is not in the file" in shown.seen
    assert "is not confirmed" in alone.send(page, "apply", changeset=hash_on(shown)).seen
    assert pipeline.show(upload.upload_id).state == "staged"
    applied = alone.send(page, "apply", changeset=hash_on(shown), confirm__deactivations="yes")
    assert "1 contact deactivated" in applied.seen


def test_rows_are_decided_together_or_not_at_all(alone, pipeline, uploads):
    page = page_of(uploads["doubt"])
    cases = {
        "No row was decided": {f"row__{ROW}": ""},
        "names a row that is none": {"row__two": "new", f"row__{'9' * 5_000}": "new"},
        "nobody named": {f"row__{ROW}": "who"},
        "is not in review": {f"row__{ROW}": "new", "row__3": "new"},
        "There is no contact 999 ": {f"row__{ROW}": "999"},
        f"There is no contact {'9' * 30} ": {f"row__{ROW}": "9" * 30},
        f"There is no contact {'9' * 5_000} ": {f"row__{ROW}": "9" * 5_000},
        "fits 'somebody@example.com'": {f"row__{ROW}": "who", f"who__{ROW}": "somebody@example.com"},
    }
    for said, form in cases.items():
        assert said in alone.send(page, "resolve", **form).seen, said
    assert not pipeline.decisions()
    named = {f"row__{ROW}": "who", f"who__{ROW}": "omar@example.com"}
    assert "Decided: 1 row" in alone.send(page, "resolve", **named).seen
    assert "is withdrawn" in alone.send(page, "withdraw", row=str(ROW)).seen
    assert "Nothing is decided about row" in alone.send(page, "withdraw", row=str(ROW)).seen


def test_rejected_rows_are_given_to_whoever_may_decide(alone, browser, uploads):
    """B8, E1: with the reason on each row."""
    page = page_of(uploads["doubt"])
    there = alone.get(page)
    assert f'id="rejected"><form method="post" action="{page}/rejected"' in there.text.replace("\n", "")  # of a link
    answer = alone.post(f"{page}/rejected", {"token": there.token})
    assert (answer.status, "x@@example" in answer.text) == (200, True)
    assert answer.headers["content-disposition"].startswith("attachment")
    none = page_of(uploads["leads"])
    for somebody, status, said in (
        (browser("m.keane"), 409, "No row of leads.csv was rejected"),
        (browser("t.clerk"), 403, "needs a user with the role"),
        (alone, 403, "needs a user with the role"),
    ):
        answer = somebody.post(f"{none}/rejected", {"token": somebody.get(none).token})
        assert (answer.status, said in answer.seen) == (status, True)


def test_what_is_too_much_for_the_page_is_downloaded(browser, uploads, monkeypatch):
    """Masked, so whoever sees the page gets it; one at a time."""
    somebody, page = browser(), page_of(uploads["doubt"])
    assert "/everything" not in somebody.get(page).text
    monkeypatch.setattr("contact_pipeline.pages.review.rows._ROOM", 0)
    assert f'href="{page}/everything"' in somebody.get(page).text
    answer = somebody.get(f"{page}/everything")
    assert (answer.status, answer.text[:2], answer.headers["content-type"]) == (200, "PK", "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment")

    def again(*_arguments):
        assert somebody.get(f"{page}/everything").status == 503

    monkeypatch.setattr("contact_pipeline.pages.review.write_everything", again)
    assert somebody.get(f"{page}/everything").status == 200
    assert somebody.get(f"{page_of('20200101-000000-000000')}/everything").status == 404


def test_rejected_rows_are_given_once_what_was_uploaded_is_gone(alone, pipeline, uploads):
    """Of an applied upload they are kept in the contact database."""
    pipeline.apply(uploads["doubt"])
    shutil.rmtree(pipeline.settings.upload_path(uploads["doubt"]))
    page = page_of(uploads["doubt"])
    answer = alone.post(f"{page}/rejected", {"token": alone.get(page).token})
    assert (answer.status, "x@@example" in answer.text) == (200, True)


def test_a_state_that_does_not_allow_it_is_refused_in_words(alone, uploads):
    page = page_of(uploads["known"])
    refused = {"redo": "nothing was changed", "finalize": "published already", "cancel": "cannot be cancelled"}
    for act, said in refused.items():
        assert said in alone.send(page, act, agreed="x").seen
    assert alone.get(page_of("20200101-000000-000000")).status == 404
    assert alone.get("/pages/other").status == 404
    token = alone.get(page_of(uploads["known"])).token
    assert alone.post(f"{page_of(uploads['known'])}/explode", {"token": token}).status == 404


def test_while_the_contacts_are_in_use_the_pages_say_so(browser, pipeline, uploads):
    somebody = browser(decide_locally=True, lock_wait_seconds=0)
    page = page_of(uploads["doubt"])
    changeset = hash_on(somebody.get(page))
    token = somebody.get(page).token
    with pipeline.store.open():
        busy = somebody.get("/pages/")
        assert (busy.status, "Busy" in busy.seen) == (503, True)
        assert busy.headers["retry-after"]
        sent = somebody.post(f"{page}/apply", {"token": token, "changeset": changeset})
    assert "Busy" in somebody.get(sent.headers["location"]).seen
    assert pipeline.show(uploads["doubt"]).state == "staged"


def test_a_login_is_verified_by_where_it_comes_from_not_by_what_it_says():
    assert str(Verified("m.keane")) == "m.keane"
    assert SECRET not in repr(Settings(proxy_secret=SECRET))


@pytest.fixture(autouse=True)
def at_home(uploads):
    """Every test begins with the uploads."""


def test_a_plan_that_cannot_be_read_is_not_offered_for_approval(alone, pipeline, uploads):
    page = page_of(uploads["doubt"])
    shutil.rmtree(pipeline.store.staging(uploads["doubt"]).folder)
    shown = alone.get(page)
    assert "it cannot be approved" in shown.seen
    assert "Approve and apply" not in shown.seen
    assert "Planned, nothing is changed yet" in alone.send(page, "replan").seen
    assert "Approve and apply" in alone.get(page).seen


def test_what_somebody_else_sent_is_planned_again_and_cancelled_by_whoever_has_the_role(browser, pipeline, uploads):
    """E1, E10: cancelling deletes what was planned; the ledger says who had it planned again."""
    page, clerk, director = page_of(uploads["leads"]), browser("t.clerk"), browser("m.keane")
    assert "t.clerk" in clerk.send(page, "cancel").seen
    shutil.rmtree(pipeline.store.staging(uploads["leads"]).folder)
    assert "needs a user with the role" in clerk.send(page, "replan").seen
    assert pipeline.show(uploads["leads"]).replanned_by is None
    assert "Planned, nothing is changed yet" in director.send(page, "replan").seen
    line = pipeline.show(uploads["leads"]).line
    assert (line.state, line.replanned_by, line.replanned_as) == ("staged", "m.keane", "verified")
    assert "m.keane (verified)" in browser("t.clerk").get(page).seen
    director.send(page, "cancel")
    assert pipeline.show(uploads["leads"]).state == "cancelled"


def test_the_pages_of_a_corrected_file_and_of_the_upload_that_it_continues_lead_to_each_other(
    alone, pipeline, uploads, tmp_path
):
    """B8: the page in a file names it, and has no link that only a server follows."""
    first = page_of(uploads["doubt"])
    given = alone.post(f"{first}/rejected", {"token": alone.get(first).token}).text
    (tmp_path / "mended.csv").write_text(given.replace("x@@example,", "ximena@example.com,"), encoding="utf-8")
    second = pipeline.plan(tmp_path / "mended.csv", "outreach_contacts", group="Spring")
    assert f'It continues upload <a href="{first}">' in alone.get(page_of(second.upload_id)).text
    assert f'came again with upload <a href="{page_of(second.upload_id)}">' in alone.get(first).text
    assert f"It continues upload <code>{uploads['doubt']}</code>" in pipeline.review_page(second.upload_id)


def test_two_people_approve_on_the_page_each_under_the_name_of_the_proxy(browser, home, pipeline, tmp_path):
    """X2: the page says whose turn it is, the sender and the first are offered nothing, and a first approval ends."""
    (home / "profiles").mkdir(exist_ok=True)
    profile = home / "profiles" / "two.yaml"
    shipped = files("contact_pipeline.profiles").joinpath("suppression_list.yaml").read_text()
    profile.write_text(shipped.replace("name: suppression_list", "name: two") + "approvals: 2\n")
    (tmp_path / "two.csv").write_text("Email\nrosa@example.com\n")
    upload_id = pipeline.plan(tmp_path / "two.csv", "two", user="s.ender").upload_id
    page, sender, ann, ben = page_of(upload_id), browser("s.ender"), browser("ann"), browser("ben")

    seen = sender.get(page)
    assert "s.ender sent upload" in seen.seen
    assert "Approve, as the first" not in seen.seen
    changeset = pipeline.show(upload_id).changeset_sha256
    assert "cannot approve it" in sender.send(page, "apply", changeset=changeset).seen

    done = ann.send(page, "apply", changeset=hash_on(ann.get(page)))
    assert "Approved by ann, the first of two; nothing is changed yet" in done.seen
    assert "ann has approved upload" in done.seen
    assert "Take your approval back" in done.seen
    assert "approve as the second, after ann" in ben.get("/pages/").seen
    assert "Take your approval back" not in ben.get(page).seen
    assert "was approved by ann, not by ben" in ben.send(page, "withdraw-approval").seen
    assert "Your approval is taken back" in ann.send(page, "withdraw-approval").seen

    ann.send(page, "apply", changeset=changeset)
    seen = ben.get(page)
    assert "ann (verified) has" in seen.seen
    assert "you are the second" in seen.seen
    assert "Applied: 1 " in ben.send(page, "apply", changeset=hash_on(seen)).seen
    line = pipeline.show(upload_id).line
    assert (line.first_approved_by, line.first_approved_as) == ("ann", "verified")
    assert (line.approved_by, line.approved_as) == ("ben", "verified")
