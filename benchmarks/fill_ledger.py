"""Gives a home's ledger many uploads like its newest one: python -m benchmarks.fill_ledger HOME COUNT."""

from __future__ import annotations

import sys
from pathlib import Path

from contact_pipeline.settings import Settings
from contact_pipeline.store import Store


def main(home: Path, count: int) -> None:
    """Adds the lines; nothing of these uploads is staged."""
    with Store(Settings(home=home)).change() as contacts:
        contacts.run(
            """INSERT INTO uploads
               SELECT newest.* REPLACE (upload_id || '-' || made AS upload_id, number + made AS number)
               FROM (FROM uploads ORDER BY number DESC LIMIT 1) AS newest, range(1, ? + 1) AS numbers(made)""",
            [count],
        )
        contacts.run("UPDATE counters SET next = next + ? WHERE name = 'upload'", [count])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
