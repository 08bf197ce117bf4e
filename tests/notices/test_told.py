"""Which notices are sent: one for each change of an upload's state, with counts and commands, and nobody's data."""

import json

import pytest

from contact_pipeline.store.news import COUNTS, keep_news_of_home
from tests.notices.conftest import NOBODY, PERSONAL, ROSA

EMPTY = "First name,Last name\n"


def test_the_life_of_an_upload_is_told_once_each(by_mail, plan, run):
    """C5: one notice when it waits for approval, is applied, is undone and is applied again."""
    mails = by_mail()
    upload = plan()["upload_id"]
    for command in ("apply", "undo", "redo", "undo"):
        run(command, upload)
    run("undo", upload)  # already

    assert [mail["Subject"] for mail in mails] == [
        "people.csv: staged and waits for approval",
        "people.csv: applied",
        "people.csv: undone",
        "people.csv: applied",
        "people.csv: undone",
    ]


@pytest.mark.parametrize(("rule", "told"), [({}, 1), ({"profiles": ["outreach_contacts"]}, 0), ({"users": ["x"]}, 0)])
def test_what_befalls_the_home_is_told_by_a_rule_that_is_not_narrowed(rule, told, by_mail, pipeline, run):
    mails = by_mail(on=["disk_low"], **rule)
    with pipeline.store.change() as contacts:
        keep_news_of_home(contacts, "disk_low", "disk-full")
    assert run("notices", "send").status == 0
    assert [mail["Subject"] for mail in mails] == ["The home: short of disk space"] * told
    assert all("contact-pipeline expire --dry-run" in mail.get_content() for mail in mails)
    assert len(pipeline.notices()) == told


def test_a_refused_file_and_a_profile_that_there_is_not_are_told(by_mail, run, tmp_path):
    """C5: failure is announced as success is."""
    mails = by_mail()
    file = tmp_path / "empty.csv"
    file.write_text(EMPTY)

    assert run("plan", file, "--profile", "outreach_contacts", "--group", "Spring").status == 1
    assert run("plan", file, "--profile", "outreach", "--group", "Spring").status == 1
    assert [mail["Subject"] for mail in mails] == ["empty.csv: refused", "empty.csv: refused"]
    assert "Reason:   profile-unknown" in mails[1].get_content()


def test_a_blocked_upload_is_told_with_its_reason(by_mail, blocked):
    """C5: what holds an upload back is announced."""
    mails = by_mail()

    upload = blocked()

    assert upload["state"] == "blocked"
    assert [mail["Subject"] for mail in mails] == ["people.xlsx: blocked"]
    assert f"Reason:   {upload['reason']['code']}\n" in mails[0].get_content()
    assert "Dana" not in mails[0].as_string()


def test_a_held_upload_waits_to_be_finalized(by_mail, run, held):
    """C5: an upload that is applied and held is announced as such, and once more when it is finalized."""
    mails = by_mail(on=["held", "finalized"])
    upload = held()

    assert run("apply", upload, "--user", "m.keane").status == 0
    assert run("finalize", upload, "--user", "m.keane").status == 0

    assert [mail["Subject"].split(": ")[1] for mail in mails] == ["applied and waits to be finalized", "finalized"]
    assert f"contact-pipeline finalize {upload}" in mails[0].get_content()


def test_a_stale_upload_gives_a_notice(by_mail, plan, run):
    """C5: a plan that the contacts have left behind is announced."""
    mails = by_mail(on=["stale"])
    first, second = plan()["upload_id"], plan(ROSA, "Ian,,,Moss,,AC-2,ian@example.com,")["upload_id"]
    run("apply", second)

    assert run("apply", first).status == 1
    assert [mail["Subject"] for mail in mails] == ["people.csv: stale"]
    assert f"contact-pipeline replan {first}" in mails[0].get_content()


