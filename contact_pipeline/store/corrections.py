"""Corrections of uploads, kept with who and when, so that planning again gives the same result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contact_pipeline.contracts.actors import identity
from contact_pipeline.engines import Database, literal
from contact_pipeline.masking import is_label, mask_heading, mask_value
from contact_pipeline.profiles import Profile, looks_in
from contact_pipeline.store.ledger import now

if TYPE_CHECKING:
    import polars as pl

_IN_EFFECT = "upload_id = ? AND NOT withdrawn"
SHOWN_ROWS = 100  # row numbers that the list names for each correction


@dataclass(frozen=True, slots=True)
class InEffect:
    """The corrections of an upload that are not withdrawn.

    Attributes:
        cells: row_number, column (raw column) and text, the newest correction of each cell.
        rows: rows that are left out of the plan.
        columns: raw columns that are left out.
    """

    cells: pl.DataFrame
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many cells are corrected and columns left out. Rows left out are counted as an outcome instead."""
        return self.cells.height + len(self.columns)


@dataclass(frozen=True, slots=True)
class Corrected:
    """The result of one call that corrected an upload, or took a correction back.

    Attributes:
        number: of the correction; None: nothing was corrected.
        made: the corrections, as `for_people` gives them, equal ones together.
        is_withdrawn: whether they were taken back.
        remembered: how many values are remembered for later files.
        to_decide: rows whose decisions were withdrawn because the rows changed.
        outcomes_before: outcome → rows, of the earlier plan.
        changeset_before: hash of the earlier changeset.
    """

    number: int | None
    made: list[dict[str, Any]]
    is_withdrawn: bool
    remembered: int
    to_decide: list[int]
    outcomes_before: dict[str, int]
    changeset_before: str | None

    def as_dict(self) -> dict[str, Any]:
        """The correction as part of a JSON document."""
        return {
            "correction": self.number,
            "withdrawn": self.is_withdrawn,
            "corrected": self.made,
            "remembered": self.remembered,
            "to_decide_again": self.to_decide,
            "outcomes_before": self.outcomes_before,
            "changeset_before": self.changeset_before,
        }


def for_people(record: dict[str, Any], label_of: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """A correction with the heading of its raw column, and sensitive values masked.

    Args:
        record: column, field, before and after, and other keys.
        label_of: raw column → heading.
        profile: tells which fields are sensitive.
    """
    column = record["column"]
    if column is None:
        return record
    heading = label_of.get(column, column)
    looks = None if is_label(heading) else looks_in(profile, record["field"], as_read=True)
    sides = {side: mask_value(record[side], looks) for side in ("before", "after")}
    return record | {"column": mask_heading(heading)} | sides


def corrections_in_effect(database: Database, upload_id: str) -> InEffect:
    """The corrections of an upload that are not withdrawn, from the contact database."""
    rows = database.rows(
        f"SELECT DISTINCT row_number FROM corrections WHERE {_IN_EFFECT} AND kind = 'row' ORDER BY ALL", [upload_id]
    )
    columns = database.rows(
        f"SELECT DISTINCT \"column\" FROM corrections WHERE {_IN_EFFECT} AND kind = 'column' ORDER BY ALL", [upload_id]
    )
    cells = database.frame(f"""
        SELECT row_number, "column", after AS text FROM corrections
        WHERE upload_id = {literal(upload_id)} AND NOT withdrawn AND kind = 'cell'
        QUALIFY row_number() OVER (PARTITION BY row_number, "column" ORDER BY number DESC) = 1
        ORDER BY row_number, "column\"""")
    return InEffect(cells, tuple(row for (row,) in rows), tuple(column for (column,) in columns))


def last_number(database: Database, upload_id: str) -> int:
    """The number of the newest correction of the upload; 0: there is none."""
    return int(database.value("SELECT coalesce(max(number), 0) FROM corrections WHERE upload_id = ?", [upload_id]))


def record_corrections(database: Database, upload_id: str, corrections: pl.DataFrame, actor: str) -> int:
    """Records the corrections of one call; call it in a transaction.

    Args:
        database: the contact database.
        upload_id: the upload.
        corrections: kind, row_number, column, field, before and after.
        actor: login of who corrects.

    Returns:
        The number of the call.
    """
    number = last_number(database, upload_id) + 1
    database.see("corrected", corrections)
    database.run(
        """INSERT INTO corrections BY NAME
           SELECT ? AS upload_id, ? AS number, *, ? AS corrected_by, ? AS corrected_as, ? AS corrected_at,
                  false AS withdrawn
           FROM corrected""",
        [upload_id, number, actor, identity(actor), now()],
    )
    database.unsee("corrected")
    return number


def withdraw_corrections(database: Database, upload_id: str, number: int) -> bool:
    """Withdraws the corrections of one call; returns whether there were any. Call it in a transaction."""
    return bool(
        database.rows(
            f"UPDATE corrections SET withdrawn = true WHERE {_IN_EFFECT} AND number = ? RETURNING number",
            [upload_id, number],
        )
    )


def withdraw_decisions(database: Database, upload_id: str, rows: Collection[int]) -> list[int]:
    """Withdraws decisions about corrected rows, and decisions that a row is the same as one of them.

    Call it in a transaction.

    Returns:
        The rows whose decisions were withdrawn.
    """
    withdrawn = database.rows(
        """UPDATE decisions SET withdrawn = true
           WHERE upload_id = $upload_id AND NOT withdrawn
                 AND (row_number IN (SELECT unnest($rows::UINTEGER[]))
                      OR other_row IN (SELECT unnest($rows::UINTEGER[])))
           RETURNING row_number""",
        {"upload_id": upload_id, "rows": [*rows]},
    )
    return sorted({row for (row,) in withdrawn})


def forget_corrections(database: Database, upload_id: str) -> None:
    """Deletes all corrections of an upload; call it in a transaction."""
    database.run("DELETE FROM corrections WHERE upload_id = ?", [upload_id])


def list_corrections(database: Database, upload_id: str, row_number: int | None = None) -> list[dict[str, Any]]:
    """The corrections of an upload in the order in which they were made, equal ones of one call together.

    Values are not masked. `rows` is the number of rows of each, and `row_numbers` has the first of them.

    Args:
        database: the contact database.
        upload_id: the upload.
        row_number: only those of this row; unset: all.
    """
    of_row = "" if row_number is None else f"AND row_number = {int(row_number)}"
    return database.records(
        f"""
        SELECT number, kind, count(row_number) AS rows,
               list_slice(list(row_number ORDER BY row_number) FILTER (row_number IS NOT NULL), 1, {SHOWN_ROWS})
                   AS row_numbers,
               "column", field, before, after, corrected_by, corrected_as,
               strftime(corrected_at, '%Y-%m-%dT%H:%M:%SZ') AS corrected_at, withdrawn
        FROM corrections WHERE upload_id = ? {of_row}
        GROUP BY number, kind, "column", field, before, after, corrected_by, corrected_as, corrected_at, withdrawn
        ORDER BY number, min(row_number), "column\"""",
        [upload_id],
    )
