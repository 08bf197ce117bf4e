"""Finds the upload whose rejected rows a corrected file brings, by their reasons and their unchanged cells.

A spreadsheet program changes both the name of the file and its digest. In doubt, no upload is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import polars as pl

from contact_pipeline.errors import MachineFault, Refusal, listed
from contact_pipeline.headings.naming import has_reasons, meant_by
from contact_pipeline.pipeline import uploads
from contact_pipeline.reports.rejected import places_of, reasons_of
from contact_pipeline.reports.spreadsheet import as_it_was
from contact_pipeline.store import LedgerLine, Store, Upload

_COMPARED: Final = 10_000  # rows of a corrected file, the first ones
_LOOKED_AT: Final = 100  # uploads with rejected rows that are still staged, the newest ones
_ROW: Final = "row_number"
_THEIRS: Final = "their row"
_REASONS: Final = "reasons"
_CELL: Final = "cell {}"  # of a heading: the names above are no headings


def checked(store: Store, profile: str, continues: object) -> str:
    """The id of the upload that somebody names as continued.

    Raises:
        Refusal: there is no such upload of the profile, or no row of it was rejected (code `option-value`).
    """
    line = store.find_line(continues) if isinstance(continues, str) else None
    if line is None:
        wrong = "there is no such upload"
    elif line.profile != profile:
        wrong = f"upload {line.upload_id} is of profile {line.profile}, not of {profile}"
    elif not line.rejected:
        wrong = f"no row of upload {line.upload_id} was rejected"
    else:
        return line.upload_id
    fix = "Give the id of the upload whose rejected rows the file brings; `contact-pipeline uploads` lists them."
    raise Refusal("option-value", f"Option 'continues': {wrong}.", fix, details={"option": "continues"})


def find_continued(
    store: Store, line: LedgerLine, rows: Iterable[pl.DataFrame], label_of: Mapping[str, str], reasons: str
) -> tuple[str | None, list[str]]:
    """The upload whose rejected rows a corrected file brings, and a warning where several are possible.

    A row counts as a rejected one if it has the same reasons and more than half of the cells that no reason is about.
    The upload must have more than half of the rows, and each row must be at least as alike as in any other upload.

    Args:
        store: the store.
        line: of the upload of the corrected file.
        rows: its raw rows in slices.
        label_of: raw column → heading, numbered where it repeats; without the column of the reasons.
        reasons: the raw column with the reasons.
    """
    ours = _with_reasons(rows, label_of, reasons)
    if ours.is_empty():
        return None, []
    lines = store.lines_with_rejected_rows(line.profile, before=line.number)
    staged = [each for each in lines if store.staging(each.upload_id).exists()][:_LOOKED_AT]
    found = {each.upload_id: _alike(ours, uploads.upload_of(store, each)) for each in staged}
    found = {upload_id: alike for upload_id, alike in found.items() if not alike.is_empty()}
    best = [upload_id for upload_id in _likest(found) if found[upload_id].height * 2 > ours.height]
    one = _one_for_all(best, {each.upload_id: each.continues for each in lines})
    if one is not None or len(found) < 2:
        return one, []
    message = f"It brings rows that may be rejected ones of several uploads: {listed(found)}."
    return None, [f"{message} It is not said to continue any of them; --continues says which."]


def _with_reasons(rows: Iterable[pl.DataFrame], label_of: Mapping[str, str], reasons: str) -> pl.DataFrame:
    """The first rows that have reasons: row_number, reasons and cells."""
    parts: list[pl.DataFrame] = []
    cells = [as_it_was(pl.col(column)).alias(name) for column, name in _named(label_of).items()]
    for part in rows:
        parts.append(part.select(_ROW, as_it_was(pl.col(reasons)).alias(_REASONS), *cells).drop_nulls(_REASONS))
        if sum(each.height for each in parts) >= _COMPARED:
            break
    return pl.concat(parts).head(_COMPARED) if parts else pl.DataFrame()


def _rejected(upload: Upload, wanted: pl.Series) -> pl.DataFrame | None:
    """The rejected rows of an upload that have any of these reasons; cells with errors are blank. None: no row has."""
    errors = upload.rejections.filter(pl.col("severity") == "error")
    reasons = reasons_of(errors).select(_ROW, as_it_was(pl.col("message")).alias(_REASONS))
    reasons = reasons.filter(pl.col(_REASONS).is_in(wanted.implode()))
    if reasons.is_empty():
        return None
    errors = errors.join(reasons, on=_ROW, how="semi")
    facts, profile = upload.staging.facts(), upload.resolved_profile
    label_of, places = facts.label_of, places_of(facts.headings)
    if profile is not None and has_reasons(facts.headings, meant_by(profile, facts.mapped_headings)):
        del label_of[facts.columns[-1]]
    in_error = errors.select(_ROW, pl.col("column").replace_strict(places, default=None, return_dtype=pl.Int64))
    wrong = {
        facts.columns[place]: of for (place,), of in in_error.drop_nulls().partition_by("column", as_dict=True).items()
    }
    rows = upload.corrected_rows(f"SELECT unnest({reasons[_ROW].to_list()})")
    cells = [
        pl.when(~pl.col(_ROW).is_in(wrong[column][_ROW].implode())).then(cell).alias(name)
        if column in wrong
        else cell.alias(name)
        for column, name in _named(label_of).items()
        for cell in [as_it_was(pl.col(column))]
    ]
    rows = rows.select(_ROW, *cells).join(reasons, on=_ROW)
    return rows.unique([name for name in rows.columns if name != _ROW], keep="first").rename({_ROW: _THEIRS})


def _named(label_of: Mapping[str, str]) -> dict[str, str]:
    """Raw column → the name of its cells here; a column without a heading is not compared."""
    return {column: _CELL.format(label) for column, label in label_of.items() if label.strip()}


def _alike(ours: pl.DataFrame, upload: Upload) -> pl.DataFrame:
    """Our rows that are rejected rows of an upload: row_number, and how many cells are the same (`same`)."""
    nothing = pl.DataFrame(schema={_ROW: ours.schema[_ROW], "same": pl.UInt32})
    try:
        with upload.reading(), upload.staging.look():
            theirs = _rejected(upload, ours[_REASONS].unique())
    except MachineFault as fault:
        if fault.is_damage:
            return nothing
        raise
    if theirs is None:
        return nothing
    cells = [name for name in theirs.columns if name not in {_THEIRS, _REASONS}]
    both = [name for name in cells if name in ours.columns]
    if not both:
        return nothing
    pairs = pl.concat(_pairs(ours, theirs, name) for name in both).unique()
    same = [pl.col(name).eq(pl.col(f"their {name}")).fill_null(False).cast(pl.UInt32) for name in both]
    filled = [pl.col(name).is_not_null().cast(pl.UInt32) for name in cells]
    compared = (
        pairs.join(ours.select(_ROW, *both), on=_ROW)
        .join(
            theirs.select(_THEIRS, pl.sum_horizontal(filled).alias("filled"), pl.col(both).name.prefix("their ")),
            on=_THEIRS,
        )
        .select(_ROW, "filled", pl.sum_horizontal(same).alias("same"))
    )
    return compared.filter(pl.col("same") * 2 > pl.col("filled")).group_by(_ROW).agg(pl.col("same").max())


def _pairs(ours: pl.DataFrame, theirs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Our rows and theirs with the same reasons and cell, if only one of their rows with the reasons has it."""
    known = [_REASONS, name]
    once = theirs.select(_THEIRS, *known).drop_nulls().filter(~pl.struct(known).is_duplicated())
    return ours.select(_ROW, *known).join(once, on=known).select(_ROW, _THEIRS)


def _likest(found: Mapping[str, pl.DataFrame]) -> list[str]:
    """The uploads that have every row found in any upload, each at least as alike as in the others."""
    if not found:
        return []
    best = pl.concat(found.values()).group_by(_ROW).agg(pl.col("same").max())
    return [
        upload_id for upload_id, alike in found.items() if alike.join(best, on=[_ROW, "same"]).height == best.height
    ]


def _one_for_all(best: Collection[str], continues: Mapping[str, str | None]) -> str | None:
    """The upload that continues all the others, or else the one that all the others continue; None: there is neither.

    A row that is rejected again for the same reasons is in several uploads.
    """
    before = {upload_id: {upload_id, *_before(upload_id, continues)} for upload_id in best}
    newest = (upload_id for upload_id in best if before[upload_id].issuperset(best))
    oldest = (upload_id for upload_id in best if all(upload_id in earlier for earlier in before.values()))
    return next(newest, None) or next(oldest, None)


def _before(upload_id: str, continues: Mapping[str, str | None]) -> Iterator[str]:
    """The uploads that one continues, directly and indirectly, the newest first."""
    while earlier := continues.get(upload_id):
        yield earlier
        upload_id = earlier
