"""After any sequence of commands the tables are what tests/apply/effective.py computes from the effective changes.

Sequences are drawn by their number, and shortened when they fail. `SEQUENCES=5000 pytest tests/apply/test_effective.py`
runs that many; `SEQUENCES_FROM=300` leaves out the first ones, so that `SEQUENCES_FROM=317 SEQUENCES=1` replays one.
"""

from __future__ import annotations

import os
from datetime import datetime
from random import Random

import polars as pl
import pytest

from contact_pipeline.apply import mark_effect, plan_effect, stage_activation, write_changeset
from contact_pipeline.engines import Database
from contact_pipeline.erase import book as erasing
from contact_pipeline.erase.person import find_person
from contact_pipeline.store.effective import (
    EFFECTIVE,
    effective_accounts,
    effective_contacts,
    effective_groups,
    effective_pairs,
)
from contact_pipeline.store.history import contacts_as_of
from contact_pipeline.store.ledger import add_line, change_line
from contact_pipeline.store.links import linked_with
from contact_pipeline.store.schema import _publish, migrate
from contact_pipeline.terms import ACCOUNT_FIELDS
from tests.apply.effective import Change, Commit, Tables, differences, effective_tables, read_tables
from tests.match.ground import Ground
from tests.thorough import examples, spread
from tests.trust import record

SEQUENCES = examples(10, 24, "SEQUENCES")
FIRST = int(os.environ.get("SEQUENCES_FROM", "0"))
LENGTH, PARTS = 30, 10
AT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - the tables hold UTC without a zone
LATER = datetime(2200, 1, 1)  # noqa: DTZ001

# Few values and few targets, so that uploads meet in every way.
BOOKS = ("leads", "clinics", "portfolio")
WITH_ACCOUNTS = BOOKS[1:]
NUMBERS = ("AC-100001", "AC-100002", "AC-100003")
VALUES = {
    "email": (None, "ann@example.com", "bo@example.com"),
    "account_number": (None, *NUMBERS),
    "notes": (None, ["one"], ["one", "two"]),
}
ACCOUNT_VALUES = {"account_name": (None, "Acme", "Borealis"), "status": (None, "ACTIVE", "INACTIVE")}
KINDS = {"notes": pl.List(pl.String), "active": pl.Boolean}
COMMANDS = {
    "import": 7, "resolve": 3, "undo": 5, "redo": 4, "finalize": 3, "deactivate": 2, "activate": 3, "erase": 0.6,
}  # fmt: skip


