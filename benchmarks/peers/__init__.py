"""What others do with the same file, as far as each of them goes; every module says what it does not do.

Each is called as `python -m benchmarks.peers.NAME prepare|import|check DATA FOLDER`: `prepare` loads the contacts that
are there into a database of the peer's own in FOLDER, `import` is what is timed, `check` prints how many of the new
people of the answers are not in it afterwards.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

FIELDS: Final = (
    "first_name", "last_name", "email", "phone", "account_number", "date_of_birth", "zip_code", "ssn", "segment",
    "remark",
)  # fmt: skip
ADDRESS: Final = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"

Work = Callable[[Path, Path], None]


def existing(data: Path) -> pl.DataFrame:
    """The contacts that are there."""
    return pl.read_parquet(data / "existing" / "*.parquet").select("contact_id", *FIELDS)


def rows(data: Path) -> Iterator[dict[str, str]]:
    """The file's rows, one at a time."""
    with (data / "incoming.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def run(prepare: Work, import_file: Work, emails: Callable[[Path], list[str]]) -> None:
    """Does what the command line of a peer's module says."""
    what, data, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if what == "check":
        print(json.dumps({"new people who are not there": _missing(data, emails(folder))}))
    else:
        {"prepare": prepare, "import": import_file}[what](data, folder)


def _missing(data: Path, emails: list[str]) -> int:
    answers = pl.read_parquet(data / "answer" / "*.parquet", columns=["row_number", "outcome"])
    values = pl.read_parquet(data / "values" / "*.parquet", columns=["row_number", "email"])
    created = values.join(answers.filter(pl.col("outcome") == "created"), on="row_number")["email"].to_list()
    there = {email.strip().lower() for email in emails if email}
    return sum(email not in there for email in created)
