"""Explains the outcome of one row in words, step by step through the stages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl

from contact_pipeline.contracts.states import STATES
from contact_pipeline.errors import Refusal
from contact_pipeline.masking import mask_heading
from contact_pipeline.match import (
    FOUND_BY_MATCHING,
    Part,
    explain_decision,
    explain_keys,
    explain_rules,
    parts_of,
)
from contact_pipeline.pipeline.stages import list_repairs
from contact_pipeline.pipeline.uploads import corrections_of
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.model import WithinFile
from contact_pipeline.reports.repairs import repairs_shown
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.changes import target_of
from contact_pipeline.store.expiries import not_kept
from contact_pipeline.terms import COLUMN_OF, LEFT_OUT, UNREAD

# What the row does that counts for several rows, by the profile's `within_file`.
_COUNTS: Final[Mapping[WithinFile, str]] = {
    "merge": "writes what both say together",
    "last_wins": "comes last and counts; it writes",
    "first_wins": "comes first and counts; of this one only a wish not to be contacted is written. It writes",
    "reject_later": "comes first and counts; it writes",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did with the row.

    Attributes:
        step: `upload`, `read`, `corrected`, `normalized`, `validated`, `compared`, `rules`, `decided`, `matched` (what
            matching found wrong), `written` or `outcome`.
        entity: `contact` or `account`, where the step is about a part of the row.
        says: sentences for people, sensitive values masked.
    """

    step: str
    entity: str | None
    says: list[str]


def explain(store: Store, line: LedgerLine, row_number: int) -> list[Step]:
    """The steps that led to a row's outcome, in order; steps that were not reached are left out.

    Raises:
        Refusal: the upload has no staged data (code `nothing-staged`), or the file has no such row (`row-unknown`).
    """
    upload = Upload(line, store.staging(line.upload_id), store.names)
    staging, profile = upload.staging, upload.resolved_profile
    if profile is None or not staging.count("facts"):
        raise not_kept(
            line,
            "Nobody sent a file: `show` lists what was changed by hand."
            if upload.is_by_hand
            else "Plan the file again to see how a row was handled.",
        )
    facts = staging.facts()
    with upload.looking():
        raw = upload.row("raw_rows", row_number)
        outcome = upload.row("outcome_rows", row_number)
        if raw is None and outcome is None:
            raise Refusal(
                "row-unknown",
                f"{line.file_name} has no row {row_number}.",
                "The heading is row 1 of most files; `show --rows` lists the rows with their numbers.",
                file=line.file_name,
                row_number=row_number,
            )
        steps = [Step("upload", None, [f"{line.state}: {STATES[line.state].means}."])]
        if raw is not None and outcome is not None and outcome["outcome"] != "blank" and not _cells(raw, facts.columns):
            gone = "Its values are gone: the person that it is of was erased."
            return [*steps, Step("read", None, [gone]), Step("outcome", None, [_became(outcome)])]
        corrections = corrections_of(store, line, row_number)
        steps += [
            Step("read", None, [*_read(raw, facts.heading_of)]),
            Step("corrected", None, [*_corrected(corrections)]),
            Step("normalized", None, [*_normalized(store, upload, row_number)]),
        ]
        if outcome is None or outcome["outcome"] not in {"blank", LEFT_OUT}:
            steps.append(Step("validated", None, [*_validated(upload, row_number)]))
        if outcome is not None and outcome["outcome"] not in {"blank", LEFT_OUT} and not _is_wrong(upload, row_number):
            upload = _where_decided(upload, row_number)
            columns = staging.normalized_facts().columns_normalized
            headings = {name: mask_heading(heading) for name, heading in facts.headings_by_field(profile).items()}
            for part in parts_of(profile, upload.options, columns, headings):
                steps += _matched(upload, part, row_number)
            steps.append(Step("matched", None, [*_defects(upload, row_number, by_matching=True)]))
            steps.append(Step("written", None, [*_written(upload, outcome, profile)]))
        if outcome is not None:
            steps.append(Step("outcome", None, [_became(outcome)]))
    return [step for step in steps if step.says]


def _where_decided(upload: Upload, row_number: int) -> Upload:
    """The upload with the changeset in which the row was decided, if it was decided after applying."""
    for later in map(partial(Upload, upload.line), upload.staging.decided()):
        outcome = later.row("outcome_rows", row_number)
        if outcome is not None and outcome["outcome"] != "review":
            return later
    return upload


def _read(raw: Mapping[str, Any] | None, headings: Mapping[str, str]) -> Iterator[str]:
    if raw is None:
        yield "The row could not be split into the columns of the heading."
        return
    cells = [f"{mask_heading(headings[name] or name)} '{value}'" for name, value in _cells(raw, headings).items()]
    yield f"Line {raw['line_number']} of the file: {'; '.join(cells) or 'no cell holds anything'}."


def _cells(raw: Mapping[str, Any], columns: Collection[str]) -> dict[str, str]:
    """The cells that hold something."""
    return {name: raw[name] for name in columns if raw[name] is not None}


