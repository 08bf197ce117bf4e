"""Writes found duplicates to a file with a column `merge` for yes or no, and reads such a file back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from contact_pipeline.duplicates.find import Duplicates, shown_contacts
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.reports.output import new_file, refuse_csv_output
from contact_pipeline.reports.spreadsheet import write_text_table
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.upload import read_columns

_SET, _CONTACT, _MERGE = "set", "contact_id", "merge"
_DETAILS: Final = ("kind", "score", "why", "name", "email", "phone", "account_number", "company")
_NO: Final = ("", "no", "n")
_YES: Final = ("yes", "y")
_SHOWN: Final = 8


def write_duplicates(found: Duplicates, store: Store, path: Path, *, overwrite: bool = False) -> int:
    """Writes sets and near pairs as CSV, for the owner only: one line a contact; how many lines there are.

    `merge` is yes for the sets that a merge without a file would merge, and no for chains and near pairs.

    Args:
        found: what was found.
        store: that has the contacts.
        path: where to write, a .csv file.
        overwrite: whether a file that is there is replaced.

    Raises:
        Usage: no CSV file can be written there (see `refuse_csv_output`).
    """
    refuse_csv_output(path, overwrite=overwrite)
    sets = found.sets.select(
        pl.col("first").rank("dense").cast(pl.Int64).alias(_SET),
        _CONTACT,
        pl.when(pl.col("is_chain")).then(pl.lit("no")).otherwise(pl.lit("yes")).alias(_MERGE),
        pl.when(pl.col("is_chain")).then(pl.lit("chain")).otherwise(pl.lit("same")).alias("kind"),
        pl.lit(None, pl.String).alias("score"),
        pl.col("rules").list.join("; ").alias("why"),
    )
    lines = [sets]
    if found.near is not None:
        lines.append(
            found.near.with_row_index("place", offset=found.set_count + 1)
            .select(
                pl.col("place").cast(pl.Int64).alias(_SET),
                pl.concat_list("one", "other").alias(_CONTACT),
                pl.lit("no").alias(_MERGE),
                pl.when(pl.col("is_doubtful")).then(pl.lit("doubtful")).otherwise(pl.lit("near")).alias("kind"),
                pl.col("score").round(1).cast(pl.String).alias("score"),
                "why",
            )
            .explode(_CONTACT)
        )
    rows = pl.concat(lines)
    details = _details(store, {*rows[_CONTACT]})
    written = rows.join(details, on=_CONTACT, how="left", maintain_order="left").select(
        _SET, _CONTACT, _MERGE, *_DETAILS
    )
    with new_file(path, overwrite=overwrite) as file:
        write_text_table(written.cast(pl.String).fill_null(""), written.columns, file)
    return written.height


def _details(store: Store, ids: set[int]) -> pl.DataFrame:
    """The values by which people recognize the contacts; sensitive ones masked."""
    known = shown_contacts(store, ids)
    lines = [
        {
            _CONTACT: contact_id,
            "name": each["full_name"] or " ".join(part for part in (each["first_name"], each["last_name"]) if part),
            **{name: each[name] for name in ("email", "phone", "account_number", "company")},
        }
        for contact_id, each in known.items()
    ]
    names = ("name", "email", "phone", "account_number", "company")
    return pl.DataFrame(lines, schema={_CONTACT: pl.Int64, **dict.fromkeys(names, pl.String)})


def read_sets(path: Path, settings: Settings) -> list[list[int]]:
    """The sets that a file says yes to: ids of contacts.

    Args:
        path: a file as `write_duplicates` writes it; only its columns set, contact_id and merge count.
        settings: of the home.

    Raises:
        Refusal: the file cannot be read, lacks a column, or holds a cell that cannot be meant (code `merge-file`),
            naming every such row and its column; or it says yes to nothing.
    """
    try:
        cells = read_columns(path, (_SET, _CONTACT, _MERGE), settings, known=_DETAILS)
    except Refusal as error:
        raise _refusal(path, error.message, error.fix) from error
    text = [pl.col(name).fill_null("").str.strip_chars().str.to_lowercase() for name in (_SET, _CONTACT, _MERGE)]
    rows = cells.select("place", *text)
    filled = rows.filter(pl.any_horizontal(pl.col(_SET, _CONTACT, _MERGE) != ""))
    wrong = [
        *_wrong(filled, _MERGE, ~pl.col(_MERGE).is_in([*_YES, *_NO]), "is neither yes nor no"),
        *_wrong(filled, _CONTACT, ~pl.col(_CONTACT).str.contains(r"^[0-9]{1,18}$"), "is no contact id"),
        *_wrong(filled, _SET, pl.col(_SET) == "", "names no set"),
    ]
    if wrong:
        raise _refusal(path, f"{path.name}: {listed(wrong, limit=_SHOWN)}.", "Correct these cells; nothing is planned.")
    chosen = filled.filter(pl.col(_MERGE).is_in(_YES))
    sets = chosen.group_by(_SET, maintain_order=True).agg(pl.col(_CONTACT).cast(pl.Int64).unique(), pl.first("place"))
    if sets.is_empty():
        raise _refusal(
            path, f"{path.name} says yes to nothing.", f"Write yes into column {_MERGE} of a set's contacts."
        )
    alone = sets.filter(pl.col(_CONTACT).list.len() < 2)
    if alone.height:
        alone_sets = [f"set {name} (row {place})" for name, place in alone.select(_SET, "place").iter_rows()]
        raise _refusal(
            path,
            f"{path.name} says yes to a single contact of {listed(alone_sets, limit=_SHOWN)}.",
            "Write yes beside two contacts or more of a set, or beside none.",
        )
    return sets[_CONTACT].to_list()


def _wrong(rows: pl.DataFrame, column: str, which: pl.Expr, problem: str) -> list[str]:
    found: list[tuple[Any, ...]] = rows.filter(which).select("place", column).rows()
    return [f"row {place}, column {column}: '{value}' {problem}" for place, value in found]


def _refusal(path: Path, message: str, fix: str) -> Refusal:
    return Refusal("merge-file", message, fix, file=path.name)
