"""The page on extending, followed in a home and in a copy of the code."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILES = {name: text for language, name, text in BLOCK.findall(PAGE) if name}
STAGED = """
import sys
import dagster as dg
from contact_pipeline import Pipeline
from contact_pipeline.orchestration.definitions import defs

key = Pipeline().uploads()[0].upload_id
with dg.DagsterInstance.ephemeral() as instance:
    instance.add_dynamic_partitions("uploads", [key])
    result = defs.resolve_job_def("stage_upload").execute_in_process(instance=instance, partition_key=key)
    for each in result.get_asset_check_evaluations():
        if each.check_name == "half_are_new":
            print(each.passed, each.description, sorted(each.metadata), file=sys.stdout)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the code with the check, and a home in it with the other files."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("contact_pipeline", "assets", "checks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILES.items():
        file = copy / (name if name.endswith(".py") else f"data/{name}")
        assert not file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (copy / "data" / "out").mkdir()
    (copy / "data" / "out" / "suppliers.csv").write_text(
        "Email,Company,Rating\nada@example.com,Byron Engines,A\nben@example.com,Byron Engines,Z\n"
    )
    return copy


@pytest.fixture
def python(copy):
    """Runs Python in the copy; gives what it prints."""

    def run(*arguments):
        given = {"PYTHONPATH": str(copy), "CONTACT_PIPELINE_HOME": str(copy / "data")}
        given |= {"PURCHASING_MAIL": "json://127.0.0.1:9", "CONTACT_PIPELINE_INBOX_SETTLE_SECONDS": "0"}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=copy,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_each_thing_that_is_added_is_one_file(python):
    """A profile with a field, a feed, a notice and a check."""
    (commands,) = [text for language, _, text in BLOCK.findall(PAGE) if language == "console"]
    for line in commands.splitlines():
        prompt, program, *words = shlex.split(line)
        assert (prompt, program) == ("$", "contact-pipeline")
        python("-m", "contact_pipeline", *words)

    (upload,) = json.loads(python("-m", "contact_pipeline", "uploads", "--json"))
    assert (upload["state"], upload["feed"], upload["outcomes"]["created"]) == ("applied", "suppliers", 1)
    assert [(error["row_number"], error["column"]) for error in upload["errors"]] == [(3, "Rating")]
    (contact,) = json.loads(python("-m", "contact_pipeline", "contacts", "list", "--json"))
    assert contact["rating"] == "A"
    assert "True 1 of 2 rows are new. ['new']" in python("-c", STAGED)
    assert set(FILES) == {"profiles/suppliers.yaml", "feeds/suppliers.yaml", "notices.yaml", "checks/half_are_new.py"}
