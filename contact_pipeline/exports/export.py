"""Writes a file of contacts or accounts: copies the rows out of the contact database, then turns them into cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from contact_pipeline.errors import Usage, listed
from contact_pipeline.exports.cells import as_text
from contact_pipeline.exports.files import opened_writer
from contact_pipeline.exports.find import find_export_profile
from contact_pipeline.exports.layout import Layout, further_cell
from contact_pipeline.exports.left_out import LeftOut, Sieve
from contact_pipeline.exports.rows import Wanted, fields_besides, refuse_what_does_not_fit, rows_query
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.registry import country_column
from contact_pipeline.profiles import Profile, find_profiles
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.output import new_file, refuse_output
from contact_pipeline.store import Store
from contact_pipeline.store.reference_data import read_reference
from contact_pipeline.temporary import passing_folder

_ENDINGS: Final = {".csv": "csv", ".xlsx": "xlsx", ".parquet": "parquet"}
_BATCH: Final = 50_000  # rows


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written.

    Attributes:
        file: its path.
        profile: name of the export profile.
        of: what a row is: contacts or accounts.
        format: csv, xlsx or parquet.
        rows: how many rows are below the heading.
        columns: the headings.
        sensitive: headings whose values are masked everywhere else.
        left_out: contacts or accounts that pass the filters, but are left out because importing would change them.
        warnings: what else the reader of the file should know.
    """

    file: Path
    profile: str
    of: str
    format: str
    rows: int
    columns: tuple[str, ...]
    sensitive: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The file as a JSON document."""
        return {
            "file": str(self.file),
            "profile": self.profile,
            "of": self.of,
            "format": self.format,
            "rows": self.rows,
            "columns": list(self.columns),
            "sensitive": list(self.sensitive),
            "left_out": [each.as_dict() for each in self.left_out],
            "warnings": list(self.warnings),
        }


def export(store: Store, path: Path, name: str, wanted: Wanted, *, overwrite: bool = False) -> Exported:
    """Writes contacts or accounts by an export profile; only its owner may read the file.

    The contact database is locked while its rows are copied out. Erased people are never in the file. Values are
    unmasked, even sensitive ones. If an import profile reads the file, rows that importing would change are left out
    and counted.

    Args:
        store: of the home.
        path: where to write; its ending tells the format, or else the profile does.
        name: of the export profile; every import profile is one, too.
        wanted: filters beside those of the profile.
        overwrite: whether an existing file is replaced.

    Raises:
        Refusal: there is no such profile (code `profile-unknown`), its file cannot be used (`profile-broken`), a filter
            names something unknown (see `rows_query`), or the rows do not fit an Excel sheet (`too-many-rows`).
        Usage: the ending is of another format (`file-type`), a filter does not fit (`usage`), or nothing can be written
            there (see `refuse_output`).
        StoreBusy: the contact database was in use by another program for longer than the settings allow.
    """
    layout = find_export_profile(name, store.settings)
    kind = _format(path, layout)
    refuse_what_does_not_fit(layout, wanted)
    refuse_output(path, overwrite=overwrite)
    with passing_folder(store.settings.home) as folder:
        layout, reference, most = _copy_out(store, layout, wanted, folder / "rows.parquet")
        sieve = Sieve(layout, _context(layout.profile, reference)) if layout.profile else None
        with new_file(path, overwrite=overwrite) as file, opened_writer(layout, kind, file, folder, most) as writer:
            for values in _batches(folder / "rows.parquet"):
                texts = values.select(
                    (pl.lit(None, pl.String) if cell is None else as_text(cell, layout.profile)).alias(str(place))
                    for place, cell in enumerate(layout.cells)
                )
                writer.write(*(sieve.keep(values, texts) if sieve else (values, texts)))
    return Exported(
        path,
        layout.name,
        layout.of,
        kind,
        writer.rows,
        tuple(cell.heading for cell in layout.cells if cell is not None),
        tuple(cell.heading for cell in layout.filled if cell.sensitive),
        tuple(sieve.left_out()) if sieve else (),
        (*writer.warnings, *_warnings(layout, kind)),
    )


def _format(path: Path, layout: Layout) -> str:
    if not path.suffix:
        return layout.format
    if path.suffix.lower() not in _ENDINGS:
        raise Usage(
            "file-type",
            f"'{path.name}' ends in no format that is written.",
            f"Let it end in {' or '.join(_ENDINGS)}.",
            file=path.name,
        )
    return _ENDINGS[path.suffix.lower()]


def _copy_out(store: Store, layout: Layout, wanted: Wanted, file: Path) -> tuple[Layout, Reference, int]:
    """Copies the rows into a Parquet file; returns the layout with the home's further fields, and the row count."""
    profiles, _ = find_profiles(store.settings.profiles_path)
    with store.open(read_only=True) as database:
        if layout.has_all:
            further = (further_cell(name, kind, sensitive=bool(is_sensitive))
                       for name, kind, is_sensitive in fields_besides(database, layout))  # fmt: skip
            layout = replace(layout, cells=(*layout.cells, *further))
        query = rows_query(database, layout, wanted, profiles.values())
        rows = database.write(file, query)
        return layout, read_reference(database), rows


def _batches(file: Path) -> Iterator[pl.DataFrame]:
    rows = pl.scan_parquet(file, glob=False)
    found = False
    for frame in rows.collect_batches(maintain_order=True):
        for batch in frame.iter_slices(_BATCH):
            found = True
            yield batch
    if not found:
        yield rows.collect()


def _context(profile: Profile, reference: Reference) -> Context:
    country = country_column(profile)
    return Context(profile, reference, None if country is None else pl.col(country.field))


def _warnings(layout: Layout, kind: str) -> Iterator[str]:
    taken = layout.profile.file.types if layout.profile else [kind]
    if kind not in taken:
        yield f"{layout.title} takes {listed(f'.{each}' for each in taken)}: importing would refuse this file."
