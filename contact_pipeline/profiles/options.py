"""The options of one upload, checked against those that its profile offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.masking import mask_within
from contact_pipeline.profiles import calendar
from contact_pipeline.profiles.base import Percent, why_no_delimiter
from contact_pipeline.profiles.model import WITH_DAYS, BlankPolicy, Column, GroupMembers, ListPolicy, Profile
from contact_pipeline.profiles.sensitive import looks_of_sender
from contact_pipeline.profiles.sound import why_none_clears


class UploadOptions(BaseModel):
    """The options of one upload; unset ones are None or empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str | None = Field(None, min_length=1, description="Group that the new contacts join; made if it is new.")
    group_members: GroupMembers | None = Field(
        None, description="Whom the group takes in: contacts that the upload creates, or all that its rows reach."
    )
    blank: BlankPolicy | None = Field(None, description="What a blank does to a contact that has a value.")
    blank_in: dict[str, BlankPolicy] = Field(
        default={}, description="Heading or field → what a blank in that column does, whatever holds for the others."
    )
    lists: ListPolicy | None = Field(
        None, description="Whether the values of lists are added to those of a contact, or take their place."
    )
    rule: Literal["merge", "create"] | None = Field(None, description="What becomes of a lead that matches.")
    lead_type: str | None = Field(None, description="Type of the leads; it decides their module.")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="Delimiter of the CSV file.")
    encoding: str | None = Field(None, description="Encoding of the CSV file.")
    sheet: str | None = Field(None, description="Sheet of the workbook.")
    map: dict[str, str] = Field(
        default={},
        description="Heading → field; several for one field in order of preference.",
    )
    date_format: dict[str, str] = Field(
        default={}, description="Heading → the one date format that its column is in, of those that it declares."
    )
    save_mapping: bool = Field(False, description="Whether the mapping is kept for files with the same headings.")
    deactivate_missing: bool = Field(False, description="Whether contacts that are not in the file are deactivated.")
    reactivate: bool = Field(False, description="Whether deactivated contacts that are in the file are reactivated.")
    clear_do_not_contact: bool = Field(False, description="Whether a 'no' takes back that a contact is not contacted.")
    allow_deactivations: Percent | None = Field(
        None, ge=0, le=100, description="Percentage of the active contacts that may be deactivated without asking."
    )
    allow_rejected: Percent | None = Field(
        None, ge=0, le=100, description="Percentage of the rows that may be rejected without asking."
    )
    allow_changed: Percent | None = Field(
        None, ge=0, le=100, description="Percentage of the contacts that may be changed without asking."
    )


def guard_limits(profile: Profile, options: UploadOptions) -> dict[str, float]:
    """Guard → the share, in percent, that it lets pass: as chosen for the upload, or else as the profile has it."""
    limits = {
        "deactivations": (options.allow_deactivations, profile.guards.deactivated_percent),
        "rejected": (options.allow_rejected, profile.guards.rejected_percent),
        "changed": (options.allow_changed, profile.guards.changed_percent),
    }
    return {name: otherwise if chosen is None else chosen for name, (chosen, otherwise) in limits.items()}


def available(profile: Profile) -> list[str]:
    """Names of the options that the profile has."""
    has = {
        "group": profile.group is not None,
        "group_members": profile.group is not None,
        "blank": bool(profile.options.blank),
        "blank_in": bool(profile.options.blank),
        "lists": "list" in profile.row_fields.values(),
        "rule": bool(profile.options.rule),
        "lead_type": bool(profile.lead_types),
        "delimiter": "csv" in profile.file.types,
        "encoding": "csv" in profile.file.types,
        "sheet": "xlsx" in profile.file.types,
        "map": profile.headings == "mapped",
        "save_mapping": profile.headings == "mapped",
        "date_format": bool(_in_doubt(profile)),
        "deactivate_missing": profile.options.deactivate_missing,
        "allow_deactivations": profile.options.deactivate_missing,
        "allow_rejected": profile.on_error != "block",
        "allow_changed": True,
        "reactivate": profile.options.reactivate,
        "clear_do_not_contact": profile.options.clear_do_not_contact,
    }
    return [name for name, there in has.items() if there]


def choose(profile: Profile, given: dict[str, Any]) -> tuple[Profile, UploadOptions]:
    """The profile as it holds for this upload, and the options it was given.

    Raises:
        Refusal: an option that the profile does not have (`option-unknown`), a value that it does not allow
            (`option-value`), or one that it needs and did not get (`option-missing`).
    """
    given = {name: value for name, value in given.items() if not (value is None or value is False or value == {})}
    known = available(profile)
    for name in given:
        if name not in known:
            raise Refusal(
                "option-unknown",
                f"Profile {profile.name} has no option '{_spelled(name)}'.",
                f"Its options: {listed(_spelled(n) for n in known) or 'none'}.",
                details={"option": name},
            )
    try:
        options = UploadOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0])
        within = "".join(f" for '{part}'" for part in first["loc"][1:2])
        message = f"Option '{_spelled(name)}'{within}: {first['msg']}."
        raise Refusal("option-value", message, "Correct it.", details={"option": name}) from error
    if options.delimiter is not None and (why := why_no_delimiter(options.delimiter)):
        raise Refusal("option-value", f"Option 'delimiter': {why}.", "Correct it.", details={"option": "delimiter"})
    _must_say_nothing_of_people(profile, given)
    _allowed(profile, "blank", options.blank, profile.options.blank)
    _allowed(profile, "rule", options.rule, profile.options.rule)
    options = options.model_copy(update={"lead_type": _lead_type(profile, options), "group": _group(profile, options)})
    changes = {"blank": options.blank or profile.blank, "matched": options.rule or profile.matched}
    profile = profile.model_copy(update=changes | {"columns": _with_blank_policies(profile, options.blank_in)})
    profile = profile.model_copy(update={"columns": _in_one_format(profile, options.date_format)})
    if profile.group is not None and options.group_members is not None:
        members = {"members": options.group_members}
        profile = profile.model_copy(update={"group": profile.group.model_copy(update=members)})
    if options.clear_do_not_contact and (reason := why_none_clears(profile, [profile.matched])):
        raise Refusal(
            "option-value",
            f"Option 'clear-do-not-contact' does nothing here: {reason}.",
            "Leave it out, or choose another --rule or --blank where the profile offers one.",
            details={"option": "clear_do_not_contact"},
        )
    if options.reactivate and profile.matched not in {"update", "merge"}:
        raise Refusal(
            "option-value",
            f"Option 'reactivate' does nothing here: under '{profile.matched}' contacts stay as they are.",
            "Leave it out, or choose another --rule where the profile offers one.",
            details={"option": "reactivate"},
        )
    return _with_lists(profile, options.lists), options


