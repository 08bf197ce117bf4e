"""Stage 2: raw rows → normalized rows. One canonical form for every value; a change of meaning is a repair.

The profile names the columns and their types; `kinds` has the canonical form of each type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial, reduce
from operator import and_

import polars as pl

from contact_pipeline.contracts.frames import BLANK_ROWS, CELL_ERRORS, REPAIRS, empty
from contact_pipeline.kinds import country, name, text
from contact_pipeline.kinds.distinct import are_few, numbered
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.registry import KINDS, country_column
from contact_pipeline.normalize.fast_path import take_fast_path
from contact_pipeline.normalize.joined import separate
from contact_pipeline.normalize.repairs import is_repaired, why
from contact_pipeline.normalize.sources import (
    Source,
    chosen_headings,
    counting_column,
    kept,
    names_of,
    pick,
    sources_of,
    spare_fields,
    with_labels,
)
from contact_pipeline.normalize.understood import understood, why_understood
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.model import STORED_AS
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import COLUMN_OF, FURTHER, UNREAD


def normalize(
    raw: pl.DataFrame,
    fields: Mapping[str, str],
    profile: Profile,
    reference: Reference,
    headings: Mapping[str, str] | None = None,
    cell_errors: pl.DataFrame | None = None,
    places: Mapping[str, str] | None = None,
    *,
    joined: bool = True,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The normalized rows of a slice, and the rows that are blank.

    Args:
        raw: contracts.RAW_ROWS.
        fields: raw column → field, for the mapped columns, those of one field in order of preference.
        profile: what the columns hold.
        reference: known logins and registered values.
        headings: raw column → heading in the file, where the two differ.
        cell_errors: contracts.CELL_ERRORS of the whole file; a mapped cell with an error has no value, but its row is
            not blank.
        places: raw column → place, for parts of addresses where there are several places.
        joined: whether any cell of the whole file may hold several values that an export joined.

    Returns:
        contracts.NORMALIZED_ROWS, with the columns row_number, repaired, the mapped fields in the profile's order
        (and names made of other fields), `unread_<field>` for each boolean field, `further_<field>` for each field
        of several columns or of a type whose cells may hold several values, whether any cell of the slice does or
        not, and `column_of_<field>` for each field of several columns; and contracts.BLANK_ROWS.
    """
    headings = headings or {}
    sources = sources_of(fields, places or {}, profile)
    errors = _errors_in(raw, fields, cell_errors)
    raw = with_labels(_without(raw, errors), sources, headings)
    apart = separate(raw, sources, places or {}, names_of(headings), joined=joined)
    picked = pick(apart.raw, apart.sources, apart.in_places, profile)
    texts, remembered = dict(picked.texts), {}
    for field in reference.meanings.keys() & texts.keys():
        texts[field], remembered[field] = understood(texts[field], reference.meanings[field])
    countries = _countries(raw["row_number"], texts, sources, profile, errors)

    def countries_of(source: Source, number: int) -> pl.Series | None:
        """The country beside one of several columns of a field; where it is blank, the country of the row."""
        name = apart.country_beside(source, number)
        there = name and _countries(raw["row_number"], {"country": apart.raw[name]}, apart.sources, profile, errors)
        return there.fill_null(countries) if isinstance(there, pl.Series) else countries

    def column(source: Source) -> pl.DataFrame:
        field = source.column.field
        made = _column(texts[field], countries, source.column, profile, reference)
        return made.with_columns(pl.col("_changed") | remembered[field]) if field in remembered else made

    def read(cells: pl.Series, there: pl.Series | None, source: Source) -> pl.DataFrame:
        meanings = reference.meanings.get(source.column.field)
        cells = understood(cells, meanings)[0] if meanings else cells
        return _column(cells, there, source.column, profile, reference)

    fields_made = [source.column.field for source in sources]
    made = dict(zip(fields_made, _threads().map(column, sources), strict=True))
    values = raw.select(
        "row_number",
        _bits([frame["_changed"] for frame in made.values()], raw.height),
        *(series for frame in made.values() for series in frame.drop("_given", "_changed")),
        *(
            counting_column(each, picked.places[each.column.field], apart.names)
            for source, each in zip(sources, apart.sources, strict=True)
            if len(source.columns) > 1
        ),
    )
    for source in apart.sources:
        spare = {name: _given_or_blank(values, name) for name in spare_fields(source.column, profile)}
        if source.column.field in picked.places or (joined and KINDS[source.column.type].taken_apart) or spare:
            read_more, there = partial(read, source=source), partial(countries_of, source)
            values = values.with_columns(
                series.alias(name)
                for name, series in kept(apart.raw, made, picked, source, read_more, there, apart.names, spare).items()
            )
    blank = _blank_rows(raw, made, sources, profile, headings, errors)
    if not blank.is_empty():
        values = values.filter(~pl.col("row_number").is_in(blank["row_number"].implode()))
    return _in_order(_with_what_blanks_mean(values, profile, reference), profile), blank


