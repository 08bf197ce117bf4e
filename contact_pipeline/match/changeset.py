"""Turns writes into changes: one per target, with the fields that differ, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contact_pipeline.contracts.tables import SQL_TYPE
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.masking import mask_sql
from contact_pipeline.match.defects import add_defects
from contact_pipeline.match.linked import has_wishes
from contact_pipeline.match.part import Part
from contact_pipeline.match.targets import noted_fields
from contact_pipeline.profiles.model import GroupMembers
from contact_pipeline.terms import CONSENT

_SIDES = (("before", "_old_"), ("after", "_new_"))


def warn_of_consents(database: Tables, part: Part) -> None:
    """Warns where a wish not to be contacted overrides the profile.

    Such rows would have taken a wish back and may not, or set one on a contact that the profile leaves as it is.
    """
    there, given = f"c.{quoted(CONSENT)}", f"w.{quoted(CONSENT)}" if CONSENT in part.kinds else "NULL"
    spread = f"w.row_number IN (SELECT row_number FROM {part.table('wishes')})"
    if part.links:
        _warn_of_consent(database, part, "consent-carried", "", f"{there} AND {given} IS NOT TRUE")
        _warn_of_consent(database, part, "consent-set", "yes", spread)
    elif CONSENT not in part.kinds:
        return
    elif part.matched == "ignore":
        _warn_of_consent(database, part, "consent-set", "yes", f"{there} IS NOT TRUE OR {spread}")
    elif not part.clears_consent:
        _warn_of_consent(database, part, "consent-kept", "no", f"{there} AND NOT {given}")


def _warn_of_consent(database: Tables, part: Part, name: str, value: str, where: str) -> None:
    heading = literal(part.headings.get(CONSENT, CONSENT))
    rows = f"""
        SELECT w.row_number FROM {part.table("writes")} AS w JOIN {part.table("candidates")} AS c
             ON c.{part.id} = w._target
        WHERE {where}"""
    cell = {"column": heading, "field": literal(CONSENT), "value": literal(value)}
    add_defects(database, name, rows, severity="warning", placeholders={"column": heading}, cell=cell)


def make_changes(database: Tables, part: Part, first_new_id: int, *, missing: bool = False) -> None:
    """Makes <entity>_changes: updates, then wishes of linked contacts, creations, deactivations.

    Each of these is ordered by id; ids of creations follow the rows.

    Args:
        database: with the part's writes, creations and candidates.
        part: whose writes they are.
        first_new_id: first of the ids reserved for creations.
        missing: whether to deactivate the contacts of the table `missing`, which are not in the file.
    """
    fields = [*part.stored, "active"] if part.entity == "contact" else [*part.stored]
    sides = [(f"{name}_{field}", side + field, field) for field in fields for name, side in _SIDES]
    changed = ", ".join(f"CASE WHEN {_changed(f)} THEN {quoted(side)} END AS {quoted(name)}" for name, side, f in sides)
    made = ", ".join(f"{quoted(side)} AS {quoted(name)}" for name, side, _ in sides)
    reactivated = f"CASE WHEN {_changed('active')} THEN 'reactivate' ELSE action END AS action"
    differing = " OR ".join(_changed(field) for field in fields)
    updates = f"""
        WITH pairs AS ({_updates(part)}), noted AS ({_with_new_notes(part)})
        SELECT row_number, {part.id}, {reactivated if part.reactivates else "action"}, base_revision, {changed}
        FROM noted WHERE {differing} ORDER BY {part.id}"""
    creations = f"""
        WITH pairs AS ({_creations(part, first_new_id)}), noted AS ({_with_new_notes(part)})
        SELECT row_number, {part.id}, action, base_revision, {made} FROM noted ORDER BY {part.id}"""
    wishes = [_wishes(part)] if has_wishes(database, part) else []
    database.keep(part.table("changes"), updates, *wishes, creations, *([_deactivations(part)] if missing else []))


def make_memberships(database: Tables, part: Part, group: str | None, members: GroupMembers) -> None:
    """Makes membership_changes: who joins the upload's group, which takes in created contacts or all that rows reach.

    Contacts in table `in_group` are members already.
    """
    database.stage(
        "membership_changes",
        f"""
        SELECT min(row_number) AS row_number, 'create' AS action, {literal(group or "")} AS group_name, contact_id
        FROM ({_reached(part) if members == "all" else _CREATED}) WHERE {"true" if group else "false"}
              AND contact_id NOT IN (FROM in_group)
        GROUP BY contact_id ORDER BY contact_id""",
    )


def count_members(database: Tables, part: Part) -> tuple[int, int]:
    """How many of the file's people are in the upload's group afterwards, and how many are not."""
    rows = database.rows(f"""
        SELECT count(*) FILTER (is_in), count(*) FILTER (NOT is_in) FROM (
            SELECT reached.contact_id, inside.contact_id IS NOT NULL AS is_in
            FROM (SELECT DISTINCT contact_id FROM ({_reached(part)})) AS reached LEFT JOIN (
                SELECT contact_id FROM membership_changes UNION SELECT contact_id FROM in_group
            ) AS inside ON inside.contact_id = reached.contact_id)""")
    inside, outside = rows[0]
    return inside, outside


_CREATED: Final = "SELECT row_number, contact_id FROM contact_changes WHERE action = 'create'"


def _reached(part: Part) -> str:
    """The query for the contacts that the rows create or match (row_number, contact_id)."""
    matched = f"""
        SELECT row_number, target AS contact_id FROM {part.table("targets")}
        WHERE decision <> 'review' AND target IS NOT NULL
              AND row_number NOT IN (SELECT row_number FROM reviews) AND row_number NOT IN (FROM left_out)"""
    return _CREATED if part.matched == "create" else f"{_CREATED} UNION ALL {matched}"


def make_links(database: Tables, part: Part) -> None:
    """Makes link_changes: under the rule `create` a new contact is linked with the one that its row matched."""
    database.stage(
        "link_changes",
        f"""
        SELECT row_number, 'create' AS action, contact_id, _target AS linked_to
        FROM contact_changes JOIN {part.table("writes")} USING (row_number)
        WHERE contact_changes.action = 'create' AND _target IS NOT NULL AND {str(part.links).lower()}
        ORDER BY contact_id""",
    )


def make_creations(database: Tables, part: Part) -> None:
    """Makes <entity>_creations (row_number, _place from 0) of the writes that need a new id."""
    where = "true" if part.matched == "create" else "_target IS NULL"
    database.make(
        part.table("creations"),
        f"""
        SELECT row_number, row_number() OVER (ORDER BY row_number) - 1 AS _place
        FROM {part.table("writes")} WHERE {where}""",
    )


def pair(part: Part, field: str) -> str:
    """The SQL select list of a field before a write `w` (from the candidate `c`) and after it."""
    return f"c.{quoted(field)} AS {quoted('_old_' + field)}, {_after(part, field)} AS {quoted('_new_' + field)}"


def _updates(part: Part) -> str:
    pairs = ", ".join(pair(part, field) for field in part.stored)
    if part.entity == "contact":
        pairs += f", c.active AS _old_active, {'true' if part.reactivates else 'c.active'} AS _new_active"
    return f"""
        SELECT w.row_number, c.{part.id}, 'update' AS action, c.revision AS base_revision, {pairs}
        FROM {part.table("writes")} AS w JOIN {part.table("candidates")} AS c ON c.{part.id} = w._target
        WHERE {"false" if part.matched == "create" else "true"}"""


def _creations(part: Part, first_new_id: int) -> str:
    pairs = ", ".join(
        f"NULL::{SQL_TYPE[kind]} AS {quoted('_old_' + field)}, {_initial(part, field)} AS {quoted('_new_' + field)}"
        for field, kind in part.stored.items()
    )
    if part.entity == "contact":
        pairs += ", NULL::BOOLEAN AS _old_active, true AS _new_active"
    return f"""
        SELECT w.row_number, {first_new_id} + _place AS {part.id}, 'create' AS action, 0 AS base_revision, {pairs}
        FROM {part.table("writes")} AS w JOIN {part.table("creations")} AS n ON n.row_number = w.row_number
             {f"LEFT JOIN {part.table('candidates')} AS c ON c.{part.id} = w._target" if part.links else ""}"""


def _wishes(part: Part) -> str:
    """The query for updates of linked contacts: they get a wish not to be contacted."""
    sides = _sides(part, {f"before_{CONSENT}": quoted(CONSENT), f"after_{CONSENT}": "true"})
    return f"""
        SELECT row_number, contact_id, 'update' AS action, revision AS base_revision, {sides},
               NULL::BOOLEAN AS before_active, NULL::BOOLEAN AS after_active
        FROM {part.table("wishes")} ORDER BY contact_id"""


def _sides(part: Part, known: Mapping[str, str]) -> str:
    """The select list of both sides of every field; sides without a known value are NULL."""
    kinds = {f"{name}_{field}": SQL_TYPE[kind] for field, kind in part.stored.items() for name, _ in _SIDES}
    return ", ".join(f"{known.get(side, 'NULL')}::{kind} AS {quoted(side)}" for side, kind in kinds.items())


def _deactivations(part: Part) -> str:
    sides = _sides(part, {})
    return f"""
        SELECT NULL::UINTEGER AS row_number, contact_id, 'deactivate' AS action, revision AS base_revision, {sides},
               true AS before_active, false AS after_active
        FROM missing ORDER BY contact_id"""


def _changed(field: str) -> str:
    return f"{quoted('_old_' + field)} IS DISTINCT FROM {quoted('_new_' + field)}"


def _after(part: Part, field: str) -> str:
    """The new value of an existing contact's field, by its blank policy; '' in a row empties the field."""
    if part.matched == "ignore" and field != CONSENT:
        return f"c.{quoted(field)}"
    if field == "notes" and part.takes_notes:
        return _notes(part, "c.notes")
    if field not in part.kinds:
        return f"c.{quoted(field)}"
    if field == CONSENT:
        return _ratchet(part)
    return _policy(part, field)


