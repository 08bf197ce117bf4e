"""Telephone numbers in E.164, an extension as `;ext=` (RFC 3966); a text that is no valid number stays as given.

Numbers in the usual spellings are read by expressions; the library reads the distinct rest.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

import polars as pl

from contact_pipeline.kinds import phone_numbering, placeholders
from contact_pipeline.kinds.boolean import opts_out
from contact_pipeline.kinds.by_country import read_by_country
from contact_pipeline.kinds.cell_rules import NOT_SCIENTIFIC, CellRule, Passes, unless
from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.kinds.phone_national import national
from contact_pipeline.kinds.phone_words import without_labels
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.terms import FURTHER

_PUNCTUATION: Final = [" ", "(", ")", ".", "-"]
# Tidy, nothing but digits and punctuation, and a calling code in one piece.
_USUAL: Final = rf"^\(?(?:\+\(?(?:{phone_numbering.calling_codes()})|\(?[0-9])(?: ?[0-9().\-])*$"
_DIGITS: Final = r"^\+?[0-9]+$"
_EXTENDED: Final = (
    r"(?i)^(\+?[0-9 ().\-]+[0-9)])(?: *;ext=| *(?:,,|(?:extension|extn|ext|x|#|ramal|poste)[.:]?) *)([0-9]{1,7})$"
)
_TOO_FEW_DIGITS: Final = r"^\D*(?:\d\D*){0,2}$"
_REMARKS: Final = "[!?*]"
_STRAY: Final = r"[\p{L}!?*]"  # letters, and signs that may mean something
_MAY_BE_STRAY: Final = "[^ -@]|[!?*]"  # all other ASCII signs here are digits and punctuation
_E164: Final = r"^\+[0-9]+(?:;ext=[0-9]+)?$"
_SCIENTIFIC: Final = re.compile(r"[0-9][.,]?[0-9]*[eE][+-]?[0-9]+")
_EXTENSION: Final = r"(?i)(?:;ext=|\bext(?:ension|n)?\b\.?:?|\bramal\b|\bposte\b|\bx|#) *[0-9]+$"
# Between several numbers: Google's sign, punctuation, a word, or the label of the next one. An extension may follow a
# comma or a semicolon.
_SIGNS: Final = r"\s*(?::::|[/|\n]|[;,](?!\s*(?:,|ext|x|#|\d{1,5}\s*$)))\s*"
_WORDS: Final = r"\s+(?:or|and|oder|und|ou|et|o|y|e|of|en|lub|i|eller|och|og|или|и|&)\s+"
_BETWEEN: Final = re.compile(rf"(?i){_SIGNS}|{_WORDS}|\s+(?=[^\W\d_][^\W\d]{{2,15}}:\s)")
_SEVERAL: Final = r"(?i)\d.*(?:[/;,|\n]|:::|\s(?:\p{L}{1,4}|&|\p{L}{3,16}:)\s).*\d"
_SHORTEST: Final = 5  # digits of a further number
FAX: Final = r"(?i)fax|t[eé]l[eé]copie|faks|факс|φαξ|传真|pager"  # words for numbers that nobody can talk to
_FAX: Final = re.compile(FAX)
_NATIONAL: Final = r"^[0-9 ()./\-]{5,}$"
_FEWEST_DIGITS: Final = 7  # of a text that counts as a number with words beside it
_LABELLED: Final = r"^[^\d+]*\p{L}|\p{L}[^\d]*$"


def _normalize(text: pl.Expr, _: Column, context: Context) -> pl.Expr:
    """The number in E.164 where it is a valid one, else the text as given.

    National numbers belong to the country of their row; without one, to the profile's region, if it has one.
    """
    return read_by_country(text, context.profile.region, context.country, _normalized)


def _beside(text: pl.Expr, column: Column, context: Context) -> list[pl.Expr]:
    """The numbers of a cell after the first one, with commas between them; null where there is one, or none."""
    further = read_by_country(text, context.profile.region, context.country, _further)
    return [further.alias(f"{FURTHER}{column.field}")]


def _fast_path(texts: pl.Series, _: Column, profile: Profile) -> tuple[pl.Series, pl.Series]:
    """Texts of digits and punctuation as numbers in E.164, and whether each is certain."""
    numbers, region = _bare(texts), profile.region
    if region and (plan := phone_numbering.plan_of(region)):
        in_full = partial(_of_series, pl.lit(f"+{plan.calling_code}") + pl.col("digits"))
        numbers = fill_where(numbers, _of_series(_is_national(pl.col("digits"), plan), numbers), numbers, in_full)
    return numbers, texts.str.contains(_USUAL) & _of_series(
        phone_numbering.is_certain(pl.col("digits"), region), numbers
    )


def _why(before: pl.Expr, after: pl.Expr, *_: object) -> pl.Expr:
    """The reason of a repair, in words."""
    return (
        pl.when(_are_several(before, after))
        .then(pl.lit("first of several numbers"))
        .when(before.str.contains(_REMARKS))
        .then(pl.lit("signs beside the number taken off"))
        .when(before.str.contains(_LABELLED))
        .then(pl.lit("words beside the number taken off"))
        .otherwise(pl.lit("letters left out, or read as digits"))
    )


def _repaired(before: pl.Expr, after: pl.Expr, *_: object) -> pl.Expr:
    """Whether more than punctuation was left out, or letters read as digits; the letters of an extension are form."""
    stray = before.map_batches(_have_stray_signs, return_dtype=pl.Boolean)
    return pl.when(stray | _are_several(before, after)).then(after).str.contains(_E164)


def _are_several(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether a text held more than its first number: more surplus digits than any prefix has."""
    more = before.str.count_matches(r"\d").cast(pl.Int32) - after.str.count_matches(r"\d").cast(pl.Int32)
    return before.str.contains(_SEVERAL) & (more >= _SHORTEST)


