"""Verifies a whole home. It changes nothing, except that a commit cut off before its staged files is completed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from contact_pipeline.errors import MachineFault
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.ledger import find_lines
from contact_pipeline.store.originals import Originals
from contact_pipeline.verify.findings import Finding
from contact_pipeline.verify.tables import check_commits, check_history, read_everything
from contact_pipeline.verify.uploads import check_created, check_expiries, check_folders, check_upload


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of a verification.

    Attributes:
        checked: uploads, contacts, changes, tables → how many.
        findings: all problems; empty where the home is whole.
    """

    checked: dict[str, int]
    findings: list[Finding]

    def as_dict(self) -> dict[str, Any]:
        """The result as a JSON document."""
        return {
            "whole": not self.findings,
            "checked": self.checked,
            "findings": [asdict(finding) for finding in self.findings],
        }


def verify(store: Store) -> Verified:
    """Compares everything in a home with what it should be. The contact database is held while it is read.

    Args:
        store: of the home.

    Raises:
        StoreBusy: a database was in use by another program for longer than the settings allow.
    """
    checked: dict[str, int] = {}
    findings, lines = _check_database(store, checked)
    originals = Originals(store.settings)
    for line in lines:
        findings += check_upload(store, originals, line)
    if checked:
        findings += check_folders(store, {line.upload_id for line in lines})
    return Verified(checked, findings)


def _check_database(store: Store, checked: dict[str, int]) -> tuple[list[Finding], list[LedgerLine]]:
    try:
        with store.open(read_only=True) as database:
            checked["tables"] = read_everything(database)
            lines = find_lines(database)
            for name in ("contacts", "contact_changes", "accounts"):
                checked[name.removeprefix("contact_")] = database.value(f"SELECT count(*) FROM {name}")
            checked["uploads"] = len(lines)
            found = [*check_history(database), *check_commits(database), *check_created(database, lines)]
            return [*found, *check_expiries(database)], lines
    except MachineFault as fault:
        if not fault.is_damage:
            raise
        return [Finding("database", store.settings.contacts_path.name, fault.message, fault.fix)], []
