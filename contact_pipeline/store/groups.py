"""The names of groups: compared without case and spaces, and written as whoever made the group wrote it."""

from __future__ import annotations

from contact_pipeline.engines import Database


def group_key(name: str) -> str:
    """The SQL expression of that by which the names of groups are compared."""
    return f"replace(lower({name}), ' ', '')"


def known_group(database: Database, address_book: str, name: str) -> str:
    """The name of a group as it is written there; the name as given if there is none."""
    found = database.rows(
        f"""SELECT group_name FROM groups WHERE address_book = ? AND {group_key("group_name")} = {group_key("?")}
            ORDER BY group_name <> ?, created_at LIMIT 1""",
        [address_book, name, name],
    )
    return str(found[0][0]) if found else name
