"""Finds rows whose decision may depend on an earlier row of the file. They are decided in turn.

For all other rows the stored contacts suffice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match.changeset import pair
from contact_pipeline.match.keys import key_column, keyed, part_key, whole_keys
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.match.settled import make_settled, unsettle
from contact_pipeline.profiles import NAME

Fields = tuple[str, ...]

NO_ROWS: Final = "SELECT NULL::UINTEGER AS row_number WHERE false"

# The rows that have a candidate in common with another row.
_REACHING: Final = """FROM reached SEMI JOIN (
        SELECT representative FROM reached GROUP BY representative HAVING min(row_number) <> max(row_number)
    ) USING (representative)"""


def make_rows_in_turn(database: Tables, parts: Sequence[Part]) -> None:
    """Makes rows_in_turn (row_number): rows that share a whole key or a candidate with another row.

    A row can also compose a new key from its own and the contact's stored values; then this row, and rows with the new
    key, are in turn too. Also makes `settled`: those of them that need no loop.
    """
    database.stage("rows_in_turn", NO_ROWS)
    database.make("composers", NO_ROWS)
    for part in parts:
        _make_reached(database, part)
        _add(database, _REACHING)
        _add(database, _following(part))
        database.see("sharing", _sharing(database, part))
        _add(database, "FROM sharing")
        database.unsee("sharing")
    for part in parts:
        for fields in composed_sets(part):
            if part.updates:
                _add_composed(database, part, fields)
    make_settled(database, parts)


def has_unsettled(database: Tables) -> bool:
    """Whether any row in turn is not settled."""
    left: int = database.value("SELECT (SELECT count(*) FROM rows_in_turn) - (SELECT count(*) FROM settled)")
    return left > 0


def composed_sets(part: Part) -> list[Fields]:
    """Whole keys that a contact can have in part from a row and in part from its stored values."""
    if not (part.updates or part.within_file in {"merge", "last_wins"}):
        return []
    known = {*part.kinds, *([NAME] if any(name in part.kinds for name in NAME_PARTS) else [])}
    return [fields for fields in whole_keys(part) if known.issuperset(fields) and len(_columns(part, fields)) > 1]


def add_composed(database: Tables, part: Part, made: Mapping[Fields, Iterable[tuple[str | None, ...]]]) -> bool:
    """Adds rows with a key that earlier rows have composed on a contact. Returns whether any were added.

    Args:
        database: with the part's tables.
        part: whose keys they are.
        made: whole key → the values that contacts have for it by now.
    """
    found = False
    for fields, values in made.items():
        columns = [f"key_{name}" for name in fields]
        frame = pl.DataFrame([*values], schema=dict.fromkeys(columns, pl.String), orient="row")
        database.see("composed_keys", frame)
        database.make(
            "composed",
            f"""
            SELECT row_number FROM {_rows(part)} SEMI JOIN composed_keys USING ({", ".join(map(quoted, columns))})""",
        )
        found |= _add(database, "FROM composed") | unsettle(database, "FROM composed")
        database.unsee("composed_keys")
    return found


def add_all(database: Tables, part: Part) -> None:
    """Adds every row of a part."""
    _add(database, f"FROM {_rows(part)}")
    unsettle(database, "FROM settled")


def _add(database: Tables, rows: str) -> bool:
    added: int = database.append(
        "rows_in_turn",
        f"""
        SELECT DISTINCT row_number FROM ({rows}) WHERE row_number NOT IN (FROM rows_in_turn)""",
    )
    return added > 0


def _rows(part: Part) -> str:
    """The keys of rows that are not left out."""
    return f"(FROM {part.table('row_keys')} ANTI JOIN left_out USING (row_number))"


def _sharing(database: Tables, part: Part) -> pl.DataFrame:
    """Rows that share a whole key. Hashes are compared: a collision adds a row, never loses one."""
    sets = whole_keys(part)
    hashes = "".join(f", {_hash(part, fields)} AS hash_{place}" for place, fields in enumerate(sets))
    rows = database.frame(f"SELECT row_number{hashes} FROM {_rows(part)}")
    shared = pl.DataFrame([_is_shared(rows[f"hash_{place}"]) for place in range(len(sets))])
    return rows.select("row_number").filter(shared.select(pl.any_horizontal(pl.all())).to_series() if sets else False)


def _is_shared(hashes: pl.Series) -> pl.Series:
    """Whether each hash occurs more than once. Sorting takes half the time of counting."""
    ordered = hashes.drop_nulls().sort()
    return hashes.is_in(ordered.filter(ordered == ordered.shift(-1)).implode())


def _hash(part: Part, fields: Fields) -> str:
    """A hash of a whole key, or NULL."""
    keys = [_key(part, name) for name in fields]
    return f"CASE WHEN {' AND '.join(f'{name} IS NOT NULL' for name in keys)} THEN hash({', '.join(keys)}) END"


def _key(part: Part, name: str) -> str:
    """A key; for a blank cell the key of the default for new contacts."""
    if name not in part.when_new:
        return key_column(name)
    value = f"SELECT {literal(part.when_new[name])} AS {quoted(name)}"
    return f"coalesce({key_column(name)}, (SELECT {part_key(part, name, 'made', [name])} FROM ({value}) AS made))"


def _make_reached(database: Tables, part: Part) -> None:
    """Makes `reached` (row_number, representative): the candidates of each row."""
    database.make(
        "reached",
        f"""
        SELECT row_number, representative FROM {part.table("pairs")} ANTI JOIN left_out USING (row_number)
        UNION ALL
        SELECT row_number, contact_id FROM resolutions WHERE entity = '{part.entity}' AND choice = 'contact'""",
    )


def _following(part: Part) -> str:
    """The query for rows that a person called the same as another row, and for these other rows."""
    same = f"FROM resolutions WHERE entity = '{part.entity}' AND choice = 'row' AND own"
    return f"SELECT row_number {same} UNION ALL SELECT other_row {same}"


def _columns(part: Part, fields: Fields) -> list[str]:
    """The columns of a contact that make up a key."""
    names = [name for name in NAME_PARTS if name in part.looked_at]
    return [column for field in fields for column in (names if field == NAME else [field])]


def _keeping(database: Tables, part: Part, columns: list[str]) -> str:
    """An early filter: where only blanks keep stored values, rows without blanks compose no key."""
    others = [f"{quoted(name)} IS NOT NULL" for name in columns if name not in part.kinds]
    always = others and database.value(f"SELECT count(*) FROM {part.table('candidates')} WHERE {' OR '.join(others)}")
    given = [name for name in columns if name in part.kinds]
    if always or any(part.blank_policies[name] != "keep" for name in given):
        return ""
    blank = " OR ".join(f"coalesce(w.{quoted(name)}, '') = ''" for name in given)
    return f" AND ({blank})"


def _add_composed(database: Tables, part: Part, fields: Fields) -> None:
    """Adds rows that compose a key on a contact, where another row has this key; and these other rows.

    A row composes a key where it changes one column of the key and keeps another.
    """
    columns = _columns(part, fields)
    given = [name for name in columns if name in part.kinds]
    changed = " OR ".join(f"{quoted('_old_' + n)} IS DISTINCT FROM {quoted('_new_' + n)}" for n in given) or "false"
    kept = " OR ".join(
        f"{quoted('_new_' + n)} IS DISTINCT FROM {quoted('_given_' + n) if n in given else 'NULL'}" for n in columns
    )
    pairs = ", ".join(pair(part, name) for name in columns)
    values = "".join(f", w.{quoted(name)} AS {quoted('_given_' + name)}" for name in given)
    after = ", ".join(f"{quoted('_new_' + name)} AS {quoted(name)}" for name in columns)
    noted = ", w.noted" if part.takes_notes else ""
    made: int = database.make(
        "composing",
        f"""
        WITH pairs AS (
            SELECT w.row_number, {pairs}{values}{noted}
            FROM {part.table("decisions")} AS d JOIN {part.table("rows")} AS w ON w.row_number = d.row_number
                 JOIN {part.table("candidates")} AS c ON c.{part.id} = d.target
            WHERE d.decision = 'matched'{_keeping(database, part, columns)}
        )
        SELECT row_number AS maker, {after} FROM pairs WHERE ({changed}) AND ({kept})""",
    )
    if not made:
        return
    database.make(
        "composed",
        f"""
        SELECT maker, other.row_number
        FROM ({keyed(part, "composing", columns, "maker")}) JOIN {_rows(part)} AS other
             USING ({", ".join(map(key_column, fields))})
        WHERE other.row_number <> maker""",
    )
    rows = "SELECT maker AS row_number FROM composed UNION ALL SELECT row_number FROM composed"
    database.append("composers", rows)
    _add(database, rows)
