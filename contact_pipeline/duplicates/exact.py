"""Sets of contacts that the profile's rules call one person: each is decided as if it came in a file again."""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.duplicates.compared import pairs_within
from contact_pipeline.engines import Tables
from contact_pipeline.match.decide import agreeing, otherwise, rule_of
from contact_pipeline.match.part import Part
from contact_pipeline.profiles import MatchRule

_STEPS: Final = "rank % 64"  # narrowing steps that a pair does not pass
_AGREES: Final = f"differs = 'no' AND {_STEPS} = 0"


def make_sets(database: Tables, part: Part) -> None:
    """Makes agreeing_pairs, best_pairs (one, other, rank, differs) and `labels`: the oldest of each contact's set.

    A row is decided by the first rule that finds anybody. So a pair counts only if the rule by which it agrees is the
    first that finds anybody for one of the two.

    Args:
        database: a workspace with `compared` and `persons`.
        part: whose rules decide.
    """
    database.make(
        "agreeing_pairs",
        f"""
        SELECT row_number, candidate, rank, differs
        FROM ({agreeing(part, "compared", lambda _: "FROM compared")}) AS p
        JOIN persons AS one ON one.contact_id = row_number JOIN persons AS other ON other.contact_id = candidate
        WHERE one.person <> other.person""",
    )
    best = "SELECT row_number, min(rank) AS best FROM agreeing_pairs WHERE differs <> 'another' GROUP BY row_number"
    database.make(
        "best_pairs",
        f"""
        SELECT least(p.row_number, candidate) AS one, greatest(p.row_number, candidate) AS other, rank, differs
        FROM agreeing_pairs AS p JOIN ({best}) AS b ON b.row_number = p.row_number AND p.rank = best
        WHERE differs <> 'another'""",
    )
    database.make("decided_pairs", f"SELECT DISTINCT one, other FROM best_pairs WHERE {_AGREES}")
    _make_labels(database)


def read_sets(database: Tables) -> pl.DataFrame:
    """The sets as a frame: contact_id, first (the oldest of its set), is_chain, rules (their numbers) of each contact.

    A chain is a set in which not each agrees with each.
    """
    return database.frame(f"""
        WITH apart AS (
            SELECT unnest(labels) AS label FROM (
                SELECT list(DISTINCT label) AS labels FROM labels JOIN persons ON persons.contact_id = labels.contact_id
                GROUP BY person HAVING count(DISTINCT label) > 1)
        ),
        sizes AS (SELECT label, count(*) AS size FROM labels GROUP BY label),
        agreeing AS (
            SELECT label, count(*) AS pairs FROM (
                SELECT DISTINCT least(row_number, candidate) AS one, greatest(row_number, candidate) AS other
                FROM agreeing_pairs WHERE {_AGREES}) AS p
            JOIN labels AS a ON a.contact_id = one SEMI JOIN labels AS b ON b.contact_id = other AND b.label = a.label
            GROUP BY label
        ),
        rules AS (
            SELECT label, list(DISTINCT {rule_of("rank")} ORDER BY {rule_of("rank")}) AS rules
            FROM best_pairs JOIN labels ON contact_id = one WHERE {_AGREES} GROUP BY label
        )
        SELECT labels.contact_id, labels.label AS first, agreeing.pairs < {pairs_within("size")}
                   OR labels.label IN (SELECT label FROM apart) AS is_chain,
               rules.rules
        FROM labels JOIN sizes ON sizes.label = labels.label JOIN agreeing ON agreeing.label = labels.label
        JOIN rules ON rules.label = labels.label
        ORDER BY first, labels.contact_id""")


def make_doubtful_pairs(database: Tables, part: Part) -> None:
    """Makes doubtful_pairs (one, other): pairs that the rules would put before a person, and that are in no set."""
    review = f"({otherwise(part)}) = 'review'" if any(rule.narrow for rule in part.rules) else "false"
    database.make(
        "doubtful_pairs",
        f"""
        SELECT DISTINCT one, other FROM best_pairs
        LEFT JOIN labels AS a ON a.contact_id = one LEFT JOIN labels AS b ON b.contact_id = other
        WHERE (differs = 'review' OR ({_STEPS} > 0 AND {review})) AND (a.label = b.label) IS NOT TRUE""",
    )


def rule_in_words(rule: MatchRule) -> str:
    """The fields in which two contacts agree by a rule, in words."""
    if rule.equal:
        return f"same {' and '.join([*rule.equal, *(step.field for step in rule.narrow)])}"
    return f"{rule.at_least} of {', '.join(rule.of)} the same"


def _make_labels(database: Tables) -> None:
    """Makes `labels`: each contact of a decided pair with the lowest id that pairs lead to."""
    database.make("ends", "SELECT one, other FROM decided_pairs UNION ALL SELECT other, one FROM decided_pairs")
    database.make("labels", "SELECT one AS contact_id, least(one, min(other)) AS label FROM ends GROUP BY one")
    while True:
        database.make(
            "lower",
            """
            WITH near AS (
                SELECT one AS contact_id, min(label) AS label FROM ends JOIN labels ON contact_id = other GROUP BY one
            )
            SELECT labels.contact_id, least(labels.label, near.label, far.label) AS label
            FROM labels JOIN near ON near.contact_id = labels.contact_id
            JOIN labels AS far ON far.contact_id = labels.label""",
        )
        moved = database.value(
            "SELECT count(*) FROM lower JOIN labels USING (contact_id) WHERE lower.label <> labels.label"
        )
        database.make("labels", "FROM lower")
        if not moved:
            return
