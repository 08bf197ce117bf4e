"""Finds the rows of all uploads that are a person's: erasing empties them, and a request for access shows them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from contact_pipeline.engines import Tables
from contact_pipeline.erase.person import Person
from contact_pipeline.erase.staged import find_rows
from contact_pipeline.store import LedgerLine, Store


def rows_of_person(
    store: Store, database: Tables, lines: Collection[LedgerLine], person: Person, frozen: Collection[str]
) -> tuple[dict[str, set[int]], set[Path]]:
    """Upload → its rows that are the person, and the folders of staged tables that cannot be read.

    Rows are found in the history, in staged data, and in the record of an erasure that was cut off. If an upload's own
    folder cannot be read, it is given without the folders in it.
    """
    found: dict[str, set[int]] = {}
    unreadable: set[Path] = set()
    for upload_id, row in database.rows(f"""
        SELECT upload_id, row_number FROM contact_changes
        WHERE contact_id IN ({person.ids}) AND row_number IS NOT NULL
        UNION FROM erased_rows"""):
        found.setdefault(upload_id, set()).add(row)
    for line in lines:
        folder = store.staging(line.upload_id).folder
        if folder.exists():
            rows, broken = find_rows(folder, person, store.settings, intact=line.upload_id in frozen)
            unreadable |= {folder} if folder in broken else broken
            if rows:
                found.setdefault(line.upload_id, set()).update(rows)
    return found, unreadable


def frozen_uploads(store: Store, lines: Collection[LedgerLine]) -> list[str]:
    """The uploads whose staged files are as they were frozen, or were so before an erasure that was cut off.

    These are frozen again once they are emptied. Others are not, so that staged data that was changed is never applied.
    """
    return [
        line.upload_id
        for line in lines
        if line.staged_files is not None and (staging := store.staging(line.upload_id)).exists()
        if not line.staged_files or not staging.differences(line.staged_files)
    ]
