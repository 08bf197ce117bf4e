"""Decides rows again just before they are applied, where a later commit may have changed their decision."""

from __future__ import annotations

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.decide import by_keys, pairs_of
from contact_pipeline.match.erased import copy_fingerprints, make_erased
from contact_pipeline.match.keys import VERSION, key_column, keyed, part_key, stored_key
from contact_pipeline.match.part import Part
from contact_pipeline.settings import Settings
from contact_pipeline.store.links import merged


def differing_rows(
    database: Tables, part: Part, settings: Settings, address_book: str, snapshot: int, limit: int = 20
) -> list[int]:
    """Rows whose decision has changed since the changeset was planned.

    A decision of a person holds as long as the chosen contact exists and is not merged into another; one from an
    earlier upload, as in the plan, only where the row would be in review.

    Args:
        database: the contact database, with the staging database attached as `staged`.
        part: whose rows they are.
        settings: of the home.
        address_book: of the upload.
        snapshot: number of the newest commit that the changeset has seen.
        limit: how many rows to name at most.
    """
    affected = _find_affected(database, part, address_book, snapshot)
    decided = _decided_now(database, part, settings, address_book) if affected else []
    accounts = [_accounts_otherwise(database, part, address_book)] if part.primary else []
    queries = [*decided, _choices_gone(part), *filter(None, accounts)]
    rows = database.rows(f"{' UNION '.join(queries)} ORDER BY row_number LIMIT {limit}")
    return [row for (row,) in rows]


def _decided_now(database: Tables, part: Part, settings: Settings, address_book: str) -> list[str]:
    """Queries for the affected rows that would be decided otherwise now, or have other candidates."""
    database.make("live_pairs", pairs_of(database, part, "affected_keys", "", address_book))
    database.make("live_by_keys", by_keys(part, "affected_keys", "live_pairs"))
    copy_fingerprints(database, "")
    make_erased(database, part, settings, "affected_keys", "live_by_keys", "live_erased")
    otherwise = f"""
        WITH unresolved AS (
            SELECT row_number, CASE WHEN contact_id IS NOT NULL THEN 'review' ELSE decision END AS decision, target
            FROM live_by_keys LEFT JOIN live_erased USING (row_number)
        ),
        remembered AS (
            SELECT row_number, contact_id FROM staged.resolutions
            WHERE entity = '{part.entity}' AND choice = 'contact' AND NOT own
        ),
        now AS (
            SELECT unresolved.row_number, CASE WHEN contact_id IS NULL THEN decision ELSE 'matched' END AS decision,
                   coalesce(contact_id, target) AS target
            FROM unresolved
            LEFT JOIN remembered ON remembered.row_number = unresolved.row_number AND decision = 'review'
        )
        SELECT row_number FROM now JOIN staged.{part.table("decisions")} AS planned USING (row_number)
        WHERE (now.decision IS DISTINCT FROM planned.decision OR now.target IS DISTINCT FROM planned.target)
              AND row_number NOT IN ({_decided_in_this_upload(part)})"""
    candidates = _candidates_otherwise(database, part)
    return [otherwise, candidates] if candidates else [otherwise]


def _choices_gone(part: Part) -> str:
    """The query for rows whose contact, which a person chose, is gone or has been merged into another since."""
    return f"""
        SELECT row_number FROM staged.resolutions
        WHERE entity = '{part.entity}' AND choice = 'contact' AND (
            contact_id NOT IN (SELECT contact_id FROM contacts)
            OR contact_id IN (SELECT {part.id} FROM moved) AND contact_id IN (
                SELECT contact_id FROM ({merged()})))"""


