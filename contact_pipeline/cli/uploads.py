"""Commands on existing uploads: the dashboard, one upload, and what can be done with it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import completion, console
from contact_pipeline.cli.endings import DONE, report
from contact_pipeline.cli.invocation import Invocation, Overwrite, User, everywhere, login
from contact_pipeline.cli.listing import Limit, Where, as_words, chosen, draw_list, more, most
from contact_pipeline.contracts.states import STATES, State
from contact_pipeline.errors import Usage, listed, number_of
from contact_pipeline.pages.shown import size
from contact_pipeline.terms import LEFT_OUT

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

PANEL = "Uploads"

app = typer.Typer()

UploadId = Annotated[
    str,
    typer.Argument(metavar="UPLOAD", help="Id of an upload; `uploads` lists them.", autocompletion=completion.uploads),
]


@app.command("uploads", rich_help_panel=PANEL)
@everywhere
def list_uploads(
    invocation: Invocation,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", metavar="NAME", help="Only those of this profile.", autocompletion=completion.profiles
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only those in this state; repeatable.",
            autocompletion=completion.states,
        ),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", metavar="TIME", help="Only those added then or later (UTC).")
    ] = None,
    feed: Annotated[
        str | None,
        typer.Option(
            "--feed", metavar="NAME", help="Only those that this feed fetched.", autocompletion=completion.feeds
        ),
    ] = None,
    waiting: Annotated[
        bool,
        typer.Option(
            "--waiting", help="Only those that wait for somebody: to approve, correct, decide rows or finalize."
        ),
    ] = False,
    where: Where = None,
    limit: Limit = None,
) -> None:
    """The dashboard: the newest uploads with their file, group, state and counts."""
    from contact_pipeline.cli.dashboard import draw_uploads

    states = [known_state(word) for word in state or []]
    if profile is not None:
        _known_profile(invocation, profile)
    asked: dict[str, Any] = {"profile": profile, "states": states, "since": since, "feed": feed, "waiting": waiting}
    shown = most(limit)
    found = invocation.light_pipeline.uploads(None if where else limit if invocation.json else shown, **asked)
    if where:
        fitting = {each["upload_id"] for each in chosen([upload.as_dict() for upload in found], where)}
        found = [upload for upload in found if upload.upload_id in fitting]
    if invocation.json:
        console.document([upload.as_dict() for upload in found[:limit]])
        return
    count = len(found) if where or shown is None else invocation.light_pipeline.store.count_lines(**asked)
    console.show(console.text(_counted(invocation, count, asked), "bold"))
    uploads = found[:shown]
    if not uploads:
        first = ("plan", "FILE", "--profile", "P")
        narrowed = where or any(asked.values())
        step = ("See all uploads", ("uploads",)) if narrowed else ("Make one", first)
        console.show(console.next_command(step[0], invocation.line(*step[1])))
        return
    console.show(
        *draw_uploads(uploads, console.out().width),
        *more(invocation, count - len(uploads), ["uploads", *_asked_again(asked), *as_words(where), "--limit", count]),
        console.next_command("See one of them", invocation.line("show", uploads[0].upload_id)),
    )


def _counted(invocation: Invocation, count: int, asked: dict[str, Any]) -> str:
    """How many uploads there are, and how many of them wait for somebody."""
    if asked["waiting"]:
        return f"{number_of(count, 'upload')} {'waits' if count == 1 else 'wait'} for somebody." if count else _NOBODY
    waiting = invocation.light_pipeline.store.count_lines(**asked | {"waiting": True}) if count else 0
    wait = f"{waiting:,} {'waits' if waiting == 1 else 'wait'} for somebody" if waiting else ""
    return f"{number_of(count, 'upload') if count else 'No upload'}{f'; {wait}' if wait else ''}."


_NOBODY = "Nothing waits for anybody."


def _asked_again(asked: dict[str, Any]) -> list[str]:
    """The options that select uploads, as typed."""
    words = ["--profile", asked["profile"]] if asked["profile"] else []
    words += [word for state in asked["states"] for word in ("--state", state)]
    words += ["--since", f"{asked['since']:%Y-%m-%dT%H:%M:%S}"] if asked["since"] else []
    words += ["--feed", asked["feed"]] if asked["feed"] else []
    return words + (["--waiting"] if asked["waiting"] else [])


def _known_profile(invocation: Invocation, name: str) -> None:
    """Tests that a profile exists, or that the ledger has uploads of it.

    Raises:
        Refusal: neither is true (code `profile-unknown`).
    """
    from contact_pipeline.profiles.load import load_profile, profile_names

    own = invocation.settings.profiles_path
    if name not in profile_names(own) and not invocation.light_pipeline.uploads(1, profile=name):
        load_profile(name, own)  # raises, and names the profiles


def known_state(word: str) -> State:
    """A state that somebody typed.

    Raises:
        Usage: there is no such state.
    """
    found = next((state for state in STATES if state == word.lower()), None)
    if found is None:
        raise Usage("usage", f"There is no state '{word}'.", f"The states: {listed(STATES, limit=20)}.")
    return found


@app.command("show", rich_help_panel=PANEL)
@everywhere
def show_upload(
    invocation: Invocation,
    upload: UploadId,
    rows: Annotated[bool, typer.Option("--rows", help="Every row: green check or red cross, outcome, reason.")] = False,
    changes: Annotated[bool, typer.Option("--changes", help="Every change, before → after.")] = False,
    all_errors: Annotated[bool, typer.Option("--all-errors", help="All errors, not the first ones.")] = False,
    all_warnings: Annotated[bool, typer.Option("--all-warnings", help="All warnings of rows, likewise.")] = False,
    repairs: Annotated[bool, typer.Option("--repairs", help="Every repair, before → after.")] = False,
    suggestions: Annotated[
        bool, typer.Option("--suggestions", help="Contacts that new rows are near; nothing is decided by them.")
    ] = False,
    explain: Annotated[
        int | None, typer.Option("--explain", metavar="ROW", help="Why this row became what it became, step by step.")
    ] = None,
    where: Where = None,
    limit: Limit = None,
) -> None:
    """Show one upload: file, size, state, counts, errors and warnings by type, changes before → after."""
    from contact_pipeline.cli.upload_view import draw_explanation, draw_upload

    others = (rows, changes, all_errors, all_warnings, repairs, suggestions)
    if explain is not None and any(others) and not invocation.json:
        raise Usage("usage", "--explain shows one row and goes alone.", "Leave the other options out, or use --json.")
    found = invocation.light_pipeline.show(upload)
    if where or limit:
        from contact_pipeline.cli.narrowing import show_some

        show_some(invocation, found, where or [], limit, changes=changes, repairs=repairs, rows=rows)
        return
    if invocation.json:
        document = found.as_dict(rows=rows, changes=changes, all_errors=all_errors, all_warnings=all_warnings)
        document["corrections_list"] = invocation.light_pipeline.corrections(upload)
        document["expiries"] = invocation.light_pipeline.expiries(upload) if found.expired else []
        document["continued_by"] = [each.upload_id for each in invocation.light_pipeline.continued_by(upload)]
        if repairs:
            from contact_pipeline.reports.repairs import repairs_shown

            document["repairs_list"] = repairs_shown(found, invocation.light_pipeline.repairs(upload)).rows(named=True)
        if suggestions:
            document["suggestions"] = invocation.pipeline.suggestions(upload).as_dict()
        if explain is not None:
            document["explanation"] = [asdict(step) for step in invocation.light_pipeline.explain(upload, explain)]
        console.document(document)
        return
    if explain is not None:
        console.show(*draw_explanation(found, explain, invocation.light_pipeline.explain(upload, explain)))
        return
    options = {"all_errors": all_errors, "all_warnings": all_warnings, "all_changes": changes, "rows": rows}
    corrections = _draw_corrections(invocation, found)
    continued_by = invocation.light_pipeline.continued_by(upload) if found.outcomes["rejected"] else []
    console.show(*draw_upload(invocation, found, **options, corrections=corrections, continued_by=continued_by))
    if repairs:
        from contact_pipeline.cli.upload_view import draw_repairs
        from contact_pipeline.reports.repairs import repairs_shown

        console.show(draw_repairs(repairs_shown(found, invocation.light_pipeline.repairs(upload))))
    if suggestions:
        from contact_pipeline.cli.duplicates import draw_suggestions

        with console.busy("Comparing"):
            near = invocation.pipeline.suggestions(upload)
        console.show(*draw_suggestions(invocation, found, near))


def _draw_corrections(invocation: Invocation, upload: Upload) -> list[Any]:
    if not upload.corrections and LEFT_OUT not in upload.outcomes:
        return []
    from contact_pipeline.cli.corrections_view import draw_corrections

    return [*draw_corrections(invocation.light_pipeline.corrections(upload.upload_id))]


@app.command("review", rich_help_panel=PANEL)
@everywhere
def review_upload(
    invocation: Invocation,
    upload: UploadId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it, a .html file.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write the review page: one HTML file with counts, rows, reasons, changes and how to go on.

    What is too much for it is written beside it, as a .zip file of the same name.
    """
    with console.busy("Writing the page"):
        written = invocation.light_pipeline.review(upload, output, overwrite=overwrite)
    if invocation.json:
        console.document({"upload_id": upload, **written.as_dict()})
    else:
        console.show(console.text(f"Written to {written.file} ({size(written.size)}); open it in a browser."))
        if written.everything:
            console.show(console.text(f"All of its rows and changes are in {written.everything}."))