class Home:
    """A contact database in memory, what is done to it, and what was done."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.book, self.staging = ground, ground.book, ground.staging
        ground.empty()
        for table in ("erasures", "fingerprints", "erased_rows", "decisions"):
            self.book.run(f"DELETE FROM {table}")
        self.commits: list[Commit] = []
        self.books: dict[str, str] = {}  # upload → its address book
        self.held: set[str] = set()
        self.undone: set[str] = set()
        self.erased: dict[int, tuple | None] = {}  # contact → its row as erasing left it
        self.last = {"contact": 0, "account": 0}
        self.revisions: dict[tuple, dict[int, object]] = {}

    def do(self, command: str, random: Random) -> bool:
        """Does a command to something that it can be done to; False where there is nothing."""
        before = len(self.commits), {*self.undone}, {*self.held}, len(self.erased)
        getattr(self, f"_{command}")(random)
        return before != (len(self.commits), self.undone, self.held, len(self.erased))

    def _import(self, random: Random) -> None:
        upload_id = f"upload {len(self.books) + 1}"
        held = random.random() < 0.5
        (self.books[upload_id],) = random.choices(BOOKS, weights=(1, 2, 4))
        self._apply(upload_id, random)
        self._line(upload_id, held=held)

    def _resolve(self, random: Random) -> None:
        applied = [upload for upload in self.books if upload not in self.undone]
        if applied:
            self._apply(random.choice(applied), random)

    def _undo(self, random: Random) -> None:
        applied = [upload for upload in self.books if upload not in self.undone]
        if applied:
            self.turn(random.choice(applied), "undo")

    def _redo(self, random: Random) -> None:
        if self.undone:
            self.turn(random.choice(sorted(self.undone)), "redo")

    def _finalize(self, random: Random) -> None:
        held = sorted(self.held - self.undone)
        if held:
            upload_id = random.choice(held)
            change_line(self.book, upload_id, state="finalized", finalized_at=AT)
            self.held.discard(upload_id)

    def _deactivate(self, random: Random) -> None:
        self._set_active(random, active=False)

    def _activate(self, random: Random) -> None:
        self._set_active(random, active=True)

    def _erase(self, random: Random) -> None:
        known = {contact for commit in self.commits for change in commit.changes for contact in change.contacts}
        left = sorted(known - self.erased.keys())
        if left:
            with self.book.transaction():
                person = find_person(self.book, linked_with(self.book, random.choice(left)))
                erasing.begin(self.book, person, {}, [], b"secret", "tester")
                erasing.empty(self.book, self.book, person, {}, [])
            for contact_id in person.contact_ids:
                self.erased[contact_id] = self._row(contact_id)

    def turn(self, upload_id: str, turn: str) -> None:
        """Takes an upload out of effect, or brings it back."""
        self.ground.unstage()
        plan_effect(self.staging, upload_id, turn)
        with self.book.transaction():
            number = self._write(upload_id, turn)
            mark_effect(self.book, upload_id, turn, by=number)
            again = "finalized" if upload_id not in self.held else "applied"
            change_line(self.book, upload_id, state="undone" if turn == "undo" else again)
        (self.undone.add if turn == "undo" else self.undone.discard)(upload_id)

    def _set_active(self, random: Random, *, active: bool) -> None:
        found = self.book.rows(
            f"SELECT contact_id, revision, address_book FROM contacts WHERE active = {not active} ORDER BY ALL"
        )
        found = [row for row in found if row[0] not in self.erased]
        if not found:
            return
        contact_id, revision, book = random.choice(found)
        upload_id = f"upload {len(self.books) + 1}"
        self.books[upload_id] = book
        is_made = self.ground.store.is_made(contact_id)
        self.ground.unstage()
        stage_activation(self.staging, contact_id, revision, active=active, is_made=is_made)
        before = not active if is_made else None
        with self.book.transaction():
            number = self._write(upload_id, "apply")
        change = Change("contact", contact_id, "", {"active": (before, active)})
        self.commits.append(Commit(number, upload_id, book, [change]))
        self._line(upload_id, held=False)

    def _line(self, upload_id: str, *, held: bool) -> None:
        add_line(
            self.book, upload_id=upload_id, profile="made_up", file_name="made up.csv", file_size=1, sha256="",
            state="applied", stage="matched", added_at=AT, held=held,
        )  # fmt: skip
        if held:
            self.held.add(upload_id)

    def _apply(self, upload_id: str, random: Random) -> None:
        """Applies a changeset that does something to a few contacts and accounts of the upload's address book."""
        book = self.books[upload_id]
        self.ground.unstage()
        changes = [*self._contact_changes(book, random)]
        if book in WITH_ACCOUNTS and random.random() < 0.6:
            changes += self._account_changes(book, random)
        changes += self._pair_changes(book, changes, random)
        _stage(self.staging, changes)
        with self.book.transaction():
            number = self._write(upload_id, "apply")
        self.commits.append(Commit(number, upload_id, book, changes))

    def _contact_changes(self, book: str, random: Random) -> list[Change]:
        names = ("contact_id", "created_commit", "active", *VALUES)
        rows = self.book.rows(f"SELECT {', '.join(names)} FROM contacts WHERE address_book = ? ORDER BY 1", [book])
        there = [row for row in rows if row[0] not in self.erased]
        changes = []
        for contact_id, created, active, *values in random.sample(there, min(len(there), random.choice((1, 2, 2, 3)))):
            fields = _changed(dict(zip(VALUES, values, strict=True)), VALUES, random)
            if random.random() < 0.4 and (created is not None or not active):
                fields["active"] = (None if created is None else active, not active)
            if fields:
                changes.append(Change("contact", contact_id, "update", fields))
        for _ in range(random.choice((1, 1, 2)) if len(there) < 3 else random.choice((0, 0, 0, 1))):
            made = {name: (None, value) for name, value in _drawn(VALUES, random).items() if value is not None}
            changes.append(Change("contact", self._number("contact"), "create", {"active": (None, True)} | made))
        return changes

    def _account_changes(self, book: str, random: Random) -> list[Change]:
        names = ("account_number", *ACCOUNT_VALUES)
        rows = self.book.rows(
            f"SELECT account_id, {', '.join(names)} FROM accounts WHERE address_book = ? ORDER BY 1", [book]
        )
        changes = []
        for account_id, _, *values in random.sample(rows, min(len(rows), random.choice((0, 1)))):
            fields = _changed(dict(zip(ACCOUNT_VALUES, values, strict=True)), ACCOUNT_VALUES, random)
            if fields:
                changes.append(Change("account", account_id, "update", fields))
        free = sorted({*NUMBERS} - {row[1] for row in rows})
        if free and random.random() < 0.7:
            made = {name: (None, value) for name, value in _drawn(ACCOUNT_VALUES, random).items() if value is not None}
            made["account_number"] = (None, random.choice(free))
            changes.append(Change("account", self._number("account"), "create", made))
        return changes

    def _pair_changes(self, book: str, changes: list[Change], random: Random) -> list[Change]:
        there = [row[0] for row in self.book.rows("SELECT contact_id FROM contacts WHERE address_book = ?", [book])]
        made = [change.id for change in changes if change.target == "contact" and change.action == "create"]
        contacts = sorted({*there, *made} - self.erased.keys())
        memberships = {*self.book.rows("SELECT group_name, contact_id FROM memberships")}
        links = {*self.book.rows("SELECT contact_id, linked_to FROM links")}
        found = []
        for contact_id in random.sample(contacts, min(len(contacts), random.choice((0, 0, 1, 2)))):
            pair = (random.choice(("Spring", "Autumn")), contact_id)
            action = "remove" if pair in memberships else "create"
            found.append(Change("membership", pair, action))
        if len(contacts) > 1 and random.random() < 0.3:
            link = tuple(random.sample(contacts, 2))
            found.append(Change("link", link, "remove" if link in links else "create"))
        return found

    def _write(self, upload_id: str, action: str) -> int:
        return write_changeset(
            self.book,
            upload_id=upload_id,
            address_book=self.books[upload_id],
            sha256=None,
            actor="tester",
            at=AT,
            action=action,
        )

    def _number(self, entity: str) -> int:
        self.last[entity] += 1
        return self.last[entity]

    def _row(self, contact_id: int) -> tuple | None:
        rows = self.book.rows("FROM contacts WHERE contact_id = ?", [contact_id])
        return rows[0] if rows else None

    def check(self, *, published: bool) -> None:
        """Compares the tables with what they mean; and nobody erased has moved, nor a revision come twice."""
        stored, counting = read_tables(self.book), self.books.keys() - self.undone
        for contact_id, left in self.erased.items():
            assert self._row(contact_id) == left, "somebody erased was changed"
            stored.contacts.pop(contact_id, None)
        assert differences(stored, effective_tables(self.commits, counting, self.erased, VALUES)) == []
        self._check_revisions(stored)
        if published:
            seen = read_tables(self.book, published=True)
            seen.contacts = {key: row for key, row in seen.contacts.items() if key not in self.erased}
            visible = effective_tables(self.commits, counting - self.held, self.erased, VALUES)
            assert differences(seen, visible.as_published()) == []

    def _check_revisions(self, stored: Tables) -> None:
        for entity, rows in (("contact", stored.contacts), ("account", stored.accounts)):
            fields = [*VALUES, "active"] if entity == "contact" else ACCOUNT_FIELDS
            for key, revision in self.book.rows(f"SELECT {entity}_id, revision FROM {entity}s"):
                if key in rows:
                    seen = self.revisions.setdefault((entity, key), {})
                    values = [rows[key][name] for name in fields]
                    assert revision >= max(seen, default=0), "a revision went back"
                    assert seen.setdefault(revision, values) == values, "one revision of two states"

    def check_whole(self) -> None:
        """Compares the tables with the whole function as SQL, and with the history up to now."""
        counting, fields = EFFECTIVE.format(""), list(VALUES)
        erased = "SELECT contact_id FROM erasures"
        for table, query in (
            (f"contacts WHERE contact_id NOT IN ({erased})", effective_contacts(fields, counting)),
            ("accounts", effective_accounts(counting)),
            ("memberships", effective_pairs("memberships", counting)),
            ("links", effective_pairs("links", counting)),
            ("groups", effective_groups(counting)),
        ):
            names = ", ".join(self.book.columns(f"({query})"))
            stored, meant = (
                sorted(map(repr, self.book.rows(f"SELECT {names} FROM {source}"))) for source in (table, f"({query})")
            )
            assert stored == meant, table
        then = {row["contact_id"]: row for row in contacts_as_of(self.book, LATER)}
        now = self.book.records(f"SELECT contact_id, address_book, active, {', '.join(VALUES)} FROM contacts")
        assert then.keys() == {row["contact_id"] for row in now}
        for row in now:
            row["notes"] = row["notes"] or []
            assert row == {name: then[row["contact_id"]][name] for name in row}