def rows_compared_otherwise(database: Tables, part: Part, limit: int = 20) -> list[int]:
    """Rows that an earlier version planned with other keys.

    Args:
        database: the contact database, with the staging database attached as `staged`.
        part: whose rows they are.
        limit: how many rows to name at most.
    """
    planned_keys = part.table("keys")
    if database.note(f"staged.{planned_keys}") == VERSION or not part.key_fields:
        return []
    differ = " OR ".join(f"made.{column} IS DISTINCT FROM now.{column}" for column in map(key_column, part.key_fields))
    rows = database.rows(f"""
        WITH now AS (
            {keyed(part, f"staged.{part.table('rows')}", part.kinds, "row_number")}
        )
        SELECT row_number FROM staged.{planned_keys} AS made JOIN now USING (row_number)
        WHERE {differ} ORDER BY row_number LIMIT {limit}""")
    return [row for (row,) in rows]


def _decided_in_this_upload(part: Part) -> str:
    """The query for the rows that a person decided in this upload, whatever their keys say."""
    return f"SELECT row_number FROM staged.resolutions WHERE entity = '{part.entity}' AND own"


def _candidates_otherwise(database: Tables, part: Part) -> str:
    """The query for rows in turn whose stored candidates have changed; empty where there are none.

    Rows in turn also depend on the rows before them and are not decided again. With the same candidates they mean the
    same. The contacts that they write to are tested by their revisions.
    """
    if not database.has("staged.rows_in_turn"):  # planned by a version that decided such rows otherwise
        return ""
    columns = "row_number, candidate, representative, rank, differs"
    planned = f"SELECT {columns} FROM staged.{part.table('pairs')} SEMI JOIN affected_keys USING (row_number)"
    live = f"SELECT {columns} FROM live_pairs"
    return f"""
        SELECT row_number FROM (({planned} EXCEPT {live}) UNION ALL ({live} EXCEPT {planned}))
        SEMI JOIN staged.rows_in_turn USING (row_number) SEMI JOIN staged.{part.table("decisions")} USING (row_number)
        WHERE row_number NOT IN ({_decided_in_this_upload(part)})"""


def _accounts_otherwise(database: Tables, part: Part, address_book: str) -> str:
    """The query for rows whose account has been created or removed since; empty where rows name none."""
    if not database.has("staged.named_accounts"):
        return ""
    known = f"""
        SELECT {part_key(part, "account_number", "a", ["account_number"])} FROM accounts AS a
        WHERE address_book = {literal(address_book)} AND account_number IS NOT NULL"""
    return f"""
        SELECT row_number FROM staged.named_accounts
        WHERE known <> coalesce(account_number IN ({known}), false)"""


def _find_affected(database: Tables, part: Part, address_book: str, snapshot: int) -> int:
    """Makes affected_keys: rows that share a key with a changed contact, or had a changed or removed candidate.

    Returns how many there are.
    An erased contact has no keys any more; after an erasure all rows that would be new are among them.
    """
    table = f"{part.entity}s"
    columns = database.columns(table)
    database.make(
        "moved",
        f"""
        {keyed(part, table, columns, part.id, key_of=stored_key)}
        WHERE address_book = {literal(address_book)} AND last_commit > {snapshot}""",
    )
    shares = (
        " OR ".join(
            f"{key_column(name)} IN (SELECT {key_column(name)} FROM moved WHERE {key_column(name)} IS NOT NULL)"
            for name in part.key_fields
        )
        or "false"
    )
    erased: int = database.value(f"SELECT count(*) FROM erasures WHERE commit_number > {snapshot}")
    new = f"SELECT row_number FROM staged.{part.table('decisions')} WHERE decision = 'new'"
    could_be_erased = f"row_number IN ({new})" if erased and part.entity == "contact" else "false"
    return database.make(
        "affected_keys",
        f"""
        WITH candidates AS (
            SELECT DISTINCT row_number FROM staged.{part.table("pairs")}
            WHERE candidate IN (SELECT {part.id} FROM moved) OR candidate NOT IN (SELECT {part.id} FROM {table})
        )
        FROM staged.{part.table("keys")} WHERE {shares} OR {could_be_erased} OR row_number IN (FROM candidates)""",
    )
