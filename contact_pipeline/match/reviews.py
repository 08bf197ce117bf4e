"""Rows in review: their candidates, the shared fields, and the keys by which a decision is remembered."""

from __future__ import annotations

from collections.abc import Sequence

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.keys import key_column, keyed, stored_key
from contact_pipeline.match.part import Part
from contact_pipeline.match.resolutions import keys_as_text

_NAMED = 5  # candidates that a reason names; the table has all


def make_reviews(database: Tables, parts: Sequence[Part]) -> None:
    """Makes review_candidates and reviews (row_number, entity in doubt, keys, why), one line per row and entity.

    A line of review_candidates is one candidate: `candidate`, an id, or `other_row`, an earlier row of the file that
    creates somebody. `shares` lists the fields that agree; `active` says whether the contact is active.
    """
    candidates = " UNION ALL ".join(_candidates(part) for part in parts)
    database.stage("review_candidates", f"{candidates} ORDER BY row_number, candidate")
    queries = [
        f"""
        SELECT row_number, '{part.entity}' AS entity, {keys_as_text(part, "k")} AS keys,
               concat_ws('; ', 'could be {part.entity} ' || people, 'could be the same as ' || row,
                         'is contact ' || erased.contact_id || ', who was erased') AS why
        FROM {part.table("targets")} JOIN {part.table("row_keys")} AS k USING (row_number) LEFT JOIN (
            SELECT row_number, array_to_string(list(words ORDER BY candidate)
                       FILTER (candidate IS NOT NULL)[:{_NAMED}], ' or ') AS people,
                   array_to_string(list(words ORDER BY other_row)
                       FILTER (other_row IS NOT NULL)[:{_NAMED}], ' or ') AS row
            FROM ({_in_words(part)}) GROUP BY row_number
        ) USING (row_number)
        LEFT JOIN {part.table("was_erased")} AS erased USING (row_number)
        WHERE decision = 'review' AND row_number NOT IN (FROM left_out)"""
        for part in parts
    ]
    database.stage("reviews", " UNION ALL ".join(queries))


def _candidates(part: Part) -> str:
    known = "coalesce(active, false)" if part.entity == "contact" else "NULL::BOOLEAN"
    kept = part.id, f"{known} AS active"
    stored = keyed(part, part.table("candidates"), part.looked_at, *kept, key_of=stored_key)
    return f"""
        SELECT row_number, '{part.entity}' AS entity, candidate, NULL::UINTEGER AS other_row,
               {_shares(part, "c")} AS shares, active
        FROM (
            SELECT DISTINCT row_number, candidate
            FROM {part.table("pairs")} SEMI JOIN (FROM {part.table("targets")} WHERE decision = 'review')
                 USING (row_number) ANTI JOIN rows_in_turn USING (row_number) ANTI JOIN left_out USING (row_number)
            WHERE differs <> 'another'
        ) JOIN {part.table("row_keys")} AS r USING (row_number)
          JOIN ({stored}) AS c ON c.{part.id} = candidate
        UNION ALL
        SELECT d.row_number, '{part.entity}' AS entity, d.candidate, d.other_row, d.shares,
               CASE WHEN d.candidate IS NOT NULL THEN {known} END
        FROM {part.table("doubts")} AS d LEFT JOIN {part.table("candidates")} AS e ON e.{part.id} = d.candidate
        WHERE d.row_number NOT IN (FROM left_out)"""


def _shares(part: Part, other: str) -> str:
    """The fields in which the keys of `r` and of another agree."""
    agreeing = ", ".join(
        f"CASE WHEN r.{key_column(name)} = {other}.{key_column(name)} THEN {literal(name)} END"
        for name in part.key_fields
    )
    return f"list_filter([{agreeing or 'NULL::VARCHAR'}], lambda name: name IS NOT NULL)"


def _in_words(part: Part) -> str:
    """Each candidate in words, with the columns that agree."""
    headings = " ".join(
        f"WHEN {literal(name)} THEN {literal(part.headings.get(name, name))}" for name in part.key_fields
    )
    named = f"CASE name {headings} END" if headings else "name"
    return f"""
        SELECT row_number, candidate, other_row, coalesce(candidate::VARCHAR, 'row ' || other_row) || ' ('
                   || concat_ws('; ', 'same ' || nullif(array_to_string(
                       list_transform(shares, lambda name: {named}), ', '), ''),
                       CASE WHEN NOT active THEN 'deactivated' END) || ')' AS words
        FROM review_candidates WHERE entity = '{part.entity}'"""
