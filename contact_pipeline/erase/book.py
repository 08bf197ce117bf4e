"""Empties a person's contacts, history and decisions in the contact database, and redacts their values elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from contact_pipeline.contracts.kept import GROWING, KEPT
from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.engines import Database, KeptTables, literal, quoted
from contact_pipeline.erase.person import Person, redacted
from contact_pipeline.match import key_of
from contact_pipeline.profiles import Profile
from contact_pipeline.store.changes import newest
from contact_pipeline.store.effective import EFFECTIVE, effective_accounts, effective_groups, effective_pairs
from contact_pipeline.store.erasures import fingerprint
from contact_pipeline.store.ledger import change_line, commit_time, now

_ABOUT_SOMEBODY: Final = ("first_name", "last_name", "full_name", "address")  # fields, though many share a value

# Every personal column besides the fields of contacts. Those are in the open tables, where each row is one contact's.
_QUOTING: Final = [
    (table.name, column.name)
    for table in KEPT
    if table.lies == "database" and not table.open
    for column in table.columns
    if column.personal
]


def begin(
    database: Database,
    person: Person,
    rows: Mapping[str, Collection[int]],
    profiles: Collection[Profile],
    secret: bytes,
    actor: str,
) -> None:
    """Records that the person is being erased and by whom, their rows and fingerprints. Call it in a transaction.

    Contacts that an earlier try has emptied keep their fingerprints: nothing is left to work them out from.
    """
    at = now()
    known = {contact_id for (contact_id,) in database.rows("SELECT contact_id FROM erasures")}
    for contact_id in person.contact_ids:
        if contact_id not in known:
            database.run("INSERT INTO erasures VALUES (?, ?, ?, NULL, NULL)", [contact_id, at, actor])
    database.run("DELETE FROM erased_rows")
    for upload_id, found in rows.items():
        for row in found:
            database.run("INSERT INTO erased_rows VALUES (?, ?)", [upload_id, row])
    unemptied = f"SELECT contact_id FROM erasures WHERE contact_id IN ({person.ids}) AND commit_number IS NULL"
    database.run(f"DELETE FROM fingerprints WHERE contact_id IN ({unemptied})")
    compared = sorted({name for profile in profiles for rule in _rules(profile) for name in rule.fields})
    columns = [name for (name,) in database.rows("SELECT name FROM fields")]
    for field in compared:
        key = key_of(field, "states", columns)
        database.run(f"""
            INSERT INTO fingerprints
            WITH states AS ({_states(columns, unemptied)})
            SELECT contact_id, _commit, {literal(field)}, {fingerprint(field, key, secret)} AS fingerprint
            FROM states WHERE {key} IS NOT NULL""")


def _rules(profile: Profile) -> list[Any]:
    people = profile.account_contacts
    return [*(profile.match if profile.target == "contact" else ()), *(people.match if people else ())]


def _states(columns: list[str], contact_ids: str) -> str:
    """The query for these contacts as each of their changes left them, one line per change, and as they are now.

    The column for the commit, `_commit`, has a name that no field can have.
    """
    values = ", ".join(f"{newest(name, 'c')} AS {quoted(name)}" for name in columns)
    return f"""
        SELECT s.contact_id, s.commit_number AS _commit, {values}
        FROM contact_changes AS s JOIN contact_changes AS c USING (contact_id)
        WHERE s.contact_id IN ({contact_ids}) AND c.commit_number <= s.commit_number GROUP BY ALL"""


def empty(
    database: Database,
    kept: KeptTables,
    person: Person,
    rows: Mapping[str, Collection[int]],
    lines: Collection[LedgerLine],
) -> None:
    """Empties everything of the person, in one commit for each address book. Call it in a transaction of `kept`.

    Args:
        database: the contact database. What is changed in `kept` is seen here at once.
        kept: its tables, wherever they lie.
        person: who is erased.
        rows: upload → rows that were emptied.
        lines: of all uploads.
    """
    books = database.rows("""
        SELECT address_book, list(DISTINCT contact_id ORDER BY contact_id)
        FROM erasures JOIN contact_changes USING (contact_id) JOIN commits ON commits.commit_number =
            contact_changes.commit_number
        WHERE erasures.commit_number IS NULL GROUP BY ALL ORDER BY ALL""")
    for address_book, contact_ids in books:
        _commit(database, kept, ", ".join(str(contact_id) for contact_id in contact_ids), address_book, now())
    _empty_history(database, kept, person)
    _let_accounts_go(database, kept)
    _empty_decisions(database, person, rows)
    _empty_corrections(database, person, rows)
    for line in lines:
        if line.upload_id in rows:
            _note_emptied_rows(database, line, rows[line.upload_id], person)
    _redact(database, kept, person)


def finish(database: Database, at: datetime) -> None:
    """Records that the erasures are finished."""
    database.run("UPDATE erasures SET finished_at = ? WHERE finished_at IS NULL", [at])
    database.run("DELETE FROM erased_rows")


def _commit(database: Database, kept: KeptTables, ids: str, address_book: str, at: datetime) -> None:
    """Writes the commit that erases: the contacts keep their numbers; their memberships and links end."""
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    number: int = database.value("SELECT coalesce(max(commit_number), 0) + 1 FROM commits")
    actor = database.value(f"SELECT any_value(actor) FROM erasures WHERE contact_id IN ({ids})")
    by = f"erasure-{number}"
    when = commit_time(database, at).isoformat(sep=" ")
    kept.append(
        "commits",
        f"""
        SELECT {number} AS commit_number, {literal(when)}::TIMESTAMP AS committed_at, {literal(by)} AS upload_id,
               'erase' AS action, {literal(address_book)} AS address_book, {literal(actor)} AS actor,
               'claimed' AS actor_as""",
    )
    kept.append(
        "contact_changes",
        f"""
        SELECT {literal(by)} AS upload_id, {number} AS commit_number, 'erase' AS action,
               coalesce(revision, 0) AS base_revision, contact_id, active AS before_active, false AS after_active
        FROM (SELECT contact_id FROM erasures WHERE contact_id IN ({ids})) LEFT JOIN contacts USING (contact_id)""",
    )
    for table, columns, where in (
        ("membership", "group_name, contact_id", f"contact_id IN ({ids})"),
        ("link", "contact_id, linked_to", f"contact_id IN ({ids}) OR linked_to IN ({ids})"),
    ):
        kept.append(
            f"{table}_changes",
            f"""
            SELECT {literal(by)} AS upload_id, {number} AS commit_number, 'remove' AS action, {columns}
            FROM {table}s WHERE {where}""",
        )
        kept.delete(f"{table}s", where)
    emptied = dict.fromkeys(fields, "NULL") | {
        "active": "false",
        "revision": "revision + 1",
        "last_commit": str(number),
        "last_upload_id": literal(by),
    }
    kept.update("contacts", emptied, f"contact_id IN ({ids})")
    kept.update("erasures", {"commit_number": str(number)}, f"contact_id IN ({ids})")


def _empty_history(database: Database, kept: KeptTables, person: Person) -> None:
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    emptied = {f"{side}_{name}": "NULL" for name in fields for side in ("before", "after")}
    if emptied:
        kept.update("contact_changes", emptied, f"contact_id IN ({person.ids})")


def _let_accounts_go(database: Database, kept: KeptTables) -> None:
    """Removes accounts that existed only because an erased contact names them, without an effective creation."""
    unmade = "SELECT account_id FROM accounts WHERE created_commit IS NULL"
    changed = database.rows(f"""
        SELECT account_id, e.account_id IS NULL, e.last_upload_id
        FROM (SELECT account_id, last_upload_id FROM accounts WHERE created_commit IS NULL) AS a
        LEFT JOIN ({effective_accounts(EFFECTIVE.format(""), among=unmade)}) AS e USING (account_id)
        WHERE e.account_id IS NULL OR e.last_upload_id IS DISTINCT FROM a.last_upload_id""")
    if gone := [str(account_id) for account_id, is_gone, _ in changed if is_gone]:
        kept.delete("accounts", f"account_id IN ({', '.join(gone)})")
    for account_id, is_gone, named_now in changed:
        if not is_gone:
            kept.update("accounts", {"last_upload_id": literal(named_now)}, f"account_id = {account_id}")


def _empty_decisions(database: Database, person: Person, rows: Mapping[str, Collection[int]]) -> None:
    where = [f"contact_id IN ({person.ids})"]
    where += [
        f"upload_id = {literal(upload_id)} AND row_number IN ({', '.join(str(row) for row in sorted(found))})"
        for upload_id, found in rows.items()
        if found
    ]
    if person.pattern is not None:
        where.append(_quotes("keys", person.pattern))
    database.run(f"UPDATE decisions SET keys = '', withdrawn = true WHERE {' OR '.join(f'({w})' for w in where)}")


def _empty_corrections(database: Database, person: Person, rows: Mapping[str, Collection[int]]) -> None:
    """Empties the corrections in the person's rows, and remembered values that quote the person.

    A row counts as the person's if its cells in the file, or its effective corrections, quote the person. In somebody
    else's row, a correction that quoted the person until it was replaced is withdrawn, and the others stay effective.
    """
    where = [
        f"upload_id = {literal(upload_id)} AND row_number IN ({', '.join(str(row) for row in sorted(found))})"
        for upload_id, found in rows.items()
        if found
    ]
    if person.pattern is not None:
        before, after = _quotes("before", person.pattern), _quotes("after", person.pattern)
        where.append(f"(upload_id, row_number) IN ({_rows_quoting(before, after)})")
        database.run(f"DELETE FROM value_mappings WHERE {before} OR {after}")
    if where:
        theirs = f"kind = 'cell' AND ({' OR '.join(f'({each})' for each in where)})"
        _forget_names(database, theirs)
        database.run(f"UPDATE corrections SET before = NULL, after = NULL, withdrawn = true WHERE {theirs}")
    if person.pattern is not None:
        quoting = _quotes("after", person.pattern)
        database.run(f"UPDATE corrections SET after = NULL, withdrawn = true WHERE kind = 'cell' AND {quoting}")


def _rows_quoting(before: str, after: str) -> str:
    """The query for the rows in which a cell of the file, or its effective correction, quotes the person."""
    of_cell = 'PARTITION BY upload_id, row_number, "column"'
    return f"""
        SELECT (upload_id, row_number) FROM corrections WHERE kind = 'cell'
        QUALIFY ({before} AND number = min(number) OVER ({of_cell}))
             OR ({after} AND number = max(number) FILTER (NOT withdrawn) OVER ({of_cell}))"""


def _forget_names(database: Database, theirs: str) -> None:
    """Deletes remembered names and addresses that were corrected only in the person's rows.

    Meanings of other fields, such as a specialty or a city, are about nobody and stay.
    """
    database.run(f"""
        DELETE FROM value_mappings
        WHERE field IN ({", ".join(map(literal, _ABOUT_SOMEBODY))}) AND number IN (
            SELECT m.number FROM value_mappings AS m JOIN (
                SELECT upload_id, field, ({theirs}) AS is_theirs,
                       lower(trim(regexp_replace(before, '\\s+', ' ', 'g'))) AS compared
                FROM corrections WHERE kind = 'cell') AS c
            ON c.upload_id = m.upload_id AND c.field = m.field AND c.compared = m.before
            GROUP BY m.number HAVING bool_and(c.is_theirs))""")


def _note_emptied_rows(database: Database, line: LedgerLine, rows: Collection[int], person: Person) -> None:
    """Notes on an upload's line that rows of it were emptied. A plan that holds the person becomes stale."""
    ids = ", ".join(str(contact_id) for contact_id in person.contact_ids)
    row_list = ", ".join(str(row) for row in sorted(rows))
    said = f"Contact {ids} was erased; emptied with it: row {row_list}."  # an earlier try may have said so
    changes: dict[str, Any] = {"warnings": [*dict.fromkeys([*(line.warnings or []), said])]}
    if line.state in PLANNED:
        changes |= {
            "state": "stale",
            "reason": {
                "code": "stale",
                "message": f"Contact {ids}, of whom {line.file_name} has rows, was erased. Rows: {row_list}.",
                "fix": "Plan it again, and approve the new changeset; these rows are left out.",
                "rows": sorted(rows),
            },
        }
    change_line(database, line.upload_id, **changes)