def _further(values: pl.Series, region: str | None) -> pl.Series:
    nothing = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())

    def after_the_first(some: pl.Series) -> pl.Series:
        numbers = [_numbers(text, region)[1:] for text in some]
        return pl.Series([", ".join(found) or None for found in numbers], dtype=pl.String)

    several = values.str.contains(_SEVERAL)
    return fill_where(nothing, several, values, lambda some: map_distinct(some, after_the_first))


def left_open(values: pl.Series, region: str | None) -> pl.Series:
    """The distinct numbers that expressions cannot settle; the library decides them."""
    _, open_ones = _settled_and_open(values, region)
    return open_ones.drop_nulls().unique()


def _normalized(values: pl.Series, region: str | None) -> pl.Series:
    settled, open_ones = _settled_and_open(values, region)
    decided = map_distinct(
        open_ones, lambda some: pl.Series([_verdict(text, region) for text in some], dtype=pl.String)
    )
    return settled.fill_null(decided).fill_null(values)


def _settled_and_open(values: pl.Series, region: str | None) -> tuple[pl.Series, pl.Series]:
    """Two series: the certain numbers in E.164, and the doubtful texts; null elsewhere."""
    digits, extension = _digits(values)
    settled = _settled_numbers(digits, extension, region)
    settled = settled.set(values.str.contains(phone_numbering.split_calling_code()), None)
    left = settled.is_null() & values.is_not_null()
    doubtful = fill_where(
        left, left, pl.DataFrame({"text": values, "digits": digits}).to_struct(), partial(_doubtful, region=region)
    )
    return settled, values.set(~doubtful, None)


def _settled(values: pl.Series, region: str | None) -> pl.Series:
    return _settled_and_open(values, region)[0]


