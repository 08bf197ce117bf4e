"""Every kind of workbook that is written, opened and saved again by LibreOffice."""

import os
import shutil
import subprocess

import openpyxl
import pytest

PROFILES = ("portfolio_accounts", "portfolio_contacts", "program_contacts", "property_contacts")
HEADINGS = ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title")


@pytest.fixture(scope="module")
def saved_again(tmp_path_factory):
    """Has LibreOffice save workbooks again; the folder that they are in then."""
    office = shutil.which("soffice")
    if office is None:
        if os.environ.get("CI") == "true":
            pytest.fail("libreoffice-calc-nogui is not installed")
        pytest.skip("libreoffice-calc-nogui is not installed")
    user = tmp_path_factory.mktemp("office")

    def save(folder):
        files = sorted(folder.glob("*.xlsx"))
        command = [office, f"-env:UserInstallation=file://{user}", "--headless", "--convert-to", "xlsx"]
        done = subprocess.run(
            [*command, "--outdir", folder / "again", *files], capture_output=True, text=True, check=True, timeout=240
        )
        again = sorted((folder / "again").glob("*.xlsx"))
        assert [file.name for file in again] == [file.name for file in files], done.stderr
        return folder / "again"

    return save


@pytest.mark.slow
def test_workbooks_outlast_libreoffice_and_are_taken_from_it(saved_again, run, tmp_path, users):
    """C1, D1, E2: templates, a filled-in one, and rejected rows, whose file is known again."""
    written, planning = tmp_path / "written", ("--profile", "program_contacts", "--user", "dora", "--json")
    written.mkdir()
    for name in PROFILES:
        assert run("template", name, "-o", written / f"{name}.xlsx").status == 0
        assert run("template", name, "--example", "-o", written / f"{name}-example.xlsx").status == 0
    sent = openpyxl.Workbook()
    for row in (HEADINGS, ("ann@example.com", "Ann", "Lee"), ("wrong@", "007", "Poe", "202-555-0143")):
        sent.active.append(row)
    sent.save(tmp_path / "people.xlsx")
    first = run("plan", tmp_path / "people.xlsx", *planning).document["upload_id"]
    assert run("rejected", first, "-o", written / "rejected.xlsx").status == 0

    again = saved_again(written)
    for file in written.glob("*.xlsx"):
        before, after = openpyxl.load_workbook(file), openpyxl.load_workbook(again / file.name)
        assert after.sheetnames == before.sheetnames
        for sheet in before.sheetnames:
            rows = [[[cell or None for cell in row] for row in book[sheet].values] for book in (before, after)]
            kept, there = ([row for row in each if any(row)] for each in rows)
            assert there == kept, (file.name, sheet)
    filled = run("plan", again / "program_contacts-example.xlsx", *planning).document
    assert (filled["state"], filled["outcomes"]["created"], filled["errors"]) == ("staged", 1, [])
    back = run("plan", again / "rejected.xlsx", *planning).document
    assert (back["continues"], back["outcomes"]["rejected"]) == (first, 1)
