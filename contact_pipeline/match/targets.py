"""Gathers the rows of each target, and the values that they give it together."""

from __future__ import annotations

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match.part import Part
from contact_pipeline.terms import CONSENT


def make_targets(database: Tables, part: Part) -> None:
    """Makes <entity>_targets: the target of every row, and which of the rows of a target counts.

    Columns: row_number, decision, target (an existing id), leader (the row that makes something new), first (the row
    that counts: the target's first, or its last where the profile says so; none where the row has no effect), and
    followed (whether the target has more than one row).
    """
    counts = "max" if part.within_file == "last_wins" else "min"
    in_turn = part.table("in_turn")
    database.make(
        part.table("targets"),
        f"""
        WITH shared AS (
            SELECT target, leader, {counts}(row_number) AS first FROM {in_turn} WHERE counts
            GROUP BY target, leader HAVING count(*) > 1
        )
        SELECT row_number, target, decision, CASE WHEN decision = 'new' THEN row_number END AS leader,
               CASE WHEN decision <> 'review' THEN row_number END AS first, false AS followed
        FROM {part.table("decisions")} ANTI JOIN {in_turn} USING (row_number)
        UNION ALL
        SELECT row_number, t.target, decision, t.leader,
               CASE WHEN counts THEN coalesce(first, row_number) END AS first,
               counts AND first IS NOT NULL AS followed
        FROM {in_turn} AS t LEFT JOIN shared
             ON t.target IS NOT DISTINCT FROM shared.target AND t.leader IS NOT DISTINCT FROM shared.leader""",
    )


def make_consents(database: Tables, part: Part) -> None:
    """Makes <entity>_consents (first): targets with a row, counting or not, that asks not to be contacted."""
    asking = f"""
        SELECT DISTINCT t.first FROM {part.table("targets")} AS t JOIN {part.table("rows")} AS r
             USING (row_number)
        WHERE t.first IS NOT NULL AND r.{quoted(CONSENT)}"""
    nobody = "SELECT NULL::UINTEGER AS first WHERE false"
    database.make(
        part.table("consents"),
        f"""
        {asking if CONSENT in part.kinds else nobody}""",
    )


def gather_rows(database: Tables, part: Part) -> None:
    """Makes the view <entity>_gathered: one line per target with the values that its rows give it together.

    Where several rows of a target count (`_several`), `keep` takes the last value, `fill` the first one, `overwrite`
    the last cell even if blank; lists are united. `_given_<field>` then lists the values that were displaced or not
    taken, in file order; otherwise it holds the one value given.
    A profile that ignores known contacts still writes those of `make_consents`.
    """
    joined, consents = part.within_file in {"merge", "last_wins"}, part.table("consents")
    wanted = f"""
        SELECT row_number, target AS _target, followed AS _followed, t.first AS _first,
               asking.first IS NOT NULL AS _asks
        FROM {part.table("targets")} AS t LEFT JOIN {consents} AS asking ON asking.first = t.first
        WHERE {"t.first IS NOT NULL" if joined else "row_number = t.first"}
              {"AND (target IS NULL OR asking.first IS NOT NULL)" if part.matched == "ignore" else ""}
              AND row_number NOT IN (SELECT row_number FROM reviews) AND row_number NOT IN (FROM left_out)"""
    extra = ", noted, import_notes" if part.takes_notes else ""
    fields = ", ".join(
        f"(r.{quoted(name)} OR _asks) AS {quoted(name)}" if name == CONSENT else f"r.{quoted(name)}"
        for name in part.kinds
    )
    given = "".join(f", [r.{quoted(name)}] AS {quoted('_given_' + name)}" for name in noted_fields(part))
    single = f"""
        SELECT row_number, _target, false AS _several, {fields}{extra}{given}
        FROM wanted JOIN {part.table("rows")} AS r USING (row_number){" WHERE NOT _followed" if joined else ""}"""
    if joined:
        several = _several(part)
        database.make(part.table("merged"), f"WITH wanted AS ({wanted}) {several}")
    database.view(
        part.table("gathered"),
        f"""
        WITH wanted AS ({wanted}) {single}
        {f"UNION ALL FROM {part.table('merged')}" if joined else ""}""",
    )


def _several(part: Part) -> str:
    """The query that joins the rows of a target into one line; it follows the CTE `wanted`."""
    creates = "true" if part.matched == "create" else "_target IS NULL"
    given = ", ".join(f"{_first_given(part, name, creates)} AS {quoted(name)}" for name in part.kinds)
    extra = ", noted, import_notes" if part.takes_notes else ""
    there = f"LEFT JOIN {part.table('candidates')} AS c ON c.{part.id} = _target" if part.updates else ""
    names = noted_fields(part)
    before = "".join(
        f", {f'c.{quoted(name)}' if part.updates else 'NULL'} AS {quoted('_there_' + name)}" for name in names
    )
    after = "".join(f", {_so_far(part, name)} AS {quoted('_after_' + name)}" for name in names)
    displaced = "".join(f", {_displaced(name)} AS {quoted('_given_' + name)}" for name in names)
    together = ", ".join(f"{_together(part, name)} AS {quoted(name)}" for name in part.kinds)
    lists = "".join(
        f", flatten(list({quoted('_given_' + name)} ORDER BY row_number)) AS {quoted('_given_' + name)}"
        for name in names
    )
    return f"""
        , given AS (
            SELECT row_number, _first, _target, _asks, {given}{extra}
            FROM wanted JOIN {part.table("rows")} AS r USING (row_number) WHERE _followed
        ),
        steps AS (
            SELECT given.*{before}{after} FROM given {there}
            WINDOW so_far AS (PARTITION BY _first ORDER BY row_number ROWS UNBOUNDED PRECEDING)
        ),
        r AS (SELECT *{displaced} FROM steps WINDOW turns AS (PARTITION BY _first ORDER BY row_number))
        SELECT _first AS row_number, any_value(_target) AS _target, true AS _several,
               {together}{_merged_notes(part)}{lists}
        FROM r GROUP BY _first"""