def _doubtful(rows: pl.Series, region: str | None) -> pl.Series:
    """Whether the library has to decide: not if digits are too few, nor if no numbering plan has them."""
    text, digits = pl.col("text"), pl.col("digits")
    wrong = phone_numbering.is_wrong(digits)
    if region and (plan := phone_numbering.plan_of(region)):
        national = digits.str.contains("^[1-9]|^0[1-9]") & ~digits.str.contains(plan.starts_otherwise)
        wrong = wrong | (national & phone_numbering.is_wrong(pl.lit(f"+{plan.calling_code}") + digits))
    # Without a region only a plus, or two zeros for it, makes a number readable.
    readable = pl.lit(True) if region else text.str.contains(r"[+＋]|^[ (]*00")
    is_open = readable & ~text.str.contains(_TOO_FEW_DIGITS) & ~wrong.fill_null(False)
    return rows.struct.unnest().with_columns(is_open=is_open).get_column("is_open")


def _verdict(text: str, region: str | None) -> str | None:
    if _SCIENTIFIC.fullmatch(text):
        return None
    if numbers := _numbers(text, region):
        return numbers[0]
    return _one(text, region)


def _numbers(text: str, region: str | None) -> list[str]:
    """The numbers of a text that holds several and nothing else, each once; those of a fax come last, as given."""
    parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    if len(parts) < 2:
        return []
    faxes = [part for part in parts if _FAX.search(part)]
    numbers = [_one(part, region) for part in parts if part not in faxes]
    return list(dict.fromkeys([*(number for number in numbers if number), *faxes])) if numbers and all(numbers) else []


def _one(text: str, region: str | None) -> str | None:
    """The one number of a text, without its labels; None where it has other words."""
    bare = None if _FAX.search(text) else without_labels(text)
    return None if bare is None else phone_numbering.verdict(bare, region)


def _have_stray_signs(values: pl.Series) -> pl.Series:
    found = values.str.contains(_MAY_BE_STRAY)
    return fill_where(found, found, values, lambda some: some.str.replace(_EXTENSION, "").str.contains(_STRAY))


