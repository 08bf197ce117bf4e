"""Rows that are somebody who was erased: recognized by fingerprints of their keys, and held for a person to judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.decide import agreeing, by_keys
from contact_pipeline.match.defects import add_defects
from contact_pipeline.match.folding import without_case
from contact_pipeline.match.keys import NAMES, key_column
from contact_pipeline.match.part import Part
from contact_pipeline.settings import Settings
from contact_pipeline.store.erasures import fingerprint, read_secret

ERASED_PERSON: Final = "erased-person"
ERASED: Final = "erased"  # a row that was emptied when its person was erased


def copy_fingerprints(database: Tables, book: str) -> None:
    """Makes erased_people, with the contact database's tables under the prefix `book`."""
    database.make("erased_people", f"FROM {book}fingerprints")


def find_erased(database: Tables, part: Part, settings: Settings, keys: str, decisions: str, into: str) -> None:
    """Makes the table of rows (row_number, contact_id) that would be new but are, by the same rules, who was erased.

    Whoever was erased is a candidate like any other, but that fingerprints are compared. A row that a contact there is
    matches is that contact, and stays so. Fingerprints know no `case: keep`; and an earlier version made them of names
    without the marks of any script, so that rows are compared so, too.

    Args:
        database: with erased_people.
        part: whose rows they are.
        settings: of the home, where the secret of fingerprints lies.
        keys: table of the rows' keys.
        decisions: table or view of what the keys decide.
        into: name of the table to make.
    """
    new = f"{keys} SEMI JOIN (FROM {decisions} WHERE decision = 'new') USING (row_number)"
    _find(database, part, settings, new, into)


def find_erased_in_turn(database: Tables, part: Part, settings: Settings) -> dict[int, int]:
    """The rows decided in turn that, if they are new, are somebody who was erased → who that is."""
    rows = f"{part.table('row_keys')} SEMI JOIN rows_in_turn USING (row_number)"
    _find(database, part, settings, rows, "erased_in_turn")
    return dict(database.rows("SELECT row_number, contact_id FROM erased_in_turn"))


def make_held(database: Tables, part: Part, in_turn: Sequence[tuple[int, int]]) -> None:
    """Makes <entity>_held (row_number, contact_id): the rows in review as somebody who was erased.

    Args:
        database: with the part's erased rows, and the rows in turn.
        part: whose rows they are.
        in_turn: which of the rows in turn were so held, and as whom.
    """
    schema = {"row_number": pl.UInt32, "contact_id": pl.Int64}
    database.see("held", pl.DataFrame(in_turn, schema=schema, orient="row"))
    database.make(
        part.table("held"),
        f"""
        FROM {part.table("erased")} ANTI JOIN rows_in_turn USING (row_number) UNION ALL FROM held""",
    )
    database.unsee("held")


def anybody_erased(database: Tables, part: Part) -> bool:
    """Whether a row of this part could be somebody who was erased."""
    return part.entity == "contact" and database.value("SELECT count(*) FROM erased_people") > 0


def _find(database: Tables, part: Part, settings: Settings, rows: str, into: str) -> None:
    """Makes the table of those of the rows that are somebody who was erased; it is empty where nobody was."""
    if not anybody_erased(database, part):
        database.make(into, "SELECT NULL::UINTEGER AS row_number, NULL::BIGINT AS contact_id WHERE false")
        return
    secret = read_secret(settings)
    shown, shown_before = (
        ", ".join(f"{fingerprint(n, folded(part, n), secret)} AS {key_column(n)}" for n in part.key_fields)
        for folded in (_now, _before)
    )
    otherwise = " OR ".join(f"{_now(part, name)} <> {_before(part, name)}" for name in part.key_fields) or "false"
    database.make(
        "fingerprint_keys",
        f"""
        WITH new AS (FROM {rows})
        SELECT row_number, {shown} FROM new
        UNION ALL SELECT row_number, {shown_before} FROM new WHERE {otherwise}""",
    )
    columns = ", ".join(
        f"any_value(fingerprint) FILTER (field = {literal(name)}) AS {key_column(name)}" for name in part.key_fields
    )
    people = f"SELECT contact_id, {columns} FROM erased_people GROUP BY contact_id, state"
    database.make(
        "erased_pairs",
        f"""
        SELECT *, candidate AS representative FROM ({agreeing(part, "fingerprint_keys", lambda _: people)})""",
    )
    database.make(
        into,
        f"""
        WITH decided AS ({by_keys(part, "fingerprint_keys", "erased_pairs")})
        SELECT row_number, min(candidate) AS contact_id
        FROM erased_pairs SEMI JOIN (FROM decided WHERE decision <> 'new') USING (row_number)
        WHERE differs <> 'another' GROUP BY row_number""",
    )


def _now(part: Part, field: str) -> str:
    key = key_column(field)
    return without_case(key) if field in part.keeps_case else key


def _before(part: Part, field: str) -> str:
    """What an earlier version made of the key."""
    return f"strip_accents({key_column(field)})" if field in NAMES else _now(part, field)


def warn_of_erased(database: Tables, part: Part) -> None:
    """Warns of the rows in review that are somebody who was erased."""
    held = f"SELECT DISTINCT row_number FROM {part.table('held')} SEMI JOIN reviews USING (row_number)"
    add_defects(database, ERASED_PERSON, held, severity="warning")