def _normalized(store: Store, upload: Upload, row_number: int) -> Iterator[str]:
    """The values, and what was repaired."""
    row = upload.row("normalized_rows", row_number)
    if row is None:
        return
    values = [
        f"{name} {_shown(value)}"
        for name, value in row.items()
        if value is not None and name not in {"row_number", "repaired"} and not name.startswith((UNREAD, COLUMN_OF))
    ]
    yield f"Its values are {'; '.join(values)}." if values else "Nothing is left."
    repairs = list_repairs(store, upload.line, [row_number]) if row["repaired"] else None
    for repair in repairs_shown(upload, repairs).rows(named=True) if repairs is not None else ():
        sides = f"{_side(repair['before'])} → {_side(repair['after'])}"
        yield f"Repaired in {mask_heading(repair['column'])}: {sides} ({repair['why']})."


def _corrected(corrections: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The corrections of the row, including those taken back."""
    for each in corrections:
        what = "Left out"
        if each["kind"] == "cell":
            what = f"{each['column']}: {_side(each['before'])} → {_side(each['after'])}"
        taken_back = "; taken back since" if each["withdrawn"] else ""
        by = f"by {each['corrected_by']} on {each['corrected_at'][:10]}"
        yield f"{what}, {by} (correction {each['number']}{taken_back})."


def _validated(upload: Upload, row_number: int) -> Iterator[str]:
    with upload.staging.look() as database:
        if database is None or not database.has("rejections"):
            return
    yield from [*_defects(upload, row_number, by_matching=False)] or ["No rule of the profile is broken."]


def _is_wrong(upload: Upload, row_number: int) -> bool:
    """Whether an error found before matching kept the row from being matched."""
    error = (pl.col("severity") == "error") & ~pl.col("code").is_in(FOUND_BY_MATCHING)
    return not upload.rejections.filter((pl.col("row_number") == row_number) & error).is_empty()


def _defects(upload: Upload, row_number: int, *, by_matching: bool) -> Iterator[str]:
    """The errors and warnings of the row: those that only matching finds, or all others."""
    of_matching = pl.col("code").is_in(FOUND_BY_MATCHING)
    of_row = (pl.col("row_number") == row_number) & (of_matching if by_matching else ~of_matching)
    for defect in upload.rejections.filter(of_row).rows(named=True):
        what = {"error": "Error", "noted": "Taken out, and noted", "warning": "Warning"}[defect["severity"]]
        column = f", {mask_heading(defect['column'])}" if defect["column"] else ""
        value = f" '{defect['value']}'" if defect["value"] else ""
        yield f"{what}{column}{value}: {defect['message']} {defect['fix'] or ''}".strip()


def _matched(upload: Upload, part: Part, row_number: int) -> Iterator[Step]:
    with upload.staging.look() as database:
        if database is None or not database.has(part.table("pairs")):
            return
        for step, explained in (
            ("compared", explain_keys), ("rules", explain_rules), ("decided", explain_decision),
        ):  # fmt: skip
            yield Step(step, part.entity, explained(database, part, row_number))


def _written(upload: Upload, outcome: Mapping[str, Any], profile: Profile) -> Iterator[str]:
    """The changes of the row, or of the row that counts for it if it is a duplicate."""
    row_number = outcome["duplicate_of_row"] or outcome["row_number"]
    changes = upload.changes_by(row_number)
    if outcome["duplicate_of_row"] and changes:
        yield f"Row {row_number} {_COUNTS[profile.within_file]}:"
    for change in changes:
        reached = outcome["contact_id"] or change.get("contact_id")
        linked = ", linked with the one that the row reaches" if change.get("contact_id", reached) != reached else ""
        creates = change["action"] == "create"
        sides = [
            f"{name} '{after}'" if creates else f"{name} {_side(before)} → {_side(after)}"
            for name, (before, after) in change["fields"].items()
            if not (creates and name == "active")
        ]
        yield f"{change['action'].capitalize()} {target_of(change)}{linked}{': ' + '; '.join(sides) if sides else ''}."


def _shown(value: Any) -> str:
    """A value of a row; the empty text means nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value == "" else f"'{'; '.join(value) if isinstance(value, list) else value}'"


def _side(value: str | None) -> str:
    return "blank" if value in (None, "") else f"'{value}'"


def _became(outcome: Mapping[str, Any]) -> str:
    target = next((f"{name} {outcome[name + '_id']}" for name in ("account", "contact") if outcome[name + "_id"]), "")
    words = {
        "created": f"created: {target} is new.",
        "updated": f"updated: {target} changes.",
        "unchanged": f"unchanged: {target} has all of it already.",
        "linked": f"linked: {target} is new, and linked with the one that it is.",
        "rejected": "rejected: nothing of it is imported.",
        "review": "review: it waits for a person, and changes nothing until then.",
        "left_out": "left_out: somebody took it out of the plan; nothing of it is imported.",
        "blank": "blank: it holds nothing.",
    }
    if outcome["outcome"] == "duplicate":
        if outcome["duplicate_of_row"]:
            return f"duplicate: it means the same as row {outcome['duplicate_of_row']} ({target})."
        return f"duplicate: contact {outcome['duplicate_of_contact']} is there already, and is left as it is."
    return words[outcome["outcome"]]
