"""Corrects a planned upload: gives cells other texts, leaves out rows and columns, and withdraws corrections.

Corrections are data of the upload; the file stays as it came. The rows are then normalized, validated and matched
again, and the changeset is frozen anew, with a new hash.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import polars as pl

from contact_pipeline.contracts.states import CALLS, PLANNED
from contact_pipeline.errors import Refusal, Usage
from contact_pipeline.pipeline import committing, uploads
from contact_pipeline.pipeline.cells import CELLS, Staged
from contact_pipeline.pipeline.interruptions import noting_state
from contact_pipeline.pipeline.planning import advance
from contact_pipeline.pipeline.states import MADE_BY_HAND, STAGES, must_allow, resolved, wrong_state
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.corrections import (
    SHOWN_ROWS,
    Corrected,
    corrections_in_effect,
    for_people,
    last_number,
    record_corrections,
    withdraw_corrections,
    withdraw_decisions,
)
from contact_pipeline.store.facts import FileFacts
from contact_pipeline.store.ledger import change_line
from contact_pipeline.store.value_mappings import remember as remember_values


def correct(
    store: Store,
    upload_id: str,
    where: int | tuple[str, str],
    wanted: Mapping[str, str | None],
    user: str | None,
    *,
    remember: bool = False,
) -> Upload:
    """Gives cells of one row, or of all rows that hold a value, other texts.

    Args:
        store: the store.
        upload_id: the upload.
        where: the row; or a heading and a value in its column.
        wanted: field or heading → text; None or the empty text: blank.
        user: login of who corrects; unset: the operating system's.
        remember: whether the value means the same in files of the profile that come later.

    Raises:
        Refusal: see `Pipeline.correct`.
    """
    _must_be_text([*wanted, *wanted.values(), *(where if isinstance(where, tuple) else ())])

    def work_out(staged: Staged) -> pl.DataFrame:
        if isinstance(where, tuple):
            return staged.cells(staged.equal(*where), wanted)
        return staged.cells(pl.Series([staged.row(where)], dtype=pl.UInt32), wanted)

    def to_remember(staged: Staged) -> dict[str, tuple[str, str | None]]:
        return _meant(staged, where, wanted) if remember else {}

    return _change(store, upload_id, user, work_out, to_remember)


def correct_from(store: Store, upload_id: str, file: Path, user: str | None) -> Upload:
    """Gives cells the texts that a file has for them in the rows of its column row_number.

    Raises:
        Refusal: as `correct`; or the file cannot be taken (`corrections-file`), naming row and column.
    """
    from contact_pipeline.pipeline.corrected_file import read_corrections

    return _change(store, upload_id, user, lambda staged: read_corrections(file, store.settings, staged))


def leave_out(
    store: Store, upload_id: str, rows: Collection[int], columns: Collection[str], user: str | None
) -> Upload:
    """Takes rows and columns out of the plan.

    Raises:
        Refusal: see `Pipeline.leave_out`.
    """

    def work_out(staged: Staged) -> pl.DataFrame:
        raw = [staged.heading(name) for name in columns]
        left = [column for column in dict.fromkeys(raw) if column not in staged.facts.left_out]
        for column in left:
            staged.must_spare(column, left)
        there = {*staged.read(())["row_number"], *staged.staging.table("unreadable_rows")["row_number"]}
        blank = {*staged.staging.table("blank_rows")["row_number"]}
        for row in rows:
            if row not in there:
                raise staged.no_row(row)
            if row in blank:
                message = f"Row {row} of {staged.line.file_name} is blank: nothing of it is in the plan."
                raise Refusal("row-blank", message, "Leave it as it is.", file=staged.line.file_name, row_number=row)
        new = sorted({*rows} - {*staged.corrections.rows})
        lines: list[tuple[object, ...]] = [("row", row, None, None, None, None) for row in new]
        lines += [("column", None, column, staged.facts.mapped[column], None, None) for column in left]
        return pl.DataFrame(lines, schema=CELLS, orient="row")

    return _change(store, upload_id, user, work_out)


def withdraw(store: Store, upload_id: str, number: int, user: str | None) -> Upload:
    """Takes back the corrections of one call.

    Raises:
        Refusal: there is no such correction, or it is withdrawn already (`not-corrected`).
    """

    def work_out(staged: Staged) -> pl.DataFrame:
        with store.open(read_only=True) as contacts:
            found = contacts.frame(f"""
                SELECT kind, row_number, "column", field, before, after FROM corrections
                WHERE upload_id = '{staged.line.upload_id}' AND number = {number:d} AND NOT withdrawn
                ORDER BY row_number, "column\"""")
        if found.is_empty():
            raise Refusal(
                "not-corrected",
                f"{staged.line.file_name} has no correction {number}, or it is withdrawn already.",
                f"`contact-pipeline show {staged.line.upload_id}` lists its corrections with their numbers.",
                file=staged.line.file_name,
            )
        return found

    return _change(store, upload_id, user, work_out, withdrawn=number)


