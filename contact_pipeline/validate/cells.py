"""The rules for single cells, one list for each type of column. Each is named by its code; a null cell passes all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from contact_pipeline.kinds import email_addresses, phone_numbering, placeholders
from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct
from contact_pipeline.kinds.email_typos import MISTAKEN_DOMAIN
from contact_pipeline.kinds.identifier_brazil import KINDS, has_check_digits, has_shape
from contact_pipeline.kinds.postal_code_forms import postal_codes_of
from contact_pipeline.profiles import Column, Profile, calendar
from contact_pipeline.profiles.countries import country_codes
from contact_pipeline.profiles.model import YES_NO
from contact_pipeline.profiles.reference import Reference

Passes = Callable[[pl.Expr], pl.Expr]

_SCIENTIFIC: Final = r"^-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}$"
_ISO: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NATIONAL: Final = r"^[0-9 ()./\-]{5,}$"
_E164: Final = r"^\+[0-9]+(?:;ext=[0-9]+)?$"
_FEWEST_DIGITS: Final = 7  # of a telephone number beside which words are said to stand
_SSN: Final = "^[0-9]{3}-[0-9]{2}-[0-9]{4}$"
_SSN_ISSUED: Final = (
    "^(?:00[1-9]|0[1-9][0-9]|[1-57-8][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])"
    "-(?:0[1-9]|[1-9][0-9])-(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})$"
)
_SSN_NEVER_ISSUED: Final = "^(?:000|666|9|[0-9]{3}-00|[0-9]{3}-[0-9]{2}-0000)"
_ZIP_CODE: Final = "^[0-9]{5}(?:-[0-9]{4})?$"
_MAILBOX: Final = f"^(?i:{'|'.join(each.replace('.', '[.]') for each in placeholders.MAILBOXES)})@"
_FIRST_BIRTH: Final = "1900-01-01"


@dataclass(frozen=True, slots=True)
class CellRule:
    """What a cell must pass.

    Attributes:
        code: name of the defect where it does not.
        passes: whether the value of a column passes; null passes.
        expected: what would be right, in words.
    """

    code: str
    passes: Passes
    expected: str = ""


def cell_rules(column: Column, profile: Profile, reference: Reference, today: date) -> list[CellRule]:
    """The rules for the values of a column, in the order in which a defect is named.

    Args:
        column: the column.
        profile: the profile, for its region.
        reference: known logins and registered values.
        today: the day after which nobody has been born.
    """
    rules = _RULES.get(column.type)
    if rules is None:
        return _registered(column, reference)
    found = [*rules(column, profile), *_placeholder(column)]
    return [*found, *_birth_date(today)] if column.type == "date" and column.field == "date_of_birth" else found


def at_a_glance(column: Column, profile: Profile, today: date) -> Passes | None:
    """A quick rule: what passes it passes every rule for the cells of the column; None: there is no such rule."""
    match column.type:
        case "text":  # what is in scientific notation has a plus
            return lambda value: (value.str.len_bytes() <= column.max_length) & ~value.str.contains("+", literal=True)
        case "email":
            return lambda value: (
                email_addresses.is_plain(value)
                & ~value.str.contains(MISTAKEN_DOMAIN)
                & ~_is_placeholder(value, "email")
            )
        case "phone":
            return lambda value: phone_numbering.is_certain(value, profile.region) & ~_is_placeholder(value, "phone")
        case "date" if column.field == "date_of_birth":
            by = today.isoformat()
            return lambda value: _is_plain_day(value) & (value >= _FIRST_BIRTH) & (value <= by)
        case "date":
            return _is_plain_day
        case "ssn":
            return lambda value: value.str.contains(_SSN_ISSUED) & ~_is_placeholder(value, "ssn")
        case "zip_code" if pattern := _postal_pattern(profile):
            return lambda value: value.str.contains(pattern)
    return None


def _placeholder(column: Column) -> list[CellRule]:
    """Placeholders are in form, so that only values without another defect come to this."""
    if column.type not in placeholders.TYPES or column.placeholders == "take":
        return []
    code = "placeholder" if column.placeholders == "warn" else "placeholder-rejected"
    return [CellRule(code, lambda value: ~_is_placeholder(value, column.type))]


def _is_placeholder(value: pl.Expr, kind: str) -> pl.Expr:
    if kind == "ssn":
        return value.is_in(list(placeholders.SSNS))
    if kind == "phone":
        return value.map_batches(_end_alike, return_dtype=pl.Boolean)
    return value.str.contains(_MAILBOX)


def _end_alike(numbers: pl.Series) -> pl.Series:
    """Whether each number ends in the same digit over and over, before its extension if it has one."""
    may_have = numbers.str.len_bytes() > placeholders.LONGEST_WITHOUT_EXTENSION
    bare = change_where(numbers.clone(), may_have, lambda some: some.str.splitn(";", 2).struct.field("field_0"))
    return bare.str.tail(7).is_in(list(placeholders.PHONE_ENDINGS))


def unless(quick: Passes, careful: Passes) -> Passes:
    """Passes what the quick rule passes; only the distinct rest is looked at with care."""

    def judge(values: pl.Series) -> pl.Series:
        return values.to_frame().select(careful(pl.col(values.name))).to_series()

    def judge_rest(values: pl.Series) -> pl.Series:
        passed = values.to_frame().select(quick(pl.col(values.name))).to_series()
        return fill_where(passed, ~passed, values, lambda some: map_distinct(some, judge))

    return lambda value: value.map_batches(judge_rest, return_dtype=pl.Boolean)


_NOT_SCIENTIFIC: Final = CellRule("excel-scientific", lambda value: ~value.str.contains(_SCIENTIFIC))


def _not_too_long(column: Column) -> CellRule:
    # Bytes are counted in no time, and a text has at least as many of them as characters.
    def passes(value: pl.Expr) -> pl.Expr:
        return (value.str.len_bytes() <= column.max_length) | (value.str.len_chars() <= column.max_length)

    return CellRule("too-long", passes, f"{column.max_length} characters")


def _phone(region: str | None) -> list[CellRule]:
    words = CellRule("phone-words", lambda value: value.str.contains(_E164) | ~_holds_words(value))
    if region:
        return [words, CellRule("phone-invalid", _is_phone)]

    def says_its_country(value: pl.Expr) -> pl.Expr:
        return ~value.str.contains(_NATIONAL)

    return [
        words,
        CellRule("phone-no-region", says_its_country),
        CellRule("phone-invalid", lambda value: ~says_its_country(value) | _is_phone(value)),
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


def _date(column: Column) -> list[CellRule]:
    formats = " or ".join(calendar.in_words(declared) for declared in [*column.formats, calendar.ISO])
    rules = [CellRule("date-format", unless(_is_plain_day, _is_a_day), formats)]
    if len(column.formats) < 2:
        return rules

    def has_one_reading(value: pl.Expr) -> pl.Expr:
        days = [calendar.day(value, declared, column.pivot) for declared in column.formats]
        return ~calendar.differ(days).fill_null(False)

    return [CellRule("date-ambiguous", unless(_is_plain_day, has_one_reading), formats), *rules]


def _is_a_day(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_ISO) & value.str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _is_plain_day(value: pl.Expr) -> pl.Expr:
    return value.str.contains(calendar.EVERY_YEAR)


def both_readings(value: pl.Expr, column: Column) -> pl.Expr:
    """The days that an ambiguous text can be, each with its format in words."""
    readings = [
        pl.format(f"{{}} ({calendar.in_words(declared)})", calendar.reading(value, declared, column.pivot))
        for declared in column.formats
    ]
    return pl.concat_str(readings, separator=" or ", ignore_nulls=True)


def _is_country(value: pl.Expr) -> pl.Expr:
    return value.is_in(sorted(country_codes()))


def _postal_code(profile: Profile) -> list[CellRule]:
    """The rules of each row's country, where a column says it; else that of the profile's region, or the US."""
    region = profile.region or "US"
    if not _says_country(profile):
        return [CellRule("zip-code-format", lambda value: _has_postal_form(value, region), _postal_example(region))]

    def passes(value: pl.Expr) -> pl.Expr:
        both = pl.struct(value.alias("value"), pl.col("country").fill_null(pl.lit(region)))
        return both.map_batches(_have_postal_forms, return_dtype=pl.Boolean)

    def has_country(_: pl.Expr) -> pl.Expr:
        return _is_country(pl.col("country")).fill_null(True)

    return [
        CellRule("zip-code-no-country", has_country),
        CellRule("zip-code-format", passes, "the postal code as its country writes it"),
    ]


def _says_country(profile: Profile) -> bool:
    column = profile.column_of.get("country")
    return column is not None and column.type == "country"


def _postal_pattern(profile: Profile) -> str | None:
    """The pattern of every row's code; None where each row says its country, or its country has no pattern."""
    return None if _says_country(profile) else _pattern_of(profile.region or "US")


