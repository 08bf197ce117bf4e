"""The dashboard: uploads as a table if the terminal is wide enough, else three lines for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contact_pipeline.cli import console
from contact_pipeline.cli.upload_view import state_style
from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.errors import number_of
from contact_pipeline.pages.shown import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from contact_pipeline.store import Upload

WIDE: Final = 150  # columns that the table needs without folding most of its cells
_HEADINGS: Final = (
    "Upload", "File", "Added", "Profile", "Group", "State", "Rows", "Imports", "Errors", "Duplicates", "Finished",
    "Waits for",
)  # fmt: skip

_PLANNED: Final = "planned imports"  # not applied yet


def draw_uploads(uploads: Sequence[Upload], width: int) -> Iterator[RenderableType]:
    """The uploads, in the order given."""
    if width >= WIDE:
        shown = len(_HEADINGS) if any(upload.waits_for for upload in uploads) else len(_HEADINGS) - 1
        yield console.table(_HEADINGS[:shown], [_row(upload)[:shown] for upload in uploads])
        return
    for upload in uploads:
        yield from _lines(upload)


def _row(upload: Upload) -> tuple[object, ...]:
    return (
        upload.upload_id,
        upload.file_name,
        moment(upload.added_at),
        upload.profile,
        upload.group,
        upload.state,
        *(f"{count:,} planned" if name == _PLANNED else f"{count:,}" for name, count in _counts(upload).items()),
        moment(upload.finished_at),
        upload.waits_for,
    )


def _lines(upload: Upload) -> Iterator[Text]:
    from rich.text import Text

    state = console.text_as_it_is(upload.state, state_style(upload.state))
    yield Text.assemble(console.text(upload.upload_id, "bold"), "  ", state, "  ", console.text(upload.file_name))
    group = f"group {upload.group}" if upload.group else None
    of = [upload.profile, group, f"added {moment(upload.added_at)}"]
    counts = [number_of(count, name.removesuffix("s")) for name, count in _counts(upload).items()]
    for parts in (of, counts):
        yield console.text("  " + " · ".join(part for part in parts if part), "dim")
    if upload.continues:
        yield console.text(f"  continues {upload.continues}", "dim")
    if waiting := upload.waits_for:
        yield console.text(f"  waits for somebody to {waiting}", "yellow")


def _counts(upload: Upload) -> dict[str, int]:
    is_planned = upload.planned_imports and upload.state in PLANNED
    return {
        "rows": upload.processed,
        _PLANNED if is_planned else "imports": upload.planned_imports if is_planned else upload.imports,
        "errors": upload.error_count,
        "duplicates": sum(upload.duplicates.values()),
    }
