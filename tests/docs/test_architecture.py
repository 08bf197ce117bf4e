"""The page on the architecture names the modules that there are."""

import re
from dataclasses import fields
from pathlib import Path

from contact_pipeline.kinds.kind import Kind

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# Modules of matching that make no table: they list the steps, compose, describe, or are used by those that do.
USED_BY_STEPS = {"__init__", "match", "part", "folding", "guards", "explain", "plan"}


def test_the_steps_of_matching_are_all_of_its_modules():
    table = PAGE.split("## Matching, table by table")[1].split("## ")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("|")][2:]
    named = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}

    assert named == {path.stem for path in (ROOT / "contact_pipeline" / "match").glob("*.py")} - USED_BY_STEPS


def test_every_room_is_named_and_there():
    table = PAGE.split("## The rooms")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")][2:]
    named = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    rooms = {path.parent.name for path in (ROOT / "contact_pipeline").glob("*/__init__.py")}

    assert rooms <= named
    assert not [
        name
        for name in named
        if not (ROOT / "contact_pipeline" / name).is_dir()
        and not (ROOT / "contact_pipeline" / f"{name}.py").exists()
        and not (ROOT / name).is_dir()
    ]


def test_every_module_of_the_wings_of_upload_is_named_and_there():
    table = PAGE.split("## The wings of `upload`")[1].split("## ")[0].split("|---|\n")[1]
    modules = {path.stem for path in (ROOT / "contact_pipeline" / "upload").rglob("*.py")} - {"__init__"}

    assert set(re.findall(r"`(\w+)`", table)) == modules | {"text"}


def test_the_questions_to_a_kind_are_all_that_it_answers():
    table = PAGE.split("## What the stages ask of a kind")[1].split("## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    asked = {
        name: re.findall(r"`(\w+)`", cell) for _, module, cell, _ in rows for name in re.findall(r"`(.+)`", module)
    }
    sources = {name: (ROOT / "contact_pipeline" / f"{name}.py").read_text(encoding="utf-8") for name in asked}

    assert {name for names in asked.values() for name in names} == {field.name for field in fields(Kind)}
    assert [name for module, names in asked.items() for name in names if f".{name}" not in sources[module]] == []


def test_every_module_that_a_walk_names_is_there():
    files = set(re.findall(r"`(\w+/\w+(?:\.py)?)`", PAGE))
    assert len(files) > 10
    assert not [name for name in files if not (ROOT / "contact_pipeline" / f"{name.removesuffix('.py')}.py").exists()]
