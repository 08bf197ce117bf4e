"""The page on the architecture names the modules that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# Modules of matching that make no table: they compose, describe, or are used by those that do.
USED_BY_STEPS = {"__init__", "match", "part", "folding", "guards", "recheck", "explain"}


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


def test_every_module_that_a_walk_names_is_there():
    files = set(re.findall(r"`(\w+/\w+(?:\.py)?)`", PAGE))
    assert len(files) > 10
    assert not [name for name in files if not (ROOT / "contact_pipeline" / f"{name.removesuffix('.py')}.py").exists()]
