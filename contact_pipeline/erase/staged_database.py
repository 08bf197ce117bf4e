"""A person's rows in a staging database: found, read, emptied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from contact_pipeline.codes import CODES
from contact_pipeline.contracts.tables import is_personal
from contact_pipeline.engines import Database, literal, open_database, quoted, rewrite_database
from contact_pipeline.erase.headings import rename_columns
from contact_pipeline.erase.person import Person, redacted
from contact_pipeline.erase.staged_cells import Cell, as_cells
from contact_pipeline.settings import Settings
from contact_pipeline.store.defects import defects

_CODE: Final = "erased"
_ROW: Final = "row_number"
CHANGES: Final = ("account_changes", "contact_changes")  # views of Parquet files, unless a person was erased before
_QUOTING_HEADINGS: Final = {"message", "fix"}  # of defects; the value stands beside them
# This table is made in the transaction that empties the rows, and left out of the rewritten file. A file that has it
# is still to be rewritten.
_UNFINISHED: Final = "to_be_rewritten"


def rows_in_database(path: Path, person: Person, settings: Settings) -> set[int]:
    """The rows that are the person, by their outcomes and by their values."""
    with open_database(path, settings, read_only=True) as database:
        queries = list(_queries(database, person))
        rows = {row for query in queries for (row,) in database.rows(query)}
        if rows and database.has("contact_keys") and database.has("outcome_rows"):
            rows |= {row for (row,) in database.rows(_repeated(database, rows))}
    return {row for row in rows if row is not None}


def cells_of_database(path: Path, person: Person, settings: Settings, rows: set[int]) -> Iterator[Cell]:
    """The values that emptying these rows would remove, and the matches in other rows."""
    with open_database(path, settings, read_only=True) as database:
        for table, columns in database.tables(*CHANGES).items():
            where, cells = _of_person(table, columns, person, rows)
            number = _ROW if _ROW in columns else f"NULL::UINTEGER AS {_ROW}"
            if where and cells:
                names = ", ".join(quoted(name) for name in cells)
                for record in database.records(f"SELECT {number}, {names} FROM {table} WHERE {where}"):
                    for name in cells:
                        yield from as_cells(table, record[_ROW], name, record[name], is_theirs=True)
            for name, kind in columns.items():
                if kind in {"VARCHAR", "JSON"} and person.pattern is not None:
                    emptied = f" AND NOT coalesce({where}, false)" if where and name in cells else ""
                    elsewhere = f"{_mentions(person, name)}{emptied}"
                    sql = f"SELECT {number}, {quoted(name)}::VARCHAR AS text FROM {table} WHERE {elsewhere}"
                    for record in database.records(sql):
                        for value in person.values_in(record["text"]):
                            yield Cell(table, record[_ROW], name, value, is_theirs=False)


def empty_database(path: Path, person: Person, settings: Settings, rows: set[int], *, planned: bool) -> None:
    """Empties these rows, puts stars in the place of the person's values elsewhere, and rewrites the file."""
    with open_database(path, settings) as database:
        wanted = database.has(_UNFINISHED) or _holds(database, person, rows)
        if wanted and not database.has(_UNFINISHED):
            with database.transaction():
                _take_in_changes(database)
                rename_columns(database, path.parent, person)
                _leave_out(database, rows, planned=planned)
                for table, columns in database.tables(*CHANGES).items():
                    _empty_table(database, table, columns, person, rows)
                _name_rejections(database, rows)
                database.run(f"CREATE TABLE {_UNFINISHED} (row_number UINTEGER)")
        # Files without a view were loaded into tables, or left by a planning that was cut off.
        unseen = [name for name in CHANGES if not _lie_beside(database, name)]
        for file in (file for name in unseen for file in path.parent.glob(f"{name}-*.parquet")):
            file.unlink()
    if wanted:
        rewrite_database(path, settings, lambda new: new.run(f"DROP TABLE {_UNFINISHED}"))


def _queries(database: Database, person: Person) -> Iterator[str]:
    """The queries for the rows that are the person, by their outcomes and by their values."""
    for table, columns in database.tables(*CHANGES).items():
        if _ROW not in columns:
            continue
        for column in {"contact_id", "duplicate_of_contact"} & columns.keys():
            yield f"SELECT {_ROW} FROM {table} WHERE {column} IN ({person.ids})"
        texts = [_as_text(name, kind) for name, kind in columns.items() if _is_text(kind) and _is_of_row(table, name)]
        if person.pattern is not None and texts:
            together = f"concat_ws(chr(31), {', '.join(texts)})"
            yield f"SELECT {_ROW} FROM {table} WHERE regexp_matches({together}, {literal(person.pattern)})"
    if database.has("contact_decisions"):
        yield f"SELECT {_ROW} FROM contact_decisions WHERE target IN ({person.ids})"
    if database.has("contact_pairs") and database.has("reviews"):
        yield f"SELECT {_ROW} FROM contact_pairs SEMI JOIN reviews USING ({_ROW}) WHERE candidate IN ({person.ids})"
    if database.has("review_candidates"):
        yield f"SELECT {_ROW} FROM review_candidates WHERE entity = 'contact' AND candidate IN ({person.ids})"


def _repeated(database: Database, rows: Iterable[int]) -> str:
    """The query for rejected rows that repeat a row of the person: all their keys are the same."""
    keys = [quoted(name) for name in database.columns("contact_keys") if name != _ROW]
    row_list = ", ".join(str(row) for row in sorted(rows))
    together = f"({', '.join(keys)})"
    return f"""
        SELECT {_ROW} FROM contact_keys SEMI JOIN (FROM outcome_rows WHERE outcome = 'rejected') USING ({_ROW})
        WHERE coalesce({", ".join(keys)}) IS NOT NULL
              AND {together} IN (SELECT {together} FROM contact_keys WHERE {_ROW} IN ({row_list}))"""


