"""The file to fill in for a profile, blank or with an example row, as CSV or as an Excel sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from contact_pipeline.errors import Usage, listed
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.guide import guide_rows, guided_heading
from contact_pipeline.reports.output import new_file
from contact_pipeline.reports.sheet import Heading, write_sheet


def write_template(
    profile: Profile,
    path: Path | None,
    *,
    example: bool = False,
    values: Mapping[str, str] | None = None,
    reference: Reference | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes the template and returns its path; without a path, in the current folder under the profile's name.

    It may have one row below the headings: the columns' examples, or values by field.

    In Excel the required headings are red, and every cell is text, so that Excel changes no number or date. A file for
    people has lists to choose from, messages beside the cells, and a sheet on how to fill it in. A file with values is
    for the program itself, and has none of these.

    Args:
        profile: the profile.
        path: where to write; its ending decides csv or xlsx.
        example: whether the row of examples is written.
        values: field → value of the one row.
        reference: registered values and logins to choose from; unset: none.
        overwrite: whether an existing file is replaced.

    Raises:
        Usage: the path's ending is not a file type of the profile (`file-type`), or nothing can be written there (see
            `refuse_output`).
    """
    if path is None:
        path = Path(f"{profile.name}{'_example' if example else ''}.{profile.file.types[0]}")
    kind = path.suffix.lower().removeprefix(".")
    if kind not in profile.file.types:
        endings = [f".{name}" for name in profile.file.types]
        raise Usage(
            "file-type",
            f"{profile.title} takes {listed(endings)}, not '{path.name}'.",
            f"Let the name end in {' or '.join(endings)}.",
            file=path.name,
        )
    columns = laid_out(profile)
    row = {column.field: column.example for column in profile.columns} if example else values or {}
    with new_file(path, overwrite=overwrite) as file:
        if kind == "csv":
            _write_csv(columns, file, profile.file.delimiter or ",", row)
        else:
            cells = [row.get(column.field) if column else None for column in columns]
            rows = [cells] if row else []
            if values is not None:
                headings = [sheet_heading(column) if column else None for column in columns]
                write_sheet(headings, file, profile.file.sheet, rows)
            else:
                known = reference or Reference()
                headings = [guided_heading(column, profile, known) if column else None for column in columns]
                write_sheet(headings, file, profile.file.sheet, rows, guide_rows(columns, profile, known))
    return path


def _write_csv(columns: list[Column | None], file: IO[bytes], delimiter: str, row: Mapping[str, str]) -> None:
    text = io.StringIO(newline="")
    rows = csv.writer(text, delimiter=delimiter)
    rows.writerow([column.heading if column else "" for column in columns])
    if row:
        rows.writerow([row.get(column.field, "") if column else "" for column in columns])
    file.write(text.getvalue().encode())


def laid_out(profile: Profile) -> list[Column | None]:
    """A profile's columns in the order of its template: columns with a letter at that place, the others in between.

    A column with several headings is repeated for each of them; None is a column without a heading.
    """
    columns = [
        column if heading == column.heading else column.model_copy(update={"heading": heading, "letter": None})
        for column in profile.columns
        for heading in column.own_headings
    ]
    places = {ord(column.letter) - ord("A"): column for column in columns if column.letter}
    free = (n for n in range(len(columns) + len(places)) if n not in places)
    places.update({next(free): column for column in columns if not column.letter})
    return [places.get(n) for n in range(max(places) + 1)]


def sheet_heading(column: Column) -> Heading:
    """The heading of a profile's column in a sheet that a program fills in."""
    heading = Heading(column.heading, required=column.required, wide=len(column.example))
    choices = replace(heading, choices=tuple(column.choices) if column.type == "choice" else ())
    return choices if choices.fits_in_cell else heading
