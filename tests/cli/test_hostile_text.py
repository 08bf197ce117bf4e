"""Text of files that would lead a reader astray is shown as text: markup, escape codes, marks of direction."""

import json
import os
import re
import subprocess
import sys

import pytest

from contact_pipeline.cli import console
from contact_pipeline.visible import visible, visible_json
from tests.trust import record

HOSTILE = {
    "markup": "[red]red[/red]",
    "closing markup": "[/]",
    "emoji": ":warning:",
    "colour": "\x1b[31mred",
    "clears the screen": "\x1b[2J\x1b[H",
    "a link": "\x1b]8;;https://example.com\x1b\\here\x1b]8;;\x1b\\",
    "a title": "\x1b]0;title\x07",
    "C1": "\x9b31m",
    "turns around": "gpj\u202egpj.exe",
    "isolates": "\u2066x\u2069",
    "no width": "Ro\u200bsa\ufeff",
    "carriage return": "Rosa\rNils",
    "backspace": "Rosa\b\b",
}
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@pytest.mark.parametrize(
    "text", [" ".join(list(HOSTILE.values())[:3]), "".join(list(HOSTILE.values())[3:])], ids=["markup", "escape codes"]
)
def test_hostile_headings_cells_and_names_are_printed_as_text(text, run, outreach, tmp_path, home):
    name = f"{text.replace('/', '-')}.csv"
    headings = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
    row = f'"{text}",,,"{text}",,"A-{text}",rosa@example.com,"{text}"'
    file = outreach(row, name=name, headings=f'{headings},"{text}"')
    (home / "profiles").mkdir(parents=True, mode=0o700)
    (home / "profiles" / "hostile.yaml").write_text(
        json.dumps(
            {
                "name": "hostile", "title": text, "description": text, "address_book": "hostile",
                "columns": [{"field": "email", "heading": f"Email {text}", "type": "email"}],
                "match": [{"equal": ["email"]}],
            }
        )
    )  # fmt: skip
    (home / "profiles" / "broken.yaml").write_text(json.dumps({"name": "broken", text: text}))
    shown = [
        run("inspect", file, "--delimiter", ","),
        run("import", file, "--profile", "outreach_contacts", "--group", text, answer="n\n"),
        run("import", file, "--profile", "outreach_contacts", "--group", text, "--yes"),
        *(run(*words.split()) for words in ("uploads", "contacts list", "groups list", "profiles", "decisions")),
        run("profiles", "show", "hostile"),
        run("profiles", "show", text),
        run("show", text),
        run("inspect", file.with_name(f"no {name}")),
        run(text),
        run("plan", file, "--profile", "outreach_contacts", "--group", text, f"--{text}"),
    ]
    upload = run("uploads", "--json").document[0]["upload_id"]
    shown += [run("show", upload, "--rows", "--changes", "--all-errors"), run("contacts", "history", "1")]
    for ended in shown:
        assert not DANGEROUS.search(ended.out + ended.err), ended
        assert "Traceback" not in ended.err, ended
    said = "".join(shown[0].out.split())
    assert said.count("".join(visible(text).split())) >= 2  # the heading and the cell
    record("hostile-text", tried=len(shown), failed=0, where="what commands print")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_json_is_exact_and_safe_to_look_at(text, run, outreach):
    file = outreach(f'"{text}",,,,,,rosa@example.com,')
    ended = run("inspect", file, "--json")
    assert not DANGEROUS.search(ended.out)
    assert ended.document["rows"][0]["cells"][0] == text


def test_json_says_the_same_whatever_the_characters():
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    assert json.loads(visible_json(json.dumps([every], ensure_ascii=False))) == json.loads(json.dumps([every]))
    assert visible("\udc80") == "\N{REPLACEMENT CHARACTER}"


def test_progress_on_a_terminal_shows_the_name_of_a_file_as_text():
    """On a terminal Rich would read markup in a title."""
    name = "[red]\x1b]8;;https:example.com\x1b\\x[/].csv"
    script = (
        "import sys; from contact_pipeline.cli import console; from contact_pipeline.watched import tell\n"
        "with console.busy(sys.argv[1]): tell('reading', step=sys.argv[1])\n"
    )
    master, slave = os.openpty()
    shown = subprocess.Popen(
        [sys.executable, "-c", script, name], stderr=slave, stdout=slave, env=os.environ | {"TERM": "xterm"}
    )
    os.close(slave)
    said = b""
    try:
        while piece := os.read(master, 4096):
            said += piece
    except OSError:  # the other end is closed
        pass
    assert shown.wait(30) == 0, said
    assert rb"[red]\x1b]8;;https:example.com\x1b\x[/].csv" in said
    assert b"\x1b]8" not in said


def test_a_heading_and_the_name_of_a_fact_are_text(capsys):
    console.show(console.table(["[bold]"], [["x"]]), console.facts({"[red]\x1b[0m": 1}), console.text("[/]"))
    out = capsys.readouterr().out
    assert "[bold]" in out
    assert r"[red]\x1b[0m" in out
    assert "[/]" in out


def test_a_defect_of_the_program_quotes_no_data(run, monkeypatch):
    """An error of a library may quote the cell that it met."""

    def fail(*_, **__):
        raise ValueError("cannot read '219-09-9998'")

    monkeypatch.setattr("contact_pipeline.pipeline.Pipeline.decisions", fail)
    for ended in (run("decisions"), run("decisions", "--json")):
        assert ended.status == 1
        assert "***-**-****" in ended.out + ended.err
        assert "219-09-9998" not in ended.out + ended.err
