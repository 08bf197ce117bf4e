"""Composes the review page of an upload: gathers what each part shows, and draws the page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from contact_pipeline.contracts.states import CALLS, WAS_APPLIED
from contact_pipeline.errors import Usage
from contact_pipeline.notices.send import served_at
from contact_pipeline.owner_only import owner_only
from contact_pipeline.pages.page import draw
from contact_pipeline.pages.review import head
from contact_pipeline.pages.review.changes import gather_changes, gather_deactivations
from contact_pipeline.pages.review.everything import is_in_part, write_everything
from contact_pipeline.pages.review.launchpad import launchpad
from contact_pipeline.pages.review.repaired import RepairsOf, gather_repairs
from contact_pipeline.pages.review.room import cut, fitting
from contact_pipeline.pages.review.rows import gather_rows
from contact_pipeline.reports.candidates import compare_candidates, compare_duplicates
from contact_pipeline.reports.next_steps import next_steps
from contact_pipeline.reports.output import new_file, refuse_output
from contact_pipeline.store import Store, Upload

NAME: Final = "review.html"
EVERYTHING: Final = ".zip"  # ending of the file beside a page that is not complete
_SEEN: Final = {"show", "contacts"}  # commands that show what the page shows
_COMPARED: Final = 200  # rows in review, and duplicates of either kind
_ROOM_OF_COMPARED: Final = 90_000  # bytes, of each of the two
_ROOM_OF_IGNORED: Final = 60_000


@dataclass(frozen=True, slots=True)
class Review:
    """The page that was written.

    Attributes:
        file: its path.
        size: its bytes.
        rows: how many rows of the upload's file it has.
        of_rows: how many rows the upload's file has.
        everything: the file beside the page with all rows and changes; None: they are all on the page.
    """

    file: Path
    size: int
    rows: int
    of_rows: int
    everything: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """What was written as a JSON document."""
        everything = None if self.everything is None else str(self.everything)
        return {
            "file": str(self.file),
            "size": self.size,
            "rows": self.rows,
            "of_rows": self.of_rows,
            "everything": everything,
        }


def write_review(
    store: Store, upload: Upload, repairs_of: RepairsOf, path: Path | None = None, *, overwrite: bool = False
) -> Review:
    """Writes the review page of an upload into a file for its owner only; nothing in the home changes.

    If the upload is too large for the page, all of it is then written into a .zip file of the same name
    (`write_everything`), and the page links to it.

    Args:
        store: of the home.
        upload: the upload.
        repairs_of: gives the repairs of some rows.
        path: where to write, a .html file; unset: `review.html` in the upload's folder, which is replaced.
        overwrite: whether an existing file is replaced.

    Raises:
        Usage: the path does not end in .html (code `file-type`), or nothing can be written there (`refuse_output`).
    """
    if path is None:
        path, overwrite = store.settings.upload_path(upload.upload_id) / NAME, True
        with owner_only():
            path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() not in {".html", ".htm"}:
        raise Usage("file-type", f"'{path.name}' is no HTML file.", "Let it end in .html.", file=path.name)
    refuse_output(path, overwrite=overwrite)
    data, beside = gather(store, upload, repairs_of), path.with_suffix(EVERYTHING)
    has_more = is_in_part(upload, data)
    if has_more:
        refuse_output(beside, overwrite=overwrite)
    content = _drawn(store, upload, data, everything=quote(beside.name)).encode("utf-8", "replace")
    with new_file(path, overwrite=overwrite) as file:  # first: the other file takes ten times as long
        file.write(content)
    if has_more:
        with new_file(beside, overwrite=overwrite) as file:
            write_everything(upload, file)
    elif path == store.settings.upload_path(upload.upload_id) / NAME:
        beside.unlink(missing_ok=True)  # of an earlier page
    return Review(path, len(content), len(data["rows"]["rows"]), upload.line.data_rows, beside if has_more else None)


def review_page(
    store: Store,
    upload: Upload,
    repairs_of: RepairsOf,
    *,
    template: str = "review.html",
    styles: Sequence[str] = (),
    allowed: Mapping[str, str] | None = None,
    everything: str = "",
    **further: Any,
) -> str:
    """The review page of an upload as HTML that needs no other file and asks for none.

    Args:
        store: of the home.
        upload: the upload.
        repairs_of: gives the repairs of some rows (contracts.REPAIRS), which are masked here.
        template: one that extends `review.html`.
        styles: styles that it needs beside those of the page; see `draw`.
        allowed: what a browser may do on it; see `draw`.
        everything: address of the file that `write_everything` writes; empty: there is none.
        further: further values of the template.
    """
    data = gather(store, upload, repairs_of)
    return _drawn(
        store, upload, data, template=template, styles=styles, allowed=allowed, everything=everything, **further
    )


def gather(store: Store, upload: Upload, repairs_of: RepairsOf) -> dict[str, Any]:
    """The content of the page's tables; sensitive values are masked."""
    with upload.looking():
        return {
            "rows": gather_rows(upload),
            "changes": gather_changes(upload),
            "duplicates": fitting(cut(compare_duplicates(store, upload, _COMPARED)), _ROOM_OF_COMPARED),
            "reviews": fitting(cut(compare_candidates(store, upload, _COMPARED)), _ROOM_OF_COMPARED),
            "repairs": gather_repairs(upload, repairs_of),
            "deactivations": gather_deactivations(upload),
        }


