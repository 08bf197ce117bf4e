"""The Pydantic model of a profile: the YAML that describes one source system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from contact_pipeline.masking import hide
from contact_pipeline.profiles import calendar
from contact_pipeline.profiles.base import Model, Name, Percent, Whole
from contact_pipeline.profiles.contradictions import find_in_column, find_in_profile
from contact_pipeline.profiles.rules import MatchRule, RowRule
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS, FieldKind

BlankPolicy = Literal["fill", "keep", "overwrite"]
GroupMembers = Literal["created", "all"]
ListPolicy = Literal["add", "replace"]
OnError = Literal["block", "reject", "note"]
Matched = Literal["update", "ignore", "merge", "create"]
WithinFile = Literal["first_wins", "last_wins", "reject_later", "merge"]
FieldType = Literal[
    "text", "name", "email", "phone", "date", "moment", "ssn", "zip_code", "country", "identifier", "choice", "list",
    "login", "boolean",
]  # fmt: skip
IdentifierKind = Literal["cnpj", "cpf", "crm"]
# How values are stored; other types are stored as text.
STORED_AS: dict[FieldType, FieldKind] = {"list": "list", "boolean": "boolean"}
WITH_DAYS: Final[tuple[FieldType, ...]] = ("date", "moment")  # types whose formats read a day
YES_NO = {"yes": True, "no": False}  # the words for a boolean in a profile

# Words that spreadsheets, exports and people write where there is nothing.
NOTHING = (
    "N/A", "n.a.", "#N/A", "-", "--", "—", "none", "null", "nan", "undefined", "(blank)", r"\N", '""', "''",
)  # fmt: skip
_NAMES_TOO = {"none", "null"}  # names of people
_NAMES_BUT_FOR_CASE = {"nan": ("nan", "NaN")}  # the spelling of programs; Nan is a name

# How spreadsheets and databases write a missing day, with or without midnight.
_NO_DAY = (
    r"^(?:0{1,4}[-/. ]0{1,4}[-/. ]0{1,4}|(?:0?1[-/.]0{1,2}|0{1,2}[-/.]0?1)[-/.]1900|1900[-/.]0?1[-/.]00)"
    r"(?:[ T]0?0:00(?::00(?:\.0+)?)?Z?)?$|^0+$|^(?:0?0:00(?::00)?|12:00(?::00)? ?AM)$"
)


@dataclass(frozen=True)
class Blanks:
    """The blanks of a column: words in any case (given in lower case), words in exactly this case, and a pattern."""

    words: frozenset[str]
    exact: frozenset[str] = frozenset()
    pattern: str | None = None


LENIENT: Final = {
    "lenient": True
}  # context of a validation that leaves contradictions to the caller, who lists them all
Described = TypeVar("Described", bound=Model)


def _without_contradictions(
    model: Described, found: Iterable[tuple[tuple[str | int, ...], str]], info: ValidationInfo
) -> Described:
    if info.context != LENIENT:
        for _, reason in found:
            raise ValueError(reason)
    return model


class FileFormat(Model):
    """Which files the profile takes."""

    types: list[Literal["csv", "xlsx"]] = Field(min_length=1, description="File types that are accepted.")
    delimiter: str | None = Field(None, max_length=1, description="Delimiter of CSV files; unset: detected.")
    encoding: str | None = Field(None, description="Encoding of CSV files; unset: detected.")
    sheet: str | None = Field(None, description="Sheet of Excel files; unset: the only one.")


class Column(Model):
    """One column of the file and the field that it fills."""

    field: Name = Field(description="Canonical field, or a custom one that this profile declares.")
    heading: str = Field(min_length=1, description="Heading in the template; unset: the first of `headings`.")
    headings: list[str] = Field(
        default=[],
        description="Headings of several columns that fill the field, in order: the first cell of a row that is filled "
        "counts, the others are kept.",
    )
    accepts: list[str] = Field(default=[], description="Other headings that mean the same (mapped headings only).")
    type: FieldType = Field("text", description="How values are normalized and validated.")
    required: bool = Field(False, description="Whether a blank is a defect; with mapped headings it must be mapped.")
    sensitive: bool = Field(False, description="Whether the value is masked wherever it is shown.")
    choices: list[str] = Field(
        default=[], description="Allowed values in their registered spelling (choice, list); of a boolean yes, no."
    )
    vocabulary: str | None = Field(None, description="Name of a loaded vocabulary with the allowed values.")
    default: str | None = Field(None, description="What a blank means for something new.")
    blank_means: str | None = Field(
        None,
        description="The value that a blank stands for, also in every row of a file that lacks the column (mapped "
        "headings only); for text, choices, lists, logins and booleans. Unset: none.",
    )
    blank: BlankPolicy | None = Field(
        None, description="What a blank does to a contact that has a value; unset: as the profile says."
    )
    nothing: str | None = Field(None, description="Word that empties the field, such as 'Without Portfolio'.")
    blanks: list[str] | None = Field(
        None, description="Words that are blanks in this column, whatever their case; unset: the profile's."
    )
    separator: str = Field(
        ";", description="What separates the values of a list; behind a backslash it is part of a value."
    )
    lists: ListPolicy | None = Field(
        None,
        description="Whether the values of a list are added to those that a contact has, or take their place "
        "(replace). Unset: added where rows are merged into contacts, else replace.",
    )
    formats: list[str] = Field(
        default=[], description="Date formats besides ISO: DD/MM/YYYY, or %d/%m/%Y; of a moment, those of its day."
    )
    pivot: Whole | None = Field(
        None, ge=0, le=99, description="Last two-digit year of this century (%y); those above it are of the last one."
    )
    zone: str | None = Field(
        None,
        description="Time zone of moments whose offset the file does not say, such as Europe/Berlin; unset: they are "
        "kept as the clock showed them.",
    )
    split: bool = Field(
        False,
        description="Whether a full name fills the blank ones of first_name, last_name, honorific and name_suffix, as "
        "far as the profile has them.",
    )
    case: Literal["fold", "keep"] = Field(
        "fold", description="Whether values that differ in nothing but case are the same; keep: they are not."
    )
    placeholders: Literal["warn", "reject", "take"] = Field(
        "warn",
        description="What becomes of values that identify nobody, such as 123-45-6789 or noreply@ (ssn, phone, email): "
        "warn: taken with a warning and never compared; reject: a defect; take: as any other.",
    )
    title_case: bool = Field(False, description="Whether a name in capitals is put in title case, a listed repair.")
    identifiers: list[IdentifierKind] = Field(default=[], description="Kinds of identifier accepted, any of them.")
    identifiers_by: dict[str, list[IdentifierKind]] = Field(
        default={}, description="Kinds accepted for each value of `identifiers_column`."
    )
    identifiers_column: Name | None = Field(None, description="Field whose value decides the kind of identifier.")
    letter: str | None = Field(None, pattern=r"^[A-Z]$", description="Sheet column in which it must stand.")
    max_length: Whole = Field(500, ge=1, description="Longest value, in characters.")
    example: str = Field("", description="A made-up value for the example template.")
    kind: FieldKind | None = Field(None, description="How a custom field is stored; canonical fields know it.")

    @model_validator(mode="before")
    @classmethod
    def _has_a_heading(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("headings") and "heading" not in given:
            return {**given, "heading": given["headings"][0]}
        return given

    @field_validator("formats")
    @classmethod
    def _as_strftime(cls, formats: list[str]) -> list[str]:
        return [calendar.from_words(declared) for declared in formats]

    @model_validator(mode="after")
    def _says_what_its_type_needs(self, info: ValidationInfo) -> Self:
        return _without_contradictions(self, find_in_column(self), info)

    @property
    def own_headings(self) -> list[str]:
        """The headings of the columns in the template, in order of preference."""
        return self.headings or [self.heading]

    @property
    def known_headings(self) -> list[str]:
        """Every heading that means the field, in order of preference."""
        return list(dict.fromkeys([*self.own_headings, *self.accepts]))


class AccountContacts(Model):
    """Contacts that an account's row makes from its further columns."""

    fields: dict[Name, Name] = Field(description="Contact field → column's field in this profile.")
    present: list[Name] = Field(description="Columns of which one must be filled for a contact to be meant.")
    match: list[MatchRule] = Field(min_length=1, description="How the contact is found among those there are.")


