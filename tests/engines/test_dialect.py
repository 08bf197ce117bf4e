"""What `to_spark` makes of a query that Spark would take otherwise, or not at all."""

import pytest

from contact_pipeline.engines.dialect import expression_to_spark, in_one_name, tables_of, to_spark, type_in_spark


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("FROM book.a ANTI JOIN b USING (i)", "SELECT * FROM book_a AS a ANTI JOIN b USING (i)"),
        (
            "FROM book.a AS x SEMI JOIN staged.b USING (i)",
            "SELECT * FROM book_a AS x SEMI JOIN staged_b AS b USING (i)",
        ),
        ("SELECT a IS DISTINCT FROM b FROM t", "SELECT NOT EQUAL_NULL(a, b) FROM t"),
        ("SELECT NULL::UINTEGER AS a", "SELECT CAST(NULL AS BIGINT) AS a"),
        ("SELECT a[b] FROM t", "SELECT ELEMENT_AT(a, b) FROM t"),
        ("SELECT a[strpos(b, c)] FROM t", "SELECT ELEMENT_AT(a, LOCATE(c, b)) FROM t"),
        ("SELECT a[:3] FROM t", "SELECT SLICE(a, 1, 3) FROM t"),
        ("SELECT lower(a) FROM t", "SELECT LOWER(REPLACE(a, 'İ', 'i')) FROM t"),
        ("SELECT string_split(a, '. ') FROM t", r"SELECT SPLIT(a, '\\. ') FROM t"),
        ("SELECT string_split(a, '') FROM t", "SELECT ARRAY_REMOVE(SPLIT(a, ''), '') FROM t"),
        (
            r"SELECT regexp_matches(a, '^[\p{Latin}\W]$') FROM t",
            r"SELECT a RLIKE '^[\\p{sc=Latin}[^0-9A-Za-z_]]\\z' FROM t",
        ),
        (
            r"SELECT regexp_replace(a, '(?i)(\bé\$|\\d)', '\1*', 'g') FROM t",
            r"SELECT REGEXP_REPLACE(a, '(?iu)((?-u:\\b)é\\$|\\\\d)', '$1*') FROM t",
        ),
    ],
)
def test_a_query_in_the_dialect_of_spark(query, there):
    assert to_spark(query) == there


def test_numbers_are_joined_to_a_text_as_texts():
    assert "COALESCE(CAST(b AS STRING), '')" in to_spark("SELECT concat('a', b) FROM t")


def test_a_list_of_nothing_is_null_as_in_duckdb():
    assert "NULLIF(COLLECT_LIST(" in to_spark("SELECT list(a ORDER BY b) FILTER (a > 1) FROM t")


def test_names_and_expressions():
    assert (in_one_name("book.contacts"), in_one_name("contacts")) == ("book_contacts", "contacts")
    assert tables_of(to_spark("WITH x AS (FROM book.a) FROM x JOIN b USING (i)")) == {"book_a", "x", "b"}
    assert expression_to_spark('s."a b" = 1::UINTEGER') == "s.`a b` = CAST(1 AS BIGINT)"
    assert [type_in_spark(kind) for kind in ("VARCHAR[]", "TIMESTAMP", "BOOLEAN")] == [
        "ARRAY<STRING>",
        "TIMESTAMP_NTZ",
        "BOOLEAN",
    ]
