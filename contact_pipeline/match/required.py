"""Rejects rows that would clear a required field of a contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match.changeset import pair
from contact_pipeline.match.defects import add_defects
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.profiles import NAME, AnyOf, RequiredWhen

WOULD_CLEAR = "would-clear-required"


def reject_clearing(database: Tables, part: Part) -> None:
    """Rejects rows that would clear a filled required field; rows in turn are tested in their loop."""
    fields = weighed_fields(part)
    if not fields:
        return
    lacking = " ".join(
        f"WHEN {_had(rule, fields)} AND {_lacks(rule, fields)} THEN {literal(_in_words(rule, part))}"
        for rule in part.required
    )
    rows = database.rows(f"""
        WITH pairs AS (
            SELECT w.row_number, {", ".join(pair(part, name) for name in fields)}
            FROM {part.table("gathered")} AS w JOIN {part.table("candidates")} AS c ON c.{part.id} = w._target
            ANTI JOIN rows_in_turn AS turn ON turn.row_number = w.row_number
        ),
        tested AS (SELECT row_number, CASE {lacking} END AS lacking FROM pairs)
        SELECT row_number, lacking FROM tested WHERE lacking IS NOT NULL""")
    reject_rows(database, rows)


def reject_rows(database: Tables, rows: Sequence[tuple[int, str]]) -> None:
    """Rejects rows that would clear a required field; each comes with the name of the field."""
    if not rows:
        return
    schema = {"row_number": pl.UInt32, "lacking": pl.String}
    database.see("clearing", pl.DataFrame(rows, schema=schema, orient="row"))
    add_defects(database, WOULD_CLEAR, "FROM clearing", placeholders={"expected": "lacking"})
    database.unsee("clearing")


def weighed_fields(part: Part) -> list[str]:
    """The fields that the requirements look at; none where no row can clear anything."""
    if not (part.updates and part.clears and part.required):
        return []
    looked_at = {name for rule in part.required for name in rule.fields}
    known = {**part.kinds, **part.weighed}
    return [name for name in known if name in looked_at or (NAME in looked_at and name in NAME_PARTS)]


def lacks(part: Part, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> str | None:
    """The requirement that is met before and not afterwards, in words."""
    for rule in part.required:
        if _met(rule, before) and _applies(rule, after) and not _met(rule, after):
            return _in_words(rule, part)
    return None


def _applies(rule: AnyOf | RequiredWhen, values: Mapping[str, str | None]) -> bool:
    if isinstance(rule, AnyOf):
        return not rule.when_any or any(_is_filled(name, values) for name in rule.when_any)
    return all(values.get(name) in wanted if wanted else _is_filled(name, values) for name, wanted in rule.when.items())


def _met(rule: AnyOf | RequiredWhen, values: Mapping[str, str | None]) -> bool:
    sets = [[rule.required]] if isinstance(rule, RequiredWhen) else rule.any_of
    return any(all(_is_filled(name, values) for name in group) for group in sets)


def _is_filled(name: str, values: Mapping[str, str | None]) -> bool:
    return any(values.get(part) is not None for part in (NAME_PARTS if name == NAME else (name,)))


def _had(rule: AnyOf | RequiredWhen, fields: list[str]) -> str:
    """The SQL condition that the contact meets the requirement."""
    return _has(rule, "old", fields)


def _lacks(rule: AnyOf | RequiredWhen, fields: list[str]) -> str:
    """The SQL condition that the requirement applies afterwards and is not met."""
    if isinstance(rule, RequiredWhen):
        applies = " AND ".join(
            f"{quoted('_new_' + name)} IN ({', '.join(literal(value) for value in values)})"
            if values
            else _filled(name, "new", fields)
            for name, values in rule.when.items()
        )
    else:
        applies = " OR ".join(_filled(name, "new", fields) for name in rule.when_any) or "true"
    return f"({applies}) AND NOT {_has(rule, 'new', fields)}"


def _has(rule: AnyOf | RequiredWhen, side: str, fields: list[str]) -> str:
    sets = [[rule.required]] if isinstance(rule, RequiredWhen) else rule.any_of
    return f"({' OR '.join(' AND '.join(_filled(name, side, fields) for name in group) for group in sets)})"


def _filled(name: str, side: str, fields: list[str]) -> str:
    """Whether a field holds something; a name is a whole one or any part of one."""
    names = [part for part in NAME_PARTS if part in fields] if name == NAME else [name]
    columns = [quoted(f"_{side}_{part}") for part in names]
    return f"({' OR '.join(f'{column} IS NOT NULL' for column in columns)})"


def _in_words(rule: AnyOf | RequiredWhen, part: Part) -> str:
    return rule.message if isinstance(rule, AnyOf) else part.headings.get(rule.required, rule.required)
