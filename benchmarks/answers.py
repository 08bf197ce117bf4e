"""Compares what an import did with the answers that make_contacts wrote beside the file.

    python -m benchmarks.answers DATA CONTACTS.duckdb STAGED.duckdb
    python -m benchmarks.answers --undone DATA CONTACTS.duckdb

Prints how many rows or contacts differ, point by point; all zero is a right import, or a right undoing of it. CONTACTS
has a table `contacts` and one `contact_changes`, STAGED the tables `outcome_rows` and `rejections`, with the columns
that the pipeline gives them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.people import FIELDS

_CHANGED: Final = ", ".join(
    f"CASE WHEN before_{field} IS DISTINCT FROM after_{field} THEN '{field}' END" for field in sorted(FIELDS)
)
_POINTS: Final = {
    "outcome": "SELECT count(*) FROM told FULL JOIN outcome_rows AS got USING (row_number) "
    "WHERE told.outcome IS DISTINCT FROM got.outcome",
    "contact_id": "SELECT count(*) FROM told JOIN outcome_rows AS got USING (row_number) "
    "WHERE told.contact_id IS NOT NULL AND told.contact_id IS DISTINCT FROM got.contact_id",
    "duplicate_of_row": "SELECT count(*) FROM told JOIN outcome_rows AS got USING (row_number) "
    "WHERE told.duplicate_of_row IS DISTINCT FROM got.duplicate_of_row",
    "changed": f"""
        SELECT count(*) FROM (SELECT row_number, changed FROM told WHERE outcome = 'updated') AS told
        FULL JOIN (SELECT row_number, concat_ws(',', {_CHANGED}) AS changed
                   FROM contact_changes WHERE action = 'update') AS got USING (row_number)
        WHERE told.changed IS DISTINCT FROM got.changed""",
    "errors": """
        SELECT count(*) FROM (SELECT row_number, errors FROM told WHERE errors IS NOT NULL) AS told
        FULL JOIN (SELECT row_number, string_agg(field || ':' || code, ',' ORDER BY field, code) AS errors
                   FROM rejections WHERE severity = 'error' GROUP BY row_number) AS got USING (row_number)
        WHERE told.errors IS DISTINCT FROM got.errors""",
    "deactivated": """
        SELECT count(*) FROM missing AS told
        FULL JOIN (SELECT contact_id FROM contact_changes WHERE action = 'deactivate') AS got USING (contact_id)
        WHERE told.contact_id IS NULL OR got.contact_id IS NULL""",
    "contacts": """
        SELECT abs((SELECT count(*) FROM contacts)
                   - (SELECT count(*) FROM there) - (SELECT count(*) FROM told WHERE outcome = 'created'))""",
    "inactive": """
        SELECT abs((SELECT count(*) FROM contacts WHERE NOT active)
                   - (SELECT count(*) FROM there WHERE NOT active) - (SELECT count(*) FROM missing))""",
    "created": "SELECT abs((SELECT count(*) FROM told WHERE outcome = 'created')"
    " - (SELECT count(DISTINCT contact_id) FROM contact_changes WHERE action = 'create'))",
    # The values of a hundredth of the contacts that were changed or made.
    "values": f"""
        SELECT count(*) FROM sampled
        LEFT JOIN (SELECT row_number, contacts.* FROM contact_changes JOIN contacts USING (contact_id)
                   WHERE action IN ('create', 'update')) AS got USING (row_number)
        WHERE {" OR ".join(f"sampled.{field} IS DISTINCT FROM got.{field}" for field in FIELDS)}""",
}


_BEFORE: Final = f"SELECT contact_id, active, {', '.join(FIELDS)} FROM"
_UNDONE: Final = {
    "contacts": f"""
        SELECT (SELECT count(*) FROM ({_BEFORE} there EXCEPT {_BEFORE} contacts))
               + (SELECT count(*) FROM ({_BEFORE} contacts EXCEPT {_BEFORE} there))"""
}


def undone_differences(data: Path, contacts: Path) -> dict[str, int]:
    """Point → how many contacts are not as they were before the import.

    Args:
        data: folder that make_contacts wrote.
        contacts: the contact database after the import was undone.
    """
    return _count(data, {"contacts": contacts}, _UNDONE)


def differences(data: Path, contacts: Path, staged: Path) -> dict[str, int]:
    """Point -> how many rows or contacts are not as they should be.

    Args:
        data: folder that make_contacts wrote.
        contacts: the contact database afterwards.
        staged: the database with what became of the rows.
    """
    views = {"contacts": contacts, "contact_changes": contacts, "outcome_rows": staged, "rejections": staged}
    return _count(data, views, _POINTS)


def _count(data: Path, views: Mapping[str, Path], points: Mapping[str, str]) -> dict[str, int]:
    database = duckdb.connect(":memory:", config={"memory_limit": "3GB", "temp_directory": str(data / "spilled")})
    sources = {
        "told": f"'{data}/answer/*.parquet'",
        "sampled": f"'{data}/values/*.parquet'",
        "there": f"'{data}/existing/*.parquet'",
        "missing": f"'{data}/missing.parquet'",
    }
    try:
        for number, file in enumerate(dict.fromkeys(views.values())):
            database.execute(f"ATTACH '{file}' AS file_{number} (READ_ONLY)")
            sources |= {view: f"file_{number}.{view}" for view, where in views.items() if where == file}
        for view, source in sources.items():
            database.execute(f"CREATE VIEW {view} AS FROM {source}")
        return {point: int(database.execute(sql).fetchall()[0][0]) for point, sql in points.items()}
    finally:
        database.close()


if __name__ == "__main__":
    undone = "--undone" in sys.argv
    paths = [Path(name) for name in sys.argv[1:] if name != "--undone"]
    print(json.dumps(undone_differences(*paths) if undone else differences(*paths)))