def _ratchet(part: Part) -> str:
    """A wish can be set under every policy. Only a row that says no, and may, takes it back."""
    given, there = f"w.{quoted(CONSENT)}", f"c.{quoted(CONSENT)}"
    kept = f"{there} AND {given} IS NULL" if part.clears_consent else there
    return f"CASE WHEN {given} OR ({kept}) THEN true ELSE {_policy(part, CONSENT)} END"


def _policy(part: Part, field: str) -> str:
    given, there = f"w.{quoted(field)}", f"c.{quoted(field)}"
    empties = part.kinds[field] == "text"
    filled = f"nullif({given}, '')" if empties else given
    blank = part.blank_policies[field]
    if field in part.adds:
        new = f"list_filter({given}, lambda value: NOT list_contains({there}, value))"
        return f"CASE WHEN {there} IS NULL OR {given} IS NULL THEN coalesce({there}, {given}) ELSE {there} || {new} END"
    if blank == "fill":
        return f"coalesce({there}, {filled})"
    if blank == "overwrite":
        absent = f"list_contains(w.noted, {literal(field)})" if part.takes_notes else "false"
        return f"CASE WHEN {absent} THEN {there} ELSE {filled} END"
    kept = f"coalesce({given}, {there})"
    return f"CASE WHEN {given} = '' THEN NULL ELSE {kept} END" if empties else kept


