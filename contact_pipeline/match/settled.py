"""Settles rows in turn with identical keys without the loop: the first row decides for all.

Most colliding rows of real files are such repeated lines. Record 0029 shows that the loop gives the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contact_pipeline.engines import Tables, quoted
from contact_pipeline.match.erased import anybody_erased
from contact_pipeline.match.keys import filled, key_column, whole_keys
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.match.required import weighed_fields
from contact_pipeline.profiles import NAME

_NOTHING_SETTLED: Final = """
        SELECT NULL::UINTEGER AS row_number, NULL::UINTEGER AS first, NULL::VARCHAR AS decision, NULL::BIGINT AS target
        WHERE false"""


def make_settled(database: Tables, parts: Sequence[Part]) -> None:
    """Makes settled (row_number, first, decision, target): groups of rows whose first row decides for all.

    The rows of a group have identical keys, and share no whole key and no candidate with other rows. Needs the tables
    `reached` and `composers` of `make_rows_in_turn`.
    """
    database.make("settled", _NOTHING_SETTLED)
    (part, *others) = parts
    if others or not _can_settle(database, part):
        return
    keys = [key_column(name) for name in part.key_fields]
    named = ", ".join(keys)
    same = " AND ".join(f"turn.{key} IS NOT DISTINCT FROM firsts.{key}" for key in keys)
    database.make(
        "same_keys",
        f"""
        WITH turn AS (
            FROM {part.table("row_keys")}
            SEMI JOIN rows_in_turn USING (row_number) ANTI JOIN left_out USING (row_number)
        ),
        firsts AS (SELECT {named}, min(row_number) AS first FROM turn GROUP BY {named})
        SELECT row_number, {", ".join(f"turn.{key}" for key in keys)}, first, decision, target
        FROM turn JOIN firsts ON {same} JOIN {part.table("decisions")} AS decided USING (row_number)""",
    )
    database.append(
        "settled",
        f"""
        SELECT row_number, first, decision, target FROM same_keys
        WHERE first NOT IN ({_mixed(part)})""",
    )


def unsettle(database: Tables, rows: str) -> bool:
    """Gives the groups of these rows back to the loop. Returns whether there are any."""
    return database.delete("settled", f"first IN (SELECT first FROM settled SEMI JOIN ({rows}) USING (row_number))") > 0


def _can_settle(database: Tables, part: Part) -> bool:
    """Whether a row with the same keys always means the same contact, and changes no key."""
    if (
        not part.rules
        or any(rule.narrow for rule in part.rules)
        or weighed_fields(part)
        or anybody_erased(database, part)
    ):
        return False
    columns = {*part.key_fields, *(NAME_PARTS if NAME in part.key_fields else ())}
    keeps = not part.updates or all(part.blank_policies[name] == "keep" for name in columns.intersection(part.kinds))
    return keeps and columns.isdisjoint(part.when_new)


def _mixed(part: Part) -> str:
    """The query for groups that share something with other rows, or are in review."""
    sharing = [
        f"""
        SELECT first FROM same_keys SEMI JOIN (
            SELECT {columns} FROM same_keys WHERE {filled(fields)} GROUP BY {columns} HAVING min(first) <> max(first)
        ) USING ({columns})"""
        for fields in whole_keys(part)
        for columns in [", ".join(map(key_column, fields))]
    ]
    reaching = """
        SELECT first FROM same_keys JOIN reached USING (row_number) SEMI JOIN (
            SELECT representative FROM same_keys JOIN reached USING (row_number)
            GROUP BY representative HAVING min(first) <> max(first)
        ) USING (representative)"""
    judged = """
        SELECT first FROM same_keys WHERE decision = 'review'
              OR row_number IN (SELECT row_number FROM resolutions)
              OR row_number IN (SELECT other_row FROM resolutions WHERE other_row IS NOT NULL)
              OR row_number IN (FROM composers)"""
    return " UNION ALL ".join([*sharing, reaching, judged, *([_joining_names(part)] if part.updates else [])])


def _joining_names(part: Part) -> str:
    """The query for groups that may get a name joined from theirs and the contact's."""
    if NAME not in part.key_fields:
        return "SELECT first FROM same_keys WHERE false"
    whole, *parts = NAME_PARTS
    given = f"coalesce(w.{whole}, '') <> ''" if whole in part.kinds else "false"
    kept = " AND ".join(
        [f"coalesce(c.{whole}, '') = ''"]
        + [
            f"({f'w.{quoted(name)} IS NOT NULL OR ' if name in part.kinds else ''}coalesce(c.{quoted(name)}, '') = '')"
            for name in parts
        ]
    )
    return f"""
        SELECT s.first FROM same_keys AS s JOIN {part.table("rows")} AS w USING (row_number)
             JOIN {part.table("candidates")} AS c ON c.{part.id} = s.target
        WHERE s.decision = 'matched' AND NOT ({given} OR {kept})"""
