"""The contacts of an address book with their match keys, copied out so that comparing them locks nobody out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from contact_pipeline.engines import Tables, literal, open_database, quoted
from contact_pipeline.errors import Refusal
from contact_pipeline.match.keys import NAMES, filled, key_column, keyed, whole_keys
from contact_pipeline.match.part import NAME_PARTS, Part, parts_of
from contact_pipeline.profiles import NAME, MatchRule, Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.store import Store
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.temporary import temporary_folder
from contact_pipeline.terms import CANONICAL

SHARED_BY: Final = 50  # a value that more contacts share distinguishes nobody, and would make too many pairs

# Fields in which many people are alike. They do not show that two contacts are one person.
_OF_MANY: Final = frozenset({
    "contact_type", "job_title", "region", "country", "lead_type", "module", "status", "portfolio",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Values that were not compared, because too many contacts share them.

    Attributes:
        fields: whose values they are, taken together.
        values: how many there are.
        contacts: how many contacts have them.
    """

    fields: tuple[str, ...]
    values: int
    contacts: int

    def __str__(self) -> str:
        values = "1 value" if self.values == 1 else f"{self.values:,} values"
        return (
            f"{values} of {' and '.join(self.fields)} not compared: shared by more than {SHARED_BY} contacts each "
            f"({self.contacts:,} in all)."
        )


def contact_part(profile: Profile) -> Part:
    """The part of contacts by the profile's rules, as if a file had every column.

    Raises:
        Refusal: the profile has no rule by which contacts are found (code `no-contact-rules`).
    """
    parts = parts_of(profile, UploadOptions(), [column.field for column in profile.columns], {})
    part = next((each for each in parts if each.entity == "contact"), None)
    if part is None or not part.rules:
        raise Refusal(
            "no-contact-rules",
            f"Profile {profile.name} has no rule by which contacts are the same.",
            "Name a profile that matches contacts; `contact-pipeline profiles` lists them.",
        )
    return part


def compared_fields(part: Part) -> list[str]:
    """The fields whose likeness counts: the name as a whole, and texts that can tell people apart.

    A profile's own field counts only if a rule compares it: it may be the number of a record, which no two share.
    """
    named = [NAME] if any(name in part.kinds for name in NAME_PARTS) else []
    telling = {*CANONICAL, *part.key_fields} - {*NAME_PARTS, *_OF_MANY, NAME}
    return [*named, *(name for name, kind in part.kinds.items() if kind == "text" and name in telling)]


def comparing(part: Part) -> Part:
    """The part with keys for every field whose likeness counts, beside those that its rules compare."""
    return replace(part, rules=(*part.rules, MatchRule(equal=compared_fields(part))))


@contextmanager
def workspace(store: Store) -> Iterator[Tables]:
    """A database in the home's folder for temporary files, for as long as the block lasts."""
    with store.open(read_only=True):  # made, and up to date
        pass
    with (
        TemporaryDirectory(dir=temporary_folder(store.settings.home)) as folder,
        open_database(Path(folder) / "compared.duckdb", store.settings) as database,
    ):
        yield database


def copy_contacts(database: Tables, store: Store, profile: Profile, part: Part, group: str | None = None) -> int:
    """Makes the table all_keys, and links: the active contacts of the address book; how many there are.

    all_keys: contact_id, the same as row_number, in_group, and a key for each field that is compared.

    Args:
        database: a workspace.
        store: whose contacts they are.
        profile: whose address book they are of.
        part: whose rules compare them.
        group: name of a group; in_group is true for its members. Unset: for everybody.
    """
    with database.attached(store.settings.contacts_path, "book", wait_seconds=store.settings.lock_wait_seconds):
        within = "true"
        if group is not None:
            members = f"address_book = {literal(profile.address_book)} AND group_name = {literal(group)}"
            within = f"e.contact_id IN (SELECT contact_id FROM book.memberships WHERE {members})"
        keys = keyed(
            comparing(part),
            "book.contacts",
            database.columns("book.contacts"),
            "e.contact_id AS row_number",
            "e.contact_id",
            f"{within} AS in_group",
        )
        count = database.make(
            "all_keys",
            f"""
            {keys}
            WHERE address_book = {literal(profile.address_book)} AND active
                  AND e.contact_id NOT IN ({ERASED.format("book.")})""",
        )
        database.make(
            "persons",
            """
            WITH linked AS (SELECT contact_id, min(linked_to) AS person FROM book.links GROUP BY contact_id)
            SELECT all_keys.contact_id, coalesce(person, all_keys.contact_id) AS person
            FROM all_keys LEFT JOIN linked ON linked.contact_id = all_keys.contact_id""",
        )
    return count


def set_aside(database: Tables, part: Part) -> list[LeftOut]:
    """Makes the view `compared`: all_keys, with values that too many share made unique, so that they agree with none.

    They still differ from other values, so that no further contacts become one person.

    Args:
        database: a workspace with all_keys.
        part: whose rules are asked.

    Returns:
        The values that are not compared.
    """
    left: list[LeftOut] = []
    apart: dict[str, list[str]] = {}
    for number, fields in enumerate(dict.fromkeys(whole_keys(part))):
        if out := _shared(database, fields, f"shared_{number}"):
            left.append(out)
            one = next((name for name in fields if name not in NAMES), fields[0])
            apart.setdefault(one, []).append(f"contact_id IN (FROM shared_{number})")
    columns = []
    for name in database.columns("all_keys"):
        field = name.removeprefix("key_")
        column = quoted(name)
        if field in apart and name.startswith("key_"):
            unique = f"{column} || chr(31) || contact_id"
            column = f"CASE WHEN {' OR '.join(apart[field])} THEN {unique} ELSE {column} END AS {column}"
        columns.append(column)
    database.view("compared", f"SELECT {', '.join(columns)} FROM all_keys")
    return left


def _shared(database: Tables, fields: Collection[str], table: str) -> LeftOut | None:
    """Makes a table of the contacts whose values in these fields more than `SHARED_BY` contacts have together."""
    names = ", ".join(map(key_column, fields))
    groups = f"SELECT {names} FROM all_keys WHERE {filled(fields)} GROUP BY {names} HAVING count(*) > {SHARED_BY}"
    contacts = database.make(table, f"SELECT contact_id FROM all_keys SEMI JOIN ({groups}) USING ({names})")
    return LeftOut(tuple(fields), database.value(f"SELECT count(*) FROM ({groups})"), contacts) if contacts else None


def pairs_within(size: str) -> str:
    """The SQL expression of how many pairs a number of contacts makes."""
    return f"({size}) * (({size}) - 1) // 2"