def freeze(database: Database, upload_id: str, files: Mapping[str, str]) -> None:
    """Records the frozen staged files of an upload; none while they are being emptied."""
    change_line(database, upload_id, staged_files=dict(files))


def give_up(database: Database, line: LedgerLine) -> None:
    """Marks an upload whose unreadable staged tables were deleted as still to be planned."""
    change_line(
        database,
        line.upload_id,
        expected=PLANNED,
        state="stale",
        reason={
            "code": "staging-damaged",
            "message": f"What was staged for {line.file_name} could not be read, and went when somebody was erased.",
            "fix": "Plan it again; where its original held the person and is gone too, drop the file again.",
        },
    )


def count_again(database: Database, upload_id: str, outcomes: Mapping[str, int], *, errors: int, warnings: int) -> None:
    """Counts the rows of an upload again for its line, as rows in review may have been left out."""
    counts = {**outcomes, "error_count": errors, "row_warning_count": warnings}
    change_line(database, upload_id, expected=None, **counts)


def _redact(database: Database, kept: KeptTables, person: Person) -> None:
    """Replaces the person's values by stars in every column that is not a field of contacts."""
    if person.pattern is None:
        return
    in_headings = _quotes("headings", person.pattern)  # no file has the headings in stars
    database.run(f"DELETE FROM mappings WHERE {in_headings}")
    renamed = database.frame(
        f"SELECT DISTINCT contact_id FROM membership_changes WHERE {_quotes('group_name', person.pattern)}"
    )
    for table, column in _QUOTING:
        value = redacted(f"{quoted(column)}::VARCHAR", person.pattern)
        quoting = _quotes(column, person.pattern)
        if table not in GROWING:
            database.run(f"UPDATE {quoted(table)} SET {quoted(column)} = {value} WHERE {quoting}")
            continue
        for text, stars in database.rows(f"SELECT DISTINCT {quoted(column)}, {value} FROM {table} WHERE {quoting}"):
            kept.update(table, {column: literal(stars)}, f"{quoted(column)} = {literal(text)}")
    if not renamed.is_empty():
        _unite_groups(database, kept, ", ".join(map(str, renamed["contact_id"])))


