"""Only modules of the home's files may use DuckDB's own `Database`; modules that read contacts use the port.

What only DuckDB has words for is asked by a verb of the port: how tables lie in files, what it lists of them.
"""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "contact_pipeline"
# The ledger and what else is small and of this home; files that are written anew, copied or locked.
OF_THE_HOME = {
    "backup/replay.py",
    "backup/restore.py",
    "erase/book.py",
    "erase/erase.py",
    "erase/headings.py",
    "erase/staged_database.py",
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
    "store/engine.py",
    "store/erasures.py",
    "store/expiries.py",
    "store/feeds.py",
    "store/ledger.py",
    "store/news.py",
    "store/overview.py",
    "store/schema.py",
    "store/staging.py",
    "store/reference_data.py",
    "store/store.py",
    "store/value_mappings.py",
}
# Statements, functions and columns that DuckDB has of its own, or calls otherwise than other engines.
OF_DUCKDB = re.compile(
    r"\bDESCRIBE\b|\bSUMMARIZE\b|\bPRAGMA\b|\b(ATTACH|DETACH)\b|\bCOPY\s+(\(|FROM\b|\w+ (TO|FROM)\b)|\bCHECKPOINT\b"
    r"|\bVACUUM\b|\b(EXPORT|IMPORT) DATABASE\b|\bCOMMENT ON\b|\bUSE \w|\browid\b|\binformation_schema\b"
    r"|\b(duckdb|pragma)_\w+\s*\(|\b(read|scan)_(parquet|csv|csv_auto|json)\s*\("
    r"|\b(current_(database|setting)|query_progress|parquet_\w+)\s*\("
)
WORDS_OF_OTHERS = {
    "cli/asking.py": "an example of a query that DuckDB answers, for the person who asks",
    "erase/in_postgres.py": "Dagster's records in PostgreSQL",
    "erase/previews.py": "Dagster's records in SQLite",
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


def test_words_of_one_engine_stand_in_engines_alone():
    using = {
        str(path.relative_to(PACKAGE)): found
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "engines" and (found := [text for text in texts(path) if OF_DUCKDB.search(text)])
    }
    assert {name: found for name, found in using.items() if name not in WORDS_OF_OTHERS} == {}
    assert using.keys() == WORDS_OF_OTHERS.keys()


def texts(path):
    """The texts of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    explained = {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained
    ]
