"""Gathers the rows that reach the same target, and makes of them the one write that the target gets."""

from __future__ import annotations

import polars as pl

from contact_pipeline.engines import Database, quoted
from contact_pipeline.engines import text as literal
from contact_pipeline.match.part import Part
from contact_pipeline.terms import CONSENT


def make_targets(database: Database, part: Part, followers: pl.DataFrame) -> None:
    """Makes <entity>_targets: for every row what it aims at, and which row counts among those that aim at the same.

    Columns: row_number, decision, target (an existing id), leader (the first row of something new), first (the row
    that counts: the target's first, or its last where the profile says so; none where a person is to decide), and
    followed (whether the target has more than one row).
    """
    counts = "max" if part.within_file == "last_wins" else "min"
    database.see("followers", followers)
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE {part.table("targets")} AS
        WITH aimed AS (
            SELECT row_number, target,
                   CASE WHEN in_doubt THEN 'review' ELSE decision END AS decision,
                   CASE WHEN decision = 'new' THEN coalesce(followers.leader, row_number) END AS leader
            FROM {part.table("decisions")} LEFT JOIN followers USING (row_number)
        ),
        shared AS (
            SELECT target, leader, {counts}(row_number) AS first FROM aimed WHERE decision <> 'review'
            GROUP BY ALL HAVING count(*) > 1
        )
        SELECT row_number, aimed.target, decision, aimed.leader,
               CASE WHEN decision <> 'review' THEN coalesce(first, row_number) END AS first,
               decision <> 'review' AND first IS NOT NULL AS followed
        FROM aimed LEFT JOIN shared
             ON aimed.target IS NOT DISTINCT FROM shared.target AND aimed.leader IS NOT DISTINCT FROM shared.leader""")
    database.unsee("followers")


def make_consents(database: Database, part: Part, rows: str) -> None:
    """Makes <entity>_consents (first): the targets of which some row, whether it counts or not, says not to contact."""
    said = f"""
        SELECT DISTINCT first FROM {part.table("targets")} JOIN {rows} AS r USING (row_number)
        WHERE decision <> 'review' AND r.{quoted(CONSENT)}"""
    nobody = "SELECT NULL::UINTEGER AS first WHERE false"
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE {part.table("consents")} AS
        {said if CONSENT in part.kinds else nobody}""")


def make_writes(database: Database, part: Part, rows: str) -> None:
    """Makes the view <entity>_writes: one line per target with the values that its rows give it together.

    Where later rows are merged into the first, `keep` takes the last value given, `fill` the first one, `overwrite`
    what the last row says; lists are united. `given_<field>` lists all values in file order, for the notes. `_last` is
    the last row.
    Where contacts that are there are ignored, those of `make_consents` are written all the same.
    """
    merged, consents = part.within_file == "merge", part.table("consents")
    wanted = f"""
        SELECT row_number, target, followed, first FROM {part.table("targets")}
        WHERE decision <> 'review' AND {"true" if merged else "row_number = first"}
              {f"AND (target IS NULL OR first IN (FROM {consents}))" if part.matched == "ignore" else ""}
              AND row_number NOT IN (SELECT row_number FROM reviews) AND row_number NOT IN (FROM left_out)"""
    extra = ", noted, import_notes" if part.takes_notes else ""
    fields = ", ".join(
        f"(r.{quoted(name)} OR first IN (FROM {consents})) AS {quoted(name)}"
        if name == CONSENT
        else f"r.{quoted(name)}"
        for name in part.kinds
    )
    single = f"""
        SELECT row_number, row_number AS _last, target, {fields}{extra}{_given(part, "[r.{0}]")}
        FROM wanted JOIN {rows} AS r USING (row_number){" WHERE NOT followed" if merged else ""}"""
    together = ", ".join(f"{_together(part, name)} AS {quoted(name)}" for name in part.kinds)
    several = f"""
        SELECT first AS row_number, max(row_number) AS _last, any_value(target) AS target, {together}
               {_merged_notes(part)}
               {_given(part, "coalesce(list(r.{0} ORDER BY row_number) FILTER (r.{0} IS NOT NULL), [])")}
        FROM wanted JOIN {rows} AS r USING (row_number) WHERE followed GROUP BY first"""
    if merged:
        database.run(f"CREATE OR REPLACE TEMP TABLE {part.table('merged')} AS WITH wanted AS ({wanted}) {several}")
    database.run(f"""
        CREATE OR REPLACE TEMP VIEW {part.table("writes")} AS
        WITH wanted AS ({wanted}) {single}
        {f"UNION ALL BY NAME FROM {part.table('merged')}" if merged else ""}""")


def noted_fields(part: Part) -> list[str]:
    """Fields of which a displaced value is kept in a note; a name in parts is kept as the full name."""
    parts = {"first_name", "last_name"} if "full_name" in part.kinds else set()
    return [
        name
        for name, kind in part.kinds.items()
        if part.merges and kind == "text" and name not in part.sensitive and name not in parts
    ]


def _given(part: Part, expression: str) -> str:
    return "".join(f", {expression.format(quoted(f))} AS {quoted('given_' + f)}" for f in noted_fields(part))


def _together(part: Part, name: str) -> str:
    column = f"r.{quoted(name)}"
    if name == "notes" and part.takes_notes:
        return f"flatten(list({column} ORDER BY row_number) FILTER ({column} IS NOT NULL))"
    if part.kinds[name] == "list":
        every = f"flatten(list({column} ORDER BY row_number) FILTER ({column} IS NOT NULL))"
        return f"list_filter({every}, lambda value, place: list_position({every}, value) = place)"
    if name == CONSENT:
        return f"CASE WHEN bool_or({column}) THEN true ELSE {_by_policy(part, name)} END"
    return _by_policy(part, name)


def _by_policy(part: Part, name: str) -> str:
    column, blank = f"r.{quoted(name)}", part.blanks[name]
    if blank == "overwrite":
        kept = f" FILTER (NOT list_contains(noted, {literal(name)}))" if part.takes_notes else ""
        return f"(arg_max({{'value': {column}}}, row_number){kept}).value"
    if blank == "fill":
        filled = f"nullif({column}, '')" if part.kinds[name] == "text" else column
        return f"arg_min({column}, row_number) FILTER ({filled} IS NOT NULL)"
    return f"arg_max({column}, row_number) FILTER ({column} IS NOT NULL)"


def _merged_notes(part: Part) -> str:
    if not part.takes_notes:
        return ""
    return """, list_reduce(list(noted), lambda one, other: list_intersect(one, other)) AS noted,
               flatten(list(import_notes ORDER BY row_number)) AS import_notes"""
