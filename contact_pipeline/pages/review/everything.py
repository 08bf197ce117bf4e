"""The file for uploads too large for the page: every row with its outcome, and every change, as two tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import polars as pl

from contact_pipeline.engines import PLACE, StoredTables, quoted
from contact_pipeline.masking import TOLD, mask_column, mask_heading
from contact_pipeline.profiles import looks_in
from contact_pipeline.reports.spreadsheet import MARK, write_text_rows
from contact_pipeline.store import Upload
from contact_pipeline.store.staged_changes import CHANGED, changes_to

_AT_A_TIME: Final = 20_000  # rows
_QUICKLY: Final = 1  # of nine levels of packing
_BECAME: Final = ("outcome", "contact_id", "account_id", "duplicate_of_row", "duplicate_of_contact", "reasons", "codes")
_CHANGE: Final = ("target", "id", "action", "row_number", "field", "before", "after")

_ROWS: Final = f"""
    SELECT outcome_rows.row_number, outcome, contact_id, account_id, duplicate_of_row, duplicate_of_contact,
           concat_ws('; ', reason, messages) AS reasons, codes{{cells}}
    FROM outcome_rows {{raw_rows}} LEFT JOIN (
        SELECT row_number, string_agg(code, ' ' ORDER BY {PLACE}) AS codes,
               string_agg(if(severity = 'warning', 'warning: ', '') || coalesce("column" || ': ', '') || message, '; '
                          ORDER BY {PLACE}) AS messages
        FROM rejections GROUP BY row_number
    ) USING (row_number)
    ORDER BY row_number"""


def is_in_part(upload: Upload, data: dict[str, Any]) -> bool:
    """Whether the page lacks rows, changes, columns or comparisons of the upload.

    Args:
        upload: the upload.
        data: the content of the page, as `gather` gives it.
    """
    rows, changes, outcomes = data["rows"], data["changes"], upload.outcomes
    if not rows["groups"] and not changes["count"]:
        return False  # nothing is staged
    return (
        len(rows["rows"]) < sum(group[-1] for group in rows["groups"]) + rows["folded"]
        or len(rows["columns"]) < rows["of_columns"]
        or len(changes["changes"]) < changes["count"]
        or len(data["reviews"]) < outcomes["review"]
        or len(data["duplicates"]) < sum(upload.duplicates.values())
        or len(data["deactivations"]["contacts"]) < data["deactivations"]["count"]
    )


def write_everything(upload: Upload, file: IO[bytes]) -> None:
    """Writes a ZIP file with rows.csv and changes.csv, for a spreadsheet program; masked as the page is.

    rows.csv has every row of the file: row_number, outcome and reasons, and its cells. changes.csv has a line for every
    field of every change: target, id, action, row_number, field, before and after. A large upload takes no more memory
    than a small one.
    """
    with (
        upload.reading(),
        upload.looking(),
        upload.staging.look() as database,
        ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_QUICKLY) as packed,
    ):
        for name, headings, batches in (
            ("rows.csv", *_rows(upload, database)),
            ("changes.csv", *_changes(upload, database)),
        ):
            with packed.open(name, "w", force_zip64=True) as table:
                table.write(MARK)
                write_text_rows(_heading(headings), table)
                for batch in batches:
                    write_text_rows(batch, table)


def _heading(headings: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame([headings], schema=[f"heading {place}" for place in range(len(headings))], orient="row")


def _rows(upload: Upload, database: StoredTables | None) -> tuple[list[str], Iterator[pl.DataFrame]]:
    if database is None or not database.has("outcome_rows"):
        return ["row_number", *_BECAME], iter(())
    facts = upload.staging.facts()
    cells = {f"cell {place}": column for place, column in enumerate(facts.columns)}
    selected = "".join(f", raw_rows.{quoted(column)} AS {quoted(name)}" for name, column in cells.items())
    query = _ROWS.format(cells=selected, raw_rows="LEFT JOIN raw_rows USING (row_number)" if cells else "")

    def masked(batch: pl.DataFrame) -> pl.DataFrame:
        shown = upload.masked(batch.select(pl.col(name).alias(column) for name, column in cells.items()), as_read=True)
        return pl.concat(
            [batch.select("row_number", *_BECAME), shown.rename(lambda name: f"cell {name}")], how="horizontal"
        )

    labels = [mask_heading(facts.label_of[column]) for column in facts.columns]
    return ["row_number", *_BECAME, *labels], _batches(database, query, masked)


def _changes(upload: Upload, database: StoredTables | None) -> tuple[Sequence[str], Iterator[pl.DataFrame]]:
    profile = upload.resolved_profile

    def masked(batch: pl.DataFrame) -> pl.DataFrame:
        parts = [
            rows.with_columns(
                mask_column(pl.col("before", "after"), looks_in(profile, str(field)) if profile else TOLD)
            )
            for (field,), rows in batch.with_row_index("place").group_by("field", maintain_order=True)
        ]
        return pl.concat(parts).sort("place").select(_CHANGE)

    def every() -> Iterator[pl.DataFrame]:
        for target in CHANGED:
            if database is not None and database.has(f"{target}_changes"):
                yield from _batches(database, _lines(target, database), masked)

    return _CHANGE, every()


def _lines(target: str, database: StoredTables) -> str:
    """The query of a line for each field of each change to contacts, accounts, memberships or links."""
    if target in {"membership", "link"}:
        other = "group_name" if target == "membership" else "linked_to"
        name = "group" if target == "membership" else "linked_to"
        return f"""
            SELECT target, contact_id AS id, action, row_number, '{name}' AS field,
                   if(action = 'create', NULL, {other}::VARCHAR) AS before,
                   if(action = 'create', {other}::VARCHAR, NULL) AS after
            FROM ({changes_to(target, database)})"""
    return f"""
        SELECT target, id, action, row_number, side.field AS field, side.before AS before, side.after AS after
        FROM (SELECT target, {target}_id AS id, action, row_number,
                     unnest(if(len(fields) = 0, [NULL], fields)) AS side
              FROM ({changes_to(target, database)}))"""


def _batches(
    database: StoredTables, query: str, masked: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The rows of a query as masked text, in batches."""
    for batch in database.batches(query, _AT_A_TIME):
        yield masked(batch).cast(pl.String)
