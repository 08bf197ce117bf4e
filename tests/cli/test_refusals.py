"""Bad input: one clear message that says what, where and what to do, status 1, nothing half done, a ledger line."""

from dataclasses import dataclass

import pytest

OUTREACH_HEADINGS = (
    "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
)


def write(folder, name, content):
    file = folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content, encoding="utf-8")
    return file


GOOD = f"{OUTREACH_HEADINGS}\nRosa,,,Delgado,,AC-1,rosa@example.com,\n"
PROGRAM_HEADINGS = ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title")


@dataclass(frozen=True)
class Bad:
    """A file or a request that cannot be taken. Content is text, bytes, or the headings of a workbook with one row."""

    named: tuple[str, ...]
    code: str | None = None
    content: str | bytes | tuple[str, ...] = GOOD
    name: str = "people.csv"
    profile: str = "outreach_contacts"
    options: tuple[str, ...] = ("--group", "Spring")

    def make(self, folder, workbook):
        """Makes the file and gives it with the words that name profile and options."""
        if isinstance(self.content, tuple):
            row = ("dana@example.com",) + ("",) * (len(self.content) - 1)
            file = workbook(row, headings=self.content, name=self.name)
        else:
            file = write(folder, self.name, self.content)
        return [file, "--profile", self.profile, *self.options]


def program(*named, code=None, content=PROGRAM_HEADINGS):
    return Bad(named, code, content, "people.xlsx", "program_contacts", ())


BAD_INPUT = {
    "unknown profile": Bad(
        ("outreach_contact", "outreach_contacts"), "profile-unknown", profile="outreach_contact", options=()
    ),
    "unknown option": Bad(("outreach_contacts", "rule", "group"), "option-unknown", options=("--rule", "merge")),
    "no lead type": Bad(("lead type", "SMS"), "option-missing", profile="dealer_leads", options=()),
    "a choice that the profile does not offer": Bad(
        ("fill", "overwrite"),
        "option-value",
        PROGRAM_HEADINGS,
        "people.xlsx",
        "property_contacts",
        ("--blank", "fill"),
    ),
    "wrong file type": Bad(("people.pdf", ".csv"), "file-type", name="people.pdf"),
    "a workbook where a CSV belongs": Bad(("people.csv", "workbook"), "file-type", PROGRAM_HEADINGS),
    "missing heading": Bad(("people.csv", "Zip code"), content=GOOD.replace(",Zip code", "").replace("com,", "com")),
    "renamed heading": program("E-mail address", "Email", content=("E-mail address", *PROGRAM_HEADINGS[1:])),
    "extra heading": program("Shoe size", content=(*PROGRAM_HEADINGS, "Shoe size")),
    "empty file": Bad(("people.csv",), "file-empty", b""),
    "header-only file": Bad(("people.csv", "row"), "file-header-only", OUTREACH_HEADINGS + "\n"),
    "unreadable workbook": program("people.xlsx", code="workbook-unreadable", content=b"PK\x03\x04broken"),
    "another delimiter than the chosen one": Bad(
        ("people.csv", "comma"), options=("--group", "Spring", "--delimiter", "|")
    ),
}


@pytest.mark.parametrize("what", BAD_INPUT)
@pytest.mark.parametrize("command", ["plan", "import"])
def test_bad_input_is_refused_and_the_ledger_says_why(command, what, run, workbook, tmp_path, home):
    """A4, E3: one clear message; the ledger line says refused and why; nothing is left half done."""
    bad = BAD_INPUT[what]
    file, *options = bad.make(tmp_path, workbook)
    ended = run(command, file, *options, "--json")
    assert ended.status == 1
    error = ended.document["error"]
    assert set(error) == {"code", "message", "fix", "file", "row_number"}
    assert error["file"] == file.name
    assert bad.code in (None, error["code"])
    assert not [word for word in bad.named if word not in error["message"] + error["fix"]]
    (line,) = run("uploads", "--json").document
    assert line["state"] == "refused"
    assert {name: line["reason"][name] for name in ("code", "message", "fix")} == {
        name: error[name] for name in ("code", "message", "fix")
    }
    assert line["finished_at"]
    assert run("contacts", "list", "--json").document == []
    assert not list(home.glob("staging/*/*"))
    assert not list(home.glob("uploads/*/original*"))
    assert file.exists()


@pytest.mark.parametrize("what", BAD_INPUT)
def test_people_read_what_is_wrong_and_what_to_do(what, run, workbook, tmp_path):
    ended = run("plan", *BAD_INPUT[what].make(tmp_path, workbook))
    assert (ended.status, ended.out) == (1, "")
    assert "Traceback" not in ended.err
    said, fix, ledger = [line for line in ended.err.splitlines() if line.strip()][:3]
    assert said.startswith("✗ ")
    assert fix.strip()
    assert "ledger" in ended.err
    assert ledger


@pytest.mark.parametrize("command", ["plan", "import", "inspect"])
@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_file_that_is_not_there_is_refused(command, name, run, tmp_path):
    options = [] if command == "inspect" else ["--profile", "outreach_contacts", "--group", "Spring"]
    ended = run(command, tmp_path / name, *options, "--json")
    assert (ended.status, ended.document["error"]["code"]) == (1, "file-missing")
    assert run("uploads", "--json").document == []


@pytest.mark.parametrize(("who", "status"), [("dora", 0), ("nils", 1), ("stranger", 1)])
def test_only_who_has_the_role_and_the_flag_imports_leads(who, status, run, tmp_path, users):
    """E1: directors and BDC directors, and only where the option is set."""
    file = write(tmp_path, "leads.csv", "Name,Email\nJordan Avery,jordan@example.com\n")
    ended = run("plan", file, "--profile", "dealer_leads", "--lead-type", "SMS", "--user", who, "--json")
    assert ended.status == status
    if status:
        assert ended.document["error"]["code"] == "not-authorized"
        assert who in ended.document["error"]["message"]


def test_inspect_shows_a_file_with_a_heading_alone(run, tmp_path):
    file = write(tmp_path, "people.csv", OUTREACH_HEADINGS + "\n")
    ended = run("inspect", file, "--json")
    assert (ended.status, ended.document["data_rows"]) == (0, 0)
    assert ended.document["headings"][0] == "First name"
    assert run("inspect", file).status == 0


def test_inspect_makes_no_home(run, tmp_path, home):
    run("inspect", write(tmp_path, "people.csv", GOOD))
    assert not home.exists()


def test_inspect_says_which_lines_do_not_fit(run, tmp_path):
    file = write(tmp_path, "people.csv", "A,B\n1,2\n1,2,3,4\n5,6\n")
    document = run("inspect", file, "--json").document
    assert [row["row_number"] for row in document["unreadable"]] == [3]
    assert [row["cells"] for row in document["rows"]] == [["1", "2"], ["5", "6"]]
    assert "1,2,3,4" in run("inspect", file).out


@pytest.mark.parametrize("options", [["--sheet", "Nowhere"], []])
def test_inspect_names_the_sheets(options, run, workbook):
    ended = run("inspect", workbook(), *options, "--json")
    assert ended.status == (1 if options else 0)
    assert "Contacts" in ended.out
