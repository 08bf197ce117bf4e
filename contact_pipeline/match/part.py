"""A part of a row: the contact or account that the row describes, and the rules that find it.

Most profiles have one part. A row of accounts has two: the account, and the contact made from its further columns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from contact_pipeline.kinds.placeholders import TYPES as PLACEHOLDER_TYPES
from contact_pipeline.masking import Looks
from contact_pipeline.profiles import NAME, AnyOf, MatchRule, Profile, RequiredWhen, looks_in
from contact_pipeline.profiles.model import BlankPolicy, Matched, WithinFile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.terms import ACCOUNT_FIELDS, CONSENT, CONTACT_FIELDS, FieldKind

NAME_PARTS = ("full_name", "first_name", "last_name")


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a row that becomes one entity. Its tables are called <entity>_rows, <entity>_keys and so on."""

    entity: Literal["contact", "account"]
    source: dict[str, str]  # the entity's field → column of the normalized rows
    kinds: dict[str, FieldKind]
    headings: dict[str, str]
    rules: tuple[MatchRule, ...]
    matched: Matched
    within_file: WithinFile
    blank_policies: dict[str, BlankPolicy]  # what a blank in a field does to a contact that has a value
    sensitive: frozenset[str]
    looks: dict[str, Looks | None]  # what a value of a field is masked for in notes and messages; None: all of it
    primary: bool = True
    present: tuple[str, ...] = ()
    when_new: dict[str, str] = field(default_factory=dict)
    clears_consent: bool = False  # whether a row may take back that the contact is not to be contacted
    keeps_case: frozenset[str] = frozenset()  # fields whose values differ where their case does
    placeholders: dict[str, str] = field(default_factory=dict)  # field → type whose placeholders identify nobody
    takes_notes: bool = False  # whether values that were not imported or that a merge displaced go to the notes
    reactivates: bool = False  # whether a deactivated contact that a row reaches is active again
    clears: bool = False  # whether a row can clear what a contact has
    required: tuple[AnyOf | RequiredWhen, ...] = ()  # requirements that a row may not break where a contact meets them
    adds: frozenset[str] = frozenset()  # list fields: a row adds values and removes none
    weighed: dict[str, FieldKind] = field(default_factory=dict)  # further stored fields that `required` looks at

    @property
    def merges(self) -> bool:
        """Whether rows are merged into a target or into each other; what that displaces is kept in the notes."""
        return "merge" in (self.matched, self.within_file)

    @property
    def stored(self) -> dict[str, FieldKind]:
        """Every field that this part can write: the file's, those set on something new, and the notes it takes."""
        canonical = CONTACT_FIELDS if self.entity == "contact" else ACCOUNT_FIELDS
        set_when_new = {name: canonical[name] for name in self.when_new if name not in self.kinds}
        notes: dict[str, FieldKind] = {"notes": "list"} if self.takes_notes else {}
        carried: dict[str, FieldKind] = {CONSENT: "boolean"} if self.links else {}
        return {**self.kinds, **set_when_new, **notes, **carried}

    @property
    def links(self) -> bool:
        """Whether a row that matches a contact makes a new one that is linked with it."""
        return self.entity == "contact" and self.matched == "create"

    @property
    def looked_at(self) -> list[str]:
        """The stored fields that matching reads."""
        names = NAME_PARTS if self.entity == "contact" and NAME in self.key_fields else ()
        return list(dict.fromkeys([*self.stored, *self.weighed, *names]))

    @property
    def updates(self) -> bool:
        """Whether a row changes the one that it matches."""
        return self.matched in {"update", "merge"}

    @property
    def key_fields(self) -> list[str]:
        """Every field that a match rule compares, once."""
        return list(dict.fromkeys(name for rule in self.rules for name in rule.fields))

    @property
    def id(self) -> str:
        """Name of the entity's id column."""
        return f"{self.entity}_id"

    def table(self, name: str) -> str:
        """Name of one of the part's staged tables."""
        return f"{self.entity}_{name}"