def _digits(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The bare digits (after a plus) of texts in the usual spellings, and their extensions; else null."""
    bare = _bare(values)
    digits = bare.set(~bare.str.contains(_DIGITS), None)
    extension = pl.Series("extension", [None], dtype=pl.String).new_from_index(0, values.len())
    odd = digits.is_null() & values.is_not_null()
    extended = fill_where(odd, odd, values, lambda some: some.str.contains(_EXTENDED))
    if not extended.any():
        return digits, extension
    parts = values.filter(extended).str.extract_groups(_EXTENDED).struct
    places = extended.fill_null(False).arg_true()
    return digits.scatter(places, _bare(parts.field("1"))), extension.scatter(places, parts.field("2"))


def _bare(values: pl.Series) -> pl.Series:
    return _of_series(pl.col("digits").str.replace_many(_PUNCTUATION, [""] * len(_PUNCTUATION)), values)


def _settled_numbers(digits: pl.Series, extension: pl.Series, region: str | None) -> pl.Series:
    """The number in E.164 where it is certain, else null."""
    numbers = digits.set(~digits.str.starts_with("+"), None)
    if region and (plan := phone_numbering.plan_of(region)):
        for read in (_as_it_stands, _with_prefix):
            left = numbers.is_null() & digits.is_not_null()
            numbers = fill_where(numbers, left, digits, partial(_of_series, read(pl.col("digits"), plan)))
    if extension.null_count() < extension.len():
        numbers = (numbers + ";ext=" + extension).fill_null(numbers.set(extension.is_not_null(), None))
    number = pl.col("number")
    return (
        numbers.to_frame("number").select(pl.when(phone_numbering.is_certain(number, region)).then(number)).to_series()
    )


def _of_series(reading: pl.Expr, digits: pl.Series) -> pl.Series:
    return digits.to_frame("digits").select(reading).to_series()


def _as_it_stands(digits: pl.Expr, plan: phone_numbering.Plan) -> pl.Expr:
    """Digits that are a national number, which the library takes apart no further; null where they are not."""
    return pl.when(_is_national(digits, plan)).then(pl.lit(f"+{plan.calling_code}") + digits)


def _is_national(digits: pl.Expr, plan: phone_numbering.Plan) -> pl.Expr:
    return digits.str.contains(plan.national) & ~digits.str.contains(plan.international_prefix)


def _with_prefix(digits: pl.Expr, plan: phone_numbering.Plan) -> pl.Expr:
    """Digits that begin with a calling code, an international prefix or a trunk prefix, as the library reads them.

    Digits that begin with an international prefix are read in no other way.
    """
    code, rest = plan.calling_code, digits.str.slice(len(plan.calling_code))
    at_home = ~digits.str.contains(plan.international_prefix)
    has_code = at_home & digits.str.starts_with(code)
    readings = [pl.when(has_code & rest.str.contains(plan.national)).then("+" + digits)]
    if prefix := plan.plain_international_prefix:
        abroad = digits.str.contains(f"^{prefix}[1-9]")
        readings.append(pl.when(abroad).then("+" + digits.str.slice(len(prefix))))
    if trunk := plan.trunk_prefix:
        local = digits.str.slice(len(trunk))
        dialled = at_home & ~has_code & digits.str.starts_with(trunk) & local.str.contains(plan.national)
        readings.append(pl.when(dialled).then(pl.lit(f"+{code}") + local))
    return pl.coalesce(readings)


def _rules(_: Column, context: Context, *__: object) -> list[CellRule]:
    words = CellRule("phone-words", lambda value: value.str.contains(_E164) | ~_holds_words(value))
    if context.profile.region:
        return [NOT_SCIENTIFIC, words, CellRule("phone-invalid", _is_phone)]

    def is_not_national(value: pl.Expr) -> pl.Expr:
        return ~value.str.contains(_NATIONAL)

    return [
        NOT_SCIENTIFIC,
        words,
        CellRule("phone-no-region", is_not_national),
        CellRule("phone-invalid", lambda value: ~is_not_national(value) | _is_phone(value)),
    ]


def _holds_words(value: pl.Expr) -> pl.Expr:
    """Whether words stand beside what may be a number."""
    return value.str.contains(r"\p{L}") & (value.str.count_matches(r"\d") >= _FEWEST_DIGITS)


def _is_phone(value: pl.Expr) -> pl.Expr:
    return unless(phone_numbering.is_certain, _is_phone_after_all)(value)


def _is_phone_after_all(value: pl.Expr) -> pl.Expr:
    open_to_doubt = value.str.starts_with("+") & ~phone_numbering.is_wrong(value)
    return pl.when(open_to_doubt).then(value).map_batches(_accepted_by_library, return_dtype=pl.Boolean)


def _accepted_by_library(values: pl.Series) -> pl.Series:
    verdicts = [text is not None and phone_numbering.verdict(text, None) == text for text in values]
    return pl.Series(values.name, verdicts, dtype=pl.Boolean)


def _is_placeholder(value: pl.Expr) -> pl.Expr:
    return value.map_batches(_end_alike, return_dtype=pl.Boolean)


def _end_alike(numbers: pl.Series) -> pl.Series:
    """Whether each number ends in the same digit over and over, before its extension if it has one."""
    may_have = numbers.str.len_bytes() > placeholders.LONGEST_WITHOUT_EXTENSION
    bare = change_where(numbers.clone(), may_have, lambda some: some.str.splitn(";", 2).struct.field("field_0"))
    return bare.str.tail(7).is_in(list(placeholders.PHONE_ENDINGS))


def _quick_rule(_: Column, context: Context, *__: object) -> Passes:
    region = context.profile.region
    return lambda value: phone_numbering.is_certain(value, region) & ~_is_placeholder(value)


PHONE: Final = Kind(
    normalize=_normalize,
    fast_path=_fast_path,
    beside=_beside,
    repaired=_repaired,
    why=_why,
    by_country=True,
    taken_apart=False,
    counts_last=lambda cells: cells.str.contains(FAX).fill_null(False),
    labels=lambda label: (label.str.contains(FAX) | opts_out(label)).fill_null(False),
    as_cell=national,
    rules=_rules,
    quick_rule=_quick_rule,
    is_placeholder=_is_placeholder,
)
