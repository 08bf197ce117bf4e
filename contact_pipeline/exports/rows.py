"""The query for the contacts or accounts of a file, and the refusal of filters that cannot match anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from contact_pipeline.contracts.tables import SQL_TYPE
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.errors import Refusal, Usage, listed
from contact_pipeline.exports.layout import Cell, Layout, Stored
from contact_pipeline.exports.model import Condition, Inactive
from contact_pipeline.profiles import NAME, Profile
from contact_pipeline.profiles.model import YES_NO
from contact_pipeline.profiles.problems import meant
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.store.groups import group_key
from contact_pipeline.terms import ACCOUNT_FIELDS

# Columns beside the fields; no field begins with an underscore.
ID: Final = "_id"
LINKED: Final = "_linked"  # whether an older contact is the same person
HAS_ACCOUNT: Final = "_has_account"  # whether the account of its number exists
PEOPLE: Final = "_people"  # how many contacts an account has


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a file, beside those of its export profile.

    Attributes:
        address_book: only those of this address book.
        group: only contacts of this group.
        portfolio: only accounts in this portfolio, or their contacts; blank or the word for none: in none.
        account_type: only accounts of this type, or their contacts.
        inactive: what happens to inactive contacts; None: as in the export profile.
        published: whether to take the published values, without held changes.
        where: field → value that it must have; blank: the field must be blank.
    """

    address_book: str | None = None
    group: str | None = None
    portfolio: str | None = None
    account_type: str | None = None
    inactive: Inactive | None = None
    published: bool = False
    where: dict[str, str] = field(default_factory=dict)


def refuse_what_does_not_fit(layout: Layout, wanted: Wanted) -> None:
    """Tests that the filters fit the layout.

    Raises:
        Usage: a filter is for contacts and the file is of accounts, there is no such field, or a field of yes and no,
            or of numbers, is compared with another word (code `usage`).
    """
    if layout.of == "accounts":
        given = {"--group": wanted.group, "--inactive": wanted.inactive, "--published": wanted.published}
        for option, value in given.items():
            if value:
                fix = "An account's status says whether it is active: --where status=INACTIVE." * (
                    option == "--inactive"
                )
                raise Usage("usage", f"{option} is for contacts, and {layout.name} exports accounts.", fix)
    known = _known(layout)
    for name, value in wanted.where.items():
        if name not in known:
            raise Usage(
                "usage", f"--where {name}=…: {layout.name} has no field '{name}'.", _known_words(name, known, "field")
            )
        if known[name] == "number" and value.strip() and not value.strip().isdecimal():
            raise Usage("usage", f"--where {name}={value}: '{name}' holds a number.", f"Write --where {name}=12.")
        if known[name] == "boolean" and value.strip() and value.strip().casefold() not in YES_NO:
            raise Usage("usage", f"--where {name}={value}: '{name}' holds yes or no.", f"Write --where {name}=yes.")


def rows_query(database: Tables, layout: Layout, wanted: Wanted, profiles: Iterable[Profile]) -> str:
    """The query for the rows: an id, a column for each field of the file, and columns for `left_out`.

    Args:
        database: the contact database.
        layout: of the file.
        wanted: the further filters.
        profiles: the import profiles, for their words for "no owner".

    Raises:
        Refusal: there is no such group (`group-unknown`), address book (`address-book-unknown`), portfolio
            (`portfolio-unknown`) or type of accounts (`account-type-unknown`).
    """
    columns = [column for profile in profiles for column in profile.columns]
    nobodys = {"", *(each.nothing.casefold() for each in columns if each.type == "login" and each.nothing)}
    types = [word for column in columns if column.field == "account_type" for word in column.choices]
    layout, wanted = _by_known_names(database, layout, wanted, nobodys, types)
    if layout.of == "accounts":
        return _accounts(database, layout, wanted, nobodys)
    return _contacts(database, layout, wanted, nobodys)


def fields_besides(database: Tables, layout: Layout) -> list[tuple[str, Stored, bool]]:
    """Fields of the home's contacts that are not in the file: name, how it is stored, whether it is sensitive."""
    columns = {cell.field for cell in layout.filled}
    found = database.rows("SELECT name, kind, sensitive FROM fields ORDER BY name")
    return [(name, kind, sensitive) for name, kind, sensitive in found if name not in columns]