class Group(Model):
    """The group that an upload's contacts join."""

    default: str | None = Field(None, description="Group when none is chosen; unset: one must be chosen.")
    members: GroupMembers = Field(
        "created", description="Whom it takes in: contacts that the upload creates, or all that its rows reach."
    )


class Roles(Model):
    """Who may import."""

    any_of: list[str] = Field(min_length=1, description="Roles of which the user needs one.")
    import_flag: bool = Field(False, description="Whether the user needs can_import as well.")


class Guards(Model):
    """Limits that hold an upload until somebody confirms."""

    deactivated_percent: Percent = Field(20, ge=0, le=100, description="Share of active contacts deactivated at most.")
    rejected_percent: Percent = Field(100, ge=0, le=100, description="Share of the rows with data rejected at most.")
    changed_percent: Percent = Field(
        100,
        ge=0,
        le=100,
        description="Share of the address book's contacts (or accounts) changed at most; new ones aside.",
    )


class KeepDays(Model):
    """How many days data of an upload is kept after its life has ended; then `expire` deletes it. Unset: for ever.

    The ledger line and the history of the contacts always stay.
    """

    staged_data: Whole | None = Field(
        None, ge=1, le=36_500, description="Days that staged rows, their outcomes and the changeset are kept."
    )
    originals: Whole | None = Field(None, ge=1, le=36_500, description="Days that the received file is kept.")
    reports: Whole | None = Field(
        None, ge=1, le=36_500, description="Days that the review page and files of rejected rows are kept."
    )
    runs: Whole | None = Field(
        None, ge=1, le=36_500, description="Days that Dagster keeps the partition, its runs and their events."
    )