def _change(
    store: Store,
    upload_id: str,
    user: str | None,
    work_out: Callable[[Staged], pl.DataFrame],
    to_remember: Callable[[Staged], Mapping[str, tuple[str, str | None]]] = lambda _: {},
    *,
    withdrawn: int | None = None,
) -> Upload:
    """Records corrections, and takes the upload through the stages again from the rows that were read.

    Recording and setting the ledger line back are one commit; if the process dies after it, `replan` continues.

    Args:
        store: the store.
        upload_id: the upload.
        user: login of who corrects.
        work_out: gives the corrections (CELLS).
        to_remember: gives the values to remember.
        withdrawn: number of the correction to take back; unset: corrections are added.
    """
    actor = uploads.login(user)
    line = store.line(upload_id)
    staged, seen = _staged(store, line, actor)
    changed, kept = work_out(staged), to_remember(staged)
    if changed.is_empty() and not kept:
        return uploads.done_before(store, upload_id, "corrected so")
    rows = _rows_changed(staged, changed)
    with noting_state(store, upload_id, done={"staged", "blocked"}):
        with store.change() as contacts:
            if last_number(contacts, upload_id) != seen:
                raise _changed_meanwhile(line)
            if kept:
                remember_values(contacts, line.profile, upload_id, kept, actor)
            number, to_decide = seen, []
            if not changed.is_empty():
                again = change_line(
                    contacts, upload_id, expected={line.state}, state="received", stage=STAGES[1], reason=None
                )
                if again is None or again.changeset_sha256 != line.changeset_sha256:
                    raise _changed_meanwhile(line)
                if withdrawn is None:
                    number = record_corrections(contacts, upload_id, changed, actor)
                else:
                    number = withdrawn
                    withdraw_corrections(contacts, upload_id, number)
                to_decide = withdraw_decisions(contacts, upload_id, rows)
        for stage in STAGES[2:]:
            advance(store, upload_id, stage)
    upload = uploads.show(store, upload_id)
    before = uploads.upload_of(store, line)
    upload.corrected = Corrected(
        number=number if not changed.is_empty() else None,
        made=_for_people(staged, changed),
        is_withdrawn=withdrawn is not None,
        remembered=len(kept),
        to_decide=to_decide,
        outcomes_before=before.outcomes,
        changeset_before=line.changeset_sha256,
    )
    return upload


def _staged(store: Store, line: LedgerLine, actor: str) -> tuple[Staged, int]:
    """The staged upload, and the number of its newest correction.

    Raises:
        Refusal: the upload cannot be corrected (`wrong-state`), its staged data has changed, or the role is missing.
    """
    if line.state in PLANNED and line.resolved_profile is None:
        raise wrong_state(line, CALLS["correct"].wanted, MADE_BY_HAND)
    must_allow(line, "correct")
    uploads.check_user(store, line, actor)
    committing.check_frozen(store, line)
    profile, options = resolved(line)
    with store.open(read_only=True) as contacts:
        corrections, seen = corrections_in_effect(contacts, line.upload_id), last_number(contacts, line.upload_id)
    staging = store.staging(line.upload_id)
    return Staged(line, profile, options, staging, staging.normalized_facts(), corrections), seen


