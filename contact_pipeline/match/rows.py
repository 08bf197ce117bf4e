"""The rows that take part in matching: rows without an error, without cells that went to the notes."""

from __future__ import annotations

from collections.abc import Collection

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match.keys import filled, keyed, whole_keys
from contact_pipeline.match.part import Part


def make_cleaned_rows(database: Tables, columns: Collection[str]) -> None:
    """Makes the views left_out and cleaned_rows.

    left_out: rows with any error, and those that somebody took out of the plan. A view, so that defects found later
    count too. cleaned_rows: all rows, without the cells that went to the notes (`noted` names their fields).
    """
    names = ", ".join(quoted(name) for name in columns)
    cells = ", ".join(
        f"CASE WHEN list_contains(noted, {literal(name)}) THEN NULL ELSE {quoted(name)} END AS {quoted(name)}"
        for name in columns
    )
    database.view(
        "left_out",
        """
        SELECT row_number FROM rejections WHERE severity = 'error'
        UNION ALL SELECT row_number FROM match_defects WHERE severity = 'error'
        UNION ALL SELECT row_number FROM left_out_rows""",
    )
    database.stage_view(
        "cleaned_rows",
        f"""
        WITH cells AS (SELECT row_number, fields AS noted, notes AS import_notes FROM noted_cells)
        SELECT row_number, {names}, []::VARCHAR[] AS noted, []::VARCHAR[] AS import_notes
        FROM normalized_rows ANTI JOIN cells USING (row_number)
        UNION ALL
        SELECT row_number, {cells}, noted, import_notes FROM normalized_rows JOIN cells USING (row_number)""",
    )


def make_part_rows(database: Tables, part: Part) -> str:
    """Makes the view <entity>_rows: a part's rows, with columns named as the entity's fields."""
    fields = ", ".join(f"{quoted(column)} AS {quoted(name)}" for name, column in part.source.items())
    present = " OR ".join(f"{quoted(column)} IS NOT NULL" for column in part.present if column in part.source.values())
    database.stage_view(
        part.table("rows"),
        f"""
        SELECT row_number, {fields}, noted, import_notes FROM cleaned_rows WHERE {present or "true"}""",
    )
    return part.table("rows")


def make_present_keys(database: Tables, part: Part) -> None:
    """Makes present_keys: keys of rejected and left out rows, from their usable values.

    Whom they mean counts as present.
    """
    cells = ", ".join(
        f"CASE WHEN list_contains(_bad, {literal(column)}) THEN NULL ELSE {quoted(column)} END AS {quoted(name)}"
        for name, column in part.source.items()
    )
    database.view(
        "present_rows",
        f"""
        WITH defects AS (
            SELECT row_number, list(field) AS _bad FROM rejections WHERE severity <> 'warning' GROUP BY row_number
        )
        SELECT row_number, {cells} FROM normalized_rows LEFT JOIN defects USING (row_number)
        WHERE row_number IN (FROM left_out)""",
    )
    keys = keyed(part, "present_rows", part.kinds, "row_number")
    database.make("present_keys", keys)


def make_keyless(database: Tables, part: Part) -> None:
    """Makes keyless (row_number): the rows without a whole key."""
    whole = " OR ".join(f"({filled(fields)})" for fields in whole_keys(part)) or "false"
    database.make(
        "keyless",
        f"""
        SELECT row_number FROM rejections ANTI JOIN present_keys USING (row_number) WHERE severity = 'error'
        UNION SELECT row_number FROM left_out_rows ANTI JOIN present_keys USING (row_number)
        UNION SELECT row_number FROM {part.table("row_keys")} WHERE NOT ({whole})""",
    )


def count_without_key(database: Tables) -> int:
    """How many rejected and left out rows have no whole key, so that nobody can say whom they mean."""
    count: int = database.value("""
        SELECT count(DISTINCT row_number)
        FROM (SELECT row_number FROM rejections WHERE severity = 'error' AND code <> 'erased'
              UNION ALL SELECT row_number FROM left_out_rows)
        SEMI JOIN keyless USING (row_number)""")
    return count