def find_quotes(database: Database, person: Person) -> list[tuple[str, str, list[str]]]:
    """Table, column and values of the person outside the fields of contacts: what erasing redacts."""
    if person.pattern is None:
        return []
    found = []
    for table, column in _QUOTING:
        texts = database.rows(
            f"SELECT DISTINCT {quoted(column)}::VARCHAR FROM {quoted(table)} WHERE {_quotes(column, person.pattern)}"
        )
        values = dict.fromkeys(value for (text,) in texts for value in person.values_in(text))
        if values:
            found.append((table, column, list(values)))
    return found


def _quotes(column: str, pattern: str) -> str:
    return f"regexp_matches({quoted(column)}::VARCHAR, {literal(pattern)})"


def _unite_groups(database: Database, kept: KeptTables, ids: str) -> None:
    """Unites the groups that have the same name after redacting, and their memberships, which these contacts have."""
    counting, members = EFFECTIVE.format(""), f"SELECT contact_id FROM contacts WHERE contact_id IN ({ids})"
    for table, computed, where in (
        ("groups", effective_groups(counting), "true"),
        ("memberships", effective_pairs("memberships", counting, among=members), f"contact_id IN ({ids})"),
    ):
        united = database.frame(computed)
        kept.delete(table, where)
        kept.see("united", united)
        kept.append(table, "SELECT * FROM united")
        kept.unsee("united")