def _changed(current: dict, values: dict, random: Random) -> dict:
    drawn = {name: value for name, value in _drawn(values, random).items() if random.random() < 0.5}
    return {name: (current[name], value) for name, value in drawn.items() if value != current[name]}


def _drawn(values: dict, random: Random) -> dict:
    return {name: random.choice(choices) for name, choices in values.items()}


def _stage(staging: Database, changes: list[Change]) -> None:
    """Stages the changes as matching would."""
    for entity, fields in (("contact", ["active", *VALUES]), ("account", ["account_number", *ACCOUNT_VALUES])):
        found = [change for change in changes if change.target == entity]
        sides = {
            f"{side}_{name}": pl.Series(
                [change.fields.get(name, (None, None))[place] for change in found], dtype=KINDS.get(name, pl.String)
            )
            for name in fields
            for place, side in enumerate(("before", "after"))
        }
        if found:
            staging.store(
                f"{entity}_changes",
                pl.DataFrame(
                    _identified(found)
                    | {f"{entity}_id": [change.id for change in found], "base_revision": [0] * len(found), **sides}
                ),
            )
    for kind, columns in (("membership", ("group_name", "contact_id")), ("link", ("contact_id", "linked_to"))):
        found = [change for change in changes if change.target == kind]
        if found:
            pairs = {name: [change.id[place] for change in found] for place, name in enumerate(columns)}
            staging.store(f"{kind}_changes", pl.DataFrame(_identified(found) | pairs))


