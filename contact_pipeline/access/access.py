"""Writes everything that is held about a person to a private file: JSON, or an HTML page to read and print."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contact_pipeline.access.collect import collect
from contact_pipeline.access.page import page_of
from contact_pipeline.errors import Usage
from contact_pipeline.owner_only import owner_only
from contact_pipeline.reports.output import new_file, refuse_output
from contact_pipeline.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """The file that was written, and what it shows.

    Attributes:
        file: its path.
        contact_ids: the contact, and those linked with it.
        changes: how many changes it shows.
        rows: how many rows of uploads it shows.
        withheld: how many cells it leaves out because they may be about somebody else.
    """

    file: Path
    contact_ids: list[int]
    changes: int
    rows: int
    withheld: int

    def as_dict(self) -> dict[str, Any]:
        """The facts about the written file as a JSON document."""
        return {name: getattr(self, name) for name in self.__slots__} | {"file": str(self.file)}


def export_person(
    store: Store,
    contact_id: int,
    path: Path | None = None,
    *,
    only: Collection[int] | None = None,
    overwrite: bool = False,
) -> Access:
    """Writes everything that is held about a person, sensitive values in full. Changes nothing in the home.

    Args:
        store: of the home.
        contact_id: the contact; those linked with it are the same person.
        path: the .html or .json file to write; unset: `reports/contact-<id>.html` in the home.
        only: the contacts to include, `contact_id` among them; unset: it and all that are linked with it.
        overwrite: whether an existing file is replaced.

    Raises:
        Refusal: there never was such a contact (code `contact-unknown`), or it was erased (`erased`).
        Usage: no such file can be written there (`file-type`, or see `refuse_output`).
        StoreBusy: a database was in use by another program for longer than the settings allow.
    """
    if path is None:
        path, overwrite = store.settings.home / "reports" / f"contact-{contact_id}.html", True
        with owner_only():
            path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() not in {".html", ".json"}:
        raise Usage("file-type", f"'{path.name}' is no HTML or JSON file.", "Let it end in .html or .json.")
    refuse_output(path, overwrite=overwrite)
    document = collect(store, contact_id, only)
    text = (
        json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        if path.suffix.lower() == ".json"
        else page_of(document)
    )
    with new_file(path, overwrite=overwrite) as file:
        file.write(text.encode("utf-8", "replace"))
    rows = [row for upload in document["uploads"] for row in upload["rows"]]
    return Access(
        path,
        document["contact_ids"],
        sum(len(contact["changes"]) for contact in document["contacts"]),
        len(rows),
        sum(len(row["withheld"]) for row in rows),
    )
