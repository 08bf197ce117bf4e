"""Translates the queries of the stages into Spark's dialect."""

from __future__ import annotations

from typing import Final
from zlib import crc32

import sqlglot
from sqlglot import exp

from contact_pipeline.engines.spark_texts import text_as_spark_has_it

_NAMES: Final = {
    "hash": "xxhash64",
    "strlen": "octet_length",
    "list_position": "array_position",
}
_PREFIXES: Final = {"book", "staged"}
# Spark has no unsigned numbers. These signed ones hold ours.
_SIGNED: Final = {
    exp.DType.UTINYINT: exp.DType.SMALLINT,
    exp.DType.USMALLINT: exp.DType.INT,
    exp.DType.UINT: exp.DType.BIGINT,
    exp.DType.UBIGINT: exp.DType.BIGINT,
}


def to_spark(sql: str) -> str:
    """A query of the stages in Spark's dialect.

    Raises:
        UnsupportedError: Spark lacks something that the query uses.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    for node in reversed([*tree.walk()]):  # inner ones first
        if (changed := _as_spark_has_it(node)) is not node:
            node.replace(changed)
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def expression_to_spark(sql: str) -> str:
    """An expression of a query, such as a condition, in Spark's dialect."""
    return to_spark(f"SELECT {sql}").removeprefix("SELECT ")


def type_in_spark(name: str) -> str:
    """The type of a column in Spark's dialect."""
    return to_spark(f"SELECT CAST(NULL AS {name})").removeprefix("SELECT CAST(NULL AS ").removesuffix(")")


def in_one_name(table: str) -> str:
    """The name of a table, with that of another database before it, as `to_spark` names it."""
    database, _, name = table.rpartition(".")
    return f"{database}_{name}" if database in _PREFIXES else table


def tables_of(sql: str) -> frozenset[str]:
    """The names of the tables that a query in Spark's dialect reads; those of its own parts are among them."""
    return frozenset(table.name for table in sqlglot.parse_one(sql, read="spark").find_all(exp.Table))


def _as_spark_has_it(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.DataType() if node.this in _SIGNED:
            return exp.DataType.build(_SIGNED[node.this])
        case exp.Anonymous() if node.name in _NAMES:
            return exp.Anonymous(this=_NAMES[node.name], expressions=node.expressions)
        case exp.Concat():
            # The tree has an empty text for a missing value, which a number cannot be.
            node.set("expressions", [exp.cast(each, exp.DType.TEXT) for each in node.expressions])
        case exp.NullSafeNEQ():  # which Sail refuses twice in one aggregation
            return exp.Not(this=exp.Anonymous(this="equal_null", expressions=[node.this, node.expression]))
        case exp.CTE() if node.args.get("materialized") is not None:
            node.set("materialized", None)
        case exp.Table() if node.db in _PREFIXES:
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name)))
            node.set("this", exp.to_identifier(f"{node.db}_{node.name}"))
            node.set("db", None)  # changed in place: after FROM alone, the joins hang on the table
        case _:
            changed = text_as_spark_has_it(node)
            return changed if changed is not node else _list_as_spark_has_it(node)
    return node


def _list_as_spark_has_it(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.ArrayFilter(expression=exp.Lambda(expressions=[_, place])):
            return _counted_from_one(node, place.name)
        case exp.Filter(this=exp.ArrayAgg(this=exp.Order() as ordered)):
            return _in_order(ordered, node.expression)
        case exp.ArrayAgg(this=exp.Order() as ordered) if not isinstance(node.parent, exp.Filter):
            return _in_order(ordered)
        case exp.Bracket(expressions=[exp.Slice(this=None) as first]):
            return exp.Anonymous(this="slice", expressions=[node.this, exp.Literal.number(1), first.expression])
        case exp.Bracket(expressions=[place]) if not isinstance(place, exp.Literal | exp.Slice):
            return exp.Anonymous(this="element_at", expressions=[node.this, _from_one(place)])
        case _:
            pass
    return node


def _from_one(place: exp.Expr) -> exp.Expr:
    """The place of a value, counted from 1: the tree takes 1 off where it knows that the place is an integer."""
    is_less = isinstance(place, exp.Add) and place.expression.sql() == "-1"
    return place.this if is_less else place


def _counted_from_one(filtered: exp.ArrayFilter, place: str) -> exp.Expr:
    """A filter that looks at the places of its values: Spark counts them from 0."""
    condition = filtered.expression.this
    for name in [*condition.find_all(exp.Identifier)]:
        if name.name == place:
            name.replace(sqlglot.parse_one(f"({place} + 1)", read="spark"))
    return filtered


def _in_order(ordered: exp.Order, condition: exp.Expr | None = None) -> exp.Expr:
    """An ordered list. Spark gathers in any order, so values are gathered with their sort keys, and sorted."""
    (by,) = (term.this.sql("spark") for term in ordered.expressions)
    value = ordered.this.sql("spark")
    name = f"v_{crc32(value.encode())}"  # Sail takes two gatherings with the same field names for one
    pairs = f"collect_list(struct({by} AS o, {value} AS {name}))"
    where = f" FILTER ({condition.sql('spark')})" if condition else ""
    # Nothing gathered is NULL in DuckDB, and an empty list in Spark.
    gathered = f"nullif({pairs}{where}, array())"
    return sqlglot.parse_one(f"transform(array_sort({gathered}), pair -> pair.{name})", read="spark")
