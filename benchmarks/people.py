"""Made-up people, each a function of a number: the same number is the same person in every file and on every machine.

Nobody real is meant. Addresses are under example.com, .net and .org. Telephone numbers are of the exchange 555 of the
area codes of the US, first those that are reserved for fiction (555-0100 to 555-0199) and then the others, which no
ordinary subscriber has; every 25th is of the ranges that Ofcom keeps for drama. Social security numbers are of areas
above 772, which were given to nobody before 2011; there is no range that is valid and reserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import phonenumbers
import polars as pl

FIELDS: Final = (
    "first_name", "last_name", "email", "phone", "account_number", "date_of_birth", "zip_code", "ssn", "segment",
    "remark",
)  # fmt: skip
SEGMENTS: Final = ("customer", "lead", "partner", "vendor")

_FIRST: Final = (
    "Ada", "Alma", "Amos", "Anita", "Arlo", "Basil", "Bela", "Carla", "Cedric", "Clara", "Cora", "Dario", "Delia",
    "Dexter", "Edda", "Elena", "Elias", "Emil", "Esther", "Fabian", "Felix", "Fiona", "Flora", "Gideon", "Gloria",
    "Greta", "Gwen", "Hanna", "Hector", "Hugo", "Ida", "Igor", "Irma", "Ivan", "Jana", "Jasper", "Joel", "Judith",
    "Julia", "Karim", "Kira", "Lea", "Leon", "Lorna", "Lucia", "Magda", "Marco", "Mina", "Mona", "Nadia", "Nestor",
    "Nora", "Olga", "Oscar", "Otto", "Paula", "Pedro", "Petra", "Quentin", "Ramona", "Rosa", "Ruben", "Sandro",
    "Silvia", "Stella", "Tamara", "Theo", "Tilda", "Ulla", "Vera", "Victor", "Wanda", "Xenia", "Yara", "Yusuf", "Zora",
    "Zoë", "André", "Anna Lena", "Jean-Paul", "Łucja", "Søren", "Thị Hà", "Анна", "李", "محمد",
)  # fmt: skip
_LAST: Final = (
    "Abbot", "Acker", "Alder", "Amber", "Archer", "Ashby", "Bailey", "Barlow", "Becker", "Birch", "Bishop", "Bolton",
    "Brandt", "Burgess", "Carver", "Castillo", "Chandler", "Clayton", "Cooper", "Corbin", "Cortez", "Dalton", "Dawson",
    "Delgado", "Draper", "Dunbar", "Eaton", "Ellis", "Farmer", "Fischer", "Fletcher", "Forster", "Fowler", "Fuentes",
    "Gardner", "Gibbons", "Glover", "Granger", "Hale", "Harper", "Hayward", "Heath", "Holden", "Hooper", "Hunter",
    "Ibarra", "Ingram", "Jansen", "Jarvis", "Keller", "Kramer", "Lambert", "Lang", "Larsen", "Lozano", "Marsh",
    "Mason", "Mercer", "Miller", "Molina", "Monroe", "Napier", "Navarro", "Nolan", "Norton", "Ochoa", "Osborn",
    "Palmer", "Parish", "Pastor", "Pike", "Porter", "Quinn", "Rader", "Reeve", "Romero", "Sawyer", "Schmidt", "Shaw",
    "Slater", "Sutton", "Tanner", "Thorne", "Tucker", "Turner", "Ulrich", "Vance", "Vidal", "Wagner", "Walker",
    "Weaver", "Weber", "Wheeler", "Woodward", "Yates", "Zamora",
    "O'Hara", "McAdams", "de la Vega", "Müller", "Hale-Norton", "Åkesson", "Ibáñez", "van der Meer", "Đỗ", "王",
)  # fmt: skip
_NAMES: Final = len(_FIRST) * len(_LAST)
NEW_LAST_NAMES: Final = ("Ashdown", "Bellweather", "Copperfield", "Dunmore", "Eastlake", "Fairbank", "Greenhalgh")
_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example.com", "office.example.org")
_DRAMA: Final = ("44113496", "44114496", "44116496", "44117496", "44118496", "44121496", "44131496",
                 "44141496", "44151496", "44161496", "44191498", "44207946")  # fmt: skip
_KEPT: Final = 20  # area codes of which nobody has a number, so that a changed number is nobody else's


def chance(number: pl.Expr, what: int) -> pl.Expr:
    """A number in [0, 1) for each person or row, the same each time, different for each `what`."""
    mixed = number.cast(pl.UInt64) + pl.lit((what + 1) * 0x9E3779B97F4A7C15 % 2**64, pl.UInt64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed // 2**shift)) * pl.lit(factor, pl.UInt64)
    return (mixed // 2**11).cast(pl.Float64) / 2**53


def choice(number: pl.Expr, what: int, count: int) -> pl.Expr:
    """One of `count`, from 0, for each person or row."""
    return (chance(number, what) * count).cast(pl.Int64)


def one_of(values: Sequence[str | None], places: pl.Expr) -> pl.Expr:
    """The value at each place."""
    return pl.lit(pl.Series(values, dtype=pl.String)).gather(places)


def has_account(person: pl.Expr) -> pl.Expr:
    """Whether the person has an account number, as nine of ten have."""
    return chance(person, 1) >= 0.1


def people(person: pl.Expr, namesake: pl.Expr | None = None) -> dict[str, pl.Expr]:
    """The people of these numbers: field → value in its canonical form.

    No two have the same address, account number, or name together with telephone number.

    Args:
        person: their numbers.
        namesake: numbers of the people whose names and telephone numbers some of them have; null: their own.
    """
    namesake = pl.lit(None, pl.Int64) if namesake is None else namesake
    name, phone = _identity(pl.coalesce(namesake, person))
    account = pl.format("AC{}", ((person * 7_368_787 + 13) % 1_000_000_007).cast(pl.String).str.zfill(10))
    born = pl.date(1940, 1, 1) + pl.duration(days=choice(person, 3, 23_700))  # to 2004
    ssn = pl.format(
        "{}-{}-{}",
        choice(person, 4, 127) + 773,
        (choice(person, 5, 99) + 1).cast(pl.String).str.zfill(2),
        (choice(person, 6, 9_999) + 1).cast(pl.String).str.zfill(4),
    )
    zip_code = (choice(person, 7, 99_449) + 501).cast(pl.String).str.zfill(5)
    return {
        "first_name": one_of(_FIRST, name % len(_FIRST)),
        "last_name": one_of(_LAST, name // len(_FIRST)),
        "email": pl.format("person.{}@{}", person, one_of(_DOMAINS, choice(person, 8, len(_DOMAINS)))),
        "phone": pl.when((chance(person, 2) >= 0.05) | namesake.is_not_null()).then(phone),
        "account_number": pl.when(has_account(person)).then(account),
        "date_of_birth": born.dt.strftime("%Y-%m-%d"),
        "zip_code": pl.when(chance(person, 9) >= 0.05).then(zip_code),
        "ssn": pl.when(chance(person, 10) >= 0.5).then(ssn),
        "segment": one_of(SEGMENTS, choice(person, 11, len(SEGMENTS))),
        "remark": _remark(person, choice(person, 12, 10)),
    }


def other_phone(person: pl.Expr) -> pl.Expr:
    """For each person a telephone number that nobody has."""
    line = choice(person, 13, 10_000).cast(pl.String).str.zfill(4)
    return pl.format("+1{}555{}", one_of(area_codes()[-_KEPT:], choice(person, 14, _KEPT)), line)


@cache
def area_codes() -> tuple[str, ...]:
    """The area codes of the US in which numbers of the exchange 555 are ordinary valid ones."""
    codes = []
    for code in range(201, 990):
        number = phonenumbers.parse(f"+1{code}5550100")
        ordinary = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        if ordinary and phonenumbers.is_valid_number_for_region(number, "US"):
            codes.append(str(code))
    return tuple(codes)


def _identity(person: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Name and telephone number. Numbers come round again after some millions, each time with another name."""
    areas = area_codes()[:-_KEPT]
    abroad, at_home = person // 25, person - person // 25 - 1
    many_abroad, many_at_home = 1_000 * len(_DRAMA), 10_000 * len(areas)
    is_abroad = person % 25 == 0
    place = pl.when(is_abroad).then(abroad % many_abroad).otherwise(at_home % many_at_home)
    turn = pl.when(is_abroad).then(abroad // many_abroad).otherwise(at_home // many_at_home)
    line = place // len(areas)
    # Of every area the hundred numbers for fiction come first, which are the second hundred.
    line = pl.when(line < 100).then(line + 100).when(line < 200).then(line - 100).otherwise(line)
    foreign = (place // len(_DRAMA) % 1_000).cast(pl.String).str.zfill(4)
    phone = (
        pl.when(is_abroad)
        .then(pl.format("+{}{}", one_of(_DRAMA, place % len(_DRAMA)), foreign))
        .otherwise(pl.format("+1{}555{}", one_of(areas, place % len(areas)), line.cast(pl.String).str.zfill(4)))
    )
    return (turn + place * 7_919) % _NAMES, phone


def _remark(person: pl.Expr, kind: pl.Expr) -> pl.Expr:
    return (
        pl.when(kind < 5).then(None)
        .when(kind == 5).then(pl.format('Said "call back", then hung up #{}', person))
        .when(kind == 6).then(pl.format("Naïve café; prefers e-mail, not phone #{}", person))
        .otherwise(pl.format("Met at trade show {}", person))
    )  # fmt: skip