def _identified(changes: list[Change]) -> dict:
    return {
        "row_number": pl.Series(range(2, 2 + len(changes)), dtype=pl.UInt32),
        "action": [change.action for change in changes],
    }


@pytest.fixture(scope="module")
def narrow_ground():
    """A ground that is quick with a handful of rows, where making and planning statements is all that costs.

    Its contacts have three fields only, as statements name every one many times; and DuckDB optimizes nothing.
    """
    ground = Ground()
    for name in {name for (name,) in ground.book.rows("SELECT name FROM fields")} - VALUES.keys():
        ground.book.run(f"ALTER TABLE contacts DROP COLUMN {name}")
        for side in ("before", "after"):
            ground.book.run(f"ALTER TABLE contact_changes DROP COLUMN {side}_{name}")
        ground.book.run("DELETE FROM fields WHERE name = ?", [name])
    _publish(ground.book)
    for database in (ground.book, ground.staging):
        database.run("PRAGMA disable_optimizer")
    yield ground
    ground.close()


def sequence(number: int) -> list[tuple[str, int]]:
    """The commands of a sequence, each with the seed of what it draws."""
    random = Random(number)
    commands = random.choices([*COMMANDS], weights=[*COMMANDS.values()], k=LENGTH)
    return [(command, random.getrandbits(32)) for command in commands]


