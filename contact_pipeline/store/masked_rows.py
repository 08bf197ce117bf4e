"""Staged rows as they may be shown: sensitive fields masked, and what looks sensitive elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from contact_pipeline.masking import is_label, mask_column
from contact_pipeline.profiles import Profile, looks_in
from contact_pipeline.terms import COLUMN_OF, FURTHER, UNREAD

if TYPE_CHECKING:
    import polars as pl


def mask_rows(frame: pl.DataFrame, profile: Profile, raw: Mapping[str, str] | None) -> pl.DataFrame:
    """Rows of a staged table, masked like a preview.

    Args:
        frame: the rows.
        profile: as resolved for the upload.
        raw: of raw rows, raw column → field; None: of other rows.
    """
    import polars as pl

    shown = []
    for name, kind in frame.schema.items():
        field = field_of(name, profile) if raw is None else raw.get(name)
        looks = None if raw is not None and is_label(name) else looks_in(profile, field, as_read=raw is not None)
        if kind == pl.List(pl.String):
            shown.append(pl.col(name).list.eval(mask_column(pl.element(), looks)))
        elif kind == pl.String or looks is None:
            shown.append(mask_column(pl.col(name).cast(pl.String), looks))
    return frame.with_columns(shown)


def field_of(column: str, profile: Profile) -> str:
    """The field whose values, or parts of them, a staged column holds."""
    prefixes = ("before_", "after_", "key_", UNREAD, FURTHER, COLUMN_OF)
    prefix = "" if column in profile.column_of else next(filter(column.startswith, prefixes), "")
    return column.removeprefix(prefix)
