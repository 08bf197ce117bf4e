"""Decisions about rows in review: recorded with who and when, and remembered for later rows with the same keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import polars as pl

from contact_pipeline.contracts.actors import identity
from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.store.ledger import now
from contact_pipeline.store.names import contact_names
from contact_pipeline.store.store import Store
from contact_pipeline.store.upload import Upload

_SHOWN: Final = 8  # problems that a refusal names
_MOST_DIGITS: Final = 18  # of the id of a contact: with more, a BIGINT does not hold every number
_HOLDS: Final = "upload_id = ? AND NOT withdrawn"


def record_decisions(
    store: Store,
    upload: Upload,
    choices: Mapping[int, int | str],
    actor: str,
    new: Mapping[int, tuple[str, str]] | None = None,
) -> None:
    """Records somebody's decisions about rows in review: all of them, or none.

    Args:
        store: of the home.
        upload: the upload with the rows.
        choices: row_number → id of the contact that the row is, `new`, or `skip`.
        actor: login of who decides.
        new: rows that can be decided although they are not in review: row → entity and keys.

    Raises:
        Refusal: a row is not in review (`not-in-review`), or there is no such contact (`contact-unknown`).
    """
    in_review, made = _in_review(upload) | dict(new or {}), _made_by_rows(upload)
    with store.change() as database:
        open_rows = in_review if upload.state in APPLIED else _decided(database, upload) | in_review
        ids = {number for to in choices.values() if (number := _id_of(to)) is not None}
        known = _contacts(database, upload, ids)
        problems = list(_problems(upload, choices, open_rows, known | made.keys()))
        if problems:
            raise _refusal(upload, problems)
        lines = [(row, *open_rows[row], *_choice(to, known, made)) for row, to in choices.items()]
        names = ("row_number", "entity", "keys", "choice", "contact_id", "other_row")
        types = (pl.UInt32, pl.String, pl.String, pl.String, pl.Int64, pl.UInt32)
        database.see("chosen", pl.DataFrame(lines, schema=dict(zip(names, types, strict=True)), orient="row"))
        database.run(
            f"UPDATE decisions SET withdrawn = true WHERE {_HOLDS} AND row_number IN (SELECT row_number FROM chosen)",
            [upload.upload_id],
        )
        database.run(
            """INSERT INTO decisions BY NAME
               SELECT ? AS upload_id, *, ? AS address_book, ? AS decided_by, ? AS decided_as, ? AS decided_at,
                      false AS withdrawn, false AS applied
               FROM chosen""",
            [upload.upload_id, upload.line.address_book, actor, identity(actor), now()],
        )
        database.unsee("chosen")


def applied_choices(store: Store, upload: Upload, choices: Mapping[int, int | str]) -> set[int]:
    """The rows for which the same choice was applied already, after the rest of their upload."""
    with store.open(read_only=True) as database:
        rows = database.rows(
            f"SELECT row_number, choice, contact_id, other_row FROM decisions WHERE {_HOLDS} AND applied",
            [upload.upload_id],
        )
    made = _made_by_rows(upload) if rows else {}
    done = {row: (choice, contact if choice == "contact" else None, other) for row, choice, contact, other in rows}
    return {
        row
        for row, to in choices.items()
        if row in done
        and (str(to) == done[row][0] or ((known := _id_of(to)) is not None and done[row] in _meant(known, made)))
    }


def _meant(contact_id: int, made: Mapping[int, int]) -> tuple[tuple[str, int | None, int | None], ...]:
    """The forms in which the choice of a contact can have been recorded."""
    return ("contact", contact_id, None), ("row", None, made.get(contact_id))


def mark_applied(database: Database, upload_id: str, rows: Collection[int]) -> None:
    """Records that decisions about rows of an applied upload are committed; call it in that transaction."""
    database.run(
        f"UPDATE decisions SET applied = true WHERE {_HOLDS} AND row_number IN (SELECT unnest(?))", [upload_id, [*rows]]
    )


def remember_contacts(database: Database, upload_id: str) -> None:
    """Gives decisions that a row is new, or the same as another row, the id of the contact that the row has become.

    Call it in the transaction that applies the upload, whose staging database is attached as `staged`.
    """
    if database.has("staged.outcome_rows"):
        database.run(
            f"""UPDATE decisions SET contact_id = made.contact_id
                FROM (SELECT row_number, contact_id FROM staged.outcome_rows WHERE contact_id IS NOT NULL) AS made
                WHERE {_HOLDS} AND decisions.row_number = made.row_number AND choice IN ('new', 'row')""",
            [upload_id],
        )


def withdraw_decision(store: Store, upload: Upload, row_number: int) -> None:
    """Withdraws the decision about a row, so that no later upload follows it.

    Raises:
        Refusal: nothing was decided about the row (code `not-decided`).
    """
    with store.change() as database:
        withdrawn = database.rows(
            f"UPDATE decisions SET withdrawn = true WHERE {_HOLDS} AND row_number = ? RETURNING row_number",
            [upload.upload_id, row_number],
        )
    if not withdrawn:
        raise Refusal(
            "not-decided",
            f"Nothing is decided about row {row_number} of {upload.file_name}, or it is withdrawn already.",
            "`contact-pipeline decisions` lists what is.",
            file=upload.file_name,
            row_number=row_number,
        )


def list_decisions(store: Store) -> list[dict[str, Any]]:
    """Every decision, newest first: upload, row, choice, by whom and when, and the compared fields.

    `name` is the contact's name, if it has one. `compared` names the fields whose values a later row must share; the
    values themselves may be sensitive.
    """
    with store.open(read_only=True) as database:
        decisions = database.records("""
            SELECT upload_id, file_name, row_number, entity, choice, contact_id, other_row, decided_by, decided_as,
                   strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ') AS decided_at, withdrawn,
                   list_transform(string_split(keys, chr(31)), lambda key: split_part(key, '=', 1)) AS compared
            FROM decisions LEFT JOIN (SELECT upload_id, file_name FROM uploads) USING (upload_id)
            ORDER BY decisions.decided_at DESC, row_number""")
        names = contact_names(database, (each["contact_id"] for each in decisions if each["contact_id"]))
    return [decision | {"name": names.get(decision["contact_id"])} for decision in decisions]


def _in_review(upload: Upload) -> dict[int, tuple[str, str]]:
    """Row → the entity in doubt and its keys."""
    reviews = upload.staging.table("reviews")
    if "keys" not in reviews.columns:
        return {}
    first = reviews.sort("row_number", "entity").unique("row_number", keep="first", maintain_order=True)
    return {row: (entity, keys) for row, entity, keys in first.select("row_number", "entity", "keys").iter_rows()}


def _made_by_rows(upload: Upload) -> dict[int, int]:
    """Contact that the file creates → its row."""
    if not upload.staging.count("outcome_rows"):
        return {}
    created = upload.outcome_rows.filter(outcome="created").drop_nulls("contact_id")
    return dict(created.select("contact_id", "row_number").iter_rows())


def _decided(database: Database, upload: Upload) -> dict[int, tuple[str, str]]:
    rows = database.rows("SELECT row_number, entity, keys FROM decisions WHERE upload_id = ?", [upload.upload_id])
    return {row: (entity, keys) for row, entity, keys in rows}


def _contacts(database: Database, upload: Upload, ids: Collection[int]) -> set[int]:
    rows = database.rows(
        f"""SELECT contact_id FROM contacts WHERE address_book = ? AND contact_id IN (SELECT unnest(?::BIGINT[]))
            AND contact_id NOT IN ({ERASED.format("")})""",
        [upload.line.address_book, [*ids]],
    )
    return {contact_id for (contact_id,) in rows}


def _choice(to: int | str, known: Collection[int], made: Mapping[int, int]) -> tuple[str, int | None, int | None]:
    """The choice as (choice, contact_id, other_row): a contact may be one that another row of the file creates."""
    if to in {"new", "skip"}:
        return str(to), None, None
    return ("contact", int(to), None) if int(to) in known else ("row", None, made[int(to)])


def _id_of(to: int | str) -> int | None:
    """The chosen id; None: no contact can have such an id."""
    text = str(to)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _problems(
    upload: Upload, choices: Mapping[int, int | str], open_rows: Collection[int], ids: Collection[int]
) -> Iterator[tuple[str, int, str]]:
    """Code, row and message of every choice that cannot be taken."""
    for row, to in choices.items():
        if row not in open_rows:
            yield "not-in-review", row, f"Row {row} of {upload.file_name} is not in review."
        elif to not in {"new", "skip"} and _id_of(to) not in ids:
            book = upload.line.address_book
            yield "contact-unknown", row, f"There is no contact {to} in address book {book}, for row {row}."


def _refusal(upload: Upload, problems: list[tuple[str, int, str]]) -> Refusal:
    code, row, _ = problems[0]
    fixes = {
        "not-in-review": f"`contact-pipeline in-review {upload.upload_id}` writes those that are into a file.",
        "contact-unknown": "Give the id of a contact, or `new`, or `skip`.",
    }
    sentences = [words for *_, words in problems[:_SHOWN]]
    sentences += [f"{len(problems) - _SHOWN} more."] if len(problems) > _SHOWN else []
    fix = " ".join(fixes[code] for code in dict.fromkeys(code for code, *_ in problems))
    return Refusal(code, " ".join(sentences), fix, file=upload.file_name, row_number=row)
