"""A home in which every command has something to do, and what must be true of it after any fault."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from contact_pipeline import Pipeline
from tests.erase.home import BOB, DIRECTOR, OUTREACH, SHE, open_home, write_csv

LEADS: Final = ("Name", "Phone", "Email")
KIM: Final = ("Kim", "", "219-09-9998", "Park", "", "AC-445566", "kim@example.com", "")
NEW: Final = ("Ida", "", "", "Berg", "", "AC-998877", "ida@example.com", "")
OTHER: Final = ("Nora", "", "", "Falk", "", "AC-990011", "nora@example.com", "")
QUIN: Final = ("Quin", "", "219-09-9990", "Quennevais", "", "AC-445567", "q.quennevais@example.com", "")
REJECTED: Final = ("Una", "", "", "Vale", "13/45/1984", "AC-303030", "una@example.com", "")


def make_home(folder: Path) -> dict[str, str]:
    """Fills `folder/home` and lays the files that are still to come beside it; name → upload id.

    Contact 1 is the person with traces, contact 2 is Bob.
    """
    pipeline = open_home(folder)
    write_csv(folder / "new.csv", OUTREACH, NEW, SHE, REJECTED)
    write_csv(folder / "later.csv", OUTREACH, OTHER)
    made: dict[str, str] = {}

    def staged(name: str, *rows: tuple[str, ...], heading: tuple[str, ...] = OUTREACH, **options: Any) -> None:
        file = write_csv(folder / f"{name}.csv", heading, *rows)
        profile = "outreach_contacts" if heading == OUTREACH else "dealer_leads"
        made[name] = pipeline.plan(file, profile, user=DIRECTOR, force=True, **options).upload_id

    def applied(name: str, *rows: tuple[str, ...], **options: Any) -> None:
        staged(name, *rows, **options)
        assert pipeline.apply(made[name], user=DIRECTOR).state == "applied"

    applied("first", SHE, BOB, REJECTED, group="Spring")
    applied("reviewed", KIM, QUIN, group="Spring")
    applied("taken_back", SHE, (*BOB[:6], "bob@example.com", ""), group="Autumn")
    pipeline.undo(made["taken_back"], user=DIRECTOR)
    applied("turned", (*SHE[:5], "AC-1", "turned@example.com", ""), group="Autumn")
    applied("lead", ("Lea Lund", "202-555-0133", "lea@example.com"), heading=LEADS, rule="merge", lead_type="SMS")
    staged("stale", NEW, group="Autumn")
    applied("before", NEW, group="Autumn")
    assert pipeline.apply(made["stale"], user=DIRECTOR).state == "stale"
    staged("review", QUIN, OTHER, group="Spring")
    staged("planned", SHE, ("Ian", "", "", "Moss", "", "AC-556677", "ian@example.com", ""), group="Spring")
    staged("other", ("Olga", "", "", "Berg", "", "AC-667788", "olga@example.com", ""), group="Winter")
    return made


COMMANDS: Final[dict[str, str]] = {
    "users": "users load {folder}/users.yaml",
    "plan": "plan {folder}/new.csv --profile outreach_contacts --group Summer",
    "apply": "apply {planned}",
    "import": "import {folder}/new.csv --profile outreach_contacts --group Summer --yes",
    "finalize": "finalize {lead} --user d.rivers",
    "undo": "undo {turned}",
    "redo": "redo {taken_back}",
    "resolve": "resolve {review} --row 2 --to new",
    "resolve-applied": "resolve {reviewed} --row 3 --to 1",
    "cancel": "cancel {planned}",
    "replan": "replan {stale}",
    "add": "contacts add --profile outreach_contacts --field email=zed@example.com --field first_name=Zed"
    " --field account_number=AC-1212 --option group=Summer --yes",
    "deactivate": "contacts deactivate 2",
    "erase": "contacts erase 1 --yes",
    "rejected": "rejected {first}",
    "first": "users load {folder}/users.yaml",  # on a home that is not there yet
    "first-import": "import {folder}/new.csv --profile outreach_contacts --group Summer --yes",  # likewise
}
NEW_HOMES: Final = frozenset({"first", "first-import"})


def words(command: str, folder: Path, made: dict[str, str]) -> list[str]:
    """A command as it is typed."""
    return COMMANDS[command].format(folder=folder, **made).split()


def state_of(home: Path, known: list[str]) -> dict[str, Any]:
    """The results of commands in a home, without ids and times, which differ when a command is repeated."""
    pipeline = Pipeline(home)
    contacts = [_without_ids(contact) for contact in pipeline.store.contacts()]
    published = [_without_ids(contact) for contact in pipeline.store.contacts(published=True)]
    with pipeline.store.open(read_only=True) as database:
        commits = database.rows("""
            SELECT coalesce(file_name, upload_id), action, undone_by IS NOT NULL FROM commits
            LEFT JOIN uploads USING (upload_id) ORDER BY ALL""")
        decisions = database.rows("SELECT upload_id, row_number, choice, applied FROM decisions WHERE NOT withdrawn")
        erased = database.rows("SELECT contact_id, finished_at IS NOT NULL FROM erasures ORDER BY ALL")
    uploads = {upload.upload_id: upload for upload in pipeline.uploads()}
    return {
        "contacts": sorted(contacts, key=str),
        "published": sorted(published, key=str),
        "groups": pipeline.store.groups(),
        "commits": commits,
        "decisions": sorted(decisions),
        "erased": erased,
        "users": [user.login for user in pipeline.store.users()],
        "uploads": {name: (uploads[name].state, uploads[name].outcomes) for name in known if name in uploads},
    }


def _without_ids(contact: dict[str, Any]) -> dict[str, Any]:
    return {
        name: len(value) if name == "links" else value
        for name, value in contact.items()
        if name not in {"contact_id", "last_upload_id"}
    }


def unreconciled(home: Path) -> list[str]:
    """Uploads whose rows are not all accounted for."""
    return [
        f"{upload.file_name} ({upload.state}): {upload.outcomes} of {upload.line.data_rows} rows"
        for upload in Pipeline(home).uploads()
        if upload.state in {"staged", "blocked", "stale", "applied", "finalized", "undone"}
        and sum(upload.outcomes.values()) != upload.line.data_rows
    ]


def leftovers(home: Path) -> list[str]:
    """Files in the home that belong to no upload.

    A file that a killed plan was writing is the plan's: planned again, it is written anew.
    """
    pipeline = Pipeline(home)
    known = {upload.upload_id for upload in pipeline.uploads()}
    interrupted = {upload.upload_id for upload in pipeline.uploads() if upload.state == "received"}
    strange = [
        str(path.relative_to(home))
        for path in home.rglob("*")
        if (
            (path.suffix in {".new", ".tmp", ".rewritten"} and ".blocks" not in path.name)
            and not (path.suffix == ".new" and path.parent.name in interrupted)
        )
        or path.parent.name == "spilled"
        or (path.suffix == ".wal" and not path.with_suffix("").exists())
    ]
    return strange + [
        f"{folder}/{path.name}"
        for folder in ("staging", "uploads", "uploads/.arriving")
        for path in (home / folder).glob("*")
        if path.name not in {*known, ".arriving"}
    ]


def copy_home(source: Path, target: Path) -> Path:
    """A copy of a home; nothing if the home does not exist."""
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        shutil.copytree(source, target)
    return target
