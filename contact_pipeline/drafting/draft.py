"""Composes a draft: reads the file, proposes each column, tries the types on the rows, and takes failing ones back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from contact_pipeline.drafting.proposal import Proposal, own_name, see_dates, see_moments, see_own
from contact_pipeline.drafting.write import as_yaml
from contact_pipeline.engines import read_parquet
from contact_pipeline.errors import Refusal, number_of
from contact_pipeline.headings.mapping import Mapping as Mapped
from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.headings.recognize import is_known
from contact_pipeline.headings.synonyms import synonyms
from contact_pipeline.headings.witness import what_columns_hold
from contact_pipeline.masking import mask_heading
from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.model import WITH_DAYS
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.settings import Settings
from contact_pipeline.temporary import passing_folder
from contact_pipeline.terms import CONTACT_FIELDS
from contact_pipeline.upload import RawUpload, ReadOptions, raw_paths, read_upload
from contact_pipeline.validate import validate
from contact_pipeline.values import COLUMNS, judge_values, profile_for

_TRIED: Final = 20_000  # rows
_MOST_COLUMNS: Final = 60
_TOO_MANY: Final = 0.2  # share of filled cells; with more errors the type is wrong, not the cells
_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "PL", "NL", "BR", "JP", "IN", "AU", "AT", "CH", "BE", "PT", "MX")
_NUMBERS: Final = 100  # tried in each region
_TYPES: Final = {  # without identifiers, which are those of some countries only
    **{name: keys for name, keys in COLUMNS.items() if keys["type"] != "identifier"},
    "notes": {"type": "list", "separator": "\n"},
}
_WORDS: Final = {
    "email": "e-mail addresses", "phone": "telephone numbers", "ssn": "social security numbers", "date": "days",
    "moment": "moments", "zip_code": "postal codes", "country": "countries", "boolean": "yes or no", "name": "names",
    "list": "texts",
}  # fmt: skip
_KEYS: Final = (
    ("account_number",), ("ssn",), ("email",), ("phone",), ("full_name", "date_of_birth"), ("full_name", "zip_code"),
    ("first_name", "last_name", "date_of_birth"), ("first_name", "last_name", "zip_code"), ("first_name", "last_name"),
    ("full_name",),
)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A profile proposed from a file.

    Attributes:
        name: of the profile.
        text: its YAML with comments.
        fields: heading → field.
        left_out: headings that fill nothing, and why.
    """

    name: str
    text: str
    fields: dict[str, str]
    left_out: dict[str, str]


def draft_profile(file: Path, name: str, options: ReadOptions, settings: Settings) -> Draft:
    """Proposes a profile for files like this one.

    Args:
        file: an export of the system.
        name: of the profile.
        options: what was declared for the file.
        settings: the settings.

    Raises:
        Refusal: the file cannot be read, or its first row holds values (code `draft-without-headings`).
    """
    known = [heading for headings in synonyms().values() for heading in headings]
    with passing_folder(settings.home) as folder:
        raw = read_upload(file, file.name, None, options, folder, settings, known=known)
        rows = pl.concat([read_parquet(part) for part in raw_paths(folder)])
    rows = rows.filter(~pl.all_horizontal(pl.col(raw.columns).is_null()))
    _must_have_rows_and_headings(raw, rows, file.name)
    holds = what_columns_hold(rows.head(1_000).select(raw.columns))
    proposals, left_out = _propose(raw, rows, holds)
    region, why_region = _region(proposals, rows)
    _set_types(proposals, rows, month_first=region == "US")
    content = _content(name, file, raw, options, proposals, region)
    errors = _try(content, proposals, rows, raw)
    content["match"], why_match = _match(proposals, rows, errors)
    text = as_yaml(content, proposals, left_out, {"region": why_region, "match": why_match}, file=file.name, raw=raw)
    fields = {mask_heading(heading): each.field for each in proposals for heading in each.headings}
    return Draft(name, text, fields, left_out)


