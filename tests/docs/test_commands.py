"""The commands and the Python of the README and the guide, run in order in a folder of their own, as a reader would.

A block below `<!-- not run here: why -->` is left out. `UPLOAD` and `CHANGESET` stand for those of the newest upload.
"""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from tests.notices.servers import hook_server, port_of

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/guide.md")
BLOCK = re.compile(
    r"(<!-- not run here: (?P<why>.+?) -->\n)?```(?P<kind>\w+)(?P<note>[^\n]*)\n(?P<text>.*?)```", re.DOTALL
)
LEFT_OUT = {"README.md": 3, "docs/guide.md": 7}


def blocks(page):
    return list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))


@pytest.fixture
def folder(tmp_path):
    """A working folder with the samples where a checkout has them, and ./data as its home."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "samples").symlink_to(ROOT / "data" / "samples")
    return tmp_path


def filled_in(line, folder):
    if "UPLOAD" not in line and "CHANGESET" not in line:
        return line
    newest = Pipeline(home=folder / "data").uploads()[0]
    return line.replace("UPLOAD", newest.upload_id).replace("CHANGESET", newest.changeset_sha256 or "none")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_of_the_page_does_what_it_says(page, folder, hook, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CONTACT_PIPELINE_HOME", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    ran = 0
    for block in blocks(page):
        if block["why"]:
            continue
        if block["kind"] == "yaml" and "profile=" in block["note"]:  # or export_profile=
            write_profile(block, folder)
        elif block["kind"] == "yaml" and "home=" in block["note"]:
            write_file_of_the_home(block, folder)
        elif block["kind"] == "python":
            run_python(block["text"], folder)
            ran += 1
        elif block["kind"] == "console":
            for line in block["text"].splitlines():
                run_command(line, folder)
                ran += 1
    assert ran > 5
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture
def hook(folder, monkeypatch):
    """A server that takes the notices of the guide, whatever they go by there."""
    with hook_server() as server:
        address = f"json://127.0.0.1:{port_of(server)}/"
        for variable in ("OFFICE_MAIL", "TEAM_CHAT"):
            monkeypatch.setenv(variable, address)
        secret = folder / "data" / "crm.url"
        secret.touch(mode=0o600)
        secret.write_text(address)
        yield server


def write_file_of_the_home(block, folder):
    name = re.search(r"home=(\S+)", block["note"])[1]
    path = folder / "data" / name
    path.parent.mkdir(exist_ok=True, mode=0o700)
    path.write_text(block["text"], encoding="utf-8")


def run_command(line, folder):
    prompt, program, *words = shlex.split(filled_in(line, folder))
    assert (prompt, program) == ("$", "contact-pipeline"), f"not a command of ours: {line}"
    assert run(words) == 0, line


def run_python(code, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"


def write_profile(block, folder):
    kind, _, name = block["note"].strip().partition("=")
    profile = folder / "data" / f"{kind}s" / f"{name}.yaml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(block["text"], encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_only_what_needs_a_server_or_a_shell_is_left_out(page):
    assert sum(bool(block["why"]) for block in blocks(page)) == LEFT_OUT[page]


@pytest.mark.parametrize("page", [*PAGES, "docs/add-a-kind.md", "docs/extend.md", "docs/decisions/README.md"])
def test_every_link_leads_somewhere(page):
    path = ROOT / page
    found = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    targets = [target for target in found if not target.startswith("http")]
    assert len(targets) > 2
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_contents_of_the_guide_are_its_headings():
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(.+)\]\(#.+\)$", guide.split("\n## ")[0], re.M)
    assert listed == re.findall(r"^## (.+)$", guide, re.M)


def test_every_decision_is_listed_by_its_title():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((.+)\) \| (.+) \|$", index, re.M)
    records = sorted(path.name for path in folder.glob("0*.md"))
    titles = {name: (folder / name).read_text(encoding="utf-8").split("\n")[0] for name in records}
    assert {name: f"# {number} {title}" for number, name, title in listed} == titles


def test_every_anchor_of_the_guide_is_a_heading():
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^###? (.+)$", guide, re.M)
    }
    anchors = [
        anchor
        for page in PAGES
        for anchor in re.findall(r"\]\((?:docs/guide\.md)?#([^)]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    ]
    assert anchors
    assert {*anchors} <= headings
