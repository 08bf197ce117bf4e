"""Plans an undo or a redo: the changes that bring the tables to what store/effective.py works out.

The plan is a changeset like any other (contact_changes, account_changes, membership_changes, link_changes), with one
more table: `conflicts`, what a later upload holds and the plan therefore leaves alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.store.changes import kept_fields, newest, oldest, touched, touches
from contact_pipeline.store.effective import (
    EFFECTIVE,
    MAKES,
    PAIRS,
    effective_accounts,
    effective_contacts,
    effective_pairs,
    naming,
)
from contact_pipeline.store.erasures import ERASED

Turn = Literal["undo", "redo"]

_BOOK: Final = "book."
_ENTITIES: Final = (("contact", "contacts"), ("account", "accounts"))


@dataclass(frozen=True, slots=True)
class _Plan:
    """An undo or redo, as SQL.

    Attributes:
        upload_id: the upload.
        turn: whether it goes out of effect or comes back.
        commits: numbers of the commits in which it was applied.
        first: the first of them.
        effective: query for the commits that are effective afterwards.
        others: query for commits of other uploads that may have changed a value before or after this upload did.
    """

    upload_id: str
    turn: Turn
    commits: str
    first: int
    effective: str
    others: str


def plan_effect(database: Tables, upload_id: str, turn: Turn) -> None:
    """Makes the changeset that takes an applied upload out of effect, or brings an undone one back.

    Args:
        database: where the tables are made, with the contact database attached as `book`.
        upload_id: the upload.
        turn: undo or redo.
    """
    plan = _plan(database, upload_id, turn)
    database.stage(
        "conflicts",
        """
        SELECT NULL::VARCHAR AS target, NULL::BIGINT AS id, NULL::VARCHAR AS field, NULL::VARCHAR AS upload_id,
               NULL::VARCHAR AS left_as, NULL::VARCHAR AS reason
        WHERE false""",
    )
    for entity, table in _ENTITIES:
        _make_by_history(database, entity, plan)
        fields = _fields(database, entity, plan)
        _make_becoming(database, entity, fields, plan)
        _list_conflicts(database, entity, plan)
        _write_changes(database, entity, table, fields)
    for table in PAIRS:
        _write_pairs(database, table, plan)


def _plan(database: Tables, upload_id: str, turn: Turn) -> _Plan:
    rows = database.rows(f"""
        SELECT commit_number FROM book.commits
        WHERE upload_id = {literal(upload_id)} AND action = 'apply' ORDER BY commit_number""")
    commits, first = ", ".join(str(number) for (number,) in rows), rows[0][0]
    turned = f"SELECT upload_id FROM book.commits WHERE action IN ('undo', 'redo') AND commit_number > {first}"
    return _Plan(
        upload_id,
        turn,
        commits,
        first,
        effective=f"{EFFECTIVE.format(_BOOK)} {'EXCEPT' if turn == 'undo' else 'UNION'} SELECT unnest([{commits}])",
        others=f"""
            SELECT commit_number FROM book.commits
            WHERE action = 'apply' AND commit_number NOT IN ({commits}) AND (
                undone_by IS NOT NULL OR commit_number > {first} OR upload_id IN ({turned}))""",
    )


def _make_by_history(database: Tables, entity: str, plan: _Plan) -> None:
    """Makes `by_history`: the ids of entities whose values only the whole history gives.

    For all others that the upload changed, its own changes give the values before and after it.
    """
    identity = f"{entity}_id"
    named = _contacts_named(plan) if entity == "contact" else _accounts_named(plan)
    erased = f"WHERE contact_id NOT IN ({ERASED.format(_BOOK)})" if entity == "contact" else ""
    database.make(
        "by_history",
        f"""
        WITH changed_by_others AS (FROM book.{entity}_changes WHERE commit_number IN ({plan.others}))
        SELECT DISTINCT {identity} FROM (
            SELECT {identity} FROM book.{entity}_changes SEMI JOIN changed_by_others USING ({identity})
            WHERE commit_number IN ({plan.commits})
            UNION ALL ({named})
        ) {erased}""",
    )


def _contacts_named(plan: _Plan) -> str:
    """The query for contacts that exist, or do not, only because memberships or links name them."""
    made = f"SELECT contact_id FROM book.contact_changes WHERE commit_number IN ({plan.commits}) AND {MAKES}"
    return f"""
        SELECT contact_id FROM ({naming(_BOOK)})
        WHERE commit_number IN ({plan.commits}) AND contact_id NOT IN ({made})
              AND contact_id NOT IN (SELECT contact_id FROM book.contacts WHERE created_commit IS NOT NULL)
        UNION
        SELECT contact_id FROM ({naming(_BOOK)}) SEMI JOIN ({made}) USING (contact_id)
        WHERE commit_number NOT IN ({plan.commits}) AND commit_number IN ({EFFECTIVE.format(_BOOK)})"""


def _accounts_named(plan: _Plan) -> str:
    """The query for accounts that exist, or do not, only because contacts name their numbers."""
    return f"""
        WITH accounts AS (
            SELECT DISTINCT account_id, address_book, after_account_number AS account_number
            FROM book.account_changes JOIN book.commits AS c USING (commit_number)
            WHERE c.action = 'apply' AND after_account_number IS NOT NULL
        ),
        naming AS (
            SELECT address_book, after_account_number AS account_number, commit_number IN ({plan.commits}) AS is_own
            FROM book.contact_changes JOIN book.commits USING (commit_number)
            WHERE after_account_number IN (SELECT account_number FROM accounts)
        )
        SELECT account_id FROM accounts SEMI JOIN (FROM naming WHERE is_own) USING (address_book, account_number)
        WHERE account_id NOT IN (SELECT account_id FROM book.accounts WHERE created_commit IS NOT NULL)
        UNION
        SELECT account_id FROM accounts SEMI JOIN (FROM naming WHERE NOT is_own) USING (address_book, account_number)
        WHERE account_id IN (SELECT account_id FROM book.account_changes WHERE commit_number IN ({plan.commits}))"""


def _fields(database: Tables, entity: str, plan: _Plan) -> list[str]:
    """The fields that may change: those that the upload touched, or all where `by_history` has any."""
    fields = kept_fields(database, f"book.{entity}_changes")
    if database.value("SELECT count(*) FROM by_history"):
        return fields
    ever = ", ".join(f"bool_or({touches(field)})" for field in fields)
    (found,) = database.rows(f"SELECT {ever} FROM book.{entity}_changes WHERE commit_number IN ({plan.commits})")
    return [field for field, is_touched in zip(fields, found, strict=True) if is_touched] or fields


def _make_becoming(database: Tables, entity: str, fields: list[str], plan: _Plan) -> None:
    """Makes `becoming`: the state afterwards of every entity that may change.

    Columns: the id, row_number, _made_here (whether the upload made it), _is_there, created_commit and last_upload_id
    (kept as they are where not `_knows`), and for each field its value and whether it is set (`_sets_<field>`).
    """
    identity = f"{entity}_id"
    made = MAKES if entity == "contact" else "action = 'create'"
    among = "FROM by_history"
    if entity == "contact":
        stored = [field for field in fields if field != "active"]
        every = effective_contacts(stored, plan.effective, among=among, book=_BOOK)
    else:
        every = effective_accounts(plan.effective, among=among, book=_BOOK)
    set_all = ", ".join(f"true AS {quoted(f'_sets_{field}')}, {quoted(field)}" for field in fields)
    database.make(
        "becoming",
        f"""
        WITH own AS (
            SELECT {identity}, min(row_number) AS row_number, bool_or(coalesce({made}, false)) AS _made_here
            FROM book.{entity}_changes SEMI JOIN by_history USING ({identity})
            WHERE commit_number IN ({plan.commits}) GROUP BY {identity}
        )
        SELECT {identity}, row_number, coalesce(_made_here, false) AS _made_here,
               last_upload_id IS NOT NULL AS _is_there, true AS _knows, created_commit, last_upload_id, {set_all}
        FROM by_history LEFT JOIN own USING ({identity}) LEFT JOIN ({every}) USING ({identity})""",
    )
    database.append("becoming", _by_own_changes(entity, fields, made, plan))


def _by_own_changes(entity: str, fields: list[str], made: str, plan: _Plan) -> str:
    """The query for the state of the others: as the upload found them (undo) or left them (redo)."""
    identity, redone = f"{entity}_id", plan.turn == "redo"
    side, value_of = ("after", newest) if redone else ("before", oldest)
    once = ", ".join(f"{touches(f)} AS {quoted(f'_sets_{f}')}, {side}_{f} AS {quoted(f)}" for f in fields)
    often = ", ".join(f"bool_or({touches(f)}) AS {quoted(f'_sets_{f}')}, {value_of(f)} AS {quoted(f)}" for f in fields)
    erased = f"AND contact_id NOT IN ({ERASED.format(_BOOK)})" if entity == "contact" else ""
    sets = [name for field in fields for name in (f"_sets_{field}", field)]
    names = ", ".join(f"gathered.{quoted(name)}" for name in (identity, "row_number", "_made_here", *sets))
    return f"""
        WITH own AS (
            FROM book.{entity}_changes ANTI JOIN by_history USING ({identity})
            WHERE commit_number IN ({plan.commits}) {erased}
        ),
        repeated AS (SELECT {identity} FROM own GROUP BY {identity} HAVING count(*) > 1),
        gathered AS (
            SELECT {identity}, row_number, commit_number AS _commit, coalesce({made}, false) AS _made_here, {once}
            FROM own ANTI JOIN repeated USING ({identity})
            UNION ALL
            SELECT {identity}, min(row_number), min(commit_number), bool_or(coalesce({made}, false)), {often}
            FROM own SEMI JOIN repeated USING ({identity}) GROUP BY {identity}
        ),
        earlier AS (
            SELECT {identity}, arg_max(upload_id, commit_number) AS last_upload_id
            FROM book.{entity}_changes SEMI JOIN (FROM gathered WHERE NOT _made_here) USING ({identity})
            WHERE commit_number < {plan.first} AND commit_number IN ({plan.effective}) GROUP BY {identity}
        )
        SELECT {names}, {"true" if redone else "NOT _made_here"} AS _is_there,
               _made_here AS _knows, CASE WHEN _made_here THEN _commit END AS created_commit,
               {literal(plan.upload_id) if redone else "earlier.last_upload_id"} AS last_upload_id
        FROM gathered {"" if redone else f"LEFT JOIN earlier ON earlier.{identity} = gathered.{identity}"}"""


def _list_conflicts(database: Tables, entity: str, plan: _Plan) -> None:
    """Adds to `conflicts` what is left alone, and why: values of later uploads, and entities that others need."""
    identity = f"{entity}_id"
    every = touched(kept_fields(database, f"book.{entity}_changes"))
    database.append(
        "conflicts",
        f"""
        WITH later AS (
            FROM book.{entity}_changes SEMI JOIN by_history USING ({identity})
            WHERE commit_number IN ({plan.effective}) AND commit_number > {plan.first}
                  AND commit_number NOT IN ({plan.commits})
        ),
        own AS (
            SELECT {identity}, unnest({every}) AS field, commit_number AS _own_commit
            FROM book.{entity}_changes SEMI JOIN later USING ({identity})
            WHERE commit_number IN ({plan.commits})
        ),
        their AS (SELECT {identity}, unnest({every}) AS field, upload_id, commit_number FROM later)
        SELECT {literal(entity)} AS target, {identity} AS id, field, arg_max(upload_id, commit_number) AS upload_id,
               'left as it is' AS left_as, 'changed since' AS reason
        FROM own JOIN their USING ({identity}, field) SEMI JOIN (FROM becoming WHERE NOT _made_here) USING ({identity})
        GROUP BY {identity}, field HAVING max(commit_number) > max(_own_commit)
        ORDER BY {identity}, field""",
    )
    kept = "deactivated instead of removed" if entity == "contact" else "kept with its number"
    if plan.turn == "undo":
        database.append(
            "conflicts",
            f"""
            SELECT {literal(entity)} AS target, {identity} AS id, last_upload_id AS upload_id,
                   {literal(kept)} AS left_as, 'built upon since' AS reason
            FROM becoming SEMI JOIN by_history USING ({identity})
            WHERE _made_here AND _is_there AND created_commit IS NULL ORDER BY {identity}""",
        )
    if entity == "contact":
        database.append(
            "conflicts",
            f"""
            SELECT DISTINCT 'contact' AS target, contact_id AS id, 'left as it is' AS left_as,
                   'erased since' AS reason
            FROM book.contact_changes
            WHERE commit_number IN ({plan.commits}) AND contact_id IN ({ERASED.format(_BOOK)}) ORDER BY id""",
        )


def _write_changes(database: Tables, entity: str, table: str, fields: list[str]) -> None:
    """Makes <entity>_changes: the differences between the table and `becoming`.

    Besides its fields, a change sets created_commit and last_upload_id.
    """
    identity = f"{entity}_id"
    made = "CASE WHEN _knows THEN b.created_commit ELSE e.created_commit END"
    last = "CASE WHEN _knows THEN b.last_upload_id ELSE coalesce(b.last_upload_id, e.last_upload_id) END"
    pairs = ", ".join(
        f"""e.{quoted(field)} AS {quoted("_old_" + field)},
            CASE WHEN NOT _is_there THEN NULL WHEN {quoted("_sets_" + field)} THEN b.{quoted(field)}
                 ELSE e.{quoted(field)} END AS {quoted("_new_" + field)}"""
        for field in fields
    )
    differs = {field: f"{quoted('_old_' + field)} IS DISTINCT FROM {quoted('_new_' + field)}" for field in fields}
    sides = ", ".join(
        f"CASE WHEN {differs[field]} THEN {quoted(side + '_' + field)} END AS {quoted(name + '_' + field)}"
        for field in fields
        for side, name in (("_old", "before"), ("_new", "after"))
    )
    toggled = ""
    if entity == "contact" and "active" in fields:
        others = " OR ".join(differs[field] for field in fields if field != "active") or "false"
        toggled = f"""
                    WHEN {differs["active"]} AND NOT ({others})
                        THEN CASE WHEN _new_active THEN 'reactivate' ELSE 'deactivate' END"""
    database.keep(
        f"{entity}_changes",
        f"""
        WITH both_sides AS (
            SELECT b.{identity}, b.row_number, _is_there, e.{identity} IS NOT NULL AS _was_there,
                   coalesce(e.revision, 0) AS base_revision,
                   {made} AS created_commit, {last} AS last_upload_id,
                   ({made}) IS DISTINCT FROM e.created_commit OR ({last}) IS DISTINCT FROM e.last_upload_id
                       AS _is_known_otherwise, {pairs}
            FROM becoming AS b LEFT JOIN book.{table} AS e ON e.{identity} = b.{identity}
        )
        SELECT row_number, {identity},
               CASE WHEN NOT _was_there THEN 'create' WHEN NOT _is_there THEN 'remove'{toggled}
                    ELSE 'update' END AS action,
               base_revision, created_commit, last_upload_id, {sides}
        FROM both_sides
        WHERE (_was_there OR _is_there) AND (_is_known_otherwise OR {" OR ".join(differs.values())})
        ORDER BY {identity}""",
    )


def _write_pairs(database: Tables, table: str, plan: _Plan) -> None:
    """Makes membership_changes or link_changes: of the upload's pairs, those to add to the table or to remove."""
    kind, (one, other) = table.removesuffix("s"), PAIRS[table]
    own = f"SELECT DISTINCT contact_id FROM book.{kind}_changes WHERE commit_number IN ({plan.commits})"
    database.stage(
        f"{kind}_changes",
        f"""
        WITH own AS (
            SELECT {one}, {other}, min(row_number) AS row_number
            FROM book.{kind}_changes WHERE commit_number IN ({plan.commits}) GROUP BY {one}, {other}
        ),
        becoming AS ({effective_pairs(table, plan.effective, among=own, book=_BOOK)}),
        there AS (SELECT {one}, {other} FROM book.{table})
        SELECT row_number, 'remove' AS action, {one}, {other}
        FROM own SEMI JOIN there USING ({one}, {other}) ANTI JOIN becoming USING ({one}, {other})
        UNION ALL
        SELECT row_number, 'create', {one}, {other}
        FROM own ANTI JOIN there USING ({one}, {other}) SEMI JOIN becoming USING ({one}, {other})
        ORDER BY contact_id""",
    )