def _first_given(part: Part, name: str, creates: str) -> str:
    """The value that a row gives; for the row that creates the target, also the default."""
    value = f"r.{quoted(name)}"
    if name not in part.when_new:
        return value
    makes = f"{creates} AND row_number = min(row_number) OVER (PARTITION BY _first)"
    return f"CASE WHEN {makes} THEN coalesce(nullif({value}, ''), {literal(part.when_new[name])}) ELSE {value} END"


def _so_far(part: Part, name: str) -> str:
    """The value of a text field after a row, by its blank policy."""
    value, there, blank = f"given.{quoted(name)}", _there(part, name), part.blank_policies[name]
    if blank == "fill":
        return f"coalesce({there}, first_value(nullif({value}, '') IGNORE NULLS) OVER so_far)"
    if blank == "keep":
        return f"nullif(coalesce(last_value({value} IGNORE NULLS) OVER so_far, {there}), '')"
    wrapped = f"{{'value': {value}}}"  # a blank, too, is a value here
    if not part.takes_notes:
        return f"nullif({value}, '')"
    kept = f"CASE WHEN {_has_cell(part, name, 'given')} THEN {wrapped} END"
    last = f"last_value({kept} IGNORE NULLS) OVER so_far"
    return f"CASE WHEN {last} IS NULL THEN {there} ELSE nullif(({last}).value, '') END"


def _has_cell(part: Part, name: str, row: str) -> str:
    """The SQL condition that a row has a cell for a field, blank or not: the cell did not go to the notes.

    In place of a noted cell, the row can still hold the default of a new contact.
    """
    not_noted = f"NOT list_contains({row}.noted, {literal(name)})"
    return f"({not_noted} OR {row}.{quoted(name)} IS NOT NULL)" if name in part.when_new else not_noted


def _there(part: Part, name: str) -> str:
    return f"c.{quoted(name)}" if part.updates else "NULL::VARCHAR"


def _displaced(name: str) -> str:
    """Values that a row displaced: stored or given before it, and not stored after it."""
    after, there = quoted("_after_" + name), quoted("_there_" + name)
    before = f"CASE WHEN row_number() OVER turns = 1 THEN {there} ELSE lag({after}) OVER turns END"
    is_displaced = f"lambda v: v IS NOT NULL AND v <> '' AND v IS DISTINCT FROM {after}"
    return f"list_filter([{before}, {quoted(name)}], {is_displaced})"


def noted_fields(part: Part) -> list[str]:
    """Fields of which a displaced value is kept in a note; a name in parts is kept as the full name."""
    parts = {"first_name", "last_name"} if "full_name" in part.kinds else set()
    return [
        name
        for name, kind in part.kinds.items()
        if part.merges and kind == "text" and name not in part.sensitive and name not in parts
    ]


def _together(part: Part, name: str) -> str:
    column = f"r.{quoted(name)}"
    if name == "notes" and part.takes_notes:
        return f"flatten(list({column} ORDER BY row_number) FILTER ({column} IS NOT NULL))"
    if part.kinds[name] == "list" and (part.within_file == "merge" or name in part.adds):
        every = f"flatten(list({column} ORDER BY row_number) FILTER ({column} IS NOT NULL))"
        return f"list_filter({every}, lambda value, place: list_position({every}, value) = place)"
    if name == CONSENT:
        return f"CASE WHEN bool_or(_asks) THEN true ELSE {_by_policy(part, name)} END"
    return _by_policy(part, name)


def _by_policy(part: Part, name: str) -> str:
    column, blank = f"r.{quoted(name)}", part.blank_policies[name]
    if blank == "overwrite":
        kept = f" FILTER ({_has_cell(part, name, 'r')})" if part.takes_notes else ""
        return f"(arg_max({{'value': {column}}}, row_number){kept}).value"
    if blank == "fill":
        filled = f"nullif({column}, '')" if part.kinds[name] == "text" else column
        return f"arg_min({column}, row_number) FILTER ({filled} IS NOT NULL)"
    return f"arg_max({column}, row_number) FILTER ({column} IS NOT NULL)"


def _merged_notes(part: Part) -> str:
    if not part.takes_notes:
        return ""
    in_all = "array_length(list_filter(flatten(list(noted)), lambda other: other = name)) = count(*)"
    return f""", list_filter(any_value(noted), lambda name: {in_all}) AS noted,
               flatten(list(import_notes ORDER BY row_number)) AS import_notes"""
