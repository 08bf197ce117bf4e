"""The list of deliberate faults fits the tree: each replaces a text that stands once, and leaves a program."""

import ast
from collections import Counter

import pytest

from tests.mutants.faults import ROOT, Fault, load

FAULTS = load()
LEFT_OUT: dict[str, str] = {}  # package → why it has no logic of its own
MODULES = {"masking"}  # that are rooms, though no packages
PACKAGES = {path.parent.name for path in (ROOT / "contact_pipeline").glob("*/__init__.py")}
ROOMS = PACKAGES - LEFT_OUT.keys() | MODULES


def is_there(test):
    """Whether there is a file or a folder of tests; or, behind `::`, a test in it."""
    path, _, name = test.partition("::")
    return (ROOT / path).exists() and (not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"))


def test_every_room_has_faults():
    rooms = Counter(fault.room for fault in FAULTS)
    assert rooms.keys() == ROOMS
    assert LEFT_OUT.keys() <= PACKAGES
    assert min(rooms.values()) >= 3
    assert rooms.total() >= 100


def test_every_fault_has_a_name_of_its_own():
    names = Counter(fault.name for fault in FAULTS)
    assert [name for name, count in names.items() if count > 1 or name in ROOMS] == []


def test_the_text_that_a_fault_replaces_stands_once_in_its_file():
    wrong = []
    for fault in FAULTS:
        text = (ROOT / fault.file).read_text(encoding="utf-8")
        try:
            ast.parse(fault.applied_to(text))
        except (ValueError, SyntaxError) as error:
            wrong.append(str(error))
        if fault.old == fault.new or not fault.tests or not all(map(is_there, fault.tests)):
            wrong.append(f"{fault.room}/{fault.name} changes nothing, or its tests are not there")
    assert wrong == []


@pytest.mark.parametrize("text", ["a = 2\n", "a = 1\nb = 1\na = 1\n"])
def test_a_fault_whose_text_is_gone_or_stands_twice_is_named(text):
    fault = Fault(room="upload", name="one", file="a.py", old="a = 1", new="a = 2", tests=("tests/upload",))
    with pytest.raises(ValueError, match=r"upload/one: its old text stands [02] times in a\.py"):
        fault.applied_to(text)
