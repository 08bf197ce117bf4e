"""Contacts that are alike without being one person by the rules: equal in one field, and near in the others.

Nothing is decided here: whoever looks at a pair decides. Pairs are looked for among contacts that have one value in
common, never among all. An upper bound of their likeness, worked out in SQL, leaves few for rapidfuzz to score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.duplicates.compared import SHARED_BY, LeftOut
from contact_pipeline.engines import Tables, quoted
from contact_pipeline.match.folding import is_ascii
from contact_pipeline.match.keys import key_column
from contact_pipeline.profiles import NAME

AT_LEAST: Final = 85.0  # of 100: the mean likeness of the fields beside the equal one
_SCORED_AT_A_TIME: Final = 100_000  # pairs


def make_near_keys(database: Tables, source: str, fields: Sequence[str], made: str) -> list[LeftOut]:
    """Makes the table of compared values: id, and for each field `key_<field>` and `block_<field>`.

    The words of a name are sorted, so that their order does not matter. A value that more than `SHARED_BY` have is
    compared, but pairs are not looked for by it: its `block_` is null.

    Args:
        database: a workspace.
        source: table with row_number and the keys.
        fields: those that are compared.
        made: name of the table.

    Returns:
        By field, the values that are not used to look for pairs.
    """
    keys = {name: key_column(name) for name in fields}
    if NAME in keys:
        keys[NAME] = f"array_to_string(list_sort(string_split({key_column(NAME)}, ' ')), ' ')"
    named = ", ".join(f"{value} AS {key_column(name)}" for name, value in keys.items())
    blocks = ", ".join(
        f"CASE WHEN count(*) OVER (PARTITION BY {key_column(name)}) <= {SHARED_BY} THEN {key_column(name)} END "
        f"AS {_block(name)}"
        for name in fields
    )
    columns = ", ".join(map(key_column, fields))
    database.make(made, f"SELECT row_number AS id, {columns}, {blocks} FROM (SELECT row_number, {named} FROM {source})")
    counts = ", ".join(
        f"count(DISTINCT {key_column(name)}) FILTER ({_block(name)} IS NULL), "
        f"count({key_column(name)}) FILTER ({_block(name)} IS NULL)"
        for name in fields
    )
    (found,) = database.rows(f"SELECT {counts} FROM {made}")
    shared = zip(fields, found[::2], found[1::2], strict=True)
    return [LeftOut((name,), values, contacts) for name, values, contacts in shared if values]


def find_near(
    database: Tables,
    fields: Sequence[str],
    at_least: float,
    *,
    ones: str = "near_keys",
    others: str = "near_keys",
    known: str | None = None,
    doubtful: str | None = None,
) -> pl.DataFrame:
    """The pairs that are near: one, other, score, is_doubtful, and `like_<field>` of each field that both have.

    Args:
        database: a workspace with what `make_near_keys` made.
        fields: those that are compared.
        at_least: the mean likeness, of 100, that the fields beside the equal one must have.
        ones: table of the first of each pair; where it is also `others`, each pair is found once.
        others: table of the second of each pair.
        known: table of pairs (one, other) that are left out; None: there are none.
        doubtful: table of pairs that are returned whatever their likeness; None: there are none.
    """
    database.make("near_pairs", "SELECT 0::BIGINT AS one, 0::BIGINT AS other WHERE false")
    once = "a.id < b.id" if ones == others else "true"
    for place, field in enumerate(fields):
        before = " ".join(f"AND ({_same_block(name)}) IS NOT TRUE" for name in fields[:place])
        database.append(
            "near_pairs",
            f"""
            SELECT a.id AS one, b.id AS other
            FROM {ones} AS a JOIN {others} AS b ON {_same_block(field)} AND {once} {before}
            WHERE {_filled(fields)} >= 2
                  AND ({_bound(fields)} - 1) * 100 >= {at_least} * ({_filled(fields)} - 1)""",
        )
    left = " ".join(f"ANTI JOIN {table} USING (one, other)" for table in (known, doubtful) if table)
    asked = f"UNION ALL SELECT one, other, true AS is_doubtful FROM {doubtful}" if doubtful else ""
    database.make(
        "numbered_pairs",
        f"""
        SELECT one, other, is_doubtful, row_number() OVER (ORDER BY one, other) - 1 AS place
        FROM (SELECT one, other, false AS is_doubtful FROM near_pairs {left} {asked})""",
    )
    count = database.value("SELECT count(*) FROM numbered_pairs")
    kept = [
        _scored(database, fields, at_least, ones, others, first) for first in range(0, max(count, 1), _SCORED_AT_A_TIME)
    ]
    return pl.concat(kept).sort("is_doubtful", "score", "one", "other", descending=[True, True, False, False])


def _scored(
    database: Tables, fields: Sequence[str], at_least: float, ones: str, others: str, first: int
) -> pl.DataFrame:
    """The pairs from a place on, scored, without those that are not near enough."""
    from rapidfuzz import fuzz

    sides = ", ".join(
        f"{side}.{key_column(name)} AS {quoted(f'{side}_{name}')}" for name in fields for side in ("a", "b")
    )
    pairs = database.frame(f"""
        SELECT one, other, is_doubtful, {sides}
        FROM numbered_pairs JOIN {ones} AS a ON a.id = one JOIN {others} AS b ON b.id = other
        WHERE place BETWEEN {first} AND {first + _SCORED_AT_A_TIME - 1} ORDER BY place""")
    # Without numpy, which nothing else here needs, rapidfuzz has no call for a whole column; `map` calls C from C.
    likes = []
    for name in fields:
        sides_of = pairs.select(pl.col(f"a_{name}").alias("a"), pl.col(f"b_{name}").alias("b")).with_row_index()
        differing = sides_of.filter(pl.col("a") != pl.col("b"))
        ratios = pl.Series("ratio", list(map(fuzz.ratio, differing["a"], differing["b"])), dtype=pl.Float64)
        scored = sides_of.join(differing.select("index", ratios), on="index", how="left", maintain_order="left")
        like = pl.when(pl.col("a") == pl.col("b")).then(100.0).otherwise(pl.col("ratio"))
        likes.append(scored.select(like.alias(f"like_{name}")).to_series())
    found = pairs.select("one", "other", "is_doubtful").hstack(likes)
    names = [f"like_{name}" for name in fields]
    filled = pl.sum_horizontal(pl.col(names).is_not_null())
    mean = (pl.sum_horizontal(names) - 100) / (filled - 1)
    is_equal = pl.max_horizontal(names) == 100
    score = pl.when((filled > 1) & is_equal).then(mean).otherwise(pl.mean_horizontal(names)).alias("score")
    return found.with_columns(score).filter(pl.col("is_doubtful") | (pl.col("score") >= at_least))


def why(record: dict[str, object], fields: Sequence[str]) -> str:
    """Why a pair is listed, in words: what is equal, and how like the others are."""
    likes = {name: record[f"like_{name}"] for name in fields}
    known = {name: like for name, like in likes.items() if isinstance(like, float)}
    equal = [name for name, like in known.items() if like == 100]
    near = [f"{name} {like:.0f}" for name, like in known.items() if like < 100]
    same = [f"same {', '.join(equal)}"] if equal else []
    return "; ".join([*same, *([", ".join(near)] if near else [])])


def _block(field: str) -> str:
    return quoted(f"block_{field}")


def _same_block(field: str) -> str:
    return f"a.{_block(field)} = b.{_block(field)}"


def _filled(fields: Sequence[str]) -> str:
    """The SQL expression of how many fields both have."""
    return "(" + " + ".join(f"({_both(name)})::INTEGER" for name in fields) + ")"


def _both(field: str) -> str:
    return f"a.{key_column(field)} IS NOT NULL AND b.{key_column(field)} IS NOT NULL"


def _bound(fields: Sequence[str]) -> str:
    """The SQL expression of an upper bound for the sum of the likenesses of the fields, each at most 1.

    The ratio counts a changed letter twice, as taken out and put in; the Levenshtein distance, once. DuckDB counts
    bytes, so texts that are not ASCII have no bound below 1.
    """
    return "(" + " + ".join(map(_bound_of, fields)) + ")"


def _bound_of(field: str) -> str:
    one, other = (f"{side}.{key_column(field)}" for side in ("a", "b"))
    distance = f"levenshtein({one}, {other})::DOUBLE / (strlen({one}) + strlen({other}))"
    return f"""
        CASE WHEN NOT ({_both(field)}) THEN 0 WHEN {one} = {other} THEN 1
             WHEN {is_ascii(one)} AND {is_ascii(other)} THEN 1 - {distance} ELSE 1 END"""