def _must_be_text(texts: Iterable[str | None]) -> None:
    """Tests that typed texts can be stored.

    Raises:
        Refusal: a text has bytes that are not UTF-8 (code `value-unreadable`).
    """
    try:
        "".join(filter(None, texts)).encode()
    except UnicodeEncodeError as error:
        message = "What was given holds bytes that are no UTF-8."
        raise Refusal("value-unreadable", message, "Give it as UTF-8.") from error


def _changed_meanwhile(line: LedgerLine) -> Refusal:
    return Refusal(
        "changed-meanwhile",
        f"Somebody has changed upload {line.upload_id} at this moment.",
        "Look at it with `show`, and correct what is still wrong.",
        file=line.file_name,
    )


def _rows_changed(staged: Staged, changed: pl.DataFrame) -> list[int]:
    """The rows that are corrected or left out; for a column, the rows in which it is filled."""
    rows = {*changed["row_number"].drop_nulls()}
    for column in changed.filter(kind="column")["column"]:
        rows |= {*staged.read([column]).drop_nulls(column)["row_number"]}
    return sorted(rows)


def _meant(
    staged: Staged, where: int | tuple[str, str], wanted: Mapping[str, str | None]
) -> dict[str, tuple[str, str | None]]:
    """Field → the corrected value, in compared form, and its meaning.

    Raises:
        Refusal: the correction cannot be remembered (code `not-to-remember`).
    """
    if isinstance(where, int):
        why = "Only a value is remembered, and a row is corrected"
    else:
        column, key, fields = staged.heading(where[0]), staged.key(where[1]), {staged.fill(name)[0] for name in wanted}
        field = staged.facts.fields.get(column)
        if fields == {field} and field is not None and key is not None:
            if field not in staged.profile.sensitive_fields:
                return {field: (key, next(iter(wanted.values())) or None)}
            why = f"Values of {field} are sensitive, and are not remembered"
        else:
            why = "Only what a value of one field means in the same field is remembered, and no blank"
    raise Refusal(
        "not-to-remember",
        f"{why}.",
        'Leave --remember out, or correct like this: --where "Specialty=Kardio" --set specialty=Cardiology.',
        file=staged.line.file_name,
    )


def _for_people(staged: Staged, changed: pl.DataFrame) -> list[dict[str, object]]:
    """The corrections for people: equal ones together, with headings, and sensitive values masked."""
    together = changed.group_by("kind", "column", "field", "before", "after", maintain_order=True).agg("row_number")
    return [
        for_people(
            {**each, "rows": len(numbers), "row_numbers": numbers[:SHOWN_ROWS]}, staged.facts.label_of, staged.profile
        )
        for each in together.iter_rows(named=True)
        for numbers in [[number for number in each.pop("row_number") if number is not None]]
    ]


def split_assignment(store: Store, upload_id: str, text: str, option: str) -> tuple[str, str]:
    """The name and the value of `NAME=VALUE`: a heading may contain `=`, so the longest name that the upload knows.

    Raises:
        Usage: the text has no equals sign.
    """
    if "=" not in text:
        raise Usage("usage", f"{option} '{text}' has no equals sign.", f'Write {option} "NAME=VALUE".')
    line = store.line(upload_id)
    staging = store.staging(upload_id)
    facts = staging.facts() if staging.count("facts") else FileFacts()
    known = {name.casefold() for name in (*facts.headings, *facts.label_of.values(), *facts.mapped.values())}
    profile = line.read_profile()
    known |= set() if profile is None else {column["field"] for column in profile["columns"]}
    cuts = [place for place, sign in enumerate(text) if sign == "="]
    cut = next((each for each in reversed(cuts) if text[:each].strip().casefold() in known), cuts[0])
    return text[:cut].strip(), text[cut + 1 :]
