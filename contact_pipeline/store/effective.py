"""The contacts as a function of the effective changes, in the order in which they were first applied.

A change is effective while its upload is applied and not undone. A field has the value of its newest effective change.
A contact exists if an effective change names it; it is inactive if its creation is not effective. Undo and redo bring
the tables to this state, the published contacts are the same function without held uploads, and `verify` compares the
tables with it. Erased contacts are left out: their values are gone from the changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contact_pipeline.engines import quoted
from contact_pipeline.store.changes import newest, touches
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.terms import ACCOUNT_FIELDS

# The numbers of the effective commits; those of undo and redo are not among them. {0}: prefix of the tables.
EFFECTIVE: Final = "SELECT commit_number FROM {0}commits WHERE action = 'apply' AND undone_by IS NULL"

_HELD_UPLOADS: Final = "SELECT upload_id FROM uploads WHERE held AND state = 'applied'"

# The effective commits whose upload is held until somebody finalizes it, and the others.
HELD: Final = f"{EFFECTIVE.format('')} AND upload_id IN ({_HELD_UPLOADS})"
VISIBLE: Final = f"{EFFECTIVE.format('')} AND upload_id NOT IN ({_HELD_UPLOADS})"

# A change that makes its contact: a creation, or a reactivation while the creation was not effective.
MAKES: Final = "before_active IS NULL AND after_active"

# The status of an account whose creation is not effective.
INACTIVE: Final = "INACTIVE"

# What names contacts beside their own changes, each as (contact_id, commit_number).
_NAMING: Final = """
        SELECT contact_id, commit_number FROM {0}membership_changes
        UNION ALL SELECT contact_id, commit_number FROM {0}link_changes
        UNION ALL SELECT linked_to, commit_number FROM {0}link_changes"""


def effective_contacts(fields: Iterable[str], counting: str, *, among: str | None = None, book: str = "") -> str:
    """The query for the contacts that exist.

    Its columns: contact_id, address_book, created_commit (None where the creation is not effective), last_upload_id
    (the newest effective upload that changed the contact, or else the first one that names it), active, and the fields.

    Args:
        fields: the contacts' fields, without `active`.
        counting: query for the numbers of the commits that count.
        among: query for the ids of the wanted contacts; unset: all.
        book: prefix of the contact database's tables.
    """
    wanted = f"SEMI JOIN ({among}) USING (contact_id)" if among else ""
    values = ", ".join(f"{newest(field)} AS {quoted(field)}" for field in (*fields, "active"))
    names = "".join(f", made.{quoted(field)}" for field in fields)
    return f"""
        WITH counting AS ({counting}),
        changes AS (FROM {book}contact_changes SEMI JOIN counting USING (commit_number) {wanted}),
        made AS (
            SELECT contact_id, max(commit_number) AS last_commit,
                   min(commit_number) FILTER ({MAKES}) AS created_commit, {values}
            FROM changes GROUP BY contact_id
        ),
        named AS (
            SELECT contact_id, min(commit_number) AS _naming_commit FROM ({naming(book)})
            SEMI JOIN counting USING (commit_number) {wanted} GROUP BY contact_id
        )
        SELECT contact_id, c.address_book, created_commit, c.upload_id AS last_upload_id,
               created_commit IS NOT NULL AND coalesce(made.active, false) AS active{names}
        FROM made FULL JOIN named USING (contact_id)
        JOIN {book}commits AS c ON c.commit_number = coalesce(made.last_commit, _naming_commit)
        WHERE contact_id NOT IN ({ERASED.format(book)})"""


def effective_accounts(counting: str, *, among: str | None = None, book: str = "") -> str:
    """The query for the accounts that exist, with columns as in `effective_contacts`.

    An account exists also while a contact change that counts names its number. Its number identifies it, so it keeps
    its number even if no change with it counts.
    """
    wanted = f"SEMI JOIN ({among}) AS wanted ON wanted.account_id = h.account_id" if among else ""
    fields = [name for name in ACCOUNT_FIELDS if name not in {"account_number", "status"}]
    values = ", ".join(
        f"{newest(field, among='is_counting')} AS {quoted(field)}" for field in ("account_number", *fields, "status")
    )
    names = ", ".join(quoted(field) for field in fields)
    return f"""
        WITH counting AS ({counting}),
        history AS (
            SELECT h.*, c.address_book, counting.commit_number IS NOT NULL AS is_counting
            FROM {book}account_changes AS h JOIN {book}commits AS c ON c.commit_number = h.commit_number
            LEFT JOIN counting ON counting.commit_number = h.commit_number {wanted}
            WHERE c.action = 'apply'
        ),
        made AS (
            SELECT account_id, any_value(address_book) AS address_book,
                   max(commit_number) FILTER (is_counting) AS last_commit,
                   min(commit_number) FILTER (is_counting AND action = 'create') AS created_commit,
                   arg_min(after_account_number, commit_number) FILTER (action = 'create') AS first_number,
                   coalesce(bool_or(is_counting AND {touches("status")}), false) AS has_status, {values}
            FROM history GROUP BY account_id
        ),
        named AS (
            SELECT account_id, min(commit_number) AS _naming_commit
            FROM (SELECT DISTINCT account_id, address_book, after_account_number FROM history)
            JOIN (
                SELECT commit_number, address_book, after_account_number
                FROM {book}contact_changes JOIN {book}commits USING (commit_number) SEMI JOIN counting
                     USING (commit_number)
            ) USING (address_book, after_account_number)
            GROUP BY account_id
        )
        SELECT account_id, made.address_book, created_commit, upload_id AS last_upload_id,
               coalesce(account_number, first_number) AS account_number, {names},
               CASE WHEN created_commit IS NULL AND NOT has_status THEN '{INACTIVE}' ELSE status END AS status
        FROM made LEFT JOIN named USING (account_id)
        JOIN {book}commits AS c ON c.commit_number = coalesce(made.last_commit, _naming_commit)"""


def effective_pairs(table: str, counting: str, *, among: str | None = None, book: str = "") -> str:
    """The query for the memberships (address_book, group_name, contact_id) or links (contact_id, linked_to).

    Args:
        table: memberships or links.
        counting: query for the numbers of the commits that count.
        among: query for the ids of the wanted contacts; unset: all.
        book: prefix of the contact database's tables.
    """
    kind, (one, other) = table.removesuffix("s"), PAIRS[table]
    wanted = f"SEMI JOIN ({among}) USING (contact_id)" if among else ""
    in_book = "any_value(address_book) AS address_book, " if table == "memberships" else ""
    erased = " AND ".join(
        f"{name} NOT IN ({ERASED.format(book)})" for name in (one, other) if name in {"contact_id", "linked_to"}
    )
    return f"""
        SELECT {in_book}{one}, {other}
        FROM {book}{kind}_changes AS h JOIN {book}commits USING (commit_number) {wanted}
        WHERE commit_number IN ({counting}) AND {erased}
        GROUP BY {one}, {other} HAVING arg_max(h.action, commit_number) = 'create'"""


# The columns that identify a membership and a link.
PAIRS: Final[dict[str, tuple[str, str]]] = {
    "memberships": ("group_name", "contact_id"),
    "links": ("contact_id", "linked_to"),
}


def effective_groups(counting: str, book: str = "") -> str:
    """The query for the groups into which counting changes put somebody, with the time and upload that made each."""
    return f"""
        SELECT address_book, group_name, arg_min(committed_at, commit_number) AS created_at,
               arg_min(c.upload_id, commit_number) AS upload_id
        FROM {book}membership_changes AS h JOIN {book}commits AS c USING (commit_number)
        WHERE commit_number IN ({counting}) AND h.action = 'create' GROUP BY address_book, group_name"""


def naming(book: str = "") -> str:
    """The query for the contacts that memberships and links name, with their commits."""
    return _NAMING.format(book)
