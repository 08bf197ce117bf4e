"""Plans the inverse of what an upload committed, or of its undoing, but for what has changed since.

Afterwards a field holds what the newest change to it that counts made of it; an undone one does not count. The plan is
a changeset like any other (contact_changes, account_changes, membership_changes, link_changes), with one more table:
`conflicts`, what is left alone and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contact_pipeline.engines import Database, quoted
from contact_pipeline.engines import text as literal
from contact_pipeline.store.changes import kept_fields, touched, touches
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.store.schema import EFFECTIVE

_ENTITIES: Final = (("account", "accounts"), ("contact", "contacts"))


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is turned around, as SQL: lists of commit numbers, or queries for them.

    Attributes:
        upload_id: the upload.
        commits: those to turn around, applied ones or the one that undid them.
        applied: what the upload applied: the same, or what they undid.
        redone: whether that is to count again.
        counting: the commits that count afterwards.
        others: those by which a field may have another value than the upload left or found there.
    """

    upload_id: str
    commits: str
    applied: str
    redone: bool
    counting: str
    others: str


def plan_inverse(database: Database, upload_id: str, commits: list[int]) -> None:
    """Makes the inverse changeset of some commits of an upload.

    A field is in conflict when the newest change to it that is not itself undone belongs to another upload; whether
    the values are equal does not matter. What the upload created and others have built upon stays: a contact is
    deactivated instead, an account is left as it is.

    Args:
        database: where the tables are made, with the contact database attached as `book`.
        upload_id: the upload.
        commits: numbers of the commits to turn around, applied ones or the one that undid them.
    """
    turn = _turn(database, upload_id, commits)
    database.run("""
        CREATE OR REPLACE TABLE conflicts (target VARCHAR, id BIGINT, field VARCHAR, upload_id VARCHAR,
                                           left_as VARCHAR, reason VARCHAR)""")
    for entity, table in _ENTITIES:
        fields = _touched_fields(database, entity, turn)
        _gather(database, entity, table, fields, turn)
        _take_what_counts(database, entity, fields, turn)
        _find_contested(database, entity, turn)
        if entity == "contact":
            _leave_erased(database)
        _find_built_upon(database, entity, turn)
        _list_conflicts(database, entity, table)
        _turn_around(database, entity, table, fields)
    _turn_pairs(database, turn.commits)


def _turn(database: Database, upload_id: str, commits: list[int]) -> _Turn:
    numbers = ", ".join(str(number) for number in commits)
    undone = [
        number for (number,) in database.rows(f"SELECT commit_number FROM book.commits WHERE undone_by IN ({numbers})")
    ]
    applied = sorted(undone or commits)
    listed = ", ".join(str(number) for number in applied)
    later = f" OR commit_number > {applied[0]}" if undone or len(applied) > 1 else ""
    own = f"SELECT unnest([{listed}])"
    return _Turn(
        upload_id,
        numbers,
        listed,
        redone=bool(undone),
        counting=f"{EFFECTIVE.format('book.')} {'UNION' if undone else 'EXCEPT'} {own}",
        others=f"""
            SELECT commit_number FROM book.commits
            WHERE action = 'apply' AND commit_number NOT IN ({listed}) AND (undone_by IS NOT NULL{later})""",
    )


def _touched_fields(database: Database, entity: str, turn: _Turn) -> list[str]:
    """The fields that the commits touch; all of them where there is nothing to turn around.

    What counts again may be made anew, so that others may have touched more of it.
    """
    fields = kept_fields(database, f"{entity}_changes", "book")
    ever = ", ".join(f"bool_or({touches(field)})" for field in fields)
    others = f" OR commit_number IN ({turn.others})" if turn.redone else ""
    (found,) = database.rows(
        f"SELECT {ever} FROM book.{entity}_changes WHERE commit_number IN ({turn.applied}){others}"
    )
    return [field for field, is_touched in zip(fields, found, strict=True) if is_touched] or fields