def _pattern_of(country: str) -> str | None:
    return _ZIP_CODE if country == "US" else postal_codes_of(country).pattern


def _has_postal_form(value: pl.Expr, country: str) -> pl.Expr:
    pattern = _pattern_of(country)
    return value.str.contains(pattern) if pattern else pl.lit(True)


def _have_postal_forms(rows: pl.Series) -> pl.Series:
    frame = rows.struct.unnest()
    passes = pl.lit(True)
    for country in frame["country"].unique():
        right = _has_postal_form(pl.col("value"), country)
        passes = pl.when(pl.col("country") == country).then(right).otherwise(passes)
    return frame.with_columns(passes=passes).get_column("passes")


def _postal_example(country: str) -> str:
    if country == "US":
        return "five digits, such as 02139, or five and four, such as 02139-4307"
    return f"the code as {postal_codes_of(country).example}"


def _birth_date(today: date) -> list[CellRule]:
    # ISO dates sort as text, so none has to be made a date again; most texts pass without being looked at closer.
    by = today.isoformat()

    def is_no_day(value: pl.Expr) -> pl.Expr:
        return ~value.str.contains(_ISO)

    return [
        CellRule("date-future", unless(lambda value: value <= by, is_no_day)),
        CellRule("date-before-1900", unless(lambda value: value >= _FIRST_BIRTH, is_no_day)),
    ]