class Options(Model):
    """What may be chosen for each upload, and what is fixed."""

    blank: list[BlankPolicy] = Field(default=[], description="Blank policies that may be chosen.")
    rule: list[Literal["merge", "create"]] = Field(default=[], description="Rules that may be chosen.")
    deactivate_missing: bool = Field(False, description="Whether contacts that are not in the file may be deactivated.")
    reactivate: bool = Field(False, description="Whether deactivated contacts that are in the file may be reactivated.")
    clear_do_not_contact: bool = Field(
        False, description="Whether an upload may, where it says so, take back that a contact is not to be contacted."
    )
    update_existing: Literal["locked_on", "locked_off"] = Field(
        "locked_on", description="Whether contacts that exist are updated; locked: shown, not chosen."
    )
    add_new: Literal["locked_on"] = Field("locked_on", description="Whether new contacts are added; locked.")


class Profile(Model):
    """One source system: its file, its columns, its rules and its options."""

    name: Name = Field(description="Name of the profile; the file is called <name>.yaml.")
    title: str = Field(description="Name for people.")
    description: str = Field("", description="What the system is, in a sentence.")
    address_book: Name = Field(description="Set of contacts in which the profile matches and deactivates.")
    target: Literal["contact", "account"] = Field("contact", description="What a row is.")
    file: FileFormat = Field(description="Which files are taken.")
    headings: Literal["exact", "all", "mapped"] = Field(
        description="exact: the very set, in any order; all: at least these, others ignored; mapped: to fields."
    )
    region: str | None = Field(
        None, pattern=r"^[A-Z]{2}$", description="Region of national phone numbers; unset: none is guessed."
    )
    columns: list[Column] = Field(min_length=1, description="The columns, in the order of the template.")
    blanks: list[str] = Field(
        default=list(NOTHING),
        description="Words that are blanks, whatever their case; [] for none. Null and None are names of people.",
    )
    rules: list[RowRule] = Field(default=[], description="Rules over a whole row.")
    match: list[MatchRule] = Field(min_length=1, description="Match rules, in the order tried.")
    matched: Matched = Field("update", description="What becomes of a row that matches.")
    within_file: WithinFile = Field("first_wins", description="What becomes of several rows for the same target.")
    blank: BlankPolicy = Field("keep", description="What a blank does to a contact that has a value.")
    on_error: OnError = Field(description="What a defective row or cell does to the upload.")
    options: Options = Field(default=Options(), description="What may be chosen for each upload.")
    group: Group | None = Field(None, description="Set when every upload belongs to a group.")
    lead_types: dict[str, str] = Field(default={}, description="Lead type → module in which leads are created.")
    account_contacts: AccountContacts | None = Field(None, description="Contacts made from an account's row.")
    needs_account: bool = Field(False, description="Whether the row's account_number must be a known account's.")
    apply: Literal["approval", "automatic"] = Field(description="Whether somebody approves before it is applied.")
    approvals: int = Field(
        1, ge=1, le=2, strict=True, description="How many people approve it, 1 or 2; of two, neither is the sender."
    )
    finalize: bool = Field(False, description="Whether what is applied stays held until it is finalized.")
    roles: Roles | None = Field(None, description="Who may import; unset: anybody.")
    guards: Guards = Field(
        default=Guards(), description="Limits past which an upload is blocked until somebody confirms it."
    )
    keep_days: KeepDays = Field(
        default=KeepDays(), description="How many days data of an upload that has ended is kept; unset: for ever."
    )

    @model_validator(mode="after")
    def _hangs_together(self, info: ValidationInfo) -> Self:
        return _without_contradictions(self, find_in_profile(self), info)

    @property
    def has_name(self) -> bool:
        """Whether rows have a name, whole or in parts."""
        return any(column.field in {"full_name", "first_name", "last_name"} for column in self.columns)

    @property
    def column_of(self) -> dict[str, Column]:
        """Field → column."""
        return {column.field: column for column in self.columns}

    def blank_of(self, field: str) -> BlankPolicy:
        """What a blank in a field's column does to a contact that has a value."""
        return self.column_of[field].blank or self.blank

    @property
    def adding(self) -> frozenset[str]:
        """List fields whose values are added to those that a contact has. Merging displaces no values."""
        unset = "add" if self.matched == "merge" else "replace"
        return frozenset(
            column.field
            for column in self.columns
            if self.row_fields[column.field] == "list" and (column.lists or unset) == "add"
        )

    def blanks_in(self, column: Column | None) -> Blanks:
        """The blanks of a column; None: of one that fills no field.

        Null and None are names of people, so they are no blanks in a column of names, unless its `blanks` list them.
        """
        words = self.blanks if column is None or column.blanks is None else column.blanks
        kept = {column.nothing, *column.choices} if column else set()
        meant = {word.casefold() for word in kept if word}
        lower = {word.lower() for word in words if word.casefold() not in meant}
        if column is None or column.blanks is not None or column.type not in {"name", *WITH_DAYS}:
            return Blanks(frozenset(lower))
        if column.type in WITH_DAYS:
            return Blanks(frozenset(lower), pattern=_NO_DAY)
        exact = {word for name in lower & _NAMES_BUT_FOR_CASE.keys() for word in _NAMES_BUT_FOR_CASE[name]}
        return Blanks(frozenset(lower - _NAMES_TOO - _NAMES_BUT_FOR_CASE.keys()), frozenset(exact))

    @property
    def sensitive_fields(self) -> frozenset[str]:
        """Fields whose values are masked wherever they are shown."""
        own = {column.field for column in self.columns if column.sensitive}
        people = self.account_contacts.fields if self.account_contacts else {}
        return frozenset(own | {field for field, column in people.items() if column in own})

    @property
    def row_fields(self) -> dict[str, FieldKind]:
        """Field → how it is stored, for the fields that the file's columns fill."""
        canonical = ACCOUNT_FIELDS if self.target == "account" else CONTACT_FIELDS
        return {
            column.field: column.kind or canonical.get(column.field) or STORED_AS.get(column.type, "text")
            for column in self.columns
        }

    @property
    def contact_fields(self) -> dict[str, FieldKind]:
        """Field → how it is stored, for the contact fields that this profile can write."""
        if self.target == "contact":
            return self.row_fields
        if self.account_contacts is None:
            return {}
        return {field: CONTACT_FIELDS.get(field, "text") for field in self.account_contacts.fields}


def masked(text: str | None) -> str | None:
    """The value with every letter and digit hidden, so that only its shape shows."""
    return None if text is None else hide(text)