def test_a_fault_is_told_as_failed(by_mail, plan, run, monkeypatch):
    """C5: a fault of the program is announced."""
    mails = by_mail()
    monkeypatch.setattr("contact_pipeline.pipeline.stages.validate", lambda *_: 1 / 0)

    with pytest.raises(KeyError):  # the document of a defect is that of an error
        plan()["upload_id"]

    assert [mail["Subject"] for mail in mails] == ["people.csv: failed"]


def test_counts_are_those_of_the_upload(by_mail, plan, run):
    mails = by_mail()
    document = plan(ROSA, NOBODY, ROSA)
    run("apply", document["upload_id"])

    counts = {name: count for name, count in document["outcomes"].items() if count}
    said = f"{document['processed']} processed: " + ", ".join(f"{count} {name}" for name, count in counts.items())
    assert document["outcomes"]["created"] == 1
    assert document["outcomes"]["rejected"] == 1
    assert [f"Rows:     {said}\n" in mail.get_content() for mail in mails] == [True, True]


def test_counts_are_those_of_the_moment(by_hook, hook, plan, run, pipeline):
    """What becomes of the upload's counts before the notice is sent is not in it."""
    posts = by_hook(on=["applied"])
    hook.answers = 500
    run("apply", plan()["upload_id"])
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE uploads SET processed = 99, created = 99")
    hook.answers = 200
    run("notices", "send")

    assert "1 processed: 1 created" in posts[-1]["message"]


def test_a_notice_names_file_profile_upload_user_and_the_next_commands(by_mail, plan, home):
    mails = by_mail()
    upload = plan(ROSA, NOBODY)["upload_id"]
    said = mails[0].get_content()

    for words in ("File:     people.csv", "Profile:  outreach_contacts", f"Upload:   {upload}", "Sent by:  ana"):
        assert words in said
    for command in ("show", "apply", "cancel", "rejected"):
        assert f"\n  contact-pipeline {command} {upload} --home {home}\n" in said


def test_a_notice_holds_nobodys_data(by_mail, plan, run):
    mails = by_mail()
    upload = plan(ROSA, NOBODY, name="219-09-9990 born 04-17-1984.csv")["upload_id"]
    run("apply", upload)
    run("undo", upload)

    assert len(mails) == 3
    for mail in mails:
        assert "***" not in mail["Subject"]
        assert [value for value in PERSONAL if value in mail.as_string() or value in mail.get_content()] == []
        assert "Spring" not in mail.get_content()


def test_headings_that_are_data_are_not_told(by_mail, run, tmp_path):
    mails = by_mail()
    file = tmp_path / "people.csv"
    file.write_text("Rosa,Delgado,219-09-9990,rosa@example.com\nIan,Moss,,ian@example.com\n")

    run("plan", file, "--profile", "outreach_contacts", "--group", "Spring")

    assert len(mails) == 1
    assert "Reason:   " in mails[0].get_content()
    assert [value for value in (*PERSONAL, "Moss") if value in mails[0].get_content()] == []


@pytest.mark.parametrize(
    "name",
    [
        "a\nBcc: eve@example.com\n.csv",
        "<b onmouseover=alert(1)>x<!--.csv",
        "*bold* `code` [link](http:evil.example) <!channel> @here #general.csv",
        "\x1b[31mred\u202egnp.csv",
        "{{secret}} :smile: %s.csv",
        "x" * 200 + ".csv",
    ],
)
def test_hostile_names_of_files_do_no_harm(name, by_mail, plan):
    mails = by_mail()
    plan(name=name)

    (mail,) = mails
    assert mail["Bcc"] is None
    assert mail.get_content_type() == "text/plain"
    assert not set(mail["Subject"]) & set("\n\r\x1b\u202e<>*`[]@#{}&/|~")
    assert len(mail["Subject"]) < 150
    assert mail["Subject"].endswith(": staged and waits for approval")
    assert not set(mail.get_content()) & set("\r\x1b\u202e<>*`[]@#{}&|~")


def test_a_notice_has_an_ordinary_file_name_unchanged(by_mail, plan):
    mails = by_mail()
    plan(name="Kontakte Müller_2026-11-28 (v2).csv")

    assert mails[0]["Subject"] == "Kontakte Müller_2026-11-28 (v2).csv: staged and waits for approval"
    assert "File:     Kontakte Müller_2026-11-28 (v2).csv\n" in mails[0].get_content()


