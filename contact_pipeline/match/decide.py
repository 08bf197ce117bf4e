"""Decides for each row by its keys alone whether it is somebody there is, somebody new, or for a person to judge."""

from __future__ import annotations

from itertools import combinations

from contact_pipeline.engines import Database
from contact_pipeline.match.keys import key_column
from contact_pipeline.match.part import Part
from contact_pipeline.profiles import MatchRule


def find_pairs(database: Database, part: Part, keys: str, candidates: str, into: str, kind: str = "TABLE") -> None:
    """Makes the table of pairs (row, rule, candidate) that agree by a rule: every candidate of every row."""
    queries = [
        query for number, rule in enumerate(part.rules, 1) for query in _pairs(part, number, rule, keys, candidates)
    ]
    database.run(f"CREATE OR REPLACE {kind} {into} AS {' UNION '.join(queries) or _no_pairs()}")


def decide(database: Database, part: Part, keys: str, pairs: str, into: str, kind: str = "TABLE") -> None:
    """Makes the table of decisions, one line per row: matched (with its target), new or review, and by which rule.

    The first rule that finds anybody decides. Linked contacts are one candidate, represented by the oldest. Of a rule
    that counts, only the highest count stands. A candidate whose higher key differs is somebody else, or a review.
    """
    database.run(f"""
        CREATE OR REPLACE {kind} {into} AS
        WITH usable AS (
            SELECT *, max(shared) OVER (PARTITION BY row_number, rule) AS most FROM {pairs} WHERE differs <> 'another'
        ),
        found AS (
            SELECT row_number, rule,
                   max(narrowed) AS narrowed, bool_or(differs = 'review') FILTER (narrowed = steps) AS doubtful,
                   min(representative) FILTER (narrowed = steps) AS lowest_narrowed,
                   max(representative) FILTER (narrowed = steps) AS highest_narrowed,
                   max(steps) AS steps
            FROM usable WHERE shared = most GROUP BY row_number, rule
        ),
        first_found AS (
            SELECT row_number, arg_min(found, rule) AS found FROM found GROUP BY row_number
        ),
        judged AS (
            SELECT row_number, found.rule,
                CASE WHEN found.narrowed < found.steps THEN {_otherwise(part)}
                     WHEN found.lowest_narrowed <> found.highest_narrowed OR found.doubtful THEN 'review'
                     ELSE 'matched' END AS decision,
                found.lowest_narrowed AS target
            FROM first_found
        )
        SELECT row_number, coalesce(decision, 'new') AS decision, rule,
               CASE WHEN decision = 'matched' THEN target END AS target
        FROM {keys} LEFT JOIN judged USING (row_number)""")


def _pairs(part: Part, number: int, rule: MatchRule, keys: str, candidates: str) -> list[str]:
    """One query per set of fields that may agree: the rule's own, or every choice of k among its n fields."""
    sets = [tuple(rule.equal)] if rule.equal else list(combinations(rule.of, rule.at_least or 1))
    counted = " + ".join(f"coalesce(({_equal(name)})::TINYINT, 0)" for name in rule.of) or "1"
    return [
        f"""
        SELECT r.row_number, {number} AS rule, c.{part.id} AS candidate, c.representative,
               {counted} AS shared, {_differs(part, number, rule)} AS differs,
               {_narrowed(rule)} AS narrowed, {len(rule.narrow)} AS steps
        FROM {keys} AS r JOIN {candidates} AS c ON {" AND ".join(_equal(name) for name in fields)}"""
        for fields in sets
    ]


def _no_pairs() -> str:
    return """SELECT 0::UINTEGER AS row_number, 0 AS rule, 0::BIGINT AS candidate, 0::BIGINT AS representative,
              0 AS shared, 'no' AS differs, 0 AS narrowed, 0 AS steps WHERE false"""


def _equal(name: str) -> str:
    return f"r.{key_column(name)} = c.{key_column(name)}"


def _differs(part: Part, number: int, rule: MatchRule) -> str:
    """'another' or 'review' where a key of an earlier rule is filled on both sides and different, else 'no'."""
    if rule.higher_differs == "same":
        return "'no'"
    higher = [earlier.equal for earlier in part.rules[: number - 1] if earlier.equal]
    different = [
        f"({' AND '.join(f'(r.{key_column(f)} = c.{key_column(f)}) IS NOT NULL' for f in fields)}"
        f" AND NOT ({' AND '.join(_equal(f) for f in fields)}))"
        for fields in higher
    ]
    return f"CASE WHEN {' OR '.join(different) or 'false'} THEN '{rule.higher_differs}' ELSE 'no' END"


def _narrowed(rule: MatchRule) -> str:
    """How many narrowing steps a candidate passes, in turn."""
    passed = [" AND ".join(_equal(step.field) for step in rule.narrow[: n + 1]) for n in range(len(rule.narrow))]
    return " + ".join(f"coalesce(({condition})::TINYINT, 0)" for condition in passed) or "0"


def _otherwise(part: Part) -> str:
    """What a row is where no candidate passes a narrowing step: as that step says."""
    cases = [
        f"WHEN found.rule = {number} AND found.narrowed = {step} THEN '{narrow.otherwise}'"
        for number, rule in enumerate(part.rules, 1)
        for step, narrow in enumerate(rule.narrow)
    ]
    return f"CASE {' '.join(cases)} END" if cases else "'new'"
