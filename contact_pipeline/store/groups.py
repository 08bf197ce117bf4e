"""The names of groups: compared without case and spaces, and written as whoever made the group wrote it."""

from __future__ import annotations

from contact_pipeline.engines import Tables, literal


def group_key(name: str) -> str:
    """The SQL expression by which the names of groups are compared."""
    return f"replace(lower({name}), ' ', '')"


def known_group(database: Tables, address_book: str, name: str) -> str:
    """The name of a group as the address book spells it, or as an undone upload did; else the name as given.

    So a name has one spelling in the history of an address book, and a redo finds no other.
    """
    found = find_group(database, address_book, name)
    if found is not None:
        return found
    once = database.value(f"""
        SELECT group_name FROM membership_changes JOIN commits USING (commit_number)
        WHERE {_called(address_book, name)} ORDER BY group_name <> {literal(name)}, commit_number LIMIT 1""")
    return name if once is None else str(once)


def find_group(database: Tables, address_book: str, name: str) -> str | None:
    """The name of a group as the address book spells it; None if there is no such group."""
    found = database.value(f"""
        SELECT group_name FROM groups
        WHERE {_called(address_book, name)} ORDER BY group_name <> {literal(name)}, created_at LIMIT 1""")
    return None if found is None else str(found)


def _called(address_book: str, name: str) -> str:
    """The condition that a group is of that address book and has that name, in any spelling."""
    same = f"{group_key('group_name')} = {group_key(literal(name))}"
    return f"address_book = {literal(address_book)} AND {same}"