@app.command("apply", rich_help_panel=PANEL)
@everywhere
def apply_upload(
    invocation: Invocation,
    upload: UploadId,
    changeset: Annotated[
        str | None, typer.Option("--changeset", metavar="SHA256", help="Apply only if the changeset is this one.")
    ] = None,
    confirm_encoding: Annotated[
        bool, typer.Option("--confirm-encoding", help="Apply though the encoding is doubtful: the file reads right.")
    ] = False,
    confirm_deactivations: Annotated[
        bool, typer.Option("--confirm-deactivations", help="Deactivate more contacts than the guard lets pass.")
    ] = False,
    confirm_rejected: Annotated[
        bool, typer.Option("--confirm-rejected", help="Apply though more rows are rejected than the guard lets pass.")
    ] = False,
    confirm_changed: Annotated[
        bool, typer.Option("--confirm-changed", help="Change more contacts than the guard lets pass.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back your approval, the first of two; nothing is applied.")
    ] = False,
    user: User = None,
) -> int:
    """Approve and apply the frozen changeset of an upload, in one commit.

    Where the profile asks for two people, the first approves and the second, somebody else, approves and applies.
    """
    if withdraw:
        if changeset or confirm_encoding or confirm_deactivations or confirm_rejected or confirm_changed:
            raise Usage("usage", "--withdraw takes an approval back and goes alone.", "Leave the other options out.")
        return report(invocation, invocation.pipeline.withdraw_approval(upload, user=login(user)), blocked_is_done=True)
    with console.busy("Applying"):
        applied = invocation.pipeline.apply(
            upload,
            user=login(user),
            changeset=changeset,
            confirm_encoding=confirm_encoding,
            confirm_deactivations=confirm_deactivations,
            confirm_rejected=confirm_rejected,
            confirm_changed=confirm_changed,
        )
    return report(invocation, applied, blocked_is_done=applied.is_half_approved_by(login(user)))


