"""Match keys: the form in which values of rows and of contacts are compared. A blank key equals nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import combinations

from contact_pipeline.engines import Database, quoted
from contact_pipeline.engines import text as literal
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.profiles import NAME

NAMES = {NAME, *NAME_PARTS}
_HYPHENS = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}"
_APOSTROPHES = (
    "'\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`\N{ACUTE ACCENT}"
)


def key(field: str, alias: str, columns: Collection[str]) -> str:
    """The SQL expression of a field's key: case-folded; a name also without accents and apostrophes.

    A hyphen in a name counts as a space: Jean-Luc is Jean Luc, and O'Neil is ONeil. Normalized values, in rows and in
    contacts, are trimmed and have their spaces collapsed already. What is plain ASCII, as nearly all is, goes the short
    way: `translate` alone costs as much as all else together.

    Args:
        field: a field, or `name` for the full name or first and last name put together.
        alias: of the table that has the fields.
        columns: that the table has.
    """
    value = _name(alias, columns) if field == NAME else f"{alias}.{quoted(field)}" if field in columns else "NULL"
    folded = f"replace(replace(lower({value}), 'ß', 'ss'), 'ς', 'σ')"  # `lower` does not fold these two
    if field in NAMES:
        return f"nullif({_bare(f'strip_accents({folded})')}, '')"
    return f"nullif(CASE WHEN {_ascii(value)} THEN lower({value}) ELSE {folded} END, '')"


def _bare(name: str) -> str:
    """A name without hyphens and apostrophes, where it has any."""
    # What `translate` has no counterpart for, it leaves out.
    every = f"translate({name}, {literal(_HYPHENS + _APOSTROPHES)}, {literal(' ' * len(_HYPHENS))})"
    ascii_ones = f"replace(replace(replace({name}, '-', ' '), chr(39), ''), '`', '')"
    spaced = " OR ".join(f"contains({name}, {literal(mark)})" for mark in ("-", "'", "`", "  "))
    collapsed = "trim(replace(replace({}, '  ', ' '), '  ', ' '))"
    return f"""CASE WHEN NOT ({_ascii(name)}) THEN {collapsed.format(every)}
        WHEN {spaced} THEN {collapsed.format(ascii_ones)} ELSE trim({name}) END"""


def _ascii(value: str) -> str:
    return f"strlen({value}) = length({value})"


def _name(alias: str, columns: Collection[str]) -> str:
    first, last = (f"nullif({alias}.{name}, '')" for name in ("first_name", "last_name"))
    parts = [value for name, value in (("first_name", first), ("last_name", last)) if name in columns]
    whole = [f"nullif({alias}.full_name, '')"] if "full_name" in columns else []
    together = [f"nullif(concat_ws(' ', {', '.join(parts)}), '')"] if parts else []
    return f"coalesce({', '.join([*whole, *together, 'NULL'])})"


def key_column(field: str) -> str:
    """Name of the column that holds a field's key."""
    return quoted(f"key_{field}")


def key_columns(part: Part, alias: str, columns: Collection[str]) -> str:
    """The keys that a part's rules compare, as a select list."""
    return ", ".join(f"{key(name, alias, columns)} AS {key_column(name)}" for name in part.key_fields)


def make_keys(database: Database, part: Part, rows: str) -> None:
    """Makes a part's keys, row_number and one column per compared field: a view to keep, and a table while matching.

    Writing the keys down would cost more than working them out once more, which is seldom needed.
    """
    kept, columns = part.table("keys"), key_columns(part, "part_row", part.kinds)
    if database.has_table(kept):
        database.run(f"DROP TABLE {kept}")  # as the first version staged them
    database.run(f"CREATE OR REPLACE VIEW {kept} AS SELECT row_number, {columns} FROM {rows} AS part_row")
    database.run(
        f"CREATE OR REPLACE TEMP TABLE {part.table('row_keys')} AS FROM {kept} ANTI JOIN left_out USING (row_number)"
    )


def whole_keys(part: Part) -> list[tuple[str, ...]]:
    """The sets of fields of which one must agree for a rule to find anybody: its own, or any k of its n fields."""
    return [
        fields
        for rule in part.rules
        for fields in ([tuple(rule.equal)] if rule.equal else combinations(rule.of, rule.at_least or 1))
    ]


def filled(fields: Iterable[str]) -> str:
    """The SQL condition that none of these fields' keys is blank."""
    return " AND ".join(f"{key_column(name)} IS NOT NULL" for name in fields)
