"""The names of groups: compared without case and spaces, and written as whoever made the group wrote it."""

from __future__ import annotations

from contact_pipeline.engines import Tables, literal


def group_key(name: str) -> str:
    """The SQL expression of that by which the names of groups are compared."""
    return f"replace(lower({name}), ' ', '')"


def known_group(database: Tables, address_book: str, name: str) -> str:
    """The name of a group as it is written there, or was in an upload that is undone; else the name as given.

    So one name has one spelling in the history of an address book, and a redo meets no other.
    """
    found = find_group(database, address_book, name)
    if found is not None:
        return found
    once = database.value(f"""
        SELECT group_name FROM membership_changes JOIN commits USING (commit_number)
        WHERE {_called(address_book, name)} ORDER BY group_name <> {literal(name)}, commit_number LIMIT 1""")
    return name if once is None else str(once)


def find_group(database: Tables, address_book: str, name: str) -> str | None:
    """The name of a group as it is written there; None if there is none."""
    found = database.value(f"""
        SELECT group_name FROM groups
        WHERE {_called(address_book, name)} ORDER BY group_name <> {literal(name)}, created_at LIMIT 1""")
    return None if found is None else str(found)


def _called(address_book: str, name: str) -> str:
    """The condition that a group is of that address book and of that name, however it is written."""
    same = f"{group_key('group_name')} = {group_key(literal(name))}"
    return f"address_book = {literal(address_book)} AND {same}"
