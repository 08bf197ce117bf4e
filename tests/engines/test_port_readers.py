"""Only modules of the home's files may use DuckDB's own `Database`; modules that read contacts use the port."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "contact_pipeline"
# The ledger and what else is small and of this home; files that are written anew, copied or locked.
OF_THE_HOME = {
    "backup/replay.py",
    "backup/restore.py",
    "erase/book.py",
    "erase/erase.py",
    "erase/headings.py",
    "erase/staged.py",
    "notices/queue.py",
    "orchestration/terminal.py",
    "pipeline/asking.py",  # DuckDB answers somebody's own SQL
    "pipeline/by_hand.py",
    "pipeline/committing.py",
    "pipeline/merging.py",
    "pipeline/repeats.py",
    "pipeline/stages.py",
    "store/corrections.py",
    "store/decisions.py",
    "store/erasures.py",
    "store/expiries.py",
    "store/feeds.py",
    "store/ledger.py",
    "store/news.py",
    "store/overview.py",
    "store/schema.py",
    "store/staging.py",
    "store/store.py",
    "store/value_mappings.py",
}


def test_only_what_is_of_the_home_knows_the_database_of_one_engine():
    knowing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "engines" and "Database" in names_from_engines(path)
    }
    assert knowing == OF_THE_HOME


def names_from_engines(path):
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "contact_pipeline.engines"
        for alias in node.names
    }
