"""The rows of the file on the page: counts by group, and as many rows as have room.

Rows with the same outcome and the same kinds of defects are a group. The groups count the whole file, so the counts for
any choice of outcome, column and code are exact; the page has the first rows of each group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from contact_pipeline.engines import PLACE, Tables
from contact_pipeline.masking import mask_heading
from contact_pipeline.pages.review.room import Words, bytes_of, cut, in_turn
from contact_pipeline.store import Upload

_GROUPS: Final = 1_500
_OF_A_GROUP: Final = 4_000  # rows
_VALUES: Final = 300
_VALUES_OF_A_KIND: Final = 12
_ROWS: Final = 6_000
_COLUMNS: Final = 24
_ROOM: Final = 640_000  # bytes

_SIGNATURES: Final = """
    SELECT row_number, list_sort(list_distinct(list(coalesce("column", '') || chr(31) || code))) AS kinds
    FROM rejections GROUP BY row_number"""


@dataclass(frozen=True, slots=True)
class _Group:
    outcome: str
    kinds: tuple[tuple[str, str], ...]  # column and code of each defect
    rows: int
    some: list[int]


def gather_rows(upload: Upload) -> dict[str, Any]:
    """The rows that the page has.

    Returns:
        columns: the headings whose cells it has; of_columns: how many the file has; groups: outcome, kinds (column,
        code) and how many rows; values: outcome, column, code, value and how many rows, of the most frequent values;
        folded: how many rows are in no group; rows: row_number, outcome, contact_id, account_id, the row and the
        contact that it duplicates, reason, defects (column, code, severity, value, message, fix) and cells; words:
        texts by number.
    """
    with upload.staging.look() as database:
        if database is None or not database.has("outcome_rows"):
            return {
                "columns": [],
                "groups": [],
                "values": [],
                "folded": 0,
                "rows": [],
                "words": [],
                "fields": [],
                "of_columns": 0,
            }
        groups, folded = _groups(database)
        values = _values(database)
        firsts = [value.pop() for value in values]
        wanted = in_turn([*([row] for row in firsts), *(group.some for group in groups)])[:_ROWS]
        headings, fields, rows, words = _rows(database, upload, wanted)
    return {
        "columns": headings,
        "fields": fields,
        "of_columns": len(upload.staging.facts().columns),
        "groups": [[group.outcome, group.kinds, group.rows] for group in groups],
        "values": cut(values),
        "folded": folded,
        "rows": rows,
        "words": words.texts,
    }


def _groups(database: Tables) -> tuple[list[_Group], int]:
    """The groups with the most rows, and how many rows are in none of them."""
    found = database.rows(f"""
        SELECT outcome, coalesce(kinds, []) AS kinds, count(*) AS rows, min(row_number, {_OF_A_GROUP}) AS some
        FROM outcome_rows LEFT JOIN ({_SIGNATURES}) USING (row_number)
        GROUP BY outcome, kinds ORDER BY len(kinds) > 0, rows DESC, outcome, kinds LIMIT {_GROUPS}""")
    groups = [
        _Group(outcome, tuple(_pair(kind) for kind in kinds), rows, some[: _of_each(len(found))])
        for outcome, kinds, rows, some in found
    ]
    total = database.value("SELECT count(*) FROM outcome_rows")
    return groups, total - sum(group.rows for group in groups)


def _of_each(groups: int) -> int:
    return max(20, 4 * _ROWS // max(groups, 1))


def _pair(kind: str) -> tuple[str, str]:
    column, code = kind.split("\x1f")
    return cut(column), code


def _values(database: Tables) -> list[list[Any]]:
    """The most frequent wrong values of each column and code, how many rows have each, and the first such row."""
    found = database.rows(f"""
        SELECT outcome, coalesce("column", ''), code, value,
               count(DISTINCT row_number) AS rows, min(row_number) AS first
        FROM rejections JOIN outcome_rows USING (row_number)
        WHERE value IS NOT NULL AND value <> ''
        GROUP BY outcome, "column", code, value
        QUALIFY row_number() OVER (PARTITION BY "column", code ORDER BY rows DESC, first) <= {_VALUES_OF_A_KIND}
        ORDER BY rows DESC, first LIMIT {_VALUES}""")
    return [[*row] for row in found]


def _rows(
    database: Tables, upload: Upload, wanted: Sequence[int]
) -> tuple[list[str], list[str | None], list[list[Any]], Words]:
    """As many of these rows as there is room for, in file order."""
    facts = upload.staging.facts()
    label_of = facts.label_of
    shown = sorted(facts.columns, key=lambda column: column not in facts.fields)[:_COLUMNS]
    shown = [column for column in facts.columns if column in shown]
    words, among = Words(), ", ".join(map(str, wanted)) or "NULL"
    defects = defaultdict(list)
    for row, column, code, severity, value, message, fix in database.rows(f"""
        SELECT row_number, coalesce("column", ''), code, severity, value, message, fix FROM rejections
        WHERE row_number IN ({among}) ORDER BY row_number, {PLACE}"""):
        kind = [words.number(each) for each in (cut(column), code, severity)]
        defects[row].append([*kind, cut(value), words.number(cut(message)), words.number(cut(fix))])
    outcomes = {
        record[0]: record
        for record in database.rows(f"""
            SELECT row_number, outcome, contact_id, account_id, duplicate_of_row, duplicate_of_contact, reason
            FROM outcome_rows WHERE row_number IN ({among})""")
    }
    cells = {
        record["row_number"]: [cut(record.get(column)) for column in shown]
        for record in upload.rows_of("raw_rows", wanted).iter_rows(named=True)
    }
    taken: list[list[Any]] = []
    room = _ROOM
    for number in wanted:
        _, outcome, *ids, reason = outcomes[number]
        row = [number, words.number(outcome), *ids, words.number(cut(reason)), defects[number], cells.get(number)]
        room -= bytes_of(row)
        if room < bytes_of(words.texts) and len(taken) % 50 == 0:
            break
        taken.append(row)
    headings = [cut(mask_heading(label_of[column])) for column in shown]
    return headings, [facts.fields.get(column) for column in shown], sorted(taken), words