def test_rules_choose_by_state_profile_and_user(tell, by_hook, hook, plan, run):
    by_hook()
    address = f"json://127.0.0.1:{hook.server_address[1]}/x"
    tell(
        address,
        {"to": ["desk"], "on": ["applied"], "profiles": ["outreach_contacts"], "users": ["Ana"]},
        {"to": ["desk"], "on": ["undone"], "profiles": ["program_contacts"]},
        {"to": ["desk"], "on": ["applied"]},  # told by two rules, and once
    )
    for user in ("ana", "bob"):
        upload = plan(user=user)["upload_id"]
        run("apply", upload)
        run("undo", upload)

    assert [(post["title"], "Sent by:  ana" in post["message"]) for post in hook.posts] == [
        ("people.csv: applied", True),
        ("people.csv: applied", False),
    ]


def test_rules_of_a_user_leave_others_alone(by_hook, plan):
    posts = by_hook(users=["ana"])

    plan(user="bob")
    assert posts == []
    plan(user="ANA", name="more.csv")
    assert len(posts) == 1


def test_a_webhook_gets_the_same_words_as_json(by_hook, plan):
    posts = by_hook(on=["staged"])
    upload = plan()["upload_id"]

    assert posts[0]["title"] == "people.csv: staged and waits for approval"
    assert posts[0]["type"] == "info"
    assert f"contact-pipeline apply {upload}" in posts[0]["message"]


def test_what_happened_before_there_was_a_notices_file_is_told_to_nobody(by_hook, plan, run):
    upload = plan()["upload_id"]
    posts = by_hook()

    run("notices", "send")
    assert posts == []
    run("apply", upload)
    assert [post["title"] for post in posts] == ["people.csv: applied"]


def test_an_import_that_is_agreed_to_at_once_is_told_as_applied_only(by_hook, people, run, states):
    posts = by_hook()
    words = ("--profile", "outreach_contacts", "--group", "Spring", "--yes")

    assert run("import", people(), *words).status == 0
    assert [post["title"] for post in posts] == ["people.csv: applied"]
    assert states() == [("applied", "sent"), ("staged", "dropped")]


def test_a_staged_file_of_the_inbox_that_applies_by_itself_waits_for_nobody(by_hook, pipeline, people, home):
    posts = by_hook()
    folder = home / "inbox" / "outreach_contacts"
    folder.mkdir(parents=True)
    file = people().rename(folder / "people.csv")
    upload = pipeline.receive(file, "outreach_contacts", move=True, group="Spring")
    for stage in (pipeline.read, pipeline.normalize, pipeline.validate, pipeline.match):
        upload = stage(upload.upload_id)
    assert upload.state == "staged"
    assert pipeline.send_notices().sent == 0
    pipeline.apply_automatic(upload.upload_id)

    assert pipeline.send_notices().sent == 1
    assert [post["title"] for post in posts] == ["people.csv: applied"]


def test_the_link_stands_in_it_where_it_is_known(by_hook, plan, monkeypatch):
    posts = by_hook()
    plan()
    assert "In Dagster" not in posts[0]["message"]

    monkeypatch.setenv("CONTACT_PIPELINE_ADDRESS", "https://contacts.example.com/")
    upload = plan(name="more.csv")["upload_id"]
    link = f"https://contacts.example.com/assets/matched_changeset?view=partitions&partition={upload}"
    assert f"  {link}\n" in posts[1]["message"] + "\n"


def test_the_counts_that_are_kept_are_those_of_the_ledger(by_hook, plan, pipeline):
    by_hook()
    upload = plan(ROSA, NOBODY)["upload_id"]
    line = pipeline.store.line(upload)

    notice = pipeline.notices()[0]
    assert dict(notice.news.counts) == {name: getattr(line, name) for name in COUNTS}
    assert json.dumps(notice.as_dict())
