"""The forms on the page of an upload: each becomes one call of `Pipeline`, with the result in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.errors import Refusal, number_of
from contact_pipeline.reports.headline import headline

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

Form = Mapping[str, str]
Call = Callable[["Pipeline", str, Form, str], str]

CONFIRMATIONS: Final = {
    "encoding": "The text reads right as it was read.",
    "deactivations": "These contacts are to be deactivated.",
    "rejected": "So many rows may be rejected.",
    "changed": "So many contacts may be changed.",
}
ROW: Final = "row-"  # prefix of the fields that decide rows
SOMEBODY: Final = "who"
_TICKED: Final = "yes"
_LONGEST_NUMBER: Final = 10  # digits


@dataclass(frozen=True, slots=True)
class Act:
    """An action on the page of an upload.

    Attributes:
        doing: what the page says while it runs.
        call: does it; returns what happened, in words.
        leads: path of the page with the result, below the page of the upload; empty: that page itself.
    """

    doing: str
    call: Call
    leads: str = ""


def _apply(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    """Approves the changeset that was on the page, and no other."""
    before = pipeline.show(upload_id)
    if not form.get("changeset"):
        raise _incomplete("The form names no changeset.")
    if before.deactivated and before.state not in APPLIED and not _is_ticked(form, "deactivations"):
        raise Refusal(
            "not-confirmed",
            f"Applying would deactivate {number_of(before.deactivated, 'contact')}, and that is not confirmed.",
            "Look at them, and tick the confirmation.",
            file=before.file_name,
        )
    confirmed = {f"confirm_{name}": _is_ticked(form, name) for name in CONFIRMATIONS}
    upload = pipeline.apply(upload_id, user=user, changeset=form["changeset"], **confirmed)
    if upload.was_done_before:
        return upload.warnings[-1]
    if upload.state not in APPLIED and not upload.is_half_approved_by(user):
        raise _not_applied(upload)
    return headline(upload)


def _withdraw_approval(pipeline: Pipeline, upload_id: str, _form: Form, user: str) -> str:
    pipeline.withdraw_approval(upload_id, user=user)
    return "Your approval is taken back. Nothing is changed."


def _resolve(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    """Decides the rows for which something was chosen, all or none of them."""
    chosen = {name.removeprefix(ROW): to for name, to in form.items() if name.startswith(ROW) and to}
    if not chosen:
        raise _incomplete("No row was decided.")
    if not all(_is_number(row) for row in chosen):
        raise _incomplete("The form names a row that is none.")
    book = pipeline.show(upload_id).line.address_book
    choices = {
        int(row): _contact_of(pipeline, form.get(f"{SOMEBODY}-{row}", ""), book) if to == SOMEBODY else to
        for row, to in chosen.items()
    }
    upload = pipeline.resolve_many(upload_id, choices, user=user)
    left = upload.outcomes["review"]
    rest = f"{number_of(left, 'row')} left to decide." if left else "No row is left to decide."
    frozen = "" if upload.state in APPLIED else " The plan was frozen anew: look at it again before you approve it."
    return f"Decided: {number_of(len(choices), 'row')}. {rest}{frozen}"


def _withdraw(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    pipeline.withdraw(upload_id, _row(form), user=user)
    return f"The decision about row {_row(form)} is withdrawn: later uploads do not follow it."


def _correct(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    """Gives one cell another text."""
    if not form.get("field"):
        raise _incomplete("The form names no field.")
    upload = pipeline.correct(upload_id, row=_row(form), set={form["field"]: form.get("text", "")}, user=user)
    return _frozen_anew(upload, f"Row {_row(form)} is corrected.")


def _leave_out(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    upload = pipeline.leave_out(upload_id, rows=[_row(form)], user=user)
    return _frozen_anew(upload, f"Row {_row(form)} is left out.")


def _withdraw_correction(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    upload = pipeline.withdraw_correction(upload_id, _number(form, "number", "correction"), user=user)
    return _frozen_anew(upload, "The correction is taken back.")


def _frozen_anew(upload: Upload, message: str) -> str:
    """What was done to the plan, and the headline of the new plan."""
    if upload.was_done_before:
        return upload.warnings[-1]
    found = upload.corrected
    rows = ", ".join(map(str, found.to_decide)) if found else ""
    withdrawn = f" What was decided about row {rows} is withdrawn, as it changed." if rows else ""
    return f"{message} {headline(upload)}{withdrawn}"


def _finalize(pipeline: Pipeline, upload_id: str, _form: Form, user: str) -> str:
    upload = pipeline.finalize(upload_id, user=user)
    return upload.warnings[-1] if upload.was_done_before else "Finalized: everybody sees its contacts now."


def _cancel(pipeline: Pipeline, upload_id: str, _form: Form, user: str) -> str:
    pipeline.cancel(upload_id, user=user)
    return "Cancelled: nothing of it stays but its line in the ledger."


def _plan_again(pipeline: Pipeline, upload_id: str, _form: Form, user: str) -> str:
    return headline(pipeline.plan_again(upload_id, user=user))


def _plan_undo(pipeline: Pipeline, upload_id: str, _form: Form, _user: str) -> str:
    upload = pipeline.plan_undo(upload_id)
    return upload.warnings[-1] if upload.was_done_before else "Nothing is changed yet."


def _plan_redo(pipeline: Pipeline, upload_id: str, _form: Form, _user: str) -> str:
    upload = pipeline.plan_redo(upload_id)
    return upload.warnings[-1] if upload.was_done_before else "Nothing is changed yet."


def _undo(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    may_clear = _is_ticked(form, "clear_do_not_contact")
    upload = pipeline.undo(upload_id, user=user, clear_do_not_contact=may_clear, agreed=_agreed(form))
    if upload.was_done_before:
        return upload.warnings[-1]
    left = upload.inverse.conflicts.height
    return "Undone." + (f" {number_of(left, 'value')} left alone, as something else holds them." if left else "")


def _redo(pipeline: Pipeline, upload_id: str, form: Form, user: str) -> str:
    upload = pipeline.redo(upload_id, user=user, agreed=_agreed(form))
    return upload.warnings[-1] if upload.was_done_before else f"Brought back: it is {upload.state} again."


ACTS: Final[Mapping[str, Act]] = {
    "apply": Act("Applying", _apply),
    "withdraw-approval": Act("Taking back an approval of", _withdraw_approval),
    "resolve": Act("Deciding rows of", _resolve),
    "withdraw": Act("Withdrawing a decision of", _withdraw),
    "correct": Act("Correcting", _correct),
    "leave-out": Act("Leaving a row out of", _leave_out),
    "withdraw-correction": Act("Taking a correction back from", _withdraw_correction),
    "finalize": Act("Finalizing", _finalize),
    "cancel": Act("Cancelling", _cancel),
    "replan": Act("Planning again", _plan_again),
    "plan-undo": Act("Planning to undo", _plan_undo, leads="undo"),
    "plan-redo": Act("Planning to redo", _plan_redo, leads="redo"),
    "undo": Act("Undoing", _undo),
    "redo": Act("Bringing back", _redo),
}


def _agreed(form: Form) -> str:
    """The hash of the plan that was on the page."""
    if not form.get("agreed"):
        raise _incomplete("The form names no plan.")
    return form["agreed"]


def _is_ticked(form: Form, name: str) -> bool:
    return form.get(f"confirm-{name}") == _TICKED


def _row(form: Form) -> int:
    return _number(form, "row", "row")


def _number(form: Form, name: str, called: str) -> int:
    given = form.get(name, "").strip()
    if not _is_number(given):
        raise _incomplete(f"The form names no {called}.")
    return int(given)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER


def _contact_of(pipeline: Pipeline, word: str, address_book: str | None) -> str:
    """The id of the contact that a word means; the word must fit exactly one person."""
    from contact_pipeline.finding.who import must_be_one

    if not word.strip():
        raise _incomplete("Somebody else was chosen, and nobody named.")
    return str(must_be_one(word, pipeline.who(word, address_book=address_book)).contact_id)


def _incomplete(message: str) -> Refusal:
    return Refusal("form-incomplete", message, "Fill in the form and send it again; nothing was done.")


def _not_applied(upload: Upload) -> Refusal:
    why: dict[str, Any] = upload.reason or {}
    message = f"Nothing was applied: the upload is {upload.state}. {why.get('message', '')}".strip()
    return Refusal("not-applied", message, why.get("fix", ""), file=upload.file_name)
