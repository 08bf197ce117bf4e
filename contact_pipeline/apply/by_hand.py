"""Changesets that no file makes: a contact is activated or deactivated; contacts join or leave a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from contact_pipeline.engines import Tables, literal


def stage_activation(database: Tables, contact_id: int, revision: int, *, active: bool, is_made: bool) -> None:
    """Makes the changeset that deactivates or reactivates one contact.

    Args:
        database: where the table is made.
        contact_id: the contact.
        revision: of the contact.
        active: whether it is to be active.
        is_made: whether a creation of the contact counts; if not, reactivating makes it.
    """
    action = "reactivate" if active else "deactivate"
    before = str(not active) if is_made else "NULL::BOOLEAN"
    database.keep(
        "contact_changes",
        f"""SELECT NULL::UINTEGER AS row_number, {contact_id}::BIGINT AS contact_id, '{action}' AS action,
                   {revision} AS base_revision, {before} AS before_active, {active} AS after_active""",
    )


def stage_memberships(
    database: Tables, group: str, contact_ids: Sequence[int], action: Literal["create", "remove"]
) -> None:
    """Makes the changeset by which contacts join a group or leave it.

    Args:
        database: where the table is made.
        group: its name.
        contact_ids: the contacts.
        action: what is done to each membership.
    """
    database.see("members", pl.DataFrame({"contact_id": contact_ids}, schema={"contact_id": pl.Int64}))
    database.stage(
        "membership_changes",
        f"""
        SELECT NULL::UINTEGER AS row_number, '{action}' AS action, {literal(group)} AS group_name, contact_id
        FROM members""",
    )
    database.unsee("members")