def _initial(part: Part, field: str) -> str:
    if field == "notes" and part.takes_notes:
        return _notes(part, "NULL::VARCHAR[]")
    given = "NULL"
    if field in part.kinds:
        given = f"nullif(w.{quoted(field)}, '')" if part.kinds[field] == "text" else f"w.{quoted(field)}"
    if field == CONSENT and part.links:  # the new contact is the same person
        return f"CASE WHEN c.{quoted(field)} THEN true ELSE {given} END"
    default = part.when_new.get(field)
    if default is None:
        return given
    # The first of several rows has the default already, and a later one may have cleared it.
    set_already = f"w._several AND {given} IS NULL" if field in part.kinds else "false"
    return f"CASE WHEN {set_already} THEN NULL ELSE coalesce({given}, {literal(default)}) END"


def _notes(part: Part, there: str) -> str:
    """All notes that the upload makes for a target, in file order; `_with_new_notes` drops those the target has."""
    given = ["coalesce(w.notes, [])"] if "notes" in part.kinds else []
    displaced = (_displaced(part, name, there) for name in noted_fields(part))
    return " || ".join([*given, "coalesce(w.import_notes, [])", *displaced])


def _with_new_notes(part: Part) -> str:
    """The query for the pairs, without notes that the target has already."""
    if not part.takes_notes:
        return "FROM pairs"
    new = """list_filter(_new_notes, lambda note, place: list_position(_new_notes, note) = place
                                     AND NOT list_contains(coalesce(_old_notes, []), note))"""
    noted = {"_new_notes": f"nullif(coalesce(_old_notes, []) || {new}, []) AS _new_notes"}
    fields = [*part.stored, *(["active"] if part.entity == "contact" else [])]
    sides = [side + name for name in fields for _, side in _SIDES]
    columns = ["row_number", part.id, "action", "base_revision", *(noted.get(side, quoted(side)) for side in sides)]
    return f"SELECT {', '.join(columns)} FROM pairs"


def _displaced(part: Part, field: str, there: str) -> str:
    """Notes of displaced values: given or stored before, but not stored afterwards."""
    existing = there == "c.notes"
    after = _policy(part, field) if existing else _initial(part, field)
    before = f"[c.{quoted(field)}]" if existing else "[]::VARCHAR[]"
    heading = literal(f"[merge] {part.headings.get(field, field)}: ")
    given = f"w.{quoted('_given_' + field)}"
    kept = "lambda v: v IS NOT NULL AND v <> '' AND v IS DISTINCT FROM"
    return f"""list_transform(
            CASE WHEN w._several THEN {given} ELSE list_filter({before} || {given}, {kept} {after}) END,
            lambda v: {heading} || {mask_sql("v", part.looks[field])})"""