def repairs_of(
    raw: pl.DataFrame,
    normalized: pl.DataFrame,
    fields: Mapping[str, str],
    profile: Profile,
    reference: Reference,
    headings: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """The repairs of a slice, by row and in the profile's order of columns: contracts.REPAIRS.

    Args:
        raw: the raw rows from which `normalized` was made.
        normalized: the normalized rows; only those whose `repaired` is not zero are looked at.
        fields: raw column → field.
        profile: what the columns hold.
        reference: known logins and registered values.
        headings: raw column → heading in the file, where the two differ.
        places: raw column → place, for parts of addresses where there are several places.
    """
    rows = normalized.filter(pl.col("repaired") != 0)
    sources = sources_of(fields, places or {}, profile)
    raw = rows.select("row_number").join(raw, on="row_number", maintain_order="left")
    raw = with_labels(raw, sources, headings or {})
    apart = separate(raw, sources, places or {}, names_of(headings or {}))
    picked = pick(apart.raw, apart.sources, apart.in_places, profile)
    named = dict(chosen_headings(picked, apart.sources, apart.names))
    listed = [
        rows.select("row_number", "repaired", source.column.field)
        .with_columns(named[source.column.field].alias("_column"), picked.texts[source.column.field].alias("_before"))
        .filter((pl.col("repaired") & (1 << place)) != 0)
        .select(
            "row_number",
            column="_column",
            field=pl.lit(source.column.field),
            before="_before",
            after=KINDS[source.column.type].as_text(pl.col(source.column.field), source.column),
            why=_why(source.column, profile, reference),
        )
        for place, source in enumerate(sources)
    ]
    return pl.concat([empty(REPAIRS), *listed]).sort("row_number", maintain_order=True)


def _why(column: Column, profile: Profile, reference: Reference) -> pl.Expr:
    """The reasons of a repair, in words: of the cell (`_before`) and of its value."""
    done = _done(column, profile)
    meanings = reference.meanings.get(column.field)
    return pl.coalesce(why_understood(pl.col("_before"), meanings), done) if meanings else done


def _done(column: Column, profile: Profile) -> pl.Expr:
    given, value = text.tidied(pl.col("_before")), pl.col(column.field)
    mended = text.why_mended(pl.col("_before"))
    blanks = profile.blanks_in(column)
    blank = given.is_null() & value.is_null()  # nothing is left to read
    only = pl.struct(given.alias("before"), value.alias("after")).map_batches(
        lambda pairs: is_repaired(pairs.struct.field("before"), pairs.struct.field("after"), column, blanks),
        return_dtype=pl.Boolean,
    )
    return pl.concat_str(
        mended, pl.when(only & ~blank).then(why(given, value, column)), separator="; ", ignore_nulls=True
    )


def _errors_in(raw: pl.DataFrame, fields: Mapping[str, str], cell_errors: pl.DataFrame | None) -> pl.DataFrame:
    """The errors in mapped cells of a slice."""
    if cell_errors is None or cell_errors.is_empty():
        return empty(CELL_ERRORS)
    mapped = cell_errors.filter(pl.col("column").is_in(list(fields)))
    return mapped.join(raw.select("row_number"), on="row_number", how="semi")


def _without(raw: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """The rows with those cells blank."""
    return raw.with_columns(
        pl.when(~pl.col("row_number").is_in(part["row_number"].implode())).then(pl.col(str(column))).alias(str(column))
        for (column,), part in errors.partition_by("column", as_dict=True).items()
    )


def _blank_rows(
    raw: pl.DataFrame,
    made: Mapping[str, pl.DataFrame],
    sources: Sequence[Source],
    profile: Profile,
    headings: Mapping[str, str],
    errors: pl.DataFrame,
) -> pl.DataFrame:
    """Rows in which every cell is blank, or every cell repeats its heading (contracts.BLANK_ROWS)."""
    cells = [heading for heading in raw.columns if heading not in {"row_number", "line_number"}]
    columns = {name: source.column for source in sources for name in source.raw}
    written = {heading: " ".join(headings.get(heading, heading).split()) for heading in cells}
    # Few rows hold no value or begin like the heading, so only these are looked at cell by cell.
    suspect = pl.Series([True]).new_from_index(0, raw.height)
    if made:
        first = sources[0]
        nothing = [frame[field].is_null() for field, frame in made.items()]
        begins = made[first.column.field]["_given"].is_in([written[name] for name in first.raw])
        suspect = reduce(and_, nothing) | begins.fill_null(False)
    if not suspect.any():
        return empty(BLANK_ROWS)
    rows = raw.filter(suspect).filter(~pl.col("row_number").is_in(errors["row_number"].implode()))
    tidy = rows.with_columns(text.tidied(pl.col(heading)).alias(heading) for heading in cells)
    blanked = [text.blanked(pl.col(heading), profile.blanks_in(columns.get(heading))) for heading in cells]
    repeats = [pl.col(heading).fill_null("") == written[heading] for heading in cells]
    is_blank = pl.all_horizontal(cell.is_null() for cell in blanked) | pl.all_horizontal(repeats)
    return tidy.filter(is_blank if cells else pl.lit(True)).select("row_number")


@cache
def _threads() -> ThreadPoolExecutor:
    """One pool for the life of the process: Polars compiles a pattern once for each thread."""
    return ThreadPoolExecutor(pl.thread_pool_size())


def _countries(
    row_numbers: pl.Series,
    texts: Mapping[str, pl.Series],
    sources: Sequence[Source],
    profile: Profile,
    errors: pl.DataFrame,
) -> pl.Series | None:
    """The country of each row (two letters); None where no column of the file holds it.

    A cell with an error counts as a country that is not understood.
    """
    column = country_column(profile)
    if column is None or column.field not in texts:
        return None
    given = text.blanked(text.tidied(pl.col("given")), profile.blanks_in(column))
    cells = [name for source in sources if source.column.field == column.field for name in source.raw]
    wrong = errors.filter(pl.col("column").is_in(cells))["row_number"].implode()
    unread = pl.col("row_number").is_in(wrong) & pl.col("given").is_null()
    rows = pl.DataFrame({"row_number": row_numbers, "given": texts[column.field]})
    read = country.normalized(given)
    return rows.select(pl.when(unread).then(pl.lit("#")).otherwise(read).alias("code")).to_series()


def _with_what_blanks_mean(values: pl.DataFrame, profile: Profile, reference: Reference) -> pl.DataFrame:
    """The rows with blanks replaced by the profile's `blank_means`; text that could not be read is not blank."""
    for column in profile.columns:
        if column.blank_means is None:
            continue
        field, unread = column.field, f"{UNREAD}{column.field}"
        meant = _column(pl.Series([column.blank_means]), None, column, profile, reference).drop("_given", "_changed")
        if field not in values.columns:
            values = values.with_columns(series.new_from_index(0, values.height) for series in meant)
            continue
        is_blank = pl.col(field).is_null()
        if unread in values.columns:
            is_blank &= pl.col(unread).is_null()
        values = values.with_columns(pl.when(is_blank).then(pl.lit(meant[field])).otherwise(field).alias(field))
    return values


def _given_or_blank(values: pl.DataFrame, field: str) -> pl.Series:
    """The values of a field; blank where the file has no column for it."""
    nothing = pl.Series(field, [None], dtype=pl.String).new_from_index(0, values.height)
    return values[field] if field in values.columns else nothing


def _column(
    texts: pl.Series, countries: pl.Series | None, column: Column, profile: Profile, reference: Reference
) -> pl.DataFrame:
    """Normalizes the cells of a column.

    Returns:
        `_given`, the tidied text; the value, and the columns kept beside it; `_changed`, whether the value is a repair.
    """
    by_country = countries is not None and KINDS[column.type].by_country
    if not by_country and are_few(texts):
        places, distinct = numbered(texts)
        of_distinct = _column(distinct, None, column, profile, reference)
        return of_distinct.select(pl.all().gather(places)).with_columns(pl.col("_changed").fill_null(False))
    context = Context(profile, reference, pl.col("country") if by_country else None)
    cells = pl.DataFrame({"text": texts} | ({"country": countries} if by_country else {}))
    values, certain = take_fast_path(texts, column, profile, by_country=by_country)
    if not certain.any():
        return _read(cells, column, context)
    places = (~certain & texts.is_not_null()).arg_true()
    read = _read(cells[places], column, context)
    settled = {"_given": texts, column.field: values, "_changed": pl.Series([False]).new_from_index(0, texts.len())}
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, texts.len())
    return pl.DataFrame({name: settled.get(name, nothing).clone().scatter(places, read[name]) for name in read.columns})


def _read(cells: pl.DataFrame, column: Column, context: Context) -> pl.DataFrame:
    """The same without the fast path.

    Args:
        cells: `text`, and `country` where the value depends on it.
        column: what they hold.
        context: everything else that their form may depend on.
    """
    kind = KINDS[column.type]
    blanks = context.profile.blanks_in(column)
    given = cells.with_columns(text.tidied(pl.col("text")))
    tidy = given.with_columns(text.blanked(pl.col("text"), blanks))
    if kind.dashed:
        tidy = tidy.with_columns(text.dashed(pl.col("text")))
    value = kind.normalize(pl.col("text"), column, context)
    if column.nothing and column.type not in STORED_AS:
        value = _emptied(pl.col("text"), column.nothing, value)
    read = tidy.select(value.alias(column.field), *kind.beside(pl.col("text"), column, context))
    changed = is_repaired(given["text"], read[column.field], column, blanks) | text.mended(cells["text"])
    return read.with_columns(given["text"].alias("_given"), changed.alias("_changed"))


def _emptied(given: pl.Expr, word: str, value: pl.Expr) -> pl.Expr:
    """The value, or the explicit nothing (an empty string) where the text is the word for it."""
    return pl.when(given.str.to_lowercase() == word.lower()).then(pl.lit("")).otherwise(value)


def _bits(changed: Sequence[pl.Series], rows: int) -> pl.Series:
    """The bitmap: bit i for the i-th mapped column, in the profile's order."""
    bits = pl.Series("repaired", [0], dtype=pl.UInt64).new_from_index(0, rows)
    for place, each in enumerate(changed):
        if each.any():
            bits = bits | pl.select(pl.when(each).then(pl.lit(1 << place, pl.UInt64)).otherwise(0)).to_series()
    return bits.alias("repaired")


def _in_order(values: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The columns in the order of the contract, with names made of other fields."""
    values = name.completed(values, profile)
    there = set(values.columns)
    in_profile = [column.field for column in profile.columns if column.field in there]
    return values.select(
        "row_number",
        "repaired",
        *in_profile,
        *(each for each in values.columns if each.startswith((UNREAD, FURTHER, COLUMN_OF))),
    )
