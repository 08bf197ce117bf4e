"""Match keys: the form in which values of rows and of contacts are compared. A blank key equals nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import combinations

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.kinds.placeholders import LONGEST_WITHOUT_EXTENSION, MAILBOXES, PHONE_ENDINGS, SSNS
from contact_pipeline.match.folding import PLAIN, composed, is_ascii, without_case, without_marks
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.profiles import NAME

NAMES = {NAME, *NAME_PARTS}
VERSION = "2"  # of the folding; 1 took the marks of every script off
_IN_FORM = {"phone", "ssn", "email"}  # normalized already to one form of each letter
_HYPHENS = r"[ \-\x{2010}\x{2011}\x{2013}]+"
_APOSTROPHES = r"[\x{27}\x{2019}\x{2018}\x{02BC}`\x{00B4}]"


def key(
    field: str, alias: str, columns: Collection[str], *, keeps_case: bool = False, placeholders: str | None = None
) -> str:
    """The SQL expression of a field's key: without case, and of a name without accents and apostrophes.

    A hyphen in a name counts as a space: Jean-Luc is Jean Luc, and O'Neil is ONeil. Normalized values, in rows and in
    contacts, are trimmed and have their spaces collapsed already. Plain ASCII, as nearly every value is, takes the
    short way.

    Args:
        field: a field, or `name` for the full name or first and last name put together; see `keyed`.
        alias: of the table that has the fields.
        columns: that the table has.
        keeps_case: whether values that differ in case differ.
        placeholders: type of which placeholders have no key; None: any value has one.
    """
    value = f"{alias}.{quoted(field)}" if field in columns else _name(alias, columns) if field == NAME else "NULL"
    if field in NAMES:
        short, whole = _without_signs(value), _folded_name(value)
    elif field in _IN_FORM:
        short, whole = f"lower({value})", without_case(value)
    elif keeps_case:
        short, whole = value, _with_hyphens(composed(value))
    else:
        short, whole = f"lower({value})", _with_hyphens(without_case(composed(value)))
    found = f"nullif(CASE WHEN {is_ascii(value)} THEN {short} ELSE {whole} END, '')"
    return f"CASE WHEN NOT ({_is_placeholder(value, placeholders)}) THEN {found} END" if placeholders else found


def _is_placeholder(value: str, kind: str) -> str:
    if kind == "email":
        boxes = "|".join(box.replace(".", "[.]") for box in MAILBOXES)
        return f"regexp_matches({value}, {literal(f'^(?i:{boxes})@')})"
    if kind == "ssn":
        return _is_among(value, SSNS)
    may_have = f"strlen({value}) > {LONGEST_WITHOUT_EXTENSION}"
    number = f"CASE WHEN {may_have} THEN split_part({value}, ';', 1) ELSE {value} END"
    return _is_among(f"right({number}, 7)", PHONE_ENDINGS)


def _is_among(value: str, known: Iterable[str]) -> str:
    return f"{value} IN ({', '.join(map(literal, known))})"


def _with_hyphens(value: str) -> str:
    """A value with a hyphen for every dash: word processors make dashes of hyphens in numbers."""
    return f"regexp_replace({value}, '[\\x{{2010}}-\\x{{2015}}\\x{{2212}}]', '-', 'g')"


def _without_signs(name: str) -> str:
    """A name of ASCII letters in lower case, without hyphens and apostrophes, where it has any."""
    lower = f"lower({name})"
    bare = f"replace(replace(replace({lower}, '-', ' '), chr(39), ''), '`', '')"
    signs = " OR ".join(f"contains({name}, {sign})" for sign in ("'-'", "chr(39)", "'`'", "'  '"))
    spaces = f"starts_with({name}, ' ') OR ends_with({name}, ' ')"
    collapsed = f"trim(replace(replace({bare}, '  ', ' '), '  ', ' '))"
    return f"CASE WHEN {signs} OR {spaces} THEN {collapsed} ELSE {lower} END"


def _folded_name(name: str) -> str:
    """The same for any name, without its marks too. Most names have letters only, with single spaces between."""
    bare = f"regexp_replace({without_marks(name)}, '{_APOSTROPHES}', '', 'g')"
    return f"""
        CASE WHEN regexp_matches({name}, '^[{PLAIN}]+( [{PLAIN}]+)*$') THEN strip_accents({without_case(name)})
             ELSE trim(regexp_replace({bare}, '{_HYPHENS}', ' ', 'g')) END"""


def _name(alias: str, columns: Collection[str]) -> str:
    first, last = (f"nullif({alias}.{name}, '')" for name in ("first_name", "last_name"))
    parts = [value for name, value in (("first_name", first), ("last_name", last)) if name in columns]
    whole = [f"nullif({alias}.full_name, '')"] if "full_name" in columns else []
    together = [f"nullif(concat_ws(' ', {', '.join(parts)}), '')"] if parts else []
    return f"coalesce({', '.join([*whole, *together, 'NULL'])})"


def key_column(field: str) -> str:
    """Name of the column that holds a field's key."""
    return quoted(f"key_{field}")


def part_key(part: Part, field: str, alias: str, columns: Collection[str]) -> str:
    """The SQL expression of a field's key as a part compares it."""
    return key(field, alias, columns, keeps_case=field in part.keeps_case, placeholders=part.placeholders.get(field))


def stored_key(part: Part, field: str, alias: str, columns: Collection[str]) -> str:
    """The same for stored values. Stored placeholders may keep a key: no row has one that is equal."""
    return key(field, alias, columns, keeps_case=field in part.keeps_case)


def keyed(
    part: Part,
    source: str,
    columns: Collection[str],
    *kept: str,
    key_of: Callable[[Part, str, str, Collection[str]], str] = part_key,
) -> str:
    """The query for the keys that a part's rules compare; a condition on the source, called `e`, may follow.

    Args:
        part: whose keys they are.
        source: table with the values.
        columns: that it has.
        kept: what else to select.
        key_of: `part_key` for rows, `stored_key` for what is compared with them.
    """
    if NAME in part.key_fields:  # joined here once, as the key names it many times
        source, columns = f"(SELECT *, {_name('e', columns)} AS {NAME} FROM {source} AS e)", {*columns, NAME}
    keys = (f"{key_of(part, name, 'e', columns)} AS {key_column(name)}" for name in part.key_fields)
    return f"SELECT {', '.join([*kept, *keys])} FROM {source} AS e"


def make_keys(database: Tables, part: Part, *, present: bool = False) -> None:
    """Makes a part's keys, row_number and one column per compared field: a view to keep, and a table while matching.

    Storing the keys would cost more than computing them again, which is seldom needed.

    Args:
        database: with the part's rows.
        part: whose keys they are.
        present: whether the table has those of rejected rows as well, from present_keys.
    """
    kept = part.table("keys")
    keys = keyed(part, part.table("rows"), part.kinds, "row_number")
    database.stage_view(kept, keys, note=VERSION)
    database.make(
        part.table("row_keys"),
        f"""
        FROM {kept} ANTI JOIN left_out USING (row_number){" UNION ALL FROM present_keys" if present else ""}""",
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