def _must_have_rows_and_headings(raw: RawUpload, rows: pl.DataFrame, file_name: str) -> None:
    if not rows.height:
        raise Refusal(
            "file-header-only",
            f"{file_name} has a heading but no rows.",
            "A draft needs rows to look at.",
            file=file_name,
        )
    named = [heading for heading in raw.headings if heading.strip()]
    below = what_columns_hold(pl.DataFrame({c: [h, h] for c, h in zip(raw.columns, raw.headings, strict=True)}))
    alike = what_columns_hold(pl.DataFrame({str(n): [h, f"{h}a", f"{h}b"] for n, h in enumerate(named)}))
    names = [h for n, h in enumerate(named) if alike.get(str(n)) == "full_name"]
    of_people = names and not any(map(is_known, named)) and "full_name" in what_columns_hold(rows.head(100)).values()
    if of_people or any(mask_heading(h) != h for h in named) or {"email", "phone"} & {*below.values()}:
        raise Refusal(
            "draft-without-headings",
            f"{file_name}: row {raw.heading_row} holds values where headings are expected.",
            "Write a heading above each column, then draft again.",
            file=file_name,
            row_number=raw.heading_row,
        )


def _propose(raw: RawUpload, rows: pl.DataFrame, holds: Mapping[str, Any]) -> tuple[list[Proposal], dict[str, str]]:
    """Each field with its columns, canonical fields first, in the file's order; and the headings that fill nothing."""
    mapped = _mapped(raw, holds)
    heading_of = dict(zip(raw.columns, raw.headings, strict=True))
    found: dict[str, Proposal] = {}
    left_out: dict[str, str] = {}
    taken: set[str] = set()
    for position, (column, heading) in enumerate(heading_of.items(), 1):
        filled = rows[column].drop_nulls().len()
        label = mask_heading(heading) or f"column {position}"
        if not heading.strip():
            left_out[label] = "it has no heading"
        elif heading.strip().casefold() in taken:
            left_out[f"{label} (column {position})"] = "its heading stands over an earlier column, too"
        elif not filled and column not in mapped:
            left_out[label] = "all of its cells are blank"
        else:
            taken.add(heading.strip().casefold())
            name = mapped.get(column) or own_name(heading, position, {*CONTACT_FIELDS, *found})
            proposal = found.setdefault(name, Proposal(name, [], [], own=column not in mapped))
            proposal.headings.append(heading.strip())
            proposal.columns.append(column)
            proposal.keys |= _TYPES.get(name, {}) if column in mapped else {}
    order = {column: n for n, column in enumerate(mapped)}
    for proposal in found.values():  # several columns of one field, the preferred ones first
        pairs = sorted(zip(proposal.columns, proposal.headings, strict=True), key=lambda pair: order.get(pair[0], 0))
        proposal.columns, proposal.headings = [c for c, _ in pairs], [h for _, h in pairs]
    proposals = sorted(found.values(), key=lambda proposal: proposal.own)
    for each in proposals[_MOST_COLUMNS:]:
        left_out[mask_heading(each.headings[0])] = f"a profile has {_MOST_COLUMNS} columns at most here"
    return proposals[:_MOST_COLUMNS], left_out


def _mapped(raw: RawUpload, holds: Mapping[str, Any]) -> dict[str, str]:
    """Raw column → canonical field, by the words of headings; by cells where they leave no doubt."""
    everything = Profile.model_validate(
        {
            "name": "everything",
            "title": "Every field",
            "address_book": "everything",
            "file": {"types": ["csv"]},
            "headings": "mapped",
            "columns": [
                {"field": field, "heading": field, **_TYPES.get(field, {})}
                for field in synonyms()
                if field in CONTACT_FIELDS
            ],
            "match": [{"equal": ["email"]}],
            "on_error": "reject",
            "apply": "approval",
        }
    )
    try:
        mapping = map_headings(raw.headings, raw.columns, everything, holds={**holds})
    except Refusal:
        mapping = Mapped({}, [])
    by_cells = {}
    for field in ("email", "phone"):
        alike = [c for c, content in holds.items() if content == field and c not in mapping.fields]
        if field not in mapping.fields.values() and alike:
            by_cells[alike[0]] = field
    return {**mapping.fields, **by_cells}


