"""What became of every row: exactly one outcome each, and the defects that only matching can see."""

from __future__ import annotations

from contact_pipeline.codes import CODES
from contact_pipeline.engines import Database
from contact_pipeline.engines import text as literal
from contact_pipeline.match.keys import key
from contact_pipeline.match.part import Part
from contact_pipeline.match.resolutions import keys_as_text

FOUND_BY_MATCHING = ("account-unknown", "consent-kept", "duplicate-in-file", "skipped")


def forget_rejections(database: Database) -> None:
    """Takes back what an earlier matching of the same upload rejected."""
    codes = ", ".join(literal(code) for code in FOUND_BY_MATCHING)
    database.run(f"DELETE FROM rejections WHERE code IN ({codes})")


def reject_unknown_accounts(database: Database, part: Part) -> None:
    """Rejects the rows whose account number is no account's, and takes them out of matching."""
    code = CODES["account-unknown"]
    heading = part.headings.get("account_number", "account_number")
    message = literal(code.message.replace("{column}", heading))
    shown = "'***'" if "account_number" in part.sensitive else "account_number"
    database.run(f"""
        INSERT INTO rejections BY NAME
        SELECT row_number, {literal(heading)} AS "column", 'account_number' AS field, {shown} AS value,
               'account-unknown' AS code,
               replace({message}, '{{value}}', {shown}) AS message,
               {literal(code.fix.replace("{column}", heading))} AS fix, 'error' AS severity
        FROM {part.table("rows")} AS r
        WHERE {key("account_number", "r", ["account_number"])} NOT IN (
            FROM known_accounts WHERE key_account_number IS NOT NULL)""")
    database.run(
        f"DELETE FROM {part.table('keys')} WHERE row_number IN "
        "(SELECT row_number FROM rejections WHERE code = 'account-unknown')"
    )


def reject_later_rows(database: Database, part: Part) -> None:
    """Rejects the rows that reach a target which an earlier row of the file has reached already."""
    code = CODES["duplicate-in-file"]
    database.run(f"""
        INSERT INTO rejections BY NAME
        SELECT row_number, 'duplicate-in-file' AS code,
               replace({literal(code.message.replace("{expected}", part.entity))}, '{{row}}', first::VARCHAR)
                   AS message, {literal(code.fix)} AS fix, 'error' AS severity
        FROM {part.table("targets")} WHERE place > 1""")


def make_outcomes(database: Database, primary: Part) -> None:
    """Makes outcome_rows: one line for every physical row of the file (see contracts.OUTCOME_ROWS)."""
    ignored = "true" if primary.matched == "ignore" else "false"
    carried = "linked" if primary.matched == "create" else "updated"
    contact, account = ("change_id", "NULL") if primary.entity == "contact" else ("NULL", "change_id")
    database.run(f"""
        CREATE OR REPLACE TABLE outcome_rows AS
        WITH rejected AS (SELECT DISTINCT row_number FROM rejections WHERE severity = 'error'),
        judged AS (
            SELECT t.row_number,
                   CASE WHEN t.row_number IN (SELECT row_number FROM reviews) THEN 'review'
                        WHEN t.target IS NOT NULL AND {ignored} OR t.place > 1 THEN 'duplicate'
                        WHEN t.target IS NULL THEN 'created'
                        WHEN w.action IS NULL THEN 'unchanged'
                        ELSE '{carried}' END AS outcome,
                   coalesce(w.{primary.id}, t.target) AS change_id, t.first, t.target, t.place
            FROM {primary.table("targets")} AS t LEFT JOIN {primary.table("changes")} AS w ON w.row_number = t.first
            ANTI JOIN rejected ON rejected.row_number = t.row_number
        )
        SELECT row_number, outcome,
               CASE WHEN outcome <> 'review' THEN {contact} END::BIGINT AS contact_id,
               CASE WHEN outcome <> 'review' THEN {account} END::BIGINT AS account_id,
               CASE WHEN outcome = 'duplicate' AND NOT (target IS NOT NULL AND {ignored}) THEN first END
                   AS duplicate_of_row,
               CASE WHEN outcome = 'duplicate' AND target IS NOT NULL AND {ignored} THEN target END
                   AS duplicate_of_contact,
               CASE WHEN outcome = 'review' THEN why END AS reason
        FROM judged LEFT JOIN (
            SELECT row_number, string_agg(why, '; ' ORDER BY why) AS why FROM reviews GROUP BY row_number
        ) USING (row_number)
        UNION ALL BY NAME SELECT row_number, 'rejected' AS outcome FROM rejected
        UNION ALL BY NAME SELECT row_number, 'blank' AS outcome FROM blank_rows
        ORDER BY row_number""")


def make_reviews(database: Database, parts: list[Part]) -> None:
    """Makes reviews: for every row in review the entity in doubt, its keys as they are remembered, and why."""
    queries = [
        f"""
        SELECT row_number, '{part.entity}' AS entity, {keys_as_text(part, "k")} AS keys,
               concat_ws('; ', 'could be {part.entity} ' || candidates, 'could be the same as row ' || leader) AS why
        FROM {part.table("targets")} JOIN {part.table("keys")} AS k USING (row_number)
        LEFT JOIN (
            SELECT row_number, array_to_string(list(DISTINCT candidate ORDER BY candidate)[:5], ' or ') AS candidates
            FROM {part.table("pairs")} WHERE differs <> 'another' GROUP BY row_number
        ) USING (row_number)
        WHERE decision = 'review'"""
        for part in parts
    ]
    database.run(f"CREATE OR REPLACE TABLE reviews AS {' UNION ALL '.join(queries)}")
