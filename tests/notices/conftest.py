"""A home with notices by mail and by a webhook, the servers that take them, and commands run in this process."""

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run as run_command
from tests.homes import new_home
from tests.notices.servers import PASSWORD, hook_server, mail_server, port_of

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
ROSA = "Rosa,(202) 555-0178,219-09-9990,Delgado,04/17/1984,AC-1,rosa@example.com,02139"
NOBODY = ",,,,,,,02139"
PERSONAL = ("Rosa", "Delgado", "555-0178", "219-09-9990", "04/17/1984", "rosa@example.com", "02139")
ALL = ["staged", "blocked", "stale", "applied", "held", "finalized", "undone", "refused", "failed"]


@pytest.fixture
def home(tmp_path):
    return new_home(tmp_path / "home")


@pytest.fixture
def pipeline(home):
    return Pipeline(home)


@pytest.fixture
def mails():
    with mail_server() as server:
        yield server


@pytest.fixture
def hook():
    with hook_server() as server:
        yield server


@pytest.fixture
def tell(home, monkeypatch):
    """Writes notices.yaml: a rule that tells the target `desk`, at an address, of everything, unless it says else."""

    def write(address, *rules, **rule):
        monkeypatch.setenv("DESK", address)
        rules = rules or [{"to": ["desk"], "on": ALL} | rule]
        content = {"targets": {"desk": {"env": "DESK"}}, "notices": list(rules)}
        (home / "notices.yaml").write_text(yaml.safe_dump(content))

    return write


@pytest.fixture
def by_mail(tell, mails):
    """Tells by mail; gives the mails that came."""

    def write(**rule):
        tell(mail_address(port_of(mails)), **rule)
        return mails.mails

    return write


@pytest.fixture
def by_hook(tell, hook):
    """Tells by a webhook; gives what was posted."""

    def write(**rule):
        tell(hook_address(port_of(hook)), **rule)
        return hook.posts

    return write


def mail_address(port, password=PASSWORD):
    return f"mailto://desk:{password}@127.0.0.1:{port}?from=desk@example.com&to=office@example.com&mode=insecure"


def hook_address(port):
    return f"json://127.0.0.1:{port}/{PASSWORD}"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def run(home, capsys, monkeypatch):
    """Runs a command on the home."""
    monkeypatch.delenv("CONTACT_PIPELINE_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def run_it(*words):
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        capsys.readouterr()
        status = run_command([*(str(word) for word in words), "--home", str(home)])
        return Ended(status, *capsys.readouterr())

    return run_it


@pytest.fixture
def people(tmp_path):
    """Makes an outreach file."""

    def make(*lines, name="people.csv"):
        file = tmp_path / name
        file.write_text("\n".join([HEADINGS, *(lines or (ROSA,))]) + "\n", encoding="utf-8")
        return file

    return make


@pytest.fixture
def plan(run, people):
    """Plans an outreach file by a command, and gives the upload's document."""

    def plan_it(*lines, name="people.csv", user="ana"):
        words = ("--profile", "outreach_contacts", "--group", "Spring", "--user", user, "--json")
        ended = run("plan", people(*lines, name=name), *words)
        return ended.document

    return plan_it


@pytest.fixture
def states(run):
    """The notices as `notices --json` lists them: event and state."""
    return lambda: [(notice["event"], notice["state"]) for notice in run("notices", "--json").document]


@pytest.fixture
def blocked(run, tmp_path):
    """Plans a workbook whose only row lacks an address, and gives the upload's document."""
    file = tmp_path / "people.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Contacts")
        sheet.write_row(0, 0, ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title"))
        sheet.write_row(1, 0, ("", "Dana", "Whitfield"))
    return lambda: run("plan", file, "--profile", "program_contacts", "--json").document


@pytest.fixture
def held(run):
    """Plans leads whose profile holds them back; gives the upload's id."""
    samples = Path(__file__).parents[2] / "data" / "samples"
    assert run("users", "load", samples / "users.yaml").status == 0
    words = ("--profile", "dealer_leads", "--rule", "merge", "--lead-type", "SMS", "--user", "m.keane", "--json")
    file = samples / "dealer_leads_1.csv"
    return lambda: run("plan", file, *words).document["upload_id"]