def _drawn(
    store: Store,
    upload: Upload,
    data: dict[str, Any],
    *,
    template: str = "review.html",
    styles: Sequence[str] = (),
    allowed: Mapping[str, str] | None = None,
    everything: str = "",
    **further: Any,
) -> str:
    home = store.settings.home.absolute()
    profile = upload.resolved_profile
    with upload.looking():
        errors, warnings = upload.rejections_by_code(), upload.row_warnings_by_code()
    return draw(
        template,
        styles=("vendor/tabulator.min.css", "static/tables.css", "static/review.css", *styles),
        allowed=allowed,
        scripts=("vendor/tabulator.min.js", "static/tables.js", "static/review.js"),
        data={"review": {**data, **_for_scripts(upload, home)}},
        upload=upload,
        profile=profile,
        verdict=head.verdict(upload),
        counts=head.counts(upload),
        guards=head.guards(upload),
        options=head.options_chosen(upload),
        columns=head.columns(upload),
        ignored=fitting(cut(upload.ignored), _ROOM_OF_IGNORED),
        errors=errors,
        warnings=warnings,
        wrong=_wrong(errors, warnings),
        bar=_bar(upload),
        parts=_parts(upload, data),
        duplicates_count=sum(upload.duplicates.values()),
        made_at=datetime.now(UTC),
        shown=data,
        steps=_steps(upload, home),
        lines={name: _line(words, home) for name, words in _more(upload).items()},
        link=_link(store, upload),
        was_applied=upload.state in WAS_APPLIED,
        continued_by=[(each.upload_id, each.state) for each in store.continuing(upload.upload_id)],
        is_in_part=is_in_part(upload, data),
        everything=everything,
        **further,
    )


def _for_scripts(upload: Upload, home: Path) -> dict[str, Any]:
    """Further data for the scripts: which fields are hidden, and the command that decides a row in review."""
    profile = upload.resolved_profile
    decides = upload.state in CALLS["resolve"].leads
    return {
        "sensitive": sorted(profile.sensitive_fields) if profile else [],
        "resolve": _line(["resolve", upload.upload_id, "--row", "ROW", "--to", "WHO"], home) if decides else "",
    }


def _wrong(errors: dict[str, int], warnings: dict[str, int]) -> list[tuple[str, int, float, str]]:
    """Each code of an error or a warning: how many, how long its bar is (0 to 100), and which of the two."""
    most = max([*errors.values(), *warnings.values()], default=1)
    kinds = (("error", errors), ("warning", warnings))
    return [(code, count, max(100 * count / most, 1), kind) for kind, counts in kinds for code, count in counts.items()]


def _bar(upload: Upload) -> list[tuple[str, float, float]]:
    """Each outcome that there is: where its part of a bar of 1,000 begins, and how wide it is."""
    total, parts, begin = sum(upload.outcomes.values()), [], 0.0
    for outcome, count in upload.outcomes.items():
        if count:
            width = 1000 * count / total
            parts.append((outcome, round(begin, 2), round(max(width, 3), 2)))
            begin += width
    return parts


def _parts(upload: Upload, data: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    """The parts of the page that there are: id, title and how many of it."""
    parts = [
        ("rows", "Rows", sum(upload.outcomes.values())),
        ("reviews", "To decide", len(data["reviews"]) and upload.outcomes["review"]),
        ("changes", "Changes", data["changes"]["count"]),
        ("deactivations", "Deactivations", data["deactivations"]["count"]),
        ("duplicates", "Duplicates", len(data["duplicates"]) and sum(upload.duplicates.values())),
        ("repairs", "Repairs", data["repairs"]["count"]),
    ]
    present: list[tuple[str, str, int | None]] = [(name, title, count) for name, title, count in parts if count]
    return [*present, ("details", "Details and assumptions", None), ("all", "Everything, in full", None)]


def _steps(upload: Upload, home: Path) -> list[tuple[str, str]]:
    """The next steps with their commands; `apply` names the changeset that the page shows."""
    exactly = {"apply": ["--changeset", upload.changeset_sha256 or ""]}
    return [
        (step.why, _line([*step.words, *exactly.get(step.words[0], ())], home))
        for step in next_steps(upload)
        if step.words[0] not in _SEEN
    ]


def _line(words: list[str], home: Path) -> str:
    return shlex.join(["contact-pipeline", *words, "--home", str(home)])


def _more(upload: Upload) -> dict[str, list[str]]:
    """The commands that give everything that the page may have only in part."""
    upload_id = upload.upload_id
    return {
        "rows": ["show", upload_id, "--rows", "--json"],
        "errors": ["show", upload_id, "--all-errors", "--json"],
        "changes": ["show", upload_id, "--changes", "--json"],
        "repairs": ["repairs", upload_id, "-o", "repairs.csv"],
        "rejected": ["rejected", upload_id],
        "in_review": ["in-review", upload_id],
    }


def _link(store: Store, upload: Upload) -> dict[str, str] | None:
    """The address of Dagster's launchpad to apply the upload; None if applying is not the next step."""
    if upload.state != "staged" and not (upload.reason or {}).get("confirm"):
        return None
    if upload.state not in {"staged", "blocked"} or not upload.changeset_sha256:
        return None
    served = served_at(store.settings)
    address = served or f"http://127.0.0.1:{store.settings.port or 3000}"
    return {"address": launchpad(upload, address), "served": served or ""}
