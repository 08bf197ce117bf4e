"""Runs commands in this process on a home of their own, and makes small files for them."""

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter

from contact_pipeline.cli.app import run as run_command
from tests.homes import fill_once

OUTREACH_HEADINGS = (
    "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
)
PROGRAM_HEADINGS = ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def run(home, capsys, monkeypatch):
    """Runs a command; `answer` is what somebody types when asked."""
    monkeypatch.delenv("CONTACT_PIPELINE_HOME", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # output is as wide as where it is piped to

    def run_it(*words, answer=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        capsys.readouterr()
        status = run_command([*(str(word) for word in words), "--home", str(home)])
        return Ended(status, *capsys.readouterr())

    return run_it


@pytest.fixture
def outreach(tmp_path):
    """Makes an outreach CSV of lines below the heading."""

    def make(*lines, name="people.csv", headings=OUTREACH_HEADINGS):
        file = tmp_path / name
        file.write_text("\n".join([headings, *lines]) + "\n", encoding="utf-8")
        return file

    return make


@pytest.fixture
def workbook(tmp_path):
    """Makes a workbook of rows below the headings."""

    def make(*rows, name="people.xlsx", headings=PROGRAM_HEADINGS):
        file = tmp_path / name
        with xlsxwriter.Workbook(file) as book:
            sheet = book.add_worksheet("Contacts")
            for number, row in enumerate([headings, *rows]):
                sheet.write_row(number, 0, row)
        return file

    return make


@pytest.fixture
def users(tmp_path, run):
    """Loads a director who may import and one who may not."""
    file = tmp_path / "users.yaml"
    file.write_text(
        "- {login: dora, name: Dora Example, roles: [director], can_import: true}\n"
        "- {login: nils, name: Nils Example, roles: [director], can_import: false}\n",
        encoding="utf-8",
    )
    assert run("users", "load", file).status == 0
    return file


@pytest.fixture
def plan_outreach(home, run, outreach):
    """Plans two people and gives the upload's document."""

    def fill(options, lines):
        file = outreach(*lines)
        ended = run("plan", file, "--profile", "outreach_contacts", "--group", "Spring", "--json", *options)
        assert ended.status == 0, ended
        return ended.out

    def plan(
        *options,
        lines=("Rosa,(202) 555-0178,,Delgado,,AC-1,rosa@example.com,02139", "Ian,,,Moss,,AC-2,ian@example.com,"),
    ):
        begins = not home.exists()
        return json.loads(fill_once(home, fill, options, tuple(lines)) if begins else fill(options, lines))

    return plan


@pytest.fixture
def samples():
    return Path(__file__).parents[2] / "data" / "samples"