def _contacts(database: Tables, layout: Layout, wanted: Wanted, nobodys: Collection[str]) -> str:
    view = "published_" if wanted.published else ""
    columns = database.columns(f"{view}contacts")
    of_account = [name for name in ACCOUNT_FIELDS if name not in {"account_number", *columns}]
    accounts = ", ".join(f"any_value({name}) AS {name}" for name in of_account) or "NULL::VARCHAR AS nothing"
    inactive = wanted.inactive or layout.filter.inactive
    conditions = [
        f"contact_id NOT IN ({ERASED.format('')})",
        {"leave_out": "active", "include": "true", "only": "NOT active"}[inactive],
        *_of_books(layout, wanted),
        *_of_groups(layout, wanted, view),
        *_of_fields(layout, wanted, [*columns, *of_account, "groups"], nobodys),
    ]
    fields = _selected(layout.filled, [*columns, *of_account, "groups"])
    return f"""
        WITH member AS (
            SELECT contact_id, list(group_name ORDER BY group_name) AS groups
            FROM {view}memberships GROUP BY contact_id
        ),
        account AS (
            SELECT address_book, account_number, true AS is_account, {accounts} FROM accounts GROUP BY ALL
        ),
        older AS (
            SELECT DISTINCT contact_id, true AS is_linked FROM {view}links
            WHERE linked_to IN (SELECT contact_id FROM {view}contacts)
        )
        SELECT contact_id AS {ID}, coalesce(is_linked, false) AS {LINKED},
               coalesce(is_account, false) AS {HAS_ACCOUNT}{fields}
        FROM {view}contacts LEFT JOIN member USING (contact_id) LEFT JOIN older USING (contact_id)
             LEFT JOIN account USING (address_book, account_number)
        WHERE {" AND ".join(conditions)}
        ORDER BY {_order(layout, [*columns, *of_account, "groups"], "contact_id")}"""


def _accounts(database: Tables, layout: Layout, wanted: Wanted, nobodys: Collection[str]) -> str:
    columns = database.columns("accounts")
    conditions = [*_of_books(layout, wanted), *_of_fields(layout, wanted, columns, nobodys), "true"]
    people, joined, of_person = _people(database, layout.profile)
    fields = _selected([cell for cell in layout.filled if cell.field not in of_person], columns)
    own = "".join(f", person.{quoted(name)}" for name in of_person)
    return f"""
        {people}
        SELECT account_id AS {ID}, {f"coalesce({PEOPLE}, 0)" if joined else "0"} AS {PEOPLE}{fields}{own}
        FROM accounts {joined}
        WHERE {" AND ".join(conditions)}
        ORDER BY {_order(layout, columns, "account_id")}"""


def _people(database: Tables, profile: Profile | None) -> tuple[str, str, list[str]]:
    """For each account, its oldest contact that the account's row identifies uniquely.

    Returns:
        The WITH clause, the join, and the columns that the contact fills.
    """
    people = profile.account_contacts if profile else None
    if people is None:
        return "", "", []
    columns = database.columns("contacts")
    by = {name: column for name, column in people.fields.items() if column in ACCOUNT_FIELDS}
    of_person = {column: name for name, column in people.fields.items() if column not in ACCOUNT_FIELDS}
    agree = [f"c.{_column(name, columns)} = a.{quoted(column)}" for name, column in by.items()] or ["false"]
    told_apart = [f"lower(strip_accents(c.{_column(name, columns)}))" for rule in people.match for name in rule.fields
                  if name not in by and name != NAME]  # fmt: skip
    names = "".join(f", c.{_column(name, columns)} AS {quoted(column)}" for column, name in of_person.items())
    query = f"""
        WITH person AS (
            SELECT a.account_id, c.active, count(*) FILTER (c.active) OVER (PARTITION BY a.account_id) AS {PEOPLE},
                   count(*) OVER (PARTITION BY {", ".join(["a.account_id", *dict.fromkeys(told_apart)])}) AS alike,
                   c.contact_id{names}
            FROM (SELECT *, NULL::VARCHAR AS nothing FROM contacts) AS c JOIN accounts AS a
                 ON c.address_book = a.address_book AND {" AND ".join(agree)}
            WHERE c.contact_id NOT IN ({ERASED.format("")})
        ),
        one AS (
            SELECT account_id, max({PEOPLE}) AS {PEOPLE}, arg_min(person, contact_id) FILTER (active AND alike = 1) AS p
            FROM person GROUP BY account_id
        ),
        chosen AS (
            SELECT account_id, {PEOPLE}{"".join(f", p.{quoted(column)}" for column in of_person)} FROM one
        )"""
    return query, "LEFT JOIN chosen AS person USING (account_id)", list(of_person)


def _column(name: str, columns: Collection[str]) -> str:
    return quoted(name) if name in columns else "nothing"


def _selected(cells: Iterable[Cell], columns: Collection[str]) -> str:
    names = dict.fromkeys((cell.field or "", cell.stored) for cell in cells)
    return "".join(
        f", {quoted(name) if name in columns else 'NULL'}::{_sql_type(stored)} AS {quoted(name)}"
        for name, stored in names
    )


