"""Decides rows in review, and withdraws decisions.

Before the upload is applied, its changeset is frozen anew; afterwards, one more changeset is applied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from contact_pipeline.contracts.states import APPLIED, PLANNED
from contact_pipeline.match import keys_of_rows, parts_of
from contact_pipeline.pipeline import committing, uploads
from contact_pipeline.pipeline.interruptions import noting_state
from contact_pipeline.pipeline.planning import advance
from contact_pipeline.pipeline.states import must_allow, resolved, wrong_state
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.decisions import applied_choices, record_decisions, withdraw_decision


def resolve(store: Store, upload_id: str, choices: Mapping[int, int | str], user: str | None) -> Upload:
    """Decides rows in review, all or none; of a plan, also rows that would make a new contact or were decided before.

    Args:
        store: the store.
        upload_id: the upload.
        choices: row_number → id of the contact that the row is, `new`, or `skip`. Of a row that is not in review but
            would make a new contact, only an id. A row that follows an earlier decision can be decided anew.
        user: login of who decides; unset: the operating system's.

    Raises:
        Refusal: a row is not in review (`not-in-review`), there is no such contact (`contact-unknown`), or the
            upload is in a state in which nothing is decided (`wrong-state`).
    """
    actor = uploads.login(user)
    line = _to_review(store, upload_id, actor)
    with noting_state(store, upload_id, doing="resolve"):
        if line.state in APPLIED:
            done = applied_choices(store, uploads.show(store, upload_id), choices)
            choices = {row: to for row, to in choices.items() if row not in done}
        if choices:
            record_decisions(store, uploads.show(store, upload_id), choices, actor, _new_rows(store, line, choices))
            _decide_again(store, line, choices, actor)
    return uploads.show(store, upload_id)


def resolve_from(store: Store, upload_id: str, file: Path, user: str | None) -> Upload:
    """Decides the rows that a file decides in its columns row_number and to.

    Raises:
        Refusal: as `resolve`, or the file cannot be taken (`decisions-file`), naming row and column.
    """
    from contact_pipeline.pipeline.deciding import read_decisions

    staging = store.staging(store.line(upload_id).upload_id)
    known = staging.facts().headings if staging.count("facts") else ()
    return resolve(store, upload_id, read_decisions(file, store.settings, known), user)


def withdraw(store: Store, upload_id: str, row_number: int, user: str | None) -> Upload:
    """Takes back the decision about a row. Before the upload is applied, the row is judged anew.

    Raises:
        Refusal: nothing is decided about the row (`not-decided`).
    """
    actor = uploads.login(user)
    line = store.line(upload_id)
    uploads.check_user(store, line, actor)
    if line.state in PLANNED:
        committing.check_frozen(store, line)
    withdraw_decision(store, uploads.show(store, upload_id), row_number)
    if line.state in PLANNED:
        _decide_again(store, line, (), actor)
    return uploads.show(store, upload_id)


def _to_review(store: Store, upload_id: str, actor: str) -> LedgerLine:
    """The line of an upload whose rows can be decided, after testing its state, the user and the staged data."""
    line = store.line(upload_id)
    if line.state == "received" and line.stage == "validated":  # deciding was cut off
        line = advance(store, upload_id, "matched").line
    must_allow(line, "resolve")
    uploads.check_user(store, line, actor)
    committing.check_frozen(store, line)
    return line


def _new_rows(store: Store, line: LedgerLine, choices: Mapping[int, int | str]) -> dict[int, tuple[str, str]]:
    """Rows of a plan that can be decided although they are not in review: row_number → entity and keys.

    They are rows that would make a new contact and are to be a known one, and rows that follow an earlier decision.
    """
    if line.state not in PLANNED:
        return {}
    profile, options = resolved(line)
    staging = store.staging(line.upload_id)
    facts = staging.normalized_facts()
    primary, *others = parts_of(profile, options, facts.columns_normalized, facts.headings_by_field(profile))
    named = [row for row, to in choices.items() if str(to).isdecimal() and primary.entity == "contact"]
    made = staging.table("outcome_rows").filter(pl.col("row_number").is_in(named), outcome="created")
    before = staging.table("resolutions").filter(pl.col("row_number").is_in([*choices]), own=False)
    keys: dict[int, tuple[str, str]] = {}
    with staging.open(read_only=True) as database:
        for part in (primary, *others):
            rows = before.filter(entity=part.entity)["row_number"].to_list()
            rows += made["row_number"].to_list() if part is primary else []
            keys |= {row: (part.entity, text) for row, text in keys_of_rows(database, part, rows).items()}
    return keys


def _decide_again(store: Store, line: LedgerLine, rows: Collection[int], actor: str) -> None:
    """Puts decisions into effect: freezes the changeset anew or, if applied, commits one more with these rows."""
    if line.state in APPLIED:
        committing.commit_decided(store, line, rows, actor)
        return
    if not uploads.change(store, line.upload_id, PLANNED, state="received", stage="validated", reason=None):
        raise wrong_state(store.line(line.upload_id), "reviewed", "Somebody has changed it at this moment.")
    advance(store, line.upload_id, "matched")
