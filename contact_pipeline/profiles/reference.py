"""The reference data that profiles refer to: known logins and registered values, which users load."""

from __future__ import annotations

from dataclasses import dataclass, field

from contact_pipeline.profiles.model import Column


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a remembered value in files of a profile.

    Attributes:
        text: the text read in its place; None: a blank.
        why: who gave the meaning and when, in words.
    """

    text: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference data as it is when an upload is staged.

    Attributes:
        logins: the known logins, in their registered spelling.
        vocabularies: name of a vocabulary → its values, in their registered spelling.
        meanings: field → text in files, tidied and in lower case → what it means.
    """

    logins: frozenset[str] = frozenset()
    vocabularies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    meanings: dict[str, dict[str, Meaning]] = field(default_factory=dict)

    def registered(self, column: Column) -> tuple[str, ...]:
        """The values that a column may hold, in their registered spelling; empty where any value is allowed."""
        if column.type == "login":
            return tuple(sorted(self.logins))
        if column.choices:
            return tuple(column.choices)
        return self.vocabularies.get(column.vocabulary, ()) if column.vocabulary else ()
