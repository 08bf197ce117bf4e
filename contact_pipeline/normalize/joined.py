"""Cells in which Google's exports join several values of one field: each value gets a cell, in a column of its own.

All that follows treats them as several columns of one field. Telephone numbers and e-mail addresses are split by their
own kinds, since other signs separate them as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from contact_pipeline.headings.qualifiers import ADDRESS
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.normalize.sources import Source
from contact_pipeline.terms import JOINED

_MOST: Final = 10  # values of a cell that get a column each; any more stay as written in the last one


@dataclass(frozen=True, slots=True)
class Separated:
    """Rows in which every cell, but for those of lists, holds one value at most.

    Attributes:
        raw: the raw rows, with columns for further values of a cell behind the others.
        sources: the columns of each field, each followed by the columns of its further values.
        in_places: the columns of parts of addresses, where there are several places.
        names: raw column → name for people; further values have the name of their cell's column.
    """

    raw: pl.DataFrame
    sources: list[Source]
    in_places: frozenset[str]
    names: Mapping[str, str]

    def country_beside(self, source: Source, number: int) -> str | None:
        """The country column of the address that a column holds a part of; None where there is none."""
        country = next((each for each in self.sources if each.column.field == "country"), None)
        if country is None or not all(self.in_places.intersection(each.raw) for each in (source, country)):
            return None
        return country.columns[number]


def separate(
    raw: pl.DataFrame,
    sources: Sequence[Source],
    places: Mapping[str, str],
    names: Mapping[str, str],
    *,
    joined: bool = True,
) -> Separated:
    """Takes the cells apart. In a list column every value becomes an item.

    The first values of all parts of an address are one place, the second ones another, and so on.

    Args:
        raw: the raw rows.
        sources: the columns of each field.
        places: raw column → place, for parts of addresses where there are several places.
        names: raw column → name for people.
        joined: whether there may be any such cell.
    """
    several = _joined(raw, sources) if joined else set()
    if not several:
        return Separated(raw, list(sources), frozenset(places), names)
    raw, apart = _with_columns(raw, sources, several)
    addresses = [source.columns for source in sources if _is_of_addresses(source, places)]
    widths = [max(len(apart.get(name or "", [""])) for name in at) for at in zip(*addresses, strict=True)]
    widened, in_places = [], set(places)
    for source in sources:
        is_of_addresses = _is_of_addresses(source, places)
        columns: list[str | None] = []
        for name, width in zip(source.columns, widths if is_of_addresses else [1] * len(source.columns), strict=True):
            of_values = apart.get(name or "", [name])
            columns += [*of_values, *[None] * (width - len(of_values))]
        if is_of_addresses and len(columns) > 1:
            in_places.update(name for name in columns if name)
        widened.append(replace(source, columns=tuple(columns)))
    named = {each: names.get(name, name) for name, columns in apart.items() for each in columns if each}
    return Separated(raw, widened, frozenset(in_places), {**names, **named})


def separated(texts: pl.Series) -> pl.Series:
    """The values in cells, each by itself."""
    return texts.str.split(JOINED).explode(empty_as_null=True)


def _joined(raw: pl.DataFrame, sources: Sequence[Source]) -> set[str]:
    """The columns in which any cell holds several values."""
    kinds = ((KINDS[source.column.type], source) for source in sources)
    names = [name for kind, source in kinds if kind.taken_apart or kind.as_joined for name in source.raw]
    found = raw.select(pl.col(names).str.contains(JOINED, literal=True).any())
    return {name for name in found.columns if found[name].item()}


def _with_columns(
    raw: pl.DataFrame, sources: Sequence[Source], joined: Collection[str]
) -> tuple[pl.DataFrame, dict[str, list[str | None]]]:
    """The rows with these columns taken apart, and raw column → the columns of the values of its cells."""
    apart: dict[str, list[str | None]] = {}
    for source in sources:
        as_joined = KINDS[source.column.type].as_joined
        for name in (name for name in source.raw if name in joined):
            if as_joined:
                raw = raw.with_columns(as_joined(pl.col(name), source.column))
            else:
                cells = _apart(raw[name])
                raw, apart[name] = raw.with_columns(cells), [cell.name for cell in cells]
    return raw, apart


def _is_of_addresses(source: Source, places: Mapping[str, str]) -> bool:
    if places:
        return any(name in places for name in source.raw)
    return source.column.field in ADDRESS and len(source.columns) == 1


def _apart(cells: pl.Series) -> list[pl.Series]:
    """The first value of each cell under the column's name, and the further ones, each in a column of its own."""
    signs = cells.to_frame().select(pl.first().str.count_matches(JOINED, literal=True).max()).item()
    most = min(int(signs) + 1, _MOST)
    values = cells.str.splitn(JOINED, most).struct.unnest()
    # No raw column's name ends with a space.
    names = [cells.name, *(f"{cells.name}{JOINED}{number} " for number in range(2, most + 1))]
    return [values.to_series(place).alias(name) for place, name in enumerate(names)]
