"""The columns of a file that fill one field: the one that counts in each row, and the values kept of the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from contact_pipeline.headings.naming import labels
from contact_pipeline.kinds import boolean, text
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.masking import mask_heading
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.terms import COLUMN_OF, CONSENT, FURTHER

_LABELLED: Final = " - Value"  # headings of Google: Phone 1 - Value, beside Phone 1 - Label
_LABELS: Final = (" - Label", " - Type")

Read = Callable[[pl.Series, pl.Series | None], pl.DataFrame]  # cells, their countries → the normalized column


@dataclass(frozen=True, slots=True)
class Source:
    """Where the values of a field come from.

    Attributes:
        column: the field's column of the profile.
        columns: the raw columns in order of preference; of parts of addresses one for each place, None where a place
            has none.
    """

    column: Column
    columns: tuple[str | None, ...]

    @property
    def raw(self) -> list[str]:
        """The raw columns that exist, in order of preference."""
        return [name for name in self.columns if name is not None]


@dataclass(frozen=True, slots=True)
class Picked:
    """The cells that count.

    Attributes:
        texts: field → text of the row's cell that counts.
        places: field → the number of the column that it is in, for fields of several columns.
        filled: field → for each of its columns, whether the cells are filled.
    """

    texts: dict[str, pl.Series]
    places: dict[str, pl.Series]
    filled: dict[str, list[pl.Series]]


def sources_of(fields: Mapping[str, str], places: Mapping[str, str], profile: Profile) -> list[Source]:
    """The sources of the mapped fields, in the profile's order.

    Args:
        fields: raw column → field, the columns of one field in order of preference.
        places: raw column → place, for parts of addresses where there are several places.
        profile: its columns.
    """
    in_order = list(dict.fromkeys(places.values()))
    sources = []
    for column in profile.columns:
        raw = [name for name, field in fields.items() if field == column.field]
        at = {places[name]: name for name in raw if name in places}
        if raw:
            sources.append(Source(column, tuple(at.get(place) for place in in_order) if at else tuple(raw)))
    return sources


def names_of(headings: Mapping[str, str]) -> dict[str, str]:
    """Raw column → name for people: its heading, numbered where several columns have the same."""
    return dict(zip(headings, map(mask_heading, labels(list(headings.values()))), strict=True))


def with_labels(raw: pl.DataFrame, sources: Sequence[Source], headings: Mapping[str, str]) -> pl.DataFrame:
    """The raw rows with labels put before telephone numbers, where a column of labels says fax or "do not call".

    Args:
        raw: the raw rows.
        sources: the columns of each field.
        headings: raw column → heading in the file.
    """
    column_of = {heading: name for name, heading in headings.items()}
    labelled = []
    for name, matters in ((name, KINDS[source.column.type].labels) for source in sources for name in source.raw):
        heading = headings.get(name, "")
        for ending in _LABELS if matters and heading.endswith(_LABELLED) else ():
            label = column_of.get(heading.removesuffix(_LABELLED) + ending)
            if matters and label is not None and label in raw.columns:
                with_label = pl.concat_str(label, pl.lit(": "), name)
                labelled.append(pl.when(matters(pl.col(label))).then(with_label).otherwise(name).alias(name))
    return raw.with_columns(labelled)


def pick(raw: pl.DataFrame, sources: Sequence[Source], in_places: Collection[str], profile: Profile) -> Picked:
    """Picks the first filled cell of each row; of parts of addresses, all from the first place with a filled cell.

    Args:
        raw: the raw rows.
        sources: the columns of each field.
        in_places: the columns of parts of addresses, where there are several places.
        profile: the words that mean nothing.
    """
    picked = Picked({}, {}, {})
    for source in sources:
        if len(source.columns) > 1:
            picked.filled[source.column.field] = [_filled(raw, name, source.column, profile) for name in source.columns]
    parts = [source.column.field for source in sources if any(name in in_places for name in source.raw)]
    together = [reduce(or_, cells) for cells in zip(*(picked.filled[field] for field in parts), strict=True)]
    for source in sources:
        field = source.column.field
        if len(source.columns) == 1:
            picked.texts[field] = raw[source.raw[0]]
            continue
        filled = together if field in parts else picked.filled[field]
        picked.places[field] = _first(raw, source, filled)
        picked.texts[field] = _at(raw, source, picked.places[field])
    return picked


def counting_column(source: Source, place: pl.Series, names: Mapping[str, str]) -> pl.Series:
    """The name of the column that counts, where it is not the first one."""
    first = names.get(source.raw[0], source.raw[0])
    named = [
        None if name is None or names.get(name, name) == first else names.get(name, name) for name in source.columns
    ]
    return place.replace_strict(list(range(len(named))), named, return_dtype=pl.String).alias(
        f"{COLUMN_OF}{source.column.field}"
    )


def kept(
    raw: pl.DataFrame,
    made: Mapping[str, pl.DataFrame],
    picked: Picked,
    source: Source,
    read: Read,
    countries: Callable[[int], pl.Series | None],
    names: Mapping[str, str],
    spare: Mapping[str, pl.Series],
) -> dict[str, pl.Series]:
    """The further values of a row for a field, besides the value that counts, each once.

    Args:
        raw: the raw rows.
        made: field → the normalized cells that count.
        picked: the cells that count.
        source: the field's columns.
        read: normalizes cells of the field.
        countries: number of a column of the field → the countries of its cells.
        names: raw column → name for people.
        spare: fields of the profile for further values (`phone_2`) and what they hold; their blanks are filled first.

    Returns:
        the spare fields, and `further_<field>` with the other values between commas, each with its heading in
        brackets where it is in another column than the value that counts.
    """
    field, further = source.column.field, f"{FURTHER}{source.column.field}"
    value, beside = made[field][field], made[field].get_column(further, default=None)
    nothing = pl.Series(further, [None], dtype=pl.String).new_from_index(0, raw.height)
    parts = [] if beside is None else [_split(beside, pl.int_range(raw.height, eager=True), nothing)]
    for number, name in enumerate(source.columns if field in picked.places else ()):
        rows = (picked.filled[field][number] & (picked.places[field] != number)).arg_true()
        if name is None or rows.is_empty():
            continue
        of_cells = countries(number)
        cells = read(raw[name].gather(rows), None if of_cells is None else of_cells.gather(rows))
        values = _as_text(cells[field], source.column).fill_null(cells["_given"])
        heading = _elsewhere(source, name, picked.places[field].gather(rows), names)
        parts.append(_entries(values, rows, heading))
        if further in cells.columns:
            parts.append(_split(cells[further], rows, heading))
    if not any(part.height for part in parts):
        return {**spare, further: nothing}
    entries = pl.concat(part for part in parts if part.height).with_columns(key=pl.col("value").str.to_lowercase())
    entries = entries.unique(["row", "key"], keep="first", maintain_order=True).sort("row", maintain_order=True)
    entries = _without(entries, _as_text(value, source.column).fill_null(made[field]["_given"]))
    filled: dict[str, pl.Series] = {}
    for name, given in spare.items():
        entries = _without(entries, given)
        first = entries.filter(given.is_null().gather(entries["row"]) & pl.col("row").is_first_distinct())
        filled[name] = given.scatter(first["row"], first["value"])
        entries = entries.join(first.select("row", "key"), on=["row", "key"], how="anti", maintain_order="left")
    shown = pl.when(pl.col("heading").is_null()).then("value").otherwise(pl.format("{} ({})", "value", "heading"))
    left = (
        entries.group_by("row", maintain_order=True)
        .agg(shown.alias("text"))
        .with_columns(pl.col("text").list.join(", "))
    )
    return {**filled, further: nothing.scatter(left["row"], left["text"])}


def spare_fields(column: Column, profile: Profile) -> Iterator[str]:
    """The profile's fields for further values of a column: `phone_2`, `phone_3` and so on."""
    number = 2
    while (spare := profile.column_of.get(f"{column.field}_{number}")) and spare.type == column.type:
        yield spare.field
        number += 1