def _gather(database: Database, entity: str, table: str, fields: list[str], turn: _Turn) -> None:
    """Makes `mine`: one line per target, with the first action, and of every field what to make it and if touched.

    That is the value before or, where it is to count again, after. What is to be made anew has the action `remove`.
    """
    identity = f"{entity}_id"
    side, chosen = ("after", "arg_max") if turn.redone else ("before", "arg_min")
    once = ", ".join(f"{touches(f)} AS {quoted(f'touched_{f}')}, {side}_{f} AS {quoted(f)}" for f in fields)
    often = ", ".join(
        f"""bool_or({touches(f)}) AS {quoted(f"touched_{f}")},
            ({chosen}({{'value': {side}_{f}}}, commit_number) FILTER ({touches(f)})).value AS {quoted(f)}"""
        for f in fields
    )
    created = f"CASE WHEN {identity} IN (SELECT {identity} FROM book.{table}) THEN 'update' ELSE 'remove' END"
    action = f"CASE WHEN action = 'create' THEN {created} ELSE action END" if turn.redone else "action"
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE mine AS
        WITH turned AS (FROM book.{entity}_changes WHERE commit_number IN ({turn.applied})),
        repeated AS (SELECT {identity} FROM turned GROUP BY {identity} HAVING count(*) > 1),
        gathered AS (
            SELECT {identity}, row_number, action, {once} FROM turned ANTI JOIN repeated USING ({identity})
            UNION ALL
            SELECT {identity}, min(row_number), arg_min(action, commit_number), {often}
            FROM turned SEMI JOIN repeated USING ({identity}) GROUP BY {identity}
        )
        SELECT * REPLACE ({action} AS action) FROM gathered""")


def _take_what_counts(database: Database, entity: str, fields: list[str], turn: _Turn) -> None:
    """Lets the fields of `mine` become what the newest change that counts made of them, or what was there before all.

    Only where other commits make that another value than the upload's own changes tell. What something was created
    with counts as long as it is there; a contact whose creation is undone is not active by it.
    """
    identity = f"{entity}_id"
    moved = f"""
        SELECT DISTINCT {identity} FROM book.{entity}_changes SEMI JOIN mine USING ({identity})
        WHERE commit_number IN ({turn.others})"""
    if not database.value(f"SELECT count(*) FROM ({moved})"):
        return
    after = {field: f"after_{field}" for field in fields} | {
        "active": "after_active AND (action <> 'create' OR does_count)"
    }
    counted = ", ".join(
        f"""coalesce(arg_max({{'value': {after[f]}}}, commit_number)
                         FILTER ({touches(f)} AND (does_count OR action = 'create')),
                     arg_min({{'value': before_{f}}}, commit_number) FILTER ({touches(f)})).value AS {quoted(f)}"""
        for f in fields
    )
    taken = ", ".join(
        f"CASE WHEN c.{identity} IS NULL THEN mine.{quoted(f)} ELSE c.{quoted(f)} END AS {quoted(f)}" for f in fields
    )
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE mine AS
        WITH moved AS ({moved}),
        history AS (
            SELECT *, commit_number IN ({turn.counting}) AS does_count
            FROM book.{entity}_changes SEMI JOIN moved USING ({identity})
        ),
        counted AS (SELECT {identity}, {counted} FROM history GROUP BY {identity})
        SELECT mine.* REPLACE ({taken}) FROM mine LEFT JOIN counted AS c USING ({identity})""")