def _region(proposals: list[Proposal], rows: pl.DataFrame) -> tuple[str | None, str]:
    """The region in which most national numbers are right, and the counts behind it."""
    columns = [column for each in proposals if each.field == "phone" for column in each.columns]
    if not columns:
        return None, ""
    cells = pl.concat([rows[column].alias("n").str.strip_chars() for column in columns]).drop_nulls()
    national = cells.filter(~cells.str.contains(r"^(?:\+|00)"))
    if national.is_empty():
        return None, f"none is needed: all {cells.len():,} telephone numbers begin with + or 00"
    some, phone = national.unique(maintain_order=True).head(_NUMBERS).to_list(), profile_for("phone")
    right = {
        region: sum(one.valid for one in judge_values(some, [region] * len(some), phone, Reference(), masked_as=None))
        for region in _REGIONS
    }
    best = max(right, key=lambda region: right[region])
    rivals = [region for region in _REGIONS if region != best and right[region] == right[best]]
    if right[best] * 2 < len(some):
        return None, f"none fits: national numbers, {national.len():,} of {cells.len():,}, will be refused"
    return best, (
        f"ASSUMED, please check: {right[best]} of {len(some)} different national numbers are right in {best}"
        + (f", as many in {', '.join(rivals)}" if rivals else "")
    )


def _set_types(proposals: list[Proposal], rows: pl.DataFrame, *, month_first: bool) -> None:
    this_year = datetime.now(UTC).year % 100
    for each in proposals:
        cells = pl.concat([rows[column].alias("cells") for column in each.columns]).drop_nulls()
        if each.own:
            if any(see(each, cells, month_first=month_first, this_year=this_year) for see in (see_moments, see_dates)):
                each.keys["kind"] = "text"
            else:
                see_own(each, cells)
        elif each.type == "date" and not see_dates(each, cells, month_first=month_first, this_year=this_year):
            each.why.append("most cells are no days that are known" if cells.len() else "no cell is filled")
        longest = cells.str.len_chars().max() or 0
        if isinstance(longest, int) and longest > 500:
            each.keys["max_length"] = 2 * longest
        blank = rows.select(pl.all_horizontal(pl.col(each.columns).is_null()).sum()).item()
        if not blank and each.type not in {"list", "boolean"}:
            each.keys["required"] = True
        each.why.append("never blank" if not blank else f"blank in {blank:,} of {rows.height:,} rows")


def _content(
    name: str,
    file: Path,
    raw: RawUpload,
    options: ReadOptions,
    proposals: list[Proposal],
    region: str | None,
) -> dict[str, Any]:
    """The profile as YAML has it; the columns are filled in when it is tried."""
    is_text = raw.file_type == "csv"
    takes: dict[str, Any] = {"types": ["csv" if is_text else "xlsx"]}
    if is_text and raw.delimiter and raw.delimiter != ",":
        takes["delimiter"] = raw.delimiter
    if is_text and raw.encoding and raw.encoding.lower().replace("_", "-") not in {"utf-8", "utf-8-sig", "ascii"}:
        takes["encoding"] = raw.encoding
    if options.sheet:
        takes["sheet"] = options.sheet
    title = mask_heading(file.stem.replace("_", " ").strip().capitalize()) or name
    return {
        "name": name,
        "title": title,
        "address_book": name,
        "file": takes,
        "headings": "mapped",
        **({"region": region} if region else {}),
        "columns": [each.content() for each in proposals],
        "match": [{"equal": [proposals[0].field]}],
        "matched": "update",
        "within_file": "first_wins",
        "blank": "keep",
        "on_error": "reject",
        "apply": "approval",
    }