def run(ground: Ground, commands: list[tuple[str, int]]) -> None:
    home = Home(ground)
    for place, (command, seed) in enumerate(commands):
        if home.do(command, Random(seed)):
            home.check(published=place % 3 == 0)
    home.check(published=True)
    home.check_whole()


def shortened(ground: Ground, commands: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """A shorter sequence that fails too: without every command that it fails without."""
    for place in reversed(range(len(commands))):
        fewer = commands[:place] + commands[place + 1 :]
        try:
            run(ground, fewer)
        except Exception:  # noqa: BLE001 - whatever is wrong
            commands = fewer
    return commands


@pytest.mark.parametrize("part", range(PARTS))
def test_after_any_sequence_the_tables_are_what_the_effective_changes_make(narrow_ground, part):
    numbers = range(FIRST + part, FIRST + SEQUENCES, PARTS)
    for number in numbers:
        try:
            run(narrow_ground, sequence(number))
        except Exception as error:  # noqa: BLE001 - whatever is wrong
            short = shortened(narrow_ground, sequence(number))
            pytest.fail(f"sequence {number} fails, and so does {short}: {error!r}")
    record("sequences", tried=len(numbers), failed=0, where="in memory")


@pytest.mark.parametrize("number", spread(range(12), 4))
def test_what_older_versions_left_of_undone_uploads_becomes_what_counts(narrow_ground, number):
    """They left contacts, memberships and groups that nothing effective touches, and took away others that are kept."""
    home, random = Home(narrow_ground), Random(number)
    for command, seed in sequence(number):
        home.do(command, Random(seed))
    home.check(published=True)
    home.do("import", random)
    effective = sorted(home.books.keys() - home.undone)
    undone = random.sample(effective, k=(len(effective) + 1) // 2)
    home.undone |= {*undone}
    names = ", ".join(f"'{upload_id}'" for upload_id in undone)
    book = home.book
    book.run(f"UPDATE uploads SET state = 'undone' WHERE upload_id IN ({names})")
    book.run(
        f"""
        INSERT INTO commits
        SELECT (SELECT max(commit_number) FROM commits) + row_number() OVER (), ?, upload_id, 'undo',
               any_value(address_book), NULL, 'tester', NULL, NULL
        FROM commits WHERE upload_id IN ({names}) GROUP BY upload_id""",
        [AT],
    )
    book.run(f"""
        UPDATE commits SET undone_by = (SELECT max(commit_number) FROM commits)
        WHERE upload_id IN ({names}) AND action = 'apply'""")
    for entity in ("contact", "account"):
        book.run(f"""
            DELETE FROM {entity}s WHERE {entity}_id IN (
                SELECT {entity}_id FROM {entity}_changes WHERE upload_id IN ({names}) AND {entity}_id % 2 = 0)
            {"AND contact_id NOT IN (SELECT contact_id FROM erasures)" if entity == "contact" else ""}""")
    book.run("ALTER TABLE uploads DROP COLUMN staged_files")
    book.run("DELETE FROM migrations WHERE name = 'contacts are what counts'")

    migrate(book)

    home.check(published=True)