def _take_in_changes(database: Database) -> None:
    """Loads the changes in files beside the database into tables, so that they are emptied with all others."""
    for name in CHANGES:
        if _lie_beside(database, name):
            database.take_in(name)


def _lie_beside(database: Database, name: str) -> bool:
    return database.has(name) and not database.has_table(name)


def _holds(database: Database, person: Person, rows: set[int]) -> bool:
    """Whether a database holds anything of the person: a row, a change, or a value elsewhere."""
    row_list = ", ".join(str(row) for row in sorted(rows)) or "NULL"
    for table, columns in database.tables(*CHANGES).items():
        where = [f"{_ROW} IN ({row_list})"] if _ROW in columns else []
        where += [f"contact_id IN ({person.ids})"] if "contact_id" in columns else []
        where += [_mentions(person, *(name for name, kind in columns.items() if kind in {"VARCHAR", "JSON"}))]
        if database.rows(f"SELECT 1 FROM {table} WHERE {' OR '.join(where)} LIMIT 1"):
            return True
    return False


def _empty_table(database: Database, table: str, columns: dict[str, str], person: Person, rows: set[int]) -> None:
    """Empties the cells of the person's rows and changes, and replaces values elsewhere by stars."""
    where, cells = _of_person(table, columns, person, rows)
    if where and cells:
        nothing = ", ".join(f"{quoted(name)} = NULL" for name in cells)
        database.run(f"UPDATE {table} SET {nothing} WHERE {where}")
    texts = [name for name, kind in columns.items() if kind in {"VARCHAR", "JSON"}]
    mentions = _mentions(person, *texts)
    if person.pattern is not None and database.rows(f"SELECT 1 FROM {table} WHERE {mentions} LIMIT 1"):
        values = ((quoted(name), redacted(f"{quoted(name)}::VARCHAR", person.pattern)) for name in texts)
        database.run(f"UPDATE {table} SET {', '.join(f'{name} = {value}' for name, value in values)} WHERE {mentions}")


def _of_person(table: str, columns: dict[str, str], person: Person, rows: set[int]) -> tuple[str, list[str]]:
    """The condition for the person's lines of a table, blank if it can have none, and the cells to empty in them."""
    row_list = ", ".join(str(row) for row in sorted(rows)) or "NULL"
    where = [f"{_ROW} IN ({row_list})"] if _ROW in columns and not table.startswith("account_") else []
    where += [f"contact_id IN ({person.ids})"] if "contact_id" in columns else []
    return " OR ".join(where), [name for name, kind in columns.items() if _is_cell(table, name, kind)]


def _leave_out(database: Database, rows: set[int], *, planned: bool) -> None:
    """Rejects the rows that are not imported or decided yet: those of a plan, and those in review."""
    if not rows or not database.has("rejections"):
        return
    row_list = ", ".join(str(row) for row in sorted(rows))
    waiting = f"SELECT unnest([{row_list}])::UINTEGER AS {_ROW}"
    if not planned:
        waiting = f"SELECT DISTINCT {_ROW} FROM reviews WHERE {_ROW} IN ({row_list})" if database.has("reviews") else ""
    if waiting:
        unnamed = f"FROM ({waiting}) WHERE {_ROW} NOT IN (SELECT {_ROW} FROM rejections WHERE code = '{_CODE}')"
        database.append("rejections", defects(_CODE, unnamed))
    if database.has("outcome_rows"):
        database.run(f"""
            UPDATE outcome_rows SET outcome = 'rejected', reason = NULL
            WHERE {_ROW} IN ({row_list}) AND outcome = 'review'""")
    if database.has("reviews"):
        database.delete("reviews", f"{_ROW} IN ({row_list})")


def _name_rejections(database: Database, rows: set[int]) -> None:
    """Replaces the message of every defect of the rows, which may quote a value: it says that the person was erased."""
    if rows and database.has("rejections"):
        code, row_list = CODES[_CODE], ", ".join(str(row) for row in sorted(rows))
        database.run(
            f"UPDATE rejections SET message = ?, fix = ? WHERE {_ROW} IN ({row_list})", [code.message, code.fix]
        )


def _is_text(kind: str) -> bool:
    return kind in {"VARCHAR", "JSON", "VARCHAR[]"}


def _is_of_row(table: str, name: str) -> bool:
    """Whether a column holds the row's own values; groups, headings and messages may belong to many rows."""
    return is_personal(table, name) and name not in _QUOTING_HEADINGS


def _is_cell(table: str, name: str, kind: str) -> bool:
    """Whether a column holds values that somebody gave, and not a word, a number or a verdict of the system."""
    if not is_personal(table, name):
        return False
    return _is_text(kind) or (
        kind == "BOOLEAN" and (table == "normalized_rows" or name.startswith(("before_", "after_")))
    )


def _as_text(name: str, kind: str) -> str:
    return f"array_to_string({quoted(name)}, chr(31))" if kind == "VARCHAR[]" else f"{quoted(name)}::VARCHAR"


def _mentions(person: Person, *names: str) -> str:
    """The condition for a line that mentions the person in one of these columns; DuckDB compiles the pattern once."""
    if person.pattern is None or not names:
        return "false"
    together = f"concat_ws(chr(31), {', '.join(f'{quoted(name)}::VARCHAR' for name in names)})"
    return f"regexp_matches({together}, {literal(person.pattern)})"