def chosen_headings(
    picked: Picked, sources: Sequence[Source], names: Mapping[str, str]
) -> Iterator[tuple[str, pl.Series]]:
    """Field and, for each row, the name of the column with the text that counts."""
    for source in sources:
        field = source.column.field
        first = names.get(source.raw[0], source.raw[0])
        if field not in picked.places:
            yield field, pl.Series([first]).new_from_index(0, picked.texts[field].len())
        else:
            yield field, counting_column(source, picked.places[field], names).fill_null(first)


def _filled(raw: pl.DataFrame, name: str | None, column: Column, profile: Profile) -> pl.Series:
    """Whether the cells hold anything but a word that means nothing."""
    if name is None:
        return pl.Series([False]).new_from_index(0, raw.height)
    cells = text.blanked(text.tidied(pl.col(name)), profile.blanks_in(column))
    return raw.select(cells.is_not_null()).to_series()


def _first(raw: pl.DataFrame, source: Source, filled: Sequence[pl.Series]) -> pl.Series:
    """The number of the first column that is filled; where none is, of the first that holds any text at all.

    Cells that count last go behind the others: a telephone number goes before a fax number.
    """
    tests = list(filled)
    if counts_last := KINDS[source.column.type].counts_last:
        last = [counts_last(raw[name]) if name else filled[0] for name in source.columns]
        tests = [*(cells & ~is_last for cells, is_last in zip(filled, last, strict=True)), *tests]
    if source.column.field == CONSENT:  # a wish not to be contacted counts in any column
        read = (boolean.boolean(text.tidied(pl.col(name)), of_consent=True) for name in source.raw)
        answers = [raw.select(answer).to_series() for answer in read]
        refused = [(answer.fill_null(False)) for answer in answers]
        unread = [cells & answer.is_null() for cells, answer in zip(filled, answers, strict=True)]
        tests = [*refused, *unread, *tests]
    tests += [raw[name].is_not_null() if name else filled[0].clear(raw.height) for name in source.columns]
    count = len(source.columns)
    frame = pl.DataFrame({f"test {number}": test.fill_null(False) for number, test in enumerate(tests)})
    places = [pl.when(pl.col(name)).then(pl.lit(number % count)) for number, name in enumerate(frame.columns)]
    return frame.select(pl.coalesce(*places, pl.lit(0)).cast(pl.Int32)).to_series()