def _identifier(column: Column) -> list[CellRule]:
    if not column.identifiers_by:
        return list(_identifier_of(column.identifiers, pl.lit(True))) if column.identifiers else []
    decides = pl.col(str(column.identifiers_column))
    every = dict.fromkeys(kind for kinds in column.identifiers_by.values() for kind in kinds)
    undecided = ~decides.is_in(list(column.identifiers_by)).fill_null(False)
    rules = [rule for value, kinds in column.identifiers_by.items() for rule in _identifier_of(kinds, decides == value)]
    return [*rules, *_identifier_of(list(every), undecided)]


def _identifier_of(kinds: Sequence[str], applies: pl.Expr) -> Iterator[CellRule]:
    """Rules for the rows to which they apply: right check digits, and the shape of one of the kinds."""
    for kind in kinds:
        if kind != "crm":
            yield _check_digits(kind, applies)
    code = "crm-format" if list(kinds) == ["crm"] else "identifier-format"
    expected = ", or ".join(KINDS[kind] for kind in kinds)
    yield CellRule(code, lambda value: ~(applies & ~has_shape(value, kinds)), expected)


def _check_digits(kind: str, applies: pl.Expr) -> CellRule:
    def passes(value: pl.Expr) -> pl.Expr:
        return ~(applies & has_shape(value, [kind]) & ~has_check_digits(value, kind))

    return CellRule(f"{kind}-check-digits", passes)


def _registered(column: Column, reference: Reference) -> list[CellRule]:
    values = list(reference.registered(column))
    if column.type == "login":
        return [CellRule("unknown-login", lambda value: value.is_in(values))]
    code = "not-a-choice" if column.choices else "not-in-vocabulary"
    if column.type == "choice":
        return [CellRule(code, lambda value: value.is_in(values))]
    if column.choices or column.vocabulary:
        return [CellRule(code, lambda items: items.list.eval(pl.element().is_in(values)).list.all())]
    return []


def _answers(column: Column) -> list[CellRule]:
    allowed = [YES_NO[word] for word in column.choices]
    return [CellRule("not-a-choice", lambda value: value.is_in(allowed))] if allowed else []


_RULES: Final[Mapping[str, Callable[[Column, Profile], list[CellRule]]]] = {
    "text": lambda column, _: [_NOT_SCIENTIFIC, _not_too_long(column)],
    "name": lambda column, _: [_not_too_long(column)],
    "email": lambda *_: [
        CellRule(
            "email-syntax", lambda value: value.map_batches(email_addresses.are_addresses, return_dtype=pl.Boolean)
        ),
        CellRule("email-domain-typo", lambda value: ~value.str.contains(MISTAKEN_DOMAIN)),
    ],
    "phone": lambda _, profile: [_NOT_SCIENTIFIC, *_phone(profile.region)],
    "date": lambda column, _: _date(column),
    "ssn": lambda *_: [
        _NOT_SCIENTIFIC,
        CellRule("ssn-format", lambda value: value.str.contains(_SSN)),
        CellRule("ssn-never-issued", lambda value: ~value.str.contains(_SSN_NEVER_ISSUED)),
    ],
    "zip_code": lambda _, profile: [_NOT_SCIENTIFIC, *_postal_code(profile)],
    "country": lambda *_: [CellRule("country-unknown", _is_country)],
    "identifier": lambda column, _: [_NOT_SCIENTIFIC, *_identifier(column), _not_too_long(column)],
    "boolean": lambda column, _: _answers(column),  # what could not be read stands in a column of its own
}
