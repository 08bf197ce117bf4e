"""What the stages find out about a file: immutable values for later stages. `staging` keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from contact_pipeline.headings.naming import labels
from contact_pipeline.masking import mask
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Meaning, Reference


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What stage 1 found in a file. All of it is empty for a changeset without a file.

    Attributes:
        headings: the headings as in the file, in order; empty where a column has none.
        columns: the raw column of each heading.
        mapped: raw column → field, for the mapped columns; columns of one field in order of preference.
        left_out: raw columns that somebody took out of the plan.
        places: raw column → place (home, work …) of the parts of addresses, where there are several places.
        joined: whether any cell may hold several values that an export joined.
        doubt: what is doubtful about the encoding, with examples; None: nothing.
    """

    headings: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    mapped: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    joined: bool = True
    doubt: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Raw column → field, for the mapped columns that are not left out."""
        return {column: field for column, field in self.mapped.items() if column not in self.left_out}

    @property
    def heading_of(self) -> dict[str, str]:
        """Raw column → heading in the file."""
        return dict(zip(self.columns, self.headings, strict=True))

    @property
    def label_of(self) -> dict[str, str]:
        """Raw column → heading in the file; headings that repeat are numbered."""
        return dict(zip(self.columns, labels(self.headings), strict=True))

    @property
    def mapped_headings(self) -> list[str]:
        """The headings of the columns that fill a field, in the order of the file."""
        return [heading for column, heading in self.heading_of.items() if column in self.fields]

    def headings_by_field(self, profile: Profile) -> dict[str, str]:
        """Field → heading for people: that of its first column; the profile's own where no column fills the field."""
        label_of = self.label_of
        given = {field: mask(label_of[column]) for column, field in reversed([*self.fields.items()])}
        return {column.field: column.heading for column in profile.columns} | given

    def normalized(
        self, columns: tuple[str, ...], formats: Mapping[str, list[str]], reference: Reference
    ) -> NormalizedFacts:
        """The same facts, with what stage 2 adds."""
        return NormalizedFacts(
            headings=self.headings,
            columns=self.columns,
            mapped=self.mapped,
            left_out=self.left_out,
            places=self.places,
            joined=self.joined,
            doubt=self.doubt,
            columns_normalized=columns,
            formats=formats,
            reference=reference,
        )

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same facts of raw columns with other names: old → new."""
        return replace(
            self,
            columns=tuple(names.get(column, column) for column in self.columns),
            mapped={names.get(column, column): field for column, field in self.mapped.items()},
            left_out=tuple(names.get(column, column) for column in self.left_out),
            places={names.get(column, column): place for column, place in self.places.items()},
        )

    def as_stored(self) -> dict[str, Any]:
        """Name → value, as the table of a staging database holds them."""
        return {
            "headings": self.headings,
            "columns": self.columns,
            "fields": self.mapped,
            "left_out": self.left_out,
            "places": self.places,
            "joined": self.joined,
            "doubt": self.doubt,
        }


@dataclass(frozen=True, kw_only=True)
class NormalizedFacts(FileFacts):
    """What is known of a file once stage 2 has normalized its rows.

    Attributes:
        columns_normalized: the columns with values of the normalized rows, in order.
        formats: field → those of the profile's date formats by which the whole column can be read.
        reference: the logins and registered values that the rows were normalized with.
    """

    columns_normalized: tuple[str, ...]
    formats: Mapping[str, list[str]]
    reference: Reference

    def as_stored(self) -> dict[str, Any]:
        """Name → value, as the table of a staging database holds them."""
        return {
            **super().as_stored(),
            "columns_normalized": self.columns_normalized,
            "formats": self.formats,
            "logins": sorted(self.reference.logins),
            "vocabularies": self.reference.vocabularies,
            "meanings": {
                field: {text: [meaning.text, meaning.why] for text, meaning in meanings.items()}
                for field, meanings in self.reference.meanings.items()
            },
        }


def facts_from(stored: Mapping[str, Any]) -> FileFacts:
    """The facts in a staging database, as far as its upload has come; an earlier version may have kept fewer.

    Args:
        stored: name → value, as `as_stored` gives them; other names are ignored.
    """
    read = FileFacts(
        headings=tuple(stored.get("headings", ())),
        columns=tuple(stored.get("columns", ())),
        mapped=stored.get("fields", {}),
        left_out=tuple(stored.get("left_out", ())),
        places=stored.get("places", {}),
        joined=stored.get("joined", True),
        doubt=stored.get("doubt"),
    )
    if "columns_normalized" not in stored:
        return read
    reference = Reference(
        logins=frozenset(stored.get("logins", ())),
        vocabularies={name: tuple(values) for name, values in stored.get("vocabularies", {}).items()},
        meanings={
            field: {text: Meaning(*meaning) for text, meaning in meanings.items()}
            for field, meanings in stored.get("meanings", {}).items()
        },
    )
    return read.normalized(tuple(stored["columns_normalized"]), stored.get("formats", {}), reference)
