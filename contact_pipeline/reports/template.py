"""The file to fill in for a profile, blank or with an example row, as CSV or as an Excel sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import xlsxwriter

from contact_pipeline.errors import Usage, listed
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.reports.output import new_file

_LAST_ROW: Final = 1_048_575  # of an Excel sheet, from 0
_WIDEST_LIST: Final = 255  # characters that Excel takes for the choices of a cell


def write_template(
    profile: Profile,
    path: Path | None,
    *,
    example: bool = False,
    values: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes the template and says where; without a path, in the current folder under the profile's name.

    One row stands below the headings where it is asked for: the columns' examples, or values by field.

    In Excel the required headings are red, and every cell is text, so that Excel changes no number or date.

    Raises:
        Usage: the path's ending is not a file type of the profile (`file-type`), or nothing can be written there (see
            `refuse_output`); an existing file is replaced where `overwrite` says so.
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
    columns = _laid_out(_one_heading_each(profile))
    row = {column.field: column.example for column in profile.columns} if example else values or {}
    with new_file(path, overwrite=overwrite) as file:
        if kind == "csv":
            _write_csv(columns, file, profile.file.delimiter or ",", row)
        else:
            _write_sheet(columns, file, profile, row)
    return path


def _one_heading_each(profile: Profile) -> list[Column]:
    """The profile's columns; that of a field with several headings once for each of them."""
    return [
        column if heading == column.heading else column.model_copy(update={"heading": heading, "letter": None})
        for column in profile.columns
        for heading in column.own_headings
    ]


def _laid_out(columns: list[Column]) -> list[Column | None]:
    """The columns in the order of the sheet: those with a letter at it, the others where there is room."""
    places = {ord(column.letter) - ord("A"): column for column in columns if column.letter}
    free = (n for n in range(len(columns) + len(places)) if n not in places)
    places.update({next(free): column for column in columns if not column.letter})
    return [places.get(n) for n in range(max(places) + 1)]


def _write_csv(columns: list[Column | None], file: IO[bytes], delimiter: str, row: Mapping[str, str]) -> None:
    text = io.StringIO(newline="")
    rows = csv.writer(text, delimiter=delimiter)
    rows.writerow([column.heading if column else "" for column in columns])
    if row:
        rows.writerow([row.get(column.field, "") if column else "" for column in columns])
    file.write(text.getvalue().encode())


def _write_sheet(columns: list[Column | None], file: IO[bytes], profile: Profile, row: Mapping[str, str]) -> None:
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        text = book.add_format({"num_format": "@"})
        heading = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        required = book.add_format({"num_format": "@", "bold": True, "bottom": 1, "font_color": "#C00000"})
        sheet = book.add_worksheet(profile.file.sheet)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            if column is None:
                continue
            sheet.set_column(place, place, max(len(column.heading), len(column.example)) + 3, text)
            sheet.write_string(0, place, column.heading, required if column.required else heading)
            _offer_choices(sheet, place, column)
            if row.get(column.field):
                sheet.write_string(1, place, row[column.field], text)


def _offer_choices(sheet: Any, place: int, column: Column) -> None:
    if column.type == "choice" and column.choices and len(",".join(column.choices)) <= _WIDEST_LIST:
        sheet.data_validation(1, place, _LAST_ROW, place, {"validate": "list", "source": column.choices})