def _find_contested(database: Database, entity: str, turn: _Turn) -> None:
    """Makes `contested`: the fields whose newest change that counts is another upload's, and whose."""
    every = touched(kept_fields(database, f"{entity}_changes", "book"))
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE contested AS
        WITH counting AS (
            FROM book.{entity}_changes
            JOIN ({EFFECTIVE.format("book.")} UNION SELECT unnest([{turn.applied}])) USING (commit_number)
            WHERE commit_number >= list_min([{turn.applied}])
        ),
        by_others AS (
            SELECT {entity}_id FROM counting SEMI JOIN mine USING ({entity}_id)
            WHERE upload_id <> {literal(turn.upload_id)}
        ),
        since AS (
            SELECT {entity}_id, unnest({every}) AS field, upload_id, commit_number
            FROM counting SEMI JOIN by_others USING ({entity}_id)
        )
        SELECT {entity}_id, field, arg_max(upload_id, commit_number) AS upload_id FROM since GROUP BY ALL
        HAVING arg_max(upload_id, commit_number) <> {literal(turn.upload_id)}""")


def _leave_erased(database: Database) -> None:
    """Takes out of `mine` the contacts that were erased: nobody knows any more what they held."""
    erased = ERASED.format("book.")
    database.run(f"""
        INSERT INTO conflicts
        SELECT 'contact', contact_id, NULL, NULL, 'left as it is', 'erased since'
        FROM mine WHERE contact_id IN ({erased}) ORDER BY contact_id""")
    database.run(f"DELETE FROM mine WHERE contact_id IN ({erased})")


def _find_built_upon(database: Database, entity: str, turn: _Turn) -> None:
    """Makes `built_upon`: what these commits created and other uploads have changed, joined, linked or belong to."""
    queries = [f"SELECT {entity}_id, upload_id FROM contested"]
    if entity == "contact":
        effective = EFFECTIVE.format("book.")
        queries += [
            f"""SELECT {column} AS contact_id, upload_id
                FROM book.{table}_changes JOIN ({effective}) USING (commit_number)
                WHERE upload_id <> {literal(turn.upload_id)} AND action = 'create'"""
            for table, column in (("membership", "contact_id"), ("link", "contact_id"), ("link", "linked_to"))
        ]
    else:
        queries.append(f"""
            SELECT account_id, contacts.last_upload_id AS upload_id
            FROM book.contacts JOIN book.accounts USING (address_book, account_number)
            WHERE contact_id NOT IN (
                SELECT contact_id FROM book.contact_changes
                WHERE action = 'create' AND commit_number IN ({turn.applied}))""")
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE built_upon AS
        SELECT {entity}_id, min(upload_id) AS upload_id FROM ({" UNION ALL ".join(queries)})
        WHERE {entity}_id IN (SELECT {entity}_id FROM mine WHERE action = 'create') GROUP BY {entity}_id""")


def _list_conflicts(database: Database, entity: str, table: str) -> None:
    """Adds to `conflicts` what is left alone of `mine`, and why."""
    database.run(f"""
        INSERT INTO conflicts
        SELECT {literal(entity)}, {entity}_id, field, contested.upload_id, 'left as it is', 'changed since'
        FROM contested JOIN mine USING ({entity}_id) WHERE mine.action NOT IN ('create', 'remove')
        UNION ALL
        SELECT {literal(entity)}, {entity}_id, NULL, NULL, 'not there any more', 'gone since'
        FROM mine ANTI JOIN book.{table} USING ({entity}_id) WHERE mine.action NOT IN ('create', 'remove')
        UNION ALL
        SELECT {literal(entity)}, {entity}_id, NULL, upload_id,
               {"'deactivated instead of removed'" if entity == "contact" else "'left as it is'"}, 'built upon since'
        FROM built_upon
        ORDER BY ALL""")


