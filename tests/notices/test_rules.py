"""`notices.yaml`, `notices check` and `notices test`: all that is wrong at once, with its line, and no address."""

from typing import get_args

import pytest

from contact_pipeline.contracts.news import EVENTS, FeedEvent, HomeEvent
from contact_pipeline.contracts.states import STATES
from tests.notices.conftest import hook_address, mail_address
from tests.notices.servers import PASSWORD, free_port, port_of

WRONG = """\
targets:
  desk: {env: DESK}
  chat: {env: CHAT, file: chat.url}
  mail: {url: x}
notices:
  - to: [desk]
    on: [aplied, failed]
  - to: [desk]
    om: [applied]
  - to: []
    on: [applied]
"""


def problems(run):
    ended = run("notices", "check", "--json")
    assert ended.status == 1
    assert ended.document["error"]["code"] == "notices-broken"
    return ended.document["error"]["message"]


def test_all_that_is_wrong_is_said_at_once_with_its_line_and_what_was_meant(home, run):
    (home / "notices.yaml").write_text(WRONG)
    said = problems(run)

    for words in (
        "line 3, targets.chat: needs either `env`",
        "line 4, targets.mail.url: is no key that is known here",
        "line 7, notices.0.on.0: 'aplied' is not known here; did you mean 'applied'?",
        "line 9, notices.1.om: is no key that is known here",
        "line 8, notices.1.on: is missing",
        "line 10, notices.2.to",
    ):
        assert words in " ".join(said.split()), said


def test_targets_and_profiles_that_there_are_not_are_named(home, run, monkeypatch):
    monkeypatch.setenv("DESK", "json://127.0.0.1/x")
    (home / "notices.yaml").write_text("targets: {desk: {env: DESK}}\nnotices:\n- {to: [dest], on: [applied]}\n")
    assert "line 3, notices.0.to.0: 'dest' is no target here; did you mean 'desk'?" in problems(run)

    (home / "notices.yaml").write_text(
        "targets: {desk: {env: DESK}}\nnotices:\n- {to: [desk], on: [applied], profiles: [dealer_lead]}\n"
    )
    assert "line 3, notices.0.profiles.0: there is no profile 'dealer_lead'; did you mean 'dealer_leads'?" in problems(
        run
    )


def test_an_address_in_the_wrong_place_is_not_quoted(home, run):
    address = mail_address(25)
    for text in (
        f"targets: {{desk: '{address}'}}\nnotices: []\n",
        f"targets: {{desk: {{'{address}': 1}}}}\nnotices: []\n",
        f"targets: {{'{address}': {{env: X}}}}\nnotices: []\n",
        f"targets: {{desk: {{env: ['{address}']}}}}\nnotices: []\n",
        f"{address}\n",
        f"'{address}': x\n",
    ):
        (home / "notices.yaml").write_text(text)
        assert PASSWORD not in problems(run)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "The environment variable DESK is not set here."),
        ("nonsense://x", "Its address is none that Apprise knows."),
        (f"mailto://x:{PASSWORD}@127.0.0.1?from=d@example.com&to=a@example.com,b@example.com", "names 2 recipients"),
    ],
)
def test_targets_that_cannot_be_reached_are_named(address, said, tell, run, monkeypatch):
    tell(address or "x")
    if address is None:
        monkeypatch.delenv("DESK")

    message = problems(run)
    assert "line 15, targets.desk: " in message
    assert said in message
    assert PASSWORD not in message


def test_a_file_with_an_address_is_its_owners_alone(home, run, hook):
    (home / "notices.yaml").write_text("targets: {desk: {file: desk.url}}\nnotices: [{to: [desk], on: [applied]}]\n")
    assert "desk.url cannot be read" in problems(run)
    secret = home / "desk.url"
    secret.write_text(hook_address(port_of(hook)) + "\n")
    secret.chmod(0o644)
    assert "chmod 600" in problems(run)
    assert run("notices", "test", "desk").status == 1
    secret.chmod(0o600)

    assert run("notices", "check").status == 0
    assert run("notices", "test", "desk").status == 0
    assert [post["title"] for post in hook.posts] == ["Test of contact-pipeline"]


def test_a_test_that_does_not_arrive_is_a_refusal(tell, run):
    tell(hook_address(free_port()))
    ended = run("notices", "test", "desk", "--json")

    assert ended.status == 1
    assert ended.document["error"]["code"] == "notice-not-sent"
    assert "could not be reached" in ended.document["error"]["message"]
    assert PASSWORD not in ended.out + ended.err


def test_a_target_that_there_is_not_cannot_be_tested(tell, run):
    tell(hook_address(free_port()))

    ended = run("notices", "test", "dest", "--json")
    assert ended.document["error"]["code"] == "target-unknown"
    assert "Did you mean 'desk'?" in ended.document["error"]["fix"]


def test_a_home_without_the_file_says_so(run):
    assert run("notices", "check", "--json").document["error"]["code"] == "notices-missing"
    assert run("notices", "send", "--json").document["error"]["code"] == "notices-missing"
    assert run("notices", "--json").document == []
    assert "Nobody was told" in run("notices").out


def test_the_list_fits_a_terminal(by_hook, plan, run):
    by_hook()
    upload = plan()["upload_id"]
    run("apply", upload)
    said = run("notices").out

    assert upload in said
    assert [line for line in said.splitlines() if len(line) > 80 and "contact-pipeline " not in line] == []


def test_every_event_is_a_state_or_what_befalls_an_upload_a_feed_or_the_home():
    assert set(EVENTS) - {"held", "stopped", *get_args(FeedEvent), *get_args(HomeEvent)} < set(STATES)