def _must_say_nothing_of_people(profile: Profile, given: Mapping[str, Any]) -> None:
    """Refuses an option that looks like somebody's number or day of birth: the ledger keeps options, and shows them."""
    for name, value in given.items():
        shown = mask_within(value, looks_of_sender(profile))
        if shown != value:
            masked = ", ".join(f"{key}={entry}" for key, entry in shown.items()) if isinstance(shown, dict) else shown
            raise Refusal(
                "option-value",
                f"Option '{_spelled(name)}' ({masked}) looks like a social security number or a date of birth.",
                "Leave it out of the name; a heading that is one means that the file has no heading line.",
                details={"option": name},
            )


def _allowed(profile: Profile, name: str, value: str | None, allowed: list[Any]) -> None:
    if value is not None and value not in allowed:
        raise Refusal(
            "option-value",
            f"Profile {profile.name} does not offer {name} '{value}'.",
            f"Choose {listed(allowed)}.",
            details={"option": name},
        )


def _with_blank_policies(profile: Profile, chosen: dict[str, BlankPolicy]) -> list[Column]:
    """The profile's columns, some with another blank policy, as chosen."""
    policies = {}
    for name, policy in chosen.items():
        _allowed(profile, "blank", policy, profile.options.blank)
        column = next((column for column in profile.columns if _is_called(column, name)), None)
        if column is None:
            raise Refusal(
                "option-value",
                f"Option 'blank-in': profile {profile.name} has no column '{name}'.",
                f"Choose {listed((column.heading for column in profile.columns), limit=30)}.",
            )
        policies[column.field] = policy
    return [column.model_copy(update={"blank": policies.get(column.field, column.blank)}) for column in profile.columns]


def _with_lists(profile: Profile, chosen: ListPolicy | None) -> Profile:
    """The profile with the list policy that was chosen for all its lists."""
    if chosen is None:
        return profile
    if profile.matched == "merge":
        _allowed(profile, "lists", chosen, ["add"])
    lists = {"lists": chosen}
    columns = [
        column.model_copy(update=lists if profile.row_fields[column.field] == "list" else {})
        for column in profile.columns
    ]
    return profile.model_copy(update={"columns": columns})


def _in_doubt(profile: Profile) -> list[Column]:
    """The columns of days or moments that declare more than one format."""
    return [column for column in profile.columns if column.type in WITH_DAYS and len(column.formats) > 1]


def _in_one_format(profile: Profile, chosen: Mapping[str, str]) -> list[Column]:
    """The profile's columns, with the date formats that were chosen by heading or field."""
    formats: dict[str, str] = {}
    for heading, text in chosen.items():
        column = next((column for column in _in_doubt(profile) if _is_called(column, heading)), None)
        if column is None:
            raise Refusal(
                "option-value",
                f"Option 'date-format': profile {profile.name} has no column '{heading}' of several date formats.",
                f"Choose {listed(column.heading for column in _in_doubt(profile))}.",
            )
        try:
            formats[column.field] = calendar.from_words(text)
        except ValueError as error:
            raise Refusal("option-value", f"Option 'date-format': {error}.", "Correct it.") from error
        declared = listed(calendar.in_words(declared) for declared in column.formats)
        if formats[column.field] not in column.formats:
            raise Refusal(
                "option-value",
                f"Option 'date-format': column '{column.heading}' does not declare {text}.",
                f"Choose {declared}.",
            )
    return [
        column.model_copy(update={"formats": [formats[column.field]]}) if column.field in formats else column
        for column in profile.columns
    ]


def _is_called(column: Column, heading: str) -> bool:
    names = (column.field, *column.known_headings)
    return heading.strip().casefold() in {name.casefold() for name in names}


def _lead_type(profile: Profile, options: UploadOptions) -> str | None:
    if not profile.lead_types:
        return None
    if options.lead_type is None:
        raise Refusal(
            "option-missing",
            f"Profile {profile.name} needs a lead type.",
            f"Give --lead-type with one of {listed(profile.lead_types)}.",
        )
    for lead_type in profile.lead_types:
        if lead_type.casefold() == options.lead_type.casefold():
            return lead_type
    raise Refusal(
        "option-value",
        f"There is no lead type '{options.lead_type}'.",
        f"Choose {listed(profile.lead_types)}.",
        details={"option": "lead_type"},
    )


def _group(profile: Profile, options: UploadOptions) -> str | None:
    if profile.group is None:
        return None
    group = " ".join((options.group or profile.group.default or "").split())
    if not group:
        raise Refusal(
            "option-missing",
            f"Profile {profile.name} needs a group for every upload.",
            "Give --group NAME; a name that is new makes a new group.",
        )
    return group


def _spelled(name: str) -> str:
    return name.replace("_", "-")
