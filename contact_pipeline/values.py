"""Single values through stages 2 and 3: the result is exactly that of an upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl
from pydantic import ValidationError

from contact_pipeline.errors import Refusal, Usage, listed
from contact_pipeline.masking import ANY, TOLD, mask_value
from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.profiles import Column, Profile, looks_in
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import CONTACT_FIELDS
from contact_pipeline.validate import validate

# The columns of canonical fields without a profile; all others are text.
COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "first_name": {"type": "name"},
    "last_name": {"type": "name"},
    "full_name": {"type": "name"},
    "email": {"type": "email"},
    "phone": {"type": "phone"},
    "date_of_birth": {"type": "date", "sensitive": True},
    "ssn": {"type": "ssn", "sensitive": True},
    "zip_code": {"type": "zip_code"},
    "country": {"type": "country"},
    "identifier": {"type": "identifier", "identifiers": ["crm", "cnpj", "cpf"]},
    "crm": {"type": "identifier", "identifiers": ["crm"]},
    "cnpj": {"type": "identifier", "identifiers": ["cnpj"]},
    "cpf": {"type": "identifier", "identifiers": ["cpf"]},
    "date": {"type": "date"},
    "moment": {"type": "moment"},
    "qualifications": {"type": "list"},
    "do_not_contact": {"type": "boolean"},
}
_ANCHOR: Final = "anchor"  # a cell that is never blank, so that a blank value is not a blank row


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result for one value; the attributes are the keys of the command line's document.

    Attributes:
        input: the text as given.
        region: region of national numbers, if any.
        value: what is stored; None where it is blank or not valid.
        valid: whether it is accepted.
        code: of the rejection, or of the warning that a valid value gets.
        message: what is wrong.
        fix: what to do about it.
        repairs: changes of meaning on the way: before, after and why.
    """

    input: str
    region: str | None
    value: Any
    valid: bool
    code: str | None = None
    message: str | None = None
    fix: str | None = None
    repairs: list[dict[str, str | None]] = field(default_factory=list)


def profile_for(
    field_name: str,
    profile: Profile | None = None,
    formats: Sequence[str] = (),
    pivot: int | None = None,
    zone: str | None = None,
) -> Profile:
    """A profile of one column: the field's as a profile has it, or as the field is used in general.

    Args:
        field_name: a canonical field, a kind of identifier, or a field of the profile.
        profile: the profile; None: as the field is used in general.
        formats: date formats (DD/MM/YYYY, or strftime) to use besides ISO.
        pivot: last two-digit year of this century.
        zone: time zone of moments without an offset.

    Raises:
        Refusal: there is no such field (code `field-unknown`).
        Usage: there is no such format or time zone, or a format needs a pivot (code `option-value`).
    """
    column = _column_of(profile, field_name) if profile else _column(field_name)
    column = _with_dates(column, formats, pivot, zone)
    if profile:
        return profile.model_copy(update={"columns": [column], "rules": [], "on_error": "reject"})
    general = Profile.model_validate(
        {
            "name": "value",
            "title": "Single values",
            "address_book": "value",
            "file": {"types": ["csv"]},
            "headings": "exact",
            "columns": [column, {"field": _ANCHOR, "heading": _ANCHOR}],
            "match": [{"equal": [_ANCHOR]}],
            "on_error": "reject",
            "apply": "approval",
        }
    )
    return general.model_copy(update={"columns": [column]})


def judge_values(
    texts: Sequence[str],
    regions: Sequence[str | None],
    profile: Profile,
    reference: Reference,
    *,
    masked_as: Profile | None,
) -> list[Judgement]:
    """What an upload would make of each text, in the order given.

    Args:
        texts: the values as given.
        regions: for each text the region of national numbers (ISO 3166-1 alpha-2), or None for the profile's.
        profile: a profile of one column.
        reference: known logins and registered values.
        masked_as: the whole profile, which says what is sensitive; None: nothing is masked.
    """
    (column,) = profile.columns
    if masked_as is None:
        profile = profile.model_copy(update={"columns": [column.model_copy(update={"sensitive": False})]})
    found: dict[int, Judgement] = {}
    for region in dict.fromkeys(regions):
        places = [place for place, own in enumerate(regions) if own == region]
        there = profile.model_copy(update={"region": region}) if region else profile
        judged = _judge([texts[place] for place in places], there, reference)
        found.update(zip(places, judged, strict=True))
    judged = [found[place] for place in range(len(texts))]
    return [_masked(one, column.field, masked_as) for one in judged] if masked_as else judged


