"""Starting the command line: help for every command, and nothing heavy loaded for it."""

import os
import subprocess
import sys

import pytest
import typer

from contact_pipeline.cli.app import app
from contact_pipeline.cli.endings import run_to_status

PROMISED = {
    "profiles", "profiles show", "template", "inspect", "plan", "import", "show", "apply", "finalize", "cancel",
    "rejected", "uploads", "contacts list", "contacts show", "accounts list", "accounts show", "groups list",
    "users load", "users list", "vocabularies load", "vocabularies list", "serve", "value",
}  # fmt: skip


def commands(group=None, path=()):
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if not hasattr(command, "commands"):
            yield " ".join((*path, name))
            continue
        if command.invoke_without_command:
            yield " ".join((*path, name))
        yield from commands(command, (*path, name))


def modules_after(*arguments):
    """The names of the modules that a command has loaded when it ends."""
    code = (
        "import sys\nfrom contact_pipeline.cli.app import run\n"
        f"status = run({list(arguments)!r})\n"
        "sys.stderr.write('\\n'.join(sys.modules))\nsys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {line.split(".")[0] for line in done.stderr.splitlines()}


def test_the_promised_commands_are_there():
    assert set(commands()) >= PROMISED


@pytest.mark.parametrize(
    "command", sorted({*commands(), "", "contacts", "accounts", "groups", "users", "vocabularies"})
)
def test_every_command_has_help(command, run):
    ended = run(*command.split(), "--help")
    assert (ended.status, ended.err) == (0, "")
    assert "Usage: contact-pipeline" in ended.out
    assert "--home" in ended.out
    assert "--json" in ended.out


def test_help_loads_none_of_the_machinery():
    loaded = modules_after("plan", "--help")
    assert not loaded & {"polars", "duckdb", "pandera", "dagster", "phonenumbers"}


def test_looking_at_uploads_loads_no_dagster(tmp_path):
    assert "dagster" not in modules_after("uploads", "--home", str(tmp_path / "home"))


def test_python_m_runs_the_same_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "contact_pipeline", "--help"], capture_output=True, text=True, check=True
    )
    assert "Usage: contact-pipeline" in done.stdout


def test_home_may_stand_before_the_command(tmp_path, capsys):
    from contact_pipeline.cli.app import run

    assert run(["--home", str(tmp_path / "before"), "users", "list", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"
    assert (tmp_path / "before" / "contacts.duckdb").exists()


def test_the_option_wins_over_the_variable(tmp_path, monkeypatch):
    from contact_pipeline.cli.app import run

    monkeypatch.setenv("CONTACT_PIPELINE_HOME", str(tmp_path / "variable"))
    assert run(["users", "list", "--home", str(tmp_path / "option")]) == 0
    assert run(["--home", str(tmp_path / "option"), "users", "list"]) == 0
    assert not (tmp_path / "variable").exists()
    assert run(["users", "list"]) == 0
    assert (tmp_path / "variable" / "contacts.duckdb").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command"),
        (["plan"], "Missing argument"),
        (["plan", "x.csv"], "--profile"),
        (["plan", "x.csv", "--profile", "p", "--nonsense"], "No such option"),
        (["plan", "x.csv", "--profile", "p", "--blank", "sometimes"], "sometimes"),
        (["plan", "x.csv", "--profile", "p", "--map", "Heading"], "Heading=field"),
        (["plan", "x.csv", "--profile", "p", "--allow-deactivations", "120"], "--allow-deactivations"),
        (["contacts", "show"], "WHO"),
    ],
)
def test_a_mistake_in_the_command_is_usage_and_leaves_nothing(words, said, run, home):
    ended = run(*words)
    assert ended.status == 2
    assert ended.out == ""
    assert said in ended.err
    assert "--help" in ended.err
    assert "Traceback" not in ended.err
    assert not home.exists()


def test_a_mistake_in_the_command_is_a_document_too(run):
    ended = run("plan", "--json")
    assert ended.status == 2
    assert set(ended.document) == {"error"}
    assert set(ended.document["error"]) == {"code", "message", "fix", "file", "row_number"}


def test_a_setting_that_cannot_be_is_named(run, monkeypatch):
    monkeypatch.setenv("CONTACT_PIPELINE_PORT", "many")
    ended = run("uploads")
    assert ended.status == 2
    assert "CONTACT_PIPELINE_PORT" in ended.err


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_reader_that_has_gone_is_no_error(option):
    """As `head` does, whether little was printed or much."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "contact_pipeline", "profiles", *option]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_exit_for_another_reason_keeps_its_status():
    """Only of a reader that has gone may an exit become a success."""
    assert run_to_status(lambda: sys.exit(3), as_json=False) == 3
    assert run_to_status(lambda: sys.exit("a message"), as_json=False) == 1