def _at(raw: pl.DataFrame, source: Source, place: pl.Series) -> pl.Series:
    """The cells at these places."""
    frame = raw.select(source.raw).with_columns(place.alias("the place"))
    cells = [
        pl.when(pl.col("the place") == number).then(pl.col(name)) for number, name in enumerate(source.columns) if name
    ]
    return frame.select(pl.coalesce(cells)).to_series()


def _elsewhere(source: Source, name: str, place: pl.Series, names: Mapping[str, str]) -> pl.Series:
    """The name of a column, null where the value that counts is under the same name."""
    named = names.get(name, name)
    same = [number for number, each in enumerate(source.columns) if each and names.get(each, each) == named]
    return pl.Series([named]).new_from_index(0, place.len()).set(place.is_in(same), None)


def _entries(values: pl.Series, rows: pl.Series, headings: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        {"row": rows.cast(pl.UInt32), "value": values.cast(pl.String), "heading": headings},
        schema={"row": pl.UInt32, "value": pl.String, "heading": pl.String},
    ).drop_nulls("value")


def _split(beside: pl.Series, rows: pl.Series, headings: pl.Series) -> pl.DataFrame:
    """The further values of one cell, each by itself."""
    there = beside.is_not_null()
    found = _entries(beside.filter(there), rows.filter(there), headings.filter(there))
    return found.with_columns(pl.col("value").str.split(", ")).explode("value", empty_as_null=True)


def _as_text(values: pl.Series, column: Column) -> pl.Series:
    """The values as text; null where they have none of their own."""
    if values.dtype == pl.List:
        return values.list.join(f"{column.separator} ")
    if values.dtype == pl.Boolean:
        return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
    return values


def _without(entries: pl.DataFrame, values: pl.Series) -> pl.DataFrame:
    """The entries that differ from the row's value."""
    row_values = values.gather(entries["row"]).str.to_lowercase()
    return entries.filter(~row_values.eq(entries["key"]).fill_null(False))
