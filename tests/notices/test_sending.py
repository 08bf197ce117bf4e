"""Sending never fails or holds up an upload, and no notice is sent twice: servers that are down, refuse or hang,
senders that are killed, and several at once."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import StoreBusy
from contact_pipeline.notices import queue
from contact_pipeline.notices.queue import TRIES, WAITS
from contact_pipeline.settings import Settings
from contact_pipeline.store.ledger import now
from tests.notices.conftest import hook_address, mail_address
from tests.notices.servers import PASSWORD, dripping_server, free_port, hanging_server, hook_server, port_of

ROOT = Path(__file__).parents[2]


def make_due(pipeline):
    """Lets what waits be tried now."""
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE notices SET due_at = '2000-01-01'")


def test_a_server_that_is_down_fails_no_upload_and_is_told_later(tell, plan, run, states):
    port = free_port()
    tell(hook_address(port))

    upload = plan()
    assert upload["state"] == "staged"
    ended = run("apply", upload["upload_id"])
    assert ended.status == 0
    assert "Not sent to desk: The server could not be reached." in ended.err
    assert states() == [("applied", "waiting"), ("staged", "dropped")]

    with hook_server(port) as hook:
        assert run("notices", "send", "--json").document == {"sent": 1, "waiting": 0, "problems": []}
        assert run("notices", "send", "--json").document == {"sent": 0, "waiting": 0, "problems": []}
        assert [post["title"] for post in hook.posts] == ["people.csv: applied"]
    assert states() == [("applied", "sent"), ("staged", "dropped")]


def test_a_refusal_of_the_server_is_tried_again_with_longer_and_longer_waits_and_then_failed(
    by_hook, hook, plan, pipeline
):
    posts = by_hook()
    hook.answers = 500
    plan()
    for tried in range(1, TRIES + 1):
        notice = pipeline.notices()[0]
        assert (len(posts), notice.tries) == (tried, tried)
        if tried < TRIES:
            assert notice.state == "waiting"
            waits = notice.due_at - notice.changed_at
            assert abs(waits - WAITS[tried - 1]) < timedelta(seconds=1)
            assert pipeline.send_notices().sent == 0  # it is not due
            assert len(posts) == tried
            make_due(pipeline)
            pipeline.send_notices()

    assert (notice.state, notice.problem) == ("failed", "The server answered with error 500.")
    make_due(pipeline)
    pipeline.send_notices(due=False)
    assert len(posts) == TRIES
    assert list(WAITS) == sorted(WAITS)

    hook.answers = 200
    assert pipeline.send_notices(again=True).sent == 1
    assert pipeline.notices()[0].state == "sent"


@pytest.mark.parametrize("kind", ["mail", "webhook"])
def test_a_server_that_hangs_is_left_soon(kind, tell, plan, states, monkeypatch):
    monkeypatch.setenv("CONTACT_PIPELINE_NOTICE_SECONDS", "0.3")
    with hanging_server() as port:
        tell(mail_address(port) if kind == "mail" else hook_address(port))
        plan()
        began = time.monotonic()
        plan(name="more.csv")
        assert time.monotonic() - began < 8

    assert states() == [("staged", "waiting"), ("staged", "waiting")]


def test_a_server_that_never_comes_to_an_end_is_left_and_not_told_again(tell, plan, run, states, monkeypatch):
    monkeypatch.setenv("CONTACT_PIPELINE_NOTICE_SECONDS", "0.3")
    with dripping_server() as port:
        tell(hook_address(port))
        plan()
        assert run("notices", "send", "--json").document["sent"] == 0

    assert states() == [("staged", "unsure")]


def test_a_wrong_password_is_said_without_it(tell, mails, plan, run):
    tell(mail_address(port_of(mails), password="wrong-horse"))
    plan()

    (notice,) = run("notices", "--json").document
    assert notice["problem"] == "The server did not take the name or the password."
    assert mails.mails == []


def test_one_target_that_fails_keeps_no_other_from_being_told(tell, home, hook, plan, pipeline, monkeypatch):
    tell("json://127.0.0.1:9/x")
    monkeypatch.setenv("OTHER", hook_address(port_of(hook)))
    (home / "notices.yaml").write_text(
        "targets: {desk: {env: DESK}, other: {env: OTHER}}\nnotices: [{to: [desk, other], on: [staged]}]\n"
    )
    plan()

    assert {notice.target: notice.state for notice in pipeline.notices()} == {"desk": "waiting", "other": "sent"}
    assert len(hook.posts) == 1


def test_a_target_whose_address_is_not_there_waits_and_is_no_try(by_hook, plan, run, pipeline, monkeypatch):
    posts = by_hook()
    address = os.environ["DESK"]
    monkeypatch.delenv("DESK")
    plan()
    (notice,) = pipeline.notices()
    assert (notice.state, notice.tries) == ("waiting", 0)
    assert notice.problem == "The environment variable DESK is not set here."

    monkeypatch.setenv("DESK", address)
    plan(name="more.csv")  # whoever has the address sends both
    assert len(posts) == 2


def test_what_asks_for_something_that_was_done_since_is_dropped(by_hook, hook, plan, run, states):
    by_hook()
    hook.answers = 500
    upload = plan()["upload_id"]
    run("cancel", upload)
    hook.answers = 200
    run("notices", "send")

    assert states() == [("staged", "dropped")]
    assert len(hook.posts) == 1


def test_a_broken_file_loses_nothing(by_hook, plan, run, home, states):
    posts = by_hook()
    right = (home / "notices.yaml").read_text()
    (home / "notices.yaml").write_text("targets: [")
    upload = plan()
    assert upload["state"] == "staged"
    assert [notice["problem"] for notice in run("notices", "--json").document] == ["notices.yaml is still to be asked."]
    assert "notices.yaml, line " in run("apply", upload["upload_id"]).err

    (home / "notices.yaml").write_text(right)
    run("notices", "send")
    assert [post["title"] for post in posts] == ["people.csv: applied"]


@pytest.mark.parametrize("address", [hook_address, mail_address], ids=["webhook", "mail"])
def test_the_secret_is_printed_logged_and_kept_nowhere(address, tell, plan, run, home, caplog):
    tell(address(free_port()))
    said = []
    upload = plan()["upload_id"]
    for words in (
        ("apply", upload), ("notices",), ("notices", "--json"), ("notices", "check"), ("notices", "test", "desk"),
        ("notices", "send"), ("notices", "send", "--again"), ("undo", upload), ("verify",),
    ):  # fmt: skip
        ended = run(*words)
        said.append(ended.out + ended.err)

    assert "could not be reached" in "".join(said)
    assert PASSWORD not in "".join(said) + caplog.text
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_the_secret_is_not_printed_by_a_process_of_its_own(tell, plan, home):
    """Libraries that log write to the true stderr."""
    tell(f"mailto://{PASSWORD}@")
    plan()
    command = [sys.executable, "-m", "contact_pipeline", "notices", "send", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "none that Apprise knows" in ended.stderr
    assert PASSWORD not in ended.stdout + ended.stderr


def test_several_processes_at_once_send_once(by_hook, hook, plan, run, home, states):
    by_hook()
    hook.answers = 500
    for number in range(4):
        plan(name=f"people{number}.csv")
    hook.posts.clear()
    hook.answers = 200
    command = [sys.executable, "-m", "contact_pipeline", "notices", "send", "--json", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    senders = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [sender.wait(60) for sender in senders] == [0, 0, 0]

    assert sorted(post["title"] for post in hook.posts) == [
        f"people{number}.csv: staged and waits for approval" for number in range(4)
    ]
    assert {state for _, state in states()} == {"sent"}


def test_killed_between_the_change_and_sending_it_is_sent_later(by_hook, hook, people, run, home, states):
    """C5: a notice is never lost: it is kept in the transaction of the change."""
    by_hook()
    script = f"""