def _of_books(layout: Layout, wanted: Wanted) -> list[str]:
    books = dict.fromkeys((layout.filter.address_book, wanted.address_book))
    return [f"address_book = {literal(book)}" for book in books if book]


def _of_groups(layout: Layout, wanted: Wanted, view: str) -> list[str]:
    return [
        f"contact_id IN (SELECT contact_id FROM {view}memberships"
        f" WHERE {group_key('group_name')} = {group_key(literal(group))})"
        for group in (layout.filter.group, wanted.group)
        if group
    ]


def _of_fields(layout: Layout, wanted: Wanted, columns: Sequence[str], nobodys: Collection[str]) -> list[str]:
    asked = {"portfolio": wanted.portfolio, "account_type": wanted.account_type, **wanted.where}
    besides = [
        Condition(field=name, blank=True) if _is_blank(name, value, nobodys) else Condition(field=name, equals=value)
        for name, value in asked.items()
        if value is not None
    ]
    kinds = _known(layout)
    return [
        _met(condition, kinds.get(condition.field, "text"), columns) for condition in (*layout.filter.where, *besides)
    ]


def _is_blank(name: str, value: str, nobodys: Collection[str]) -> bool:
    return value.strip().casefold() in (nobodys if name == "portfolio" else {""})


def _met(condition: Condition, stored: Stored, columns: Collection[str]) -> str:
    """The SQL condition; a field without a column is blank."""
    name = quoted(condition.field) if condition.field in columns else f"NULL::{_sql_type(stored)}"
    if condition.blank is not None:
        blank = f"coalesce(len({name}), 0) = 0" if stored == "list" else f"coalesce({name}::VARCHAR, '') = ''"
        return blank if condition.blank else f"NOT ({blank})"
    values = condition.one_of or [condition.equals or ""]
    if stored == "boolean":
        allowed_values = [YES_NO[value.strip().casefold()] for value in values if value.strip().casefold() in YES_NO]
        return f"{name} IN ({', '.join(map(str, allowed_values)) or 'NULL'})"
    allowed = ", ".join(f"lower({literal(value.strip())})" for value in values)
    if stored == "list":
        return f"list_has_any(list_transform(coalesce({name}, []), lambda value: lower(value)), [{allowed}])"
    return f"lower({name}::VARCHAR) IN ({allowed})"


def _order(layout: Layout, columns: Collection[str], last: str) -> str:
    names = (name for name in layout.order if name.removeprefix("-") in columns)
    sorted_by = [f"{quoted(n.removeprefix('-'))} {'DESC' if n.startswith('-') else 'ASC'} NULLS LAST" for n in names]
    return ", ".join([*sorted_by, last])


def _known(layout: Layout) -> dict[str, Stored]:
    own: dict[str, Stored] = {cell.field: cell.stored for cell in layout.filled if cell.field}
    return {**layout.filterable, **own}


def _by_known_names(
    database: Tables, layout: Layout, wanted: Wanted, nobodys: Collection[str], types: Sequence[str]
) -> tuple[Layout, Wanted]:
    """The filters with names as the home spells them; unknown names are refused, as the file would be empty."""
    groups = "group_name FROM groups"
    books = "address_book FROM contacts UNION SELECT address_book FROM accounts"
    portfolios = "portfolio FROM accounts UNION SELECT login FROM users"

    def known(what: str, given: str | None, source: str, besides: Collection[str] = ()) -> str | None:
        if given is None:
            return None
        found = database.rows(f"SELECT DISTINCT * FROM (SELECT {source}) AS t(name) WHERE name <> '' ORDER BY ALL")
        names: list[str] = [*(name for (name,) in found), *besides]
        same = [name for name in names if _folded(name) == _folded(given)]
        if not same:
            raise Refusal(
                f"{what.replace(' ', '-')}-unknown", f"There is no {what} '{given}'.", _known_words(given, names, what)
            )
        return min(same, key=lambda name: (name != given, name.casefold() != given.casefold()))

    own = layout.filter.model_copy(update={"group": known("group", layout.filter.group, groups)})
    return replace(layout, filter=own), replace(
        wanted,
        group=known("group", wanted.group, groups),
        address_book=known("address book", wanted.address_book, books),
        portfolio=known("portfolio", wanted.portfolio, portfolios, nobodys),
        account_type=known("account type", wanted.account_type, "account_type FROM accounts", types),
    )


def _folded(name: str) -> str:
    return "".join(name.casefold().split())


def _known_words(given: str, known: Iterable[str], what: str) -> str:
    words = list(dict.fromkeys(word for word in known if word))
    near = meant(given, words)
    return near[:1].upper() + near[1:] if near else f"Known: {listed(words)}." if words else f"No {what} is known."


def _sql_type(stored: Stored) -> str:
    return "BIGINT" if stored == "number" else SQL_TYPE[stored]
