"""Checks uploads: their counts add up, staged data is as it was frozen, originals are as they were received."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from contact_pipeline.contracts.expiry import KINDS
from contact_pipeline.contracts.states import PLANNED, WAS_APPLIED
from contact_pipeline.engines import Tables
from contact_pipeline.errors import MachineFault
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.expiries import cut_off
from contact_pipeline.store.originals import Originals
from contact_pipeline.store.source import sha256_of
from contact_pipeline.terms import OUTCOMES
from contact_pipeline.verify.findings import Finding

_RESTORE = "Put back a backup that was made before it: `contact-pipeline restore BACKUP --replace`."
_KEEP = "Applied changes stay. To import the other rows, send them in a file of their own."


def check_upload(store: Store, originals: Originals, line: LedgerLine) -> Iterator[Finding]:
    """Problems of an upload's counts, staged files and original. Counts of an upload being staged are not checked."""
    if line.state in PLANNED | WAS_APPLIED:
        yield from _counts(line)
        yield from _staged(store, line)
    yield from _original(originals, line)


def check_created(database: Tables, lines: Collection[LedgerLine]) -> Iterator[Finding]:
    """Uploads whose history has more or fewer creations than their ledger lines."""
    made = {
        (upload_id, entity): count
        for entity in ("contact", "account")
        for upload_id, count in database.rows(f"""
            SELECT upload_id, count(*) FROM {entity}_changes AS h JOIN commits USING (commit_number, upload_id)
            WHERE h.action = 'create' AND commits.action = 'apply' GROUP BY ALL""")
    }
    for line in lines:
        profile = line.read_profile()
        if line.state not in WAS_APPLIED or profile is None:
            continue
        entity = str(profile["target"])
        counted = {entity: line.created + line.linked}
        if entity == "account":
            counted["contact"] = line.contacts_created
        for name, count in counted.items():
            found = made.get((line.upload_id, name), 0)
            if found != count:
                message = f"Upload {line.upload_id} created {count:,} {name}s; its history has {found:,}."
                fix = _RESTORE
                yield Finding("counts", f"upload {line.upload_id}", message, fix)


def check_expiries(database: Tables) -> Iterator[Finding]:
    """Data that was to be deleted by age, and may still be there."""
    for upload_id, kind in cut_off(database):
        message = f"Deleting {KINDS[kind]} of upload {upload_id} was cut off, or is under way."
        by = "The job `expire` in Dagster" if kind == "runs" else "`contact-pipeline expire`"
        yield Finding("expiry", f"upload {upload_id}", message, f"{by} goes on with it.")


def check_folders(store: Store, known: Collection[str]) -> Iterator[Finding]:
    """Folders of uploads that the ledger does not know."""
    for kind in ("staging", "uploads", "uploads/.arriving"):
        folder = store.settings.home / kind
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and path.name not in {*known, ".arriving"}:
                message = f"{kind}/{path.name} belongs to no upload."
                fix = (
                    "Something was cut off: the next command that imports deletes it. If not, look at it and delete it."
                )
                yield Finding("left-over", f"{kind}/{path.name}", message, fix)


def _counts(line: LedgerLine) -> Iterator[Finding]:
    total = sum(getattr(line, outcome) for outcome in OUTCOMES)
    if line.resolved_profile is not None and total != line.data_rows:
        message = f"Upload {line.upload_id} has {line.data_rows:,} rows, but {total:,} outcomes."
        fix = _RESTORE
        yield Finding("counts", f"upload {line.upload_id}", message, fix)


def _staged(store: Store, line: LedgerLine) -> Iterator[Finding]:
    staging, where = store.staging(line.upload_id), f"staging/{line.upload_id}"
    if line.state not in PLANNED and not staging.folder.exists():
        return  # an applied upload does not need it
    again = f"Plan it again with `contact-pipeline replan {line.upload_id}`."
    fix = again if line.state in PLANNED else _KEEP
    if line.staged_files is None and line.state not in PLANNED:
        return
    found = staging.differences(line.staged_files)
    if found:
        message = f"What is staged for upload {line.upload_id} is not what was frozen: {', '.join(found)}."
        yield Finding("staged-changed", where, message, fix)
        return
    if line.resolved_profile is None:
        return
    try:
        with staging.open(read_only=True) as database:
            stored = dict(database.rows("SELECT outcome, count(*) FROM outcome_rows GROUP BY outcome"))
    except MachineFault as fault:
        if not fault.is_damage:
            raise
        yield Finding("staged-unreadable", where, fault.message, fix)
        return
    counted = {outcome: getattr(line, outcome) for outcome in OUTCOMES if getattr(line, outcome)}
    if stored != counted:
        message = f"The ledger counts {counted} for upload {line.upload_id}, its staged rows are {stored}."
        yield Finding("counts", where, message, fix)


def _original(originals: Originals, line: LedgerLine) -> Iterator[Finding]:
    needed = line.state == "received"  # erasing deletes the originals of others
    try:
        path = originals.path(line.upload_id)
    except FileNotFoundError:
        if needed:
            message = f"The original of upload {line.upload_id} is gone."
            yield Finding(
                "original", f"uploads/{line.upload_id}", message, "Cancel the upload, and send the file again."
            )
        return
    if sha256_of(path) != line.sha256:
        message = f"{path.name} of upload {line.upload_id} is not the file that came: its SHA-256 is another one."
        yield Finding("original", f"uploads/{line.upload_id}", message, "Put the file back, or cancel the upload.")
