"""`show --where … --limit …`: the errors, warnings, changes, repairs and rows of one upload that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contact_pipeline.cli import console
from contact_pipeline.cli.listing import as_words, chosen, has_names, more, most
from contact_pipeline.errors import Usage, listed, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contact_pipeline.cli.invocation import Invocation
    from contact_pipeline.store import Upload

_OPTIONS = {"changes": "--changes", "repairs_list": "--repairs", "rows": "--rows"}
_CALLED = {"errors": "error", "row_warnings": "warning", "changes": "change", "repairs_list": "repair", "rows": "row"}


def show_some(
    invocation: Invocation,
    upload: Upload,
    where: Sequence[str],
    limit: int | None,
    *,
    changes: bool,
    repairs: bool,
    rows: bool,
) -> None:
    """Shows the lists of an upload, narrowed to what fits; lists without the names in `where` are left out.

    Raises:
        Usage: no list has these names.
        Refusal: the lists were deleted by age (code `expired`).
    """
    from contact_pipeline.store.expiries import expired, not_kept

    if expired(upload.line):
        raise not_kept(upload.line, "")
    with upload.looking():
        lists = _lists(invocation, upload, where, limit, changes=changes, repairs=repairs, rows=rows)
        filled = {name: records for name, records in lists.items() if records}
        fitting = {name: chosen(of, where) for name, of in filled.items() if has_names(of, where)}
        if filled and not fitting:
            names = dict.fromkeys(name for records in filled.values() for name in records[0])
            raise Usage("usage", "--where: nothing here is called so.", f"The names: {listed(names, limit=40)}.")
        if invocation.json:
            narrowed = {name: fitting.get(name, [])[:limit] for name in lists}
            console.document(upload.as_dict() | narrowed)
            return
        asked = [option for name, option in _OPTIONS.items() if name in lists]
        command = ["show", upload.upload_id, *asked, *as_words(where)]
        console.show(*_drawn(invocation, upload, fitting, command, limit))


def _lists(
    invocation: Invocation,
    upload: Upload,
    where: Sequence[str],
    limit: int | None,
    *,
    changes: bool,
    repairs: bool,
    rows: bool,
) -> dict[str, list[dict[str, Any]]]:
    """The lists to narrow: errors and warnings, unless others are asked for."""
    lists: dict[str, list[dict[str, Any]]] = {}
    if changes:
        lists["changes"] = upload.first_changes(None if where else limit)
    if repairs:
        from contact_pipeline.reports.repairs import repairs_shown

        lists["repairs_list"] = repairs_shown(upload, invocation.light_pipeline.repairs(upload.upload_id)).rows(
            named=True
        )
    if rows:
        lists["rows"] = upload.as_dict(rows=True)["rows"]
    return lists or {"errors": upload.first_errors(None), "row_warnings": upload.first_row_warnings(None)}


def _drawn(
    invocation: Invocation,
    upload: Upload,
    fitting: dict[str, list[dict[str, Any]]],
    command: Sequence[str],
    limit: int | None,
) -> Iterator[Any]:
    from contact_pipeline.cli import upload_view as view

    counted = {name: len(records) for name, records in fitting.items()}
    if "changes" in counted and "--where" not in command:  # only as many were read as were asked for
        counted["changes"] = upload.change_count
    counts = ", ".join(number_of(count, _CALLED[name]) for name, count in counted.items())
    yield console.text(f"{counts or 'Nothing'} of upload {upload.upload_id}, {upload.file_name}.", "bold")
    for name, records in fitting.items():
        shown = records[: most(limit)]
        if not shown:
            continue
        if name == "changes":
            yield view.table_of_changes(shown)
        elif name == "repairs_list":
            yield console.rows(view.REPAIR_HEADINGS, [view.repair_cells(record) for record in shown])
        elif name == "rows":
            yield view.draw_rows(upload, shown)
        else:
            yield view.table_of_defects(shown, "What is wrong" if name == "errors" else "What to look at")
        yield from more(invocation, counted[name] - len(shown), [*command, "--limit", counted[name]])
    yield console.next_command("See the whole upload", invocation.line("show", upload.upload_id))