@app.command("finalize", rich_help_panel=PANEL)
@everywhere
def finalize_upload(invocation: Invocation, upload: UploadId, user: User = None) -> int:
    """Make an applied upload that is held back visible in the published contacts."""
    return report(invocation, invocation.pipeline.finalize(upload, user=login(user)))


@app.command("cancel", rich_help_panel=PANEL)
@everywhere
def cancel_upload(invocation: Invocation, upload: UploadId, user: User = None) -> int:
    """Give up an upload that is not applied: nothing but its ledger line stays."""
    cancelled = invocation.pipeline.cancel(upload, user=login(user))
    report(invocation, cancelled)
    return DONE


@app.command("repairs", rich_help_panel=PANEL)
@everywhere
def repaired_values(
    invocation: Invocation,
    upload: UploadId,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write them as CSV.")] = None,
    overwrite: Overwrite = False,
    where: Where = None,
    limit: Limit = None,
) -> None:
    """List the values whose meaning was changed when they were read: row, column, before, after and why."""
    from contact_pipeline.cli.upload_view import REPAIR_HEADINGS, repair_cells
    from contact_pipeline.reports.repairs import repairs_shown, write_repairs

    pipeline = invocation.light_pipeline
    found = pipeline.show(upload)
    repairs = repairs_shown(found, pipeline.repairs(upload))
    if output is not None:
        file, count = write_repairs(repairs, output, overwrite=overwrite)
        if invocation.json:
            console.document({"upload_id": upload, "file": file and str(file), "rows": count})
        elif file is None:
            console.show(console.text(f"No value of {found.file_name} was repaired.", "bold"))
        else:
            console.show(console.text(f"{number_of(count, 'repair')} written to {file}.", "bold"))
        return
    fitting = chosen(repairs.rows(named=True), where)
    if invocation.json:
        console.document({"repairs": fitting[:limit]})
        return
    if repairs.is_empty():
        console.show(console.text(f"No value of {found.file_name} was repaired.", "bold"))
        return
    command = ["repairs", upload, *as_words(where)]
    console.show(
        *draw_list(invocation, fitting, REPAIR_HEADINGS, repair_cells, called="repair", command=command, limit=limit),
        console.next_command("Write all of them into a file", invocation.line("repairs", upload, "-o", "FILE.csv")),
    )


@app.command("rejected", rich_help_panel=PANEL)
@everywhere
def rejected_rows(
    invocation: Invocation,
    upload: UploadId,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write them.")] = None,
    row_numbers: Annotated[
        bool, typer.Option("--row-numbers", help="With their row numbers, to correct and give to `correct --from`.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the rejected rows in the file's own columns plus `errors`, ready to correct and drop again."""
    from contact_pipeline.reports.corrections import give_back_rejected
    from contact_pipeline.reports.next_steps import again_with

    pipeline = invocation.pipeline
    found = pipeline.show(upload)
    file, rows = give_back_rejected(found, output, pipeline.settings, overwrite=overwrite, numbered=row_numbers)
    if invocation.json:
        console.document({"upload_id": upload, "file": file and str(file), "rows": rows})
    elif file is None:
        console.show(console.text(f"No row of {found.file_name} was rejected.", "bold"))
    elif row_numbers:
        console.show(
            console.text(f"{number_of(rows, 'rejected row')} written to {file}; correct them there."),
            console.next_command("Then", invocation.line("correct", upload, "--from", file)),
        )
    else:
        written = f"{number_of(rows, 'rejected row')} written to {file}; correct them and send the file again."
        again = invocation.line("plan", file, "--profile", found.profile, *again_with(found), "--continues", upload)
        console.show(console.text(written, "bold"), console.next_command("Corrected, it is planned with", again))