def _turn_around(database: Database, entity: str, table: str, fields: list[str]) -> None:
    """Makes <entity>_changes of `mine`."""
    wanted = {field: _wanted(entity, field) for field in fields}
    pairs = ", ".join(
        f"e.{quoted(field)} AS {quoted('old_' + field)}, {value} AS {quoted('new_' + field)}"
        for field, value in wanted.items()
    )
    differs = {field: f"{quoted('old_' + field)} IS DISTINCT FROM {quoted('new_' + field)}" for field in fields}
    sides = ", ".join(
        f"CASE WHEN {differs[field]} THEN {quoted(side + '_' + field)} END AS {quoted(name + '_' + field)}"
        for field in fields
        for side, name in (("old", "before"), ("new", "after"))
    )
    toggled = f"""
                    WHEN NOT ({" OR ".join(differs[f] for f in fields if f != "active") or "false"})
                        THEN CASE WHEN new_active THEN 'reactivate' ELSE 'deactivate' END"""
    inverse = f"""
        WITH mine_and_now AS (
            SELECT {entity}_id, mine.row_number, mine.action AS was, coalesce(e.revision, 0) AS base_revision,
                   b.{entity}_id IS NOT NULL AS is_built_upon, {pairs}
            FROM mine LEFT JOIN book.{table} AS e USING ({entity}_id) LEFT JOIN built_upon AS b USING ({entity}_id)
            LEFT JOIN (SELECT {entity}_id, list(field) AS fields FROM contested GROUP BY ALL) AS c USING ({entity}_id)
            WHERE (e.{entity}_id IS NULL) = (mine.action = 'remove')
        )
        SELECT row_number, {entity}_id,
               CASE WHEN was = 'create' AND NOT is_built_upon THEN 'remove' WHEN was = 'remove' THEN 'create'
                    {toggled if "active" in fields and entity == "contact" else ""} ELSE 'update' END AS action,
               base_revision, {sides}
        FROM mine_and_now WHERE {" OR ".join(differs.values())} ORDER BY {entity}_id"""
    database.keep(f"{entity}_changes", inverse)


def _wanted(entity: str, field: str) -> str:
    """What a field is to hold: nothing when what was created goes, else what it is to become, unless contested."""
    if field == "active":
        kept = "CASE WHEN b.contact_id IS NOT NULL THEN false END"
    else:
        kept = f"CASE WHEN b.{entity}_id IS NOT NULL THEN e.{quoted(field)} END"
    name = literal(field)
    return f"""CASE WHEN mine.action = 'create' THEN {kept} WHEN mine.action = 'remove' THEN mine.{quoted(field)}
        WHEN mine.{quoted(f"touched_{field}")} AND NOT list_contains(coalesce(c.fields, []), {name})
            THEN mine.{quoted(field)}
        ELSE e.{quoted(field)} END"""


def _turn_pairs(database: Database, numbers: str) -> None:
    """Makes membership_changes and link_changes; one that would name a contact that is gone is a conflict instead."""
    there = """
        SELECT contact_id FROM book.contacts
        WHERE contact_id NOT IN (SELECT contact_id FROM contact_changes WHERE action = 'remove')
        UNION SELECT contact_id FROM contact_changes WHERE action = 'create'"""
    erased = ERASED.format("book.")
    for target, columns, sides in (
        ("membership", "group_name, contact_id", ("contact_id",)),
        ("link", "contact_id, linked_to", ("contact_id", "linked_to")),
    ):
        complete = " AND ".join(f"{side} IN ({there})" for side in sides)
        turned = f"""
            SELECT row_number, CASE action WHEN 'create' THEN 'remove' ELSE 'create' END AS action, {columns}
            FROM book.{target}_changes WHERE commit_number IN ({numbers})
                 AND NOT ({" OR ".join(f"{side} IN ({erased})" for side in sides)})"""
        database.run(f"""
            CREATE OR REPLACE TABLE {target}_changes AS
            FROM ({turned}) WHERE action = 'remove' OR ({complete}) ORDER BY contact_id""")
        database.run(f"""
            INSERT INTO conflicts
            SELECT '{target}', contact_id, NULL, NULL, 'left out', 'gone since'
            FROM ({turned}) WHERE action = 'create' AND NOT ({complete}) ORDER BY contact_id""")


def stage_activation(database: Database, contact_id: int, revision: int, *, active: bool) -> None:
    """Makes the changeset that deactivates or reactivates one contact."""
    action = "reactivate" if active else "deactivate"
    change = f"""
        SELECT NULL::UINTEGER AS row_number, {contact_id}::BIGINT AS contact_id, '{action}' AS action,
               {revision} AS base_revision, {not active} AS before_active, {active} AS after_active"""
    database.keep("contact_changes", change)
