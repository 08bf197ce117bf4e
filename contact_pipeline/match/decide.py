"""Decides whether each row is a stored contact, somebody new, or for a person to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Final

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.keys import NAMES, key_column, keyed, stored_key
from contact_pipeline.match.part import Part
from contact_pipeline.profiles import MatchRule

# A pair's rank orders the candidates of a row, best first: by rule, then by the number of fields that do not agree
# (rules k of n), then by the number of narrowing steps not passed. 6 bits each and an id of 45 fit into a BIGINT.
_SIX_BITS: Final = 64
_ID_BITS: Final = 45


def rule_of(rank: str) -> str:
    """The number of the rule by which a pair of this rank agrees."""
    return f"({rank}) // {_SIX_BITS**2}"


def pairs_of(database: Tables, part: Part, keys: str, book: str, address_book: str) -> str:
    """The query for pairs of a row and a stored entity that agree by a rule: all rows, all rules.

    Columns: row_number, candidate, representative (the oldest of the contacts that are linked with the candidate),
    rank, and differs (whether a higher key differs: no, review, another).

    Args:
        database: that has the keys, and the contact database's tables under the prefix `book`.
        part: whose entity is looked for.
        keys: table of the rows' keys.
        book: prefix of the contact database's tables, "" or "book.".
        address_book: in which candidates are looked for.
    """
    columns = database.columns(f"{book}{part.entity}s")

    def stored(shared: str | None) -> str:
        near = (
            f"AND {stored_key(part, shared, 'e', columns)} IN (SELECT {key_column(shared)} FROM {keys})"
            if shared
            else ""
        )
        return f"""
            {keyed(part, f"{book}{part.entity}s", columns, part.id, key_of=stored_key)}
            WHERE address_book = {literal(address_book)} {near}"""

    linked = f"LEFT JOIN {book}links ON contact_id = candidate" if part.entity == "contact" else ""
    return f"""
        SELECT row_number, candidate, {"coalesce(linked_to, candidate)" if linked else "candidate"} AS representative,
               rank, differs
        FROM ({agreeing(part, keys, stored)}) {linked}"""


def agreeing(part: Part, keys: str, stored: Callable[[str | None], str]) -> str:
    """The query for the pairs (row_number, candidate, rank, differs) of rows and stored entities that agree by a rule.

    Args:
        part: whose rules they are.
        keys: table of the rows' keys.
        stored: returns the query for the ids and keys of stored entities. Given a field, the query may leave out
            entities whose key for this field no row has.
    """
    return (
        " UNION ALL ".join(_pairs(part, number, rule, keys, stored) for number, rule in enumerate(part.rules, 1))
        or _NO_PAIRS
    )


def by_keys(part: Part, keys: str, pairs: str) -> str:
    """The query for the decision of the keys about each row: matched (with a target), new, or review.

    The first rule that finds anybody decides. Linked contacts are one candidate, represented by the oldest. Of a rule
    k of n, only the highest count stands. A candidate whose higher key differs is somebody else, or a review.

    Args:
        part: whose rules they are.
        keys: table of the rows' keys.
        pairs: table of the pairs that agree.
    """
    ids = 1 << _ID_BITS
    return f"""
        WITH best AS (
            SELECT row_number, min(rank * {ids} + representative) AS lowest,
                   min(rank * {ids} + {ids} - 1 - representative) AS highest,
                   min(rank * 2 + (differs = 'no')::TINYINT) AS certain
            FROM {pairs} WHERE differs <> 'another' GROUP BY row_number
        ),
        found AS (
            SELECT row_number, lowest // {ids} AS rank, lowest % {ids} AS target,
                   {ids} - 1 - highest % {ids} <> lowest % {ids} OR certain % 2 = 0 AS doubtful
            FROM best
        ),
        judged AS (
            SELECT row_number, target,
                   CASE WHEN rank % {_SIX_BITS} > 0 THEN {otherwise(part)}
                        WHEN doubtful THEN 'review' ELSE 'matched' END AS decision
            FROM found
        )
        SELECT row_number, coalesce(decision, 'new') AS decision,
               CASE WHEN decision = 'matched' THEN target END AS target
        FROM {keys} LEFT JOIN judged USING (row_number)"""


def make_pairs(database: Tables, part: Part, address_book: str) -> None:
    """Makes <entity>_pairs: whom each row agrees with by a rule; the contact database is attached as `book`."""
    database.stage(part.table("pairs"), pairs_of(database, part, part.table("row_keys"), "book.", address_book))


def make_by_keys(database: Tables, part: Part) -> None:
    """Makes the view <entity>_by_keys: the decision of the keys about each row that is not left out."""
    keys = f"(FROM {part.table('row_keys')} ANTI JOIN left_out USING (row_number))"
    database.view(part.table("by_keys"), by_keys(part, keys, part.table("pairs")))


def decide(database: Tables, part: Part) -> None:
    """Makes <entity>_decisions, one line per row. Three layers: keys, erasures over them, decisions of people on top.

    A row that would be new but was erased goes to review. A decision made in this upload always holds; one from an
    earlier upload holds only where the row would be in review.
    """
    database.stage(
        part.table("decisions"),
        f"""
        WITH unresolved AS (
            SELECT row_number, CASE WHEN e.contact_id IS NOT NULL THEN 'review' ELSE decision END AS decision, target
            FROM {part.table("by_keys")} LEFT JOIN {part.table("erased")} AS e USING (row_number)
        ),
        chosen AS (FROM resolutions WHERE entity = {literal(part.entity)} AND choice <> 'skip')
        SELECT unresolved.row_number,
               CASE WHEN choice IS NULL THEN decision WHEN choice = 'contact' THEN 'matched' ELSE 'new' END AS decision,
               CASE WHEN choice IS NULL THEN target WHEN choice = 'contact' THEN contact_id END AS target
        FROM unresolved
        LEFT JOIN chosen ON chosen.row_number = unresolved.row_number AND (own OR decision = 'review')""",
    )


_NO_PAIRS: Final = """
    SELECT 0::UINTEGER AS row_number, 0::BIGINT AS candidate, 0::BIGINT AS rank, 'no' AS differs WHERE false"""


def _pairs(part: Part, number: int, rule: MatchRule, keys: str, stored: Callable[[str | None], str]) -> str:
    """The query of one rule: pairs that agree in all its fields, or in k of its n fields."""
    sets = [tuple(rule.equal)] if rule.equal else list(combinations(rule.of, rule.at_least or 1))
    agree = " + ".join(f"coalesce(({_equal(name)})::TINYINT, 0)" for name in rule.of) or "0"
    first = f"({number * _SIX_BITS + len(rule.of)}::BIGINT - ({agree})) * {_SIX_BITS}"
    rank = f"{first} + {len(rule.narrow)} - ({_narrowed(rule)})"
    queries = [
        f"""
        SELECT r.row_number, c.{part.id} AS candidate, {rank} AS rank, {_differs(part, number, rule)} AS differs
        FROM {keys} AS r JOIN ({stored(_cheaper(fields))}) AS c ON {_agree(fields)}
             {" ".join(f"AND ({_agree(found)}) IS NOT TRUE" for found in sets[:place])}"""  # each pair once
        for place, fields in enumerate(sets)
    ]
    return " UNION ALL ".join(queries)


def _cheaper(fields: Sequence[str]) -> str | None:
    """A field that can rule out stored entities before the expensive key of a name is computed."""
    others = [name for name in fields if name not in NAMES]
    return others[0] if others and len(others) < len(fields) else None


def _agree(fields: Iterable[str]) -> str:
    return " AND ".join(_equal(name) for name in fields)


def _equal(name: str) -> str:
    return f"r.{key_column(name)} = c.{key_column(name)}"


def _differs(part: Part, number: int, rule: MatchRule) -> str:
    """'another' or 'review' where a key of an earlier rule is filled on both sides and different, else 'no'."""
    if rule.higher_differs == "same":
        return "'no'"
    higher = [earlier.equal for earlier in part.rules[: number - 1] if earlier.equal]
    different = [
        f"({' AND '.join(f'(r.{key_column(f)} = c.{key_column(f)}) IS NOT NULL' for f in fields)}"
        f" AND NOT ({_agree(fields)}))"
        for fields in higher
    ]
    return f"CASE WHEN {' OR '.join(different) or 'false'} THEN '{rule.higher_differs}' ELSE 'no' END"


def _narrowed(rule: MatchRule) -> str:
    """How many narrowing steps a candidate passes, in turn."""
    passed = [" AND ".join(_equal(step.field) for step in rule.narrow[: n + 1]) for n in range(len(rule.narrow))]
    return " + ".join(f"coalesce(({condition})::TINYINT, 0)" for condition in passed) or "0"


def otherwise(part: Part) -> str:
    """The decision where no candidate passes a narrowing step: the step names it."""
    cases = [
        f"WHEN {rule_of('rank')} = {number} AND rank % {_SIX_BITS} = {len(rule.narrow) - step} "
        f"THEN '{narrow.otherwise}'"
        for number, rule in enumerate(part.rules, 1)
        for step, narrow in enumerate(rule.narrow)
    ]
    return f"CASE {' '.join(cases)} END" if cases else "'new'"
