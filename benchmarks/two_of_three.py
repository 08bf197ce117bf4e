"""Matching by any two of name, telephone number and e-mail address: the stage, beside the same joins written by hand.

    python -m benchmarks.two_of_three prepare|match|by_hand|compare HOME [FILE]

`prepare` reads, normalizes and validates FILE in HOME, which make_contacts made. `match` is stage 4: it decides every
row, and makes and hashes the changeset. `by_hand` is one DuckDB query over the same rows and contacts that only
decides, by each rule's meaning: the contact that agrees in most fields, if in two at least and alone in that. `compare`
prints how many rows the two decide differently.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import duckdb
import yaml

from benchmarks.make_contacts import PROFILE
from contact_pipeline import Pipeline

NAME: Final = "benchmark_two_of_three"


def prepare(home: Path, file: Path) -> None:
    """Takes a file in, as far as matching."""
    rules = yaml.safe_load(PROFILE.read_text()) | {
        "name": NAME,
        "match": [{"at_least": 2, "of": ["name", "phone", "email"]}],
    }
    (home / "profiles").mkdir(exist_ok=True)
    (home / "profiles" / f"{NAME}.yaml").write_text(yaml.safe_dump(rules, sort_keys=False))
    pipeline = Pipeline(home=home)
    upload_id = pipeline.receive(file, NAME).upload_id
    for stage in (pipeline.read, pipeline.normalize, pipeline.validate):
        stage(upload_id)


def match(home: Path) -> None:
    """Stage 4."""
    pipeline = Pipeline(home=home)
    pipeline.match(pipeline.uploads(1)[0].upload_id)


def by_hand(home: Path) -> None:
    """The same joins in one query, into by_hand.duckdb."""
    staging = _staging(home)
    keys = """
        lower(strip_accents(translate(concat_ws(' ', first_name, last_name), '-''’', ' '))) AS name, phone,
        lower(email) AS email"""
    agree = " + ".join(f"coalesce((r.{field} = c.{field})::INTEGER, 0)" for field in ("name", "phone", "email"))
    joins = " UNION ".join(
        f"SELECT r.row_number, c.contact_id, {agree} AS shared FROM rows_ AS r JOIN people AS c USING ({one}, {other})"
        for one, other in (("name", "phone"), ("name", "email"), ("phone", "email"))
    )
    with duckdb.connect(str(home / "by_hand.duckdb")) as database:
        database.execute("SET memory_limit = '2GB'")
        database.execute(f"ATTACH '{home / 'contacts.duckdb'}' AS book (READ_ONLY)")
        database.execute(f"ATTACH '{staging}' AS staged (READ_ONLY)")
        database.execute(f"""
            CREATE TABLE decided AS
            WITH rows_ AS (
                SELECT row_number, {keys} FROM read_parquet('{staging.parent}/normalized-*.parquet')
                WHERE row_number NOT IN (SELECT row_number FROM staged.rejections WHERE severity = 'error')
            ),
            people AS (SELECT contact_id, {keys} FROM book.contacts),
            best AS (
                SELECT row_number, arg_max(contact_id, shared) AS target, max(shared) AS most,
                       list(shared) AS counts
                FROM ({joins}) GROUP BY row_number
            )
            SELECT row_number,
                   CASE WHEN most IS NULL THEN 'new' WHEN len(list_filter(counts, lambda n: n = most)) > 1 THEN 'review'
                        ELSE 'matched' END AS decision, target
            FROM rows_ LEFT JOIN best USING (row_number)""")


def compare(home: Path) -> dict[str, int]:
    """How many rows are decided differently."""
    with duckdb.connect(str(home / "by_hand.duckdb"), read_only=True) as database:
        database.execute(f"ATTACH '{_staging(home)}' AS staged (READ_ONLY)")
        found = database.execute("""
            SELECT count(*) FROM decided AS hand FULL JOIN staged.contact_decisions AS own USING (row_number)
            WHERE hand.decision IS DISTINCT FROM own.decision
                  OR own.decision = 'matched' AND hand.target IS DISTINCT FROM own.target""").fetchall()
    return {"decisions": found[0][0]}


def _staging(home: Path) -> Path:
    (folder,) = (home / "staging").iterdir()
    return folder / "staging.duckdb"


def main() -> None:
    """Does what the command line asks for."""
    what, home = sys.argv[1], Path(sys.argv[2])
    if what == "compare":
        print(json.dumps(compare(home)))
    elif what == "prepare":
        prepare(home, Path(sys.argv[3]))
    else:
        {"match": match, "by_hand": by_hand}[what](home)


if __name__ == "__main__":
    main()