import os, signal
import contact_pipeline.cli.telling as telling
telling.tell = lambda _: os.kill(os.getpid(), signal.SIGKILL)
from contact_pipeline.cli.app import run
run(["plan", {str(people())!r}, "--profile", "outreach_contacts", "--group", "Spring", "--home", {str(home)!r}])
"""
    killed = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert hook.posts == []

    assert run("notices", "send", "--json").document["sent"] == 1
    assert run("notices", "send", "--json").document["sent"] == 0
    assert [post["title"] for post in hook.posts] == ["people.csv: staged and waits for approval"]


def test_killed_while_sending_it_is_not_sent_again_unless_somebody_asks(by_hook, hook, plan, run, pipeline, states):
    """Nobody knows whether it arrived: twice would be worse than once too few that is shown."""
    by_hook()
    hook.answers = 500
    plan()
    hook.posts.clear()
    hook.answers = 200
    make_due(pipeline)
    assert queue.claim(pipeline.store, ["desk"]) is not None  # and then it is killed
    assert run("notices", "send", "--json").document["sent"] == 0
    assert states() == [("staged", "sending")]

    with pipeline.store.change() as contacts:
        contacts.run("UPDATE notices SET changed_at = ?", [now() - timedelta(minutes=6)])
    assert run("notices", "send", "--json").document["sent"] == 0
    assert states() == [("staged", "unsure")]
    assert "it may have arrived" in " ".join(run("notices").out.split())
    assert hook.posts == []

    assert run("notices", "send", "--again", "--json").document["sent"] == 1
    assert states() == [("staged", "sent")]


def test_what_was_recorded_when_the_clock_was_ahead_is_tried_at_once(by_hook, hook, plan, run, pipeline, states):
    """It waited until the clock was there again."""
    by_hook()
    hook.answers = 500
    plan()
    hook.answers = 200
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE notices SET due_at = due_at + INTERVAL 1 YEAR, changed_at = changed_at + INTERVAL 1 YEAR")
    assert run("notices", "send", "--json").document["sent"] == 1
    assert states() == [("staged", "sent")]

    with pipeline.store.change() as contacts:  # a sender that was killed
        contacts.run("UPDATE notices SET state = 'sending', changed_at = ?", [now() + timedelta(days=365)])
    assert run("notices", "send", "--json").document["sent"] == 0
    assert states() == [("staged", "unsure")]


def test_a_busy_contact_database_holds_nothing_up(by_hook, plan, home, pipeline):
    posts = by_hook()
    plan()
    quick = Pipeline(settings=Settings(home=home, lock_wait_seconds=0.1))
    script = f"""
import time
from contact_pipeline import Pipeline
with Pipeline({str(home)!r}).store.change():
    print("held", flush=True)
    time.sleep(30)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    ) as holding:
        assert holding.stdout.readline() == "held\n"
        with pytest.raises(StoreBusy):
            quick.send_notices()
        holding.kill()
    assert len(posts) == 1


def test_without_the_library_an_upload_is_made_and_the_command_says_what_to_install(by_hook, plan, run, monkeypatch):
    by_hook()
    monkeypatch.setattr("contact_pipeline.notices.deliver.find_spec", lambda _: None)

    upload = plan()
    assert upload["state"] == "staged"
    assert "contact-pipeline[notices]" in run("apply", upload["upload_id"]).err
    assert run("notices", "send").status == 1


def test_the_library_is_loaded_only_where_there_is_something_to_send(by_hook, plan, home):
    by_hook(on=["failed"])
    plan()
    code = (
        "import sys; from contact_pipeline.cli.app import run; "
        f"run(['uploads', '--home', {str(home)!r}]); run(['notices', '--home', {str(home)!r}]); "
        "sys.exit('apprise' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert ended.returncode == 0