def _try(content: dict[str, Any], proposals: list[Proposal], rows: pl.DataFrame, raw: RawUpload) -> dict[str, int]:
    """Runs the first rows through the draft, and takes back types that many cells fail. Returns errors by field."""
    some = rows.head(_TRIED)
    heading_of = dict(zip(raw.columns, raw.headings, strict=True))
    errors: dict[str, int] = {}
    for _ in range(3):
        content["columns"] = [each.content() for each in proposals]
        text_match = next((each.field for each in proposals if each.type not in {"list", "boolean"}), None)
        if text_match is None:
            proposals[0].keys = {"kind": "text"}
            continue
        content["match"] = [{"equal": [text_match]}]
        profile = Profile.model_validate(content)
        fields = {column: each.field for each in proposals for column in each.columns}
        normalized, _ = normalize(some, fields, profile, Reference(), heading_of, joined=raw.joined)
        found = validate(normalized, profile, Reference(), {each.field: each.headings[0] for each in proposals})
        errors = dict(found.filter(pl.col("severity") == "error").group_by("field").len().iter_rows())
        if not _take_back(proposals, errors, some):
            break
    first = "the first " if rows.height > some.height else ""
    for each in proposals:
        filled = some.select(pl.any_horizontal(pl.col(each.columns).is_not_null()).sum()).item()
        wrong = errors.get(each.field, 0)
        if each.type in _WORDS and each.type not in WITH_DAYS and filled:
            each.why.insert(0, f"{filled - wrong:,} of {first}{filled:,} cells are {_WORDS[each.type]}")
        if wrong:
            each.why.append(f"rows with the other {wrong:,} will be rejected, with the reason")
    return errors


def _take_back(proposals: list[Proposal], errors: Mapping[str, int], rows: pl.DataFrame) -> bool:
    """Makes columns text where many cells fail the type. Returns whether there were any."""
    taken = {each.field for each in proposals}
    changed = False
    for each in proposals:
        wrong = errors.get(each.field, 0)
        filled = rows.select(pl.any_horizontal(pl.col(each.columns).is_not_null()).sum()).item()
        if wrong > _TOO_MANY * filled:
            changed = True
            each.why.append(f"NOT taken as {_WORDS.get(each.type, each.type)}: {wrong:,} of {filled:,} cells are none")
            if not each.own:
                each.own, each.field = True, own_name(f"{each.field}_text", 1, taken)
                taken.add(each.field)
            sensitive = {"sensitive": True} if each.keys.get("sensitive") else {}
            each.keys = {"kind": "text", **sensitive}
    return changed


def _match(
    proposals: list[Proposal], rows: pl.DataFrame, errors: Mapping[str, int]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The match rules: fields that are unique and filled, else those that come nearest; and the counts."""
    there = {each.field: each for each in proposals if each.type not in {"list", "boolean", "choice", "moment"}}
    own_ids = [(f,) for f, each in there.items() if each.own and {"id", "nr", "no", "number"} & {*f.split("_")}]
    candidates = [each for each in (*own_ids, *_KEYS) if all(field in there for field in each)]
    candidates += [(field,) for field in there if (field,) not in candidates]
    measured: list[tuple[tuple[str, ...], int, int]] = []
    for fields in candidates:
        firsts = [
            pl.coalesce(pl.col(there[field].columns)).str.strip_chars().str.to_lowercase().alias(field)
            for field in fields
        ]
        keys = rows.select(firsts).drop_nulls()
        measured.append((fields, keys.height, keys.n_unique() if keys.height else 0))
    unique = [
        each for each in measured if each[1] == rows.height == each[2] and not any(errors.get(f) for f in each[0])
    ]
    usual = [each for each in measured if each[0] in _KEYS and each[1]]
    fields, filled, different = (
        next((each for each in unique if each[0] in _KEYS or each[0] in own_ids), None)
        or next(iter(usual), None)
        or next(iter(unique), None)
        or measured[0]
    )
    why = [f"{' + '.join(fields)}: filled in {filled:,} of {rows.height:,} rows, {different:,} different"]
    if different < filled:
        why.append(f"{number_of(filled - different, 'row')} with the value of another: ASSUMED to be the same person")
    why += [f"{' + '.join(other)} is unique and never blank, too" for other, *_ in unique if other != fields][:5]
    spare = next(
        (o for o, full, alone in measured if (o in _KEYS or o in own_ids) and o != fields and full == alone > 0), None
    )
    rules = [fields]
    if filled < rows.height and spare is not None and len(spare) == 1:
        rules.append(spare)
        why.append(f"{spare[0]}, no value of which stands twice, is for rows without {' + '.join(fields)}")
    return [{"equal": [*each]} for each in rules], why
