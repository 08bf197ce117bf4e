"""The deliberate faults of faults.yaml: small replacements of text, each with the tests that should see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
LIST: Final = Path(__file__).with_name("faults.yaml")

# The generated comparisons see nearly everything, some time. A fault is to be seen by a test that says what it is.
COMPARISONS: Final = (
    "tests/match/test_reference.py",
    "tests/match/test_settled.py",
    "tests/match/test_cut.py",
    "tests/apply/test_stale.py::test_the_rows_that_would_be_decided_otherwise_are_those_of_the_reference",
    "tests/pipeline/test_stateful.py",
    "tests/normalize/test_properties.py",
    "tests/upload/test_any_bytes.py",
    "tests/upload/test_delimited_properties.py",
    "tests/upload/test_workbook_properties.py",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that somebody could make.

    Attributes:
        room: what it is in.
        name: of the fault, unlike any other.
        file: which it changes.
        old: text that stands once in the file.
        new: what is put in its place.
        tests: those of the room.
        without: tests that are left out.
        survives: why no test is to see it; empty where one is.
    """

    room: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    without: tuple[str, ...] = COMPARISONS
    survives: str = ""

    def applied_to(self, text: str) -> str:
        """The text with the fault.

        Raises:
            ValueError: what it replaces does not stand there exactly once.
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.room}/{self.name}: its old text stands {count} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def load() -> list[Fault]:
    """Every fault of the list, in its order."""
    rooms: dict[str, list[dict[str, Any]]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [
        Fault(
            room=room,
            name=fault.pop("name"),
            file=fault.pop("file"),
            old=fault.pop("old"),
            new=fault.pop("new"),
            tests=tuple(fault.pop("tests").split()),
            **fault,
        )
        for room, faults in rooms.items()
        for fault in faults
    ]
