"""Finds rows of erased people by fingerprints of their keys. A person has to judge them."""

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


def make_erased(database: Tables, part: Part, settings: Settings, keys: str, decisions: str, into: str) -> None:
    """Makes a table (row_number, contact_id) of rows that would be new, but belong to an erased person.

    The match rules apply to erased people as to contacts, on fingerprints in place of keys. A row that matches a stored
    contact is that contact. Fingerprints ignore `case: keep`. An earlier version took the marks of every script off
    names, so rows are compared in that form as well.

    Args:
        database: with erased_people.
        part: whose rows they are.
        settings: of the home, where the secret of fingerprints lies.
        keys: table of the rows' keys.
        decisions: table or view of what the keys decide.
        into: name of the table to make.
    """
    new = f"{keys} SEMI JOIN (FROM {decisions} WHERE decision = 'new') USING (row_number)"
    _make(database, part, settings, new, into)


def make_erased_in_turn(database: Tables, part: Part, settings: Settings) -> None:
    """Makes erased_in_turn (row_number, contact_id): rows in turn that belong to an erased person."""
    rows = f"{part.table('row_keys')} SEMI JOIN rows_in_turn USING (row_number)"
    _make(database, part, settings, rows, "erased_in_turn")


def make_was_erased(database: Tables, part: Part, in_turn: Sequence[tuple[int, int]]) -> None:
    """Makes <entity>_was_erased (row_number, contact_id): rows in review because their person was erased.

    Args:
        database: with the part's erased rows, and the rows in turn.
        part: whose rows they are.
        in_turn: which of the rows in turn belong to erased people, and to whom.
    """
    schema = {"row_number": pl.UInt32, "contact_id": pl.Int64}
    database.see("erased_lines", pl.DataFrame(in_turn, schema=schema, orient="row"))
    database.make(
        part.table("was_erased"),
        f"""
        FROM {part.table("erased")} ANTI JOIN rows_in_turn USING (row_number) UNION ALL FROM erased_lines""",
    )
    database.unsee("erased_lines")


def anybody_erased(database: Tables, part: Part) -> bool:
    """Whether rows of this part have to be compared with erased people."""
    return part.entity == "contact" and database.value("SELECT count(*) FROM erased_people") > 0


def _make(database: Tables, part: Part, settings: Settings, rows: str, into: str) -> None:
    """Makes the table of those rows that belong to an erased person."""
    if not anybody_erased(database, part):
        database.make(into, "SELECT NULL::UINTEGER AS row_number, NULL::BIGINT AS contact_id WHERE false")
        return
    secret = read_secret(settings)
    fingerprints, former_fingerprints = (
        ", ".join(f"{fingerprint(n, folded(part, n), secret)} AS {key_column(n)}" for n in part.key_fields)
        for folded in (_folded, _formerly_folded)
    )
    differs = " OR ".join(f"{_folded(part, n)} <> {_formerly_folded(part, n)}" for n in part.key_fields) or "false"
    database.make(
        "fingerprint_keys",
        f"""
        WITH new AS (FROM {rows})
        SELECT row_number, {fingerprints} FROM new
        UNION ALL SELECT row_number, {former_fingerprints} FROM new WHERE {differs}""",
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


def _folded(part: Part, field: str) -> str:
    key = key_column(field)
    return without_case(key) if field in part.keeps_case else key


def _formerly_folded(part: Part, field: str) -> str:
    """The key as an earlier version folded it."""
    return f"strip_accents({key_column(field)})" if field in NAMES else _folded(part, field)


def warn_of_erased(database: Tables, part: Part) -> None:
    """Warns of rows in review whose person was erased."""
    rows = f"SELECT DISTINCT row_number FROM {part.table('was_erased')} SEMI JOIN reviews USING (row_number)"
    add_defects(database, ERASED_PERSON, rows, severity="warning")
