"""Rules over the whole file: values that must be unique in it, found by one statement over the staged rows."""

from __future__ import annotations

from collections.abc import Mapping

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.masking import mask_sql
from contact_pipeline.profiles import Profile, Unique, looks_in
from contact_pipeline.store.defects import defects


def reject_repeats(database: Tables, profile: Profile, headings: Mapping[str, str]) -> None:
    """Rejects rows that repeat values of an earlier row which the profile calls unique.

    Args:
        database: the upload's staging database with normalized_rows, left_out_rows, rejections and noted_cells.
            Rejected and left out rows, and noted cells, do not count.
        profile: its rules.
        headings: field → heading in the file.
    """
    there = {*database.columns("normalized_rows")}
    for rule in profile.rules:
        if isinstance(rule, Unique) and set(rule.unique) <= there:
            _reject(database, rule, profile, {field: headings.get(field, field) for field in rule.unique})


def _reject(database: Tables, rule: Unique, profile: Profile, headings: Mapping[str, str]) -> None:
    cells = [f"CAST({quoted(field)} AS VARCHAR)" for field in rule.unique]
    filled = " AND ".join(f"nullif({cell}, '') IS NOT NULL" for cell in cells)
    same = ", ".join(
        cell if profile.column_of[field].case == "keep" else f"lower({cell})"
        for cell, field in zip(cells, rule.unique, strict=True)
    )
    shown = (mask_sql(cell, looks_in(profile, field)) for cell, field in zip(cells, rule.unique, strict=True))
    value = f"concat_ws(', ', {', '.join(shown)})"
    column = literal(", ".join(headings.values()))
    fields = ", ".join(literal(field) for field in rule.unique)
    repeating = f"""
        WITH usable AS (
            SELECT row_number, {value} AS value, min(row_number) OVER (PARTITION BY {same})::VARCHAR AS first
            FROM normalized_rows
            WHERE {filled} AND row_number NOT IN (FROM left_out_rows)
              AND row_number NOT IN (SELECT row_number FROM rejections WHERE severity = 'error')
              AND row_number NOT IN (SELECT row_number FROM noted_cells WHERE list_has_any(fields, [{fields}]))
        )
        FROM usable WHERE row_number::VARCHAR <> first"""
    found = defects(
        "not-unique",
        repeating,
        placeholders={"column": column, "value": "value", "row": "first"},
        cell={"column": column, "field": literal(rule.unique[0]), "value": "value"},
    )
    database.append("rejections", f"{found} ORDER BY row_number")