def _masked(one: Judgement, field_name: str, profile: Profile) -> Judgement:
    looks = looks_in(profile, field_name, is_rejected=not one.valid)
    quoted = TOLD if looks == TOLD else ANY
    repairs = [
        {name: each if name == "why" else mask_value(each, looks) for name, each in repair.items()}
        for repair in one.repairs
    ]
    return replace(
        one,
        input=mask_value(one.input, looks),
        value=mask_value(one.value, looks),
        message=mask_value(one.message, quoted),
        fix=mask_value(one.fix, quoted),
        repairs=repairs,
    )


def _judge(texts: list[str], profile: Profile, reference: Reference) -> list[Judgement]:
    (column,) = profile.columns
    raw = pl.DataFrame({"value": texts, _ANCHOR: ["kept"] * len(texts)}, schema_overrides={"value": pl.String})
    raw = raw.select(row_number=pl.row_index() + 2, line_number=pl.row_index() + 2, value="value", anchor=_ANCHOR)
    fields, headings = {"value": column.field}, {"value": column.heading}
    normalized, _ = normalize(raw, fields, profile, reference, headings)
    rejections = validate(normalized, profile, reference, {column.field: column.heading})
    repairs = repairs_of(raw, normalized, fields, profile, reference, headings)
    by_row: dict[int, dict[str, Any]] = {}
    for rejection in rejections.sort(pl.col("severity") == "warning", maintain_order=True).iter_rows(named=True):
        by_row.setdefault(rejection["row_number"], rejection)
    repaired: dict[int, list[dict[str, str | None]]] = {}
    for repair in repairs.iter_rows(named=True):
        repaired.setdefault(repair["row_number"], []).append({k: repair[k] for k in ("before", "after", "why")})
    return [
        _judgement(text, value, profile, by_row.get(number, {}), repaired.get(number, []))
        for number, (text, value) in enumerate(zip(texts, normalized[column.field].to_list(), strict=True), 2)
    ]


def _judgement(
    text: str, value: Any, profile: Profile, rejection: Mapping[str, Any], repairs: list[dict[str, str | None]]
) -> Judgement:
    valid = not rejection or rejection["severity"] == "warning"
    return Judgement(
        input=text,
        region=profile.region,
        value=value if valid else None,
        valid=valid,
        code=rejection.get("code"),
        message=rejection.get("message"),
        fix=rejection.get("fix"),
        repairs=repairs if valid else [],
    )


def _column(name: str) -> Column:
    if name not in COLUMNS and name not in CONTACT_FIELDS:
        raise _unknown(name, {**CONTACT_FIELDS, **COLUMNS})
    kind = CONTACT_FIELDS.get(name, "text")
    return Column.model_validate(
        {"field": name, "heading": name.replace("_", " "), "kind": kind, **COLUMNS.get(name, {})}
    )


def _column_of(profile: Profile, name: str) -> Column:
    column = profile.column_of.get(name)
    if column is None:
        raise _unknown(name, profile.column_of)
    # The column that would decide the kind of identifier is not there, so any kind passes.
    kinds = dict.fromkeys([*column.identifiers, *(kind for kinds in column.identifiers_by.values() for kind in kinds)])
    return column.model_copy(update={"identifiers": list(kinds), "identifiers_by": {}, "identifiers_column": None})


def _with_dates(column: Column, formats: Sequence[str], pivot: int | None, zone: str | None) -> Column:
    """The column with other date formats, another pivot or another zone, where they are given."""
    given = {
        "formats": list(formats) or column.formats,
        "pivot": column.pivot if pivot is None else pivot,
        "zone": column.zone if zone is None else zone,
    }
    try:
        return Column.model_validate(column.model_dump() | given)
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise Usage("option-value", f"{message}.", "Correct --format or --zone, or give --pivot.") from error


def _unknown(name: str, known: Mapping[str, object]) -> Refusal:
    return Refusal("field-unknown", f"There is no field '{name}'.", f"Use one of: {listed(known, 30)}.")