def parts_of(
    profile: Profile, options: UploadOptions, columns: Collection[str], headings: dict[str, str]
) -> list[Part]:
    """The parts of a profile's rows, the primary one first.

    Args:
        profile: as it holds for the upload.
        options: of the upload.
        columns: of the normalized rows; a field without a column is untouched.
        headings: field → heading in the file.
    """
    fields = [name for name in profile.row_fields if name in columns]
    if profile.account_contacts is not None:
        fields = [name for name in fields if name in ACCOUNT_FIELDS]
    rules = tuple(rule for rule in profile.match if _usable(rule, fields))
    kinds = {name: profile.row_fields[name] for name in fields}
    required, weighed = _required(profile, kinds, headings)
    primary = Part(
        entity=profile.target,
        source={name: name for name in fields},
        kinds=kinds,
        headings=headings,
        rules=rules,
        matched=profile.matched,
        within_file=profile.within_file,
        blank_policies={name: profile.blank_of(name) for name in fields},
        sensitive=profile.sensitive_fields,
        looks={name: looks_in(profile, name) for name in fields},
        when_new=_when_new(profile, options),
        keeps_case=frozenset(name for name in fields if profile.column_of[name].case == "keep"),
        placeholders=_placeholders(profile, {name: name for name in fields}),
        clears_consent=profile.options.clear_do_not_contact and options.clear_do_not_contact,
        takes_notes=profile.on_error == "note" or "merge" in (profile.matched, profile.within_file),
        reactivates=options.reactivate and profile.target == "contact" and profile.matched in {"update", "merge"},
        clears=_clears(profile, fields),
        required=required,
        adds=profile.adding,
        weighed=weighed,
    )
    if profile.account_contacts is None:
        return [primary]
    people = profile.account_contacts
    source = {name: column for name, column in people.fields.items() if column in columns}
    contact = Part(
        entity="contact",
        source=source,
        kinds={name: CONTACT_FIELDS.get(name, "text") for name in source},
        headings={name: headings.get(column, column) for name, column in source.items()},
        rules=tuple(people.match),
        matched="update",
        within_file="first_wins",
        blank_policies={name: profile.blank_of(column) for name, column in source.items()},
        sensitive=profile.sensitive_fields,
        looks={name: looks_in(profile, column) for name, column in source.items()},
        primary=False,
        reactivates=options.reactivate,
        present=tuple(people.present),
        placeholders=_placeholders(profile, source),
        keeps_case=frozenset(name for name, column in source.items() if profile.column_of[column].case == "keep"),
    )
    return [primary, contact]


def _placeholders(profile: Profile, source: dict[str, str]) -> dict[str, str]:
    columns = {name: profile.column_of[column] for name, column in source.items()}
    return {
        name: column.type
        for name, column in columns.items()
        if column.type in PLACEHOLDER_TYPES and column.placeholders != "take"
    }


def _clears(profile: Profile, fields: Collection[str]) -> bool:
    return any(
        profile.blank_of(column.field) == "overwrite" or column.nothing is not None
        for column in profile.columns
        if column.field in fields
    )


def _required(
    profile: Profile, kinds: dict[str, FieldKind], headings: dict[str, str]
) -> tuple[tuple[AnyOf | RequiredWhen, ...], dict[str, FieldKind]]:
    """The profile's requirements, and the fields they look at that the file does not fill."""
    known: dict[str, FieldKind] = {**(CONTACT_FIELDS if profile.target == "contact" else ACCOUNT_FIELDS)}
    if profile.account_contacts is None:
        known |= profile.row_fields
    columns = [c for c in profile.columns if c.required and c.nothing is None and c.field in known]
    required: list[AnyOf | RequiredWhen] = [
        AnyOf(any_of=[[column.field]], message=headings.get(column.field, column.heading)) for column in columns
    ]
    required += [rule for rule in profile.rules if isinstance(rule, AnyOf | RequiredWhen)]
    fields = {name for rule in required for name in rule.fields}
    if NAME in fields:
        fields |= {*NAME_PARTS}
    weighed = {name: known[name] for name in sorted(fields - kinds.keys()) if name in known}
    return tuple(rule for rule in required if {*rule.fields} <= {*known, NAME}), weighed


def _when_new(profile: Profile, options: UploadOptions) -> dict[str, str]:
    values = {column.field: column.default for column in profile.columns if column.default is not None}
    if options.lead_type is not None:
        values |= {"lead_type": options.lead_type, "module": profile.lead_types[options.lead_type]}
    return values


def _usable(rule: MatchRule, columns: Collection[str]) -> bool:
    """Whether the file has the columns that the rule needs; without them its key is blank in every row."""

    def there(name: str) -> bool:
        return any(part in columns for part in NAME_PARTS) if name == NAME else name in columns

    needed = rule.at_least or len(rule.equal)
    return sum(there(name) for name in [*rule.equal, *rule.of]) >= needed
