"""An upload drawn for people: its headline, counts, errors, changes, and the next commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import login
from contact_pipeline.cli.listing import more
from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.errors import number_of
from contact_pipeline.pages.shown import delimiter, moment, size
from contact_pipeline.reports.headline import headline
from contact_pipeline.reports.next_steps import next_steps
from contact_pipeline.store.changes import target_of
from contact_pipeline.store.expiries import expired, what_expired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl
    from rich.console import RenderableType
    from rich.text import Text

    from contact_pipeline.cli.console import Lines
    from contact_pipeline.cli.invocation import Invocation
    from contact_pipeline.pipeline.explaining import Step
    from contact_pipeline.store import Upload

SHOWN_ERRORS = 10
SHOWN_CHANGES = 20

_STYLE = {
    "staged": "bold yellow",
    "blocked": "bold red",
    "stale": "bold red",
    "refused": "bold red",
    "failed": "bold red",
    "applied": "bold green",
    "finalized": "bold green",
}
_OUTCOME_OF = {"applied": "Outcome", "finalized": "Outcome", "undone": "Outcome, taken back"}
_OUTCOME_STYLE = {"rejected": "red", "review": "yellow"}
_GREEN, _RED, _GREY = ("✓", "green"), ("✗", "red"), ("·", "dim")
_MARKS = {"rejected": _RED, "review": _RED, "left_out": _GREY, "blank": _GREY}


def draw_upload(
    invocation: Invocation,
    upload: Upload,
    *,
    all_errors: bool = False,
    all_warnings: bool = False,
    all_changes: bool = False,
    rows: bool = False,
    corrections: Iterable[RenderableType | Lines] = (),
    continued_by: Sequence[Upload] = (),
) -> list[RenderableType | Lines]:
    """The whole page of one upload, with the drawn `corrections`."""
    with upload.looking():
        page = [
            draw_facts(upload, continued_by),
            *draw_notes(upload.warnings),
            *draw_counts(upload),
            *corrections,
            *([draw_rows(upload)] if rows and not expired(upload.line) else ()),
            *draw_errors(invocation, upload, shown=None if all_errors else SHOWN_ERRORS),
            *draw_row_warnings(invocation, upload, shown=None if all_warnings else SHOWN_ERRORS),
            *draw_changes(invocation, upload, shown=None if all_changes else SHOWN_CHANGES),
            *draw_next(invocation, upload),
        ]
        return [draw_headline(upload), *page]


def draw_plan(invocation: Invocation, upload: Upload) -> Iterator[RenderableType | Lines]:
    """The plan that somebody is asked to confirm: counts, errors and warnings of a file, or the changes by hand."""
    with upload.looking():
        yield draw_headline(upload)
        yield draw_facts(upload)
        yield from draw_notes(upload.warnings)
        if upload.is_by_hand:
            yield from draw_changes(invocation, upload, shown=SHOWN_CHANGES)
        else:
            yield from draw_counts(upload)
            yield from draw_errors(invocation, upload, shown=SHOWN_ERRORS)
            yield from draw_row_warnings(invocation, upload, shown=SHOWN_ERRORS)


def draw_headline(upload: Upload) -> Text:
    """The first line: what happened to the upload."""
    before = "Done before, nothing is changed now. " if upload.was_done_before else ""
    return console.text(before + headline(upload), "bold")


def draw_notes(warnings: Sequence[str]) -> Iterator[RenderableType]:
    """Warnings of the upload, one a line."""
    for warning in warnings:
        yield console.text(f"Note: {warning}", "yellow")


def draw_facts(upload: Upload, continued_by: Sequence[Upload] = ()) -> RenderableType:
    """The file, the state of the upload, and the uploads that bring its rejected rows, corrected."""
    reason = upload.reason or {}
    return console.facts(
        {
            "upload": upload.upload_id,
            "file": f"{upload.file_name} ({size(upload.file_size)})",
            "profile": upload.profile,
            "feed": upload.feed,
            "group": upload.group,
            "state": console.text_as_it_is(upload.state + _held(upload), state_style(upload.state)),
            "reason": console.text_as_it_is(reason.get("message")),  # masked where it was made
            "what to do": reason.get("fix"),
            "repeats": upload.repeats,
            "continues": upload.continues,
            "continued by": "; ".join(f"{each.upload_id} ({each.state})" for each in continued_by),
            "read as": ", ".join(part for part in (upload.encoding, _delimiter(upload), upload.sheet) if part),
            "columns": _columns(upload),
            "ignored": ", ".join(upload.ignored or []),
            "added": _by(moment(upload.added_at), upload.user),
            "planned again": upload.replanned_by and f"by {known_by(upload.replanned_by, upload.replanned_as)}",
            "first approved": _by(
                moment(upload.first_approved_at), known_by(upload.first_approved_by, upload.first_approved_as)
            ),
            "finished": _by(moment(upload.finished_at), known_by(upload.approved_by, upload.approved_as)),
            "changeset": upload.changeset_sha256,
            "expired": "; ".join(what_expired(upload.line)),
        }
    )


def _by(time: str | None, who: str | None) -> str | None:
    return time and (f"{time} by {who}" if who else time)


def _columns(upload: Upload) -> str:
    """Every field with the columns that fill it, in order of preference."""
    columns: dict[str, list[str]] = {}
    for heading, field in (upload.mapping or {}).items():
        columns.setdefault(field, []).append(" ".join(heading.split()))
    return "; ".join(f"{', then '.join(names)} → {field}" for field, names in columns.items())


def draw_counts(upload: Upload) -> Iterator[RenderableType | Lines]:
    """The number of rows by outcome."""
    if not sum(upload.outcomes.values()):
        return
    rows = [
        (console.text_as_it_is(name, _OUTCOME_STYLE.get(name, "")), f"{count:,}")
        for name, count in upload.outcomes.items()
        if count
    ]
    yield console.table((_OUTCOME_OF.get(upload.state, "Planned outcome"), "Rows"), rows)
    extras = {
        "processed": f"{number_of(upload.processed, 'row')} with data",
        "imports": f"{upload.imports:,}" if upload.imports and upload.state in APPLIED else None,
        "duplicates": _duplicates(upload),
        "contacts created with accounts": f"{upload.contacts_created:,}" if upload.contacts_created else None,
        "deactivated": f"{upload.deactivated:,} contacts that are not in the file" if upload.deactivated else None,
        "repairs": f"{upload.repairs:,} values whose meaning was repaired" if upload.repairs else None,
        "corrections": number_of(upload.corrections, "correction") if upload.corrections else None,
    }
    yield console.facts(extras)


def draw_errors(invocation: Invocation, upload: Upload, *, shown: int | None) -> Iterator[RenderableType | Lines]:
    """Errors by type, then row by row."""
    by_code = upload.rejections_by_code()
    if by_code:
        headings = ("Errors by type", "What is wrong")
        yield from draw_defects(by_code, upload.first_errors(shown), *headings)
        yield from _more(invocation, upload, sum(by_code.values()), shown, "--all-errors")


def draw_row_warnings(invocation: Invocation, upload: Upload, *, shown: int | None) -> Iterator[RenderableType | Lines]:
    """Warnings by type, then row by row."""
    by_code = upload.row_warnings_by_code()
    if by_code:
        headings = ("Warnings by type", "What to look at")
        yield from draw_defects(by_code, upload.first_row_warnings(shown), *headings)
        yield from _more(invocation, upload, sum(by_code.values()), shown, "--all-warnings")


def draw_defects(
    by_code: dict[str, int], defects: list[dict[str, Any]], title: str, what: str
) -> Iterator[RenderableType | Lines]:
    """Errors or warnings: how many there are of each code, then row by row."""
    yield console.table((title, "Count"), [(code, f"{count:,}") for code, count in by_code.items()])
    yield table_of_defects(defects, what)


def table_of_defects(defects: Sequence[dict[str, Any]], what: str) -> RenderableType | Lines:
    """Errors or warnings, row by row."""
    rows = [
        (str(defect["row_number"]), defect["column"], defect["value"], defect["message"], defect["fix"])
        for defect in defects
    ]
    return console.rows(("Row", "Column", "Value", what, "What to do"), rows)


def _more(
    invocation: Invocation, upload: Upload, count: int, shown: int | None, option: str
) -> Iterator[RenderableType]:
    if shown is not None:
        yield from more(invocation, count - shown, ["show", upload.upload_id, option])


def draw_changes(
    invocation: Invocation, upload: Upload, *, shown: int | None, command: Sequence[str] = ()
) -> Iterator[RenderableType | Lines]:
    """The first changes, before → after, and the command that shows all of them; unset: `show --changes`."""
    changes = upload.first_changes(shown)
    if changes:
        yield table_of_changes(changes)
        rest = upload.change_count - len(changes)
        yield from more(invocation, rest, command or ["show", upload.upload_id, "--changes"])


def table_of_changes(changes: Sequence[dict[str, Any]]) -> RenderableType | Lines:
    """Changes as a table: target, name, action, and the fields before → after."""
    rows = [(target_of(change), _who(change), change["action"], fields_changed(change)) for change in changes]
    return console.rows(("Change", "Who", "Action", "Before → after"), rows)


def _who(change: dict[str, Any]) -> str:
    names = dict.fromkeys(change.get(key, "") for key in ("name", "linked_to_name"))
    return " and ".join(name for name in names if name)


def draw_rows(upload: Upload, chosen: Sequence[dict[str, Any]] | None = None) -> RenderableType | Lines:
    """Every row of the file, or those chosen, with a green check or a red cross, its outcome, and the reason."""
    document = upload.as_dict(rows=chosen is None, all_errors=True, all_warnings=True)
    reasons: dict[int, list[str]] = {}
    for error in document["errors"]:
        reasons.setdefault(error["row_number"], []).append(f"{error['column'] or 'row'}: {error['message']}")
    warnings: dict[int, list[str]] = {}
    for warning in document["row_warnings"]:
        said = f"warning: {warning['column'] or 'row'}: {warning['message']}"
        warnings.setdefault(warning["row_number"], []).append(said)
    marks = {outcome: console.text_as_it_is(*mark) for outcome, mark in _MARKS.items()}
    good = console.text_as_it_is(*_GREEN)
    rows = []
    for row in document["rows"] if chosen is None else chosen:
        number, outcome = row["row_number"], row["outcome"]
        why = "; ".join(reasons.get(number, [])) or row.get("reason") or _duplicate_of(row)
        said = "; ".join(filter(None, [why, *warnings.get(number, [])]))
        rows.append((str(number), marks.get(outcome, good), outcome, row.get("contact_id"), said))
    return console.rows(("Row", "", "Outcome", "Contact", "Why"), rows)


def draw_explanation(upload: Upload, row_number: int, steps: Sequence[Step]) -> Iterator[RenderableType | Lines]:
    """The steps that led to the outcome of one row."""
    yield console.text(f"Row {row_number} of {upload.file_name}", "bold")
    several = len({step.entity for step in steps if step.entity}) > 1
    named = [(f"{step.step} ({step.entity})" if step.entity and several else step.step, step.says) for step in steps]
    yield console.facts((name if place == 0 else "", said) for name, says in named for place, said in enumerate(says))


REPAIR_HEADINGS = ("Row", "Column", "Before", "After", "Why")


def repair_cells(repair: dict[str, Any]) -> tuple[object, ...]:
    """One repair, before → after."""
    return tuple(repair[name] for name in ("row_number", "column", "before", "after", "why"))


def draw_repairs(repairs: pl.DataFrame) -> RenderableType | Lines:
    """Repairs, before → after."""
    return console.rows(REPAIR_HEADINGS, [repair_cells(repair) for repair in repairs.iter_rows(named=True)])


def draw_next(invocation: Invocation, upload: Upload) -> Iterator[RenderableType | Lines]:
    """The exact commands that come next."""
    for step in next_steps(upload, login(None)):
        yield console.next_command(step.why, invocation.line(*step.words))


def known_by(login: str | None, identity: str | None) -> str | None:
    """A login, and how it was verified."""
    return f"{login} ({identity})" if login and identity else login


def state_style(state: str) -> str:
    """How the name of a state is drawn."""
    return _STYLE.get(state, "bold")


def _held(upload: Upload) -> str:
    return " (held back until finalized)" if upload.held and upload.state == "applied" else ""


def _delimiter(upload: Upload) -> str | None:
    return upload.delimiter and f"delimiter {delimiter(upload.delimiter)}"


def _duplicates(upload: Upload) -> str | None:
    of_existing, within = upload.duplicates.get("of_existing", 0), upload.duplicates.get("within_file", 0)
    return f"{of_existing:,} of existing contacts, {within:,} within the file" if of_existing or within else None


def _duplicate_of(row: dict[str, Any]) -> str:
    if row.get("duplicate_of_row"):
        return f"same person as row {row['duplicate_of_row']}"
    return f"already contact {row['duplicate_of_contact']}" if row.get("duplicate_of_contact") else ""


def fields_changed(change: dict[str, Any]) -> Text:
    """The fields of a change, before → after; only the new value of fields that were blank."""
    shown = console.text("")
    for name, (before, after) in change["fields"].items():
        if name == "active" and change["action"] == "create":
            continue
        if shown:
            shown.append(", ")
        shown.append_text(console.text(f"{name} ", "dim"))
        if before not in (None, ""):
            shown.append_text(console.text(before, "red"))
            shown.append(" → ")
        shown.append_text(console.text("blank" if after in (None, "") else after, "green"))
    return shown
