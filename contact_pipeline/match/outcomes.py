"""Exactly one outcome for every row, and the defects that only matching can see."""

from __future__ import annotations

from collections.abc import Sequence

from contact_pipeline.engines import Tables, literal
from contact_pipeline.errors import listed
from contact_pipeline.masking import mask_sql
from contact_pipeline.match.decide import rule_of
from contact_pipeline.match.defects import add_defects
from contact_pipeline.match.keys import part_key
from contact_pipeline.match.linked import has_wishes
from contact_pipeline.match.part import Part


def reject_unknown_accounts(database: Tables, part: Part) -> None:
    """Rejects rows that name an unknown account.

    Makes named_accounts (row_number, account_number as compared, known). Apply compares it with the accounts by then.
    """
    database.stage(
        "named_accounts",
        f"""
        WITH named AS (
            SELECT row_number, {part_key(part, "account_number", "r", ["account_number"])} AS account_number
            FROM {part.table("rows")} AS r ANTI JOIN left_out USING (row_number)
        )
        SELECT row_number, account_number, key_account_number IS NOT NULL AS known
        FROM named LEFT JOIN (SELECT DISTINCT key_account_number FROM known_accounts)
        ON key_account_number = account_number""",
    )
    heading = literal(part.headings.get("account_number", "account_number"))
    shown = mask_sql("coalesce(account_number, '')", part.looks["account_number"])
    add_defects(
        database,
        "account-unknown",
        f"""
        SELECT row_number, {shown} AS shown
        FROM {part.table("rows")} SEMI JOIN (FROM named_accounts WHERE NOT known) USING (row_number)""",
        placeholders={"column": heading, "value": "shown"},
        cell={"column": heading, "field": "'account_number'", "value": "shown"},
    )


def warn_of_others(database: Tables, part: Part) -> None:
    """Warns of matched rows where a later rule finds somebody else."""
    if len(part.rules) < 2:
        return
    targets, pairs = part.table("targets"), part.table("pairs")
    names = " ".join(
        f"WHEN {number} THEN {literal(listed(part.headings.get(name, name) for name in rule.fields))}"
        for number, rule in enumerate(part.rules, 1)
    )
    reason = f"""concat('{part.entity} ', target, ' was found first; by ', CASE rule {names} END, ' it would be ',
                       '{part.entity} ', other)"""
    later = f"""
        WITH others AS (
            SELECT row_number, target, representative, {rule_of("rank")} AS rule
            FROM {pairs} JOIN {targets} USING (row_number)
            WHERE decision = 'matched' AND representative <> target AND differs <> 'another'
                  AND row_number NOT IN (SELECT row_number FROM resolutions WHERE choice <> 'skip')
        ),
        decided AS (
            SELECT row_number, min({rule_of("rank")}) AS first FROM {pairs} SEMI JOIN others USING (row_number)
            GROUP BY row_number
        ),
        later AS (
            SELECT row_number, target, min(rule) AS rule, arg_min(representative, (rule, representative)) AS other
            FROM others JOIN decided USING (row_number) WHERE rule > first GROUP BY row_number, target
        )
        SELECT row_number, {reason} AS reason FROM later"""
    add_defects(database, "another-match", later, severity="warning", placeholders={"expected": "reason"})


def reject_later_rows(database: Tables, part: Part) -> None:
    """Rejects rows whose target an earlier row of the file has reached."""
    add_defects(
        database,
        "duplicate-in-file",
        f"SELECT row_number, first::VARCHAR AS first FROM {part.table('targets')} WHERE row_number <> first",
        placeholders={"expected": literal(part.entity), "row": "first"},
    )


def make_outcomes(database: Tables, parts: Sequence[Part]) -> None:
    """Makes outcome_rows: one line for every physical row of the file (see contracts.OUTCOME_ROWS)."""
    primary = parts[0]
    ignored = "true" if primary.matched == "ignore" else "false"
    carried = "linked" if primary.matched == "create" else "updated"
    contact, account = ("change_id", "NULL") if primary.entity == "contact" else ("NULL", "change_id")
    changes, changed, spread = f"(FROM {primary.table('changes')})", "w.action IS NOT NULL", ""
    if has_wishes(database, primary):  # wishes that a row brings to linked contacts are not its own change
        wishes = primary.table("wishes")
        changes = f"(FROM {primary.table('changes')} ANTI JOIN {wishes} USING (row_number, {primary.id}))"
        changed = f"({changed} OR spread.row_number IS NOT NULL)"
        spread = f"LEFT JOIN (SELECT DISTINCT row_number FROM {wishes}) AS spread ON spread.row_number = t.first"
    database.stage(
        "outcome_rows",
        f"""
        WITH rejected AS (
            SELECT DISTINCT row_number FROM rejections ANTI JOIN left_out_rows USING (row_number)
            WHERE severity = 'error'
        ),
        judged AS (
            SELECT t.row_number,
                   CASE WHEN waiting.row_number IS NOT NULL THEN 'review'
                        WHEN t.target IS NOT NULL AND {ignored} AND NOT {changed} THEN 'duplicate'
                        WHEN t.row_number <> t.first THEN 'duplicate'
                        WHEN t.target IS NULL THEN 'created'
                        WHEN NOT {changed} THEN 'unchanged'
                        ELSE '{carried}' END AS outcome,
                   coalesce(w.{primary.id}, t.target) AS change_id, t.first, t.target
            FROM {primary.table("targets")} AS t LEFT JOIN {changes} AS w ON w.row_number = t.first
            {spread}
            LEFT JOIN (SELECT DISTINCT row_number FROM reviews) AS waiting ON waiting.row_number = t.row_number
            ANTI JOIN rejected ON rejected.row_number = t.row_number
        )
        SELECT row_number, outcome,
               CASE WHEN outcome <> 'review' THEN {contact} END::BIGINT AS contact_id,
               CASE WHEN outcome <> 'review' THEN {account} END::BIGINT AS account_id,
               CASE WHEN outcome = 'duplicate' AND NOT (target IS NOT NULL AND {ignored}) THEN first END
                   AS duplicate_of_row,
               CASE WHEN outcome = 'duplicate' AND target IS NOT NULL AND {ignored} THEN target END
                   AS duplicate_of_contact,
               why AS reason
        FROM judged LEFT JOIN (
            SELECT row_number, string_agg(why, '; ' ORDER BY why) AS why
            FROM (SELECT row_number, why FROM reviews{_deactivated(parts)}) GROUP BY row_number
        ) USING (row_number)
        UNION ALL SELECT row_number, 'rejected', NULL, NULL, NULL, NULL, NULL FROM rejected
        UNION ALL SELECT row_number, 'left_out', NULL, NULL, NULL, NULL, NULL FROM left_out_rows
        UNION ALL SELECT row_number, 'blank', NULL, NULL, NULL, NULL, NULL FROM blank_rows
        ORDER BY row_number""",
    )


def _deactivated(parts: Sequence[Part]) -> str:
    """More reasons: rows that reach a deactivated contact and leave it deactivated."""
    return "".join(
        f"""
        UNION ALL
        SELECT t.row_number, 'contact ' || t.target || ' is deactivated'
        FROM {part.table("targets")} AS t JOIN {part.table("candidates")} AS c ON c.contact_id = t.target
        WHERE c.active IS NOT TRUE AND t.row_number NOT IN (SELECT row_number FROM reviews)"""
        for part in parts
        if part.entity == "contact" and not part.reactivates
    )
