"""`sql`: queries of an upload's staged tables and of the contacts, for people who inspect an import."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.cli.invocation import Invocation, Overwrite, Unmasked, everywhere
from contact_pipeline.cli.listing import most
from contact_pipeline.cli.uploads import PANEL, UploadId
from contact_pipeline.errors import Refusal, Usage, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from contact_pipeline.pipeline.asking import Asked

_MORE = "--json and -o give them all; LIMIT gives fewer."

app = typer.Typer()


@app.command("sql", rich_help_panel=PANEL)
@everywhere
def ask(
    invocation: Invocation,
    upload: UploadId,
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="[QUERY]",
            show_default=False,
            help="One query in DuckDB's SQL. Without one the tables are listed, and queries read from stdin.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the rows there: .csv or .parquet."),
    ] = None,
    unmasked: Unmasked = False,
    overwrite: Overwrite = False,
) -> None:
    """Query an upload's staged tables, and the contacts as `base_contacts`; read-only, sensitive values masked.

    Masking is a courtesy to whoever looks over your shoulder: whoever may read the home may read what is in it.
    """
    if output is not None and output.suffix.lower() not in {".csv", ".parquet"}:
        raise Usage("file-type", f"'{output.name}' is neither CSV nor Parquet.", "Let it end in .csv or .parquet.")
    if query is None and not sys.stdin.isatty():
        query = sys.stdin.read().strip() or None
    if query is None and output is not None:
        raise Usage("usage", "There is no query whose rows could be written.", "Give one, in quotes.")
    if query is None:
        _converse(invocation, upload, unmasked=unmasked)
        return
    found = invocation.pipeline.sql(upload, query, unmasked=unmasked)
    if output is not None:
        _write(found, output, overwrite=overwrite)
    if invocation.json:
        console.document(_finite(found.to_dicts()) if output is None else {"file": str(output), "rows": found.height})
    elif output is not None:
        console.show(console.text(f"{number_of(found.height, 'row')} written to {output}.", "bold"))
    else:
        _draw(found, unmasked=unmasked)


def _converse(invocation: Invocation, upload: str, *, unmasked: bool) -> None:
    """Lists the tables and, at a terminal, answers what is typed."""
    pipeline = invocation.pipeline
    tables = pipeline.sql_tables(upload)
    if invocation.json:
        console.document([{"table": each.name, "rows": each.rows, "columns": each.columns} for each in tables])
        return
    _draw_tables(invocation, upload, tables)
    for line in _typed() if sys.stdin.isatty() else ():
        try:
            _draw(pipeline.sql(upload, line, unmasked=unmasked), unmasked=unmasked)
        except Refusal as problem:
            console.refusal(problem)


def _draw_tables(invocation: Invocation, upload: str, tables: list[Asked]) -> None:
    rows = [(each.name, "" if each.rows is None else f"{each.rows:,}", each.holds) for each in tables]
    console.show(
        console.text(f"{number_of(len(tables), 'table')} of upload {upload}, to be read.", "bold"),
        console.table(("Table", "Rows", "A row is"), rows),
        console.next_command("The columns of one", invocation.line("sql", upload, f"DESCRIBE {tables[0].name}")),
    )


def _typed() -> Iterator[str]:
    """The queries that somebody types until the end of the input; each ends with a line that ends in `;`."""
    with suppress(ImportError):
        import readline  # noqa: F401 - lets `input` edit lines and bring back earlier ones
    lines: list[str] = []
    while True:
        try:
            lines.append(input("...> " if lines else "sql> "))
        except EOFError:
            return
        if lines == [""] or lines[0].strip().casefold() in {"exit", "quit", "exit;", "quit;"}:
            if lines != [""]:
                return
            lines = []
        elif lines[-1].rstrip().endswith(";"):
            yield "\n".join(lines)
            lines = []


def _draw(found: pl.DataFrame, *, unmasked: bool) -> None:
    """Draws the rows as a table; at a terminal, as many as the screen holds."""
    shown = most(None)
    rows = found.rows() if shown is None else found.head(shown).rows()
    cell = console.text_as_it_is if unmasked else console.text
    parts: list[Any] = [console.rows(found.columns, [[cell(value) for value in row] for row in rows])]
    if len(rows) < found.height:
        parts.append(console.text(f"{number_of(found.height - len(rows), 'more row')}. {_MORE}", "dim"))
    console.show(console.text(f"{number_of(found.height, 'row')}.", "bold"), *parts)


def _finite(value: Any) -> Any:
    """A value as JSON has it, in lists and mappings, too: NaN and infinity are None, a sum of integers an integer."""
    match value:
        case Decimal() if value.as_tuple().exponent == 0:  # DuckDB sums integers in 128 bits
            return int(value)
        case float():
            return value if isfinite(value) else None
        case list():
            return [_finite(part) for part in value]
        case dict():
            return {name: _finite(part) for name, part in value.items()}
        case _:
            return value


def _in_a_cell(value: Any) -> str:
    """A list or mapping as text for CSV: plain values joined by semicolons, everything else as JSON."""
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return "; ".join("" if part is None else str(part) for part in value)
    return json.dumps(_finite(value), default=str, ensure_ascii=False)


def _write(found: pl.DataFrame, path: Path, *, overwrite: bool) -> None:
    import polars as pl

    from contact_pipeline.reports.output import new_file

    with new_file(path, overwrite=overwrite) as file:
        if path.suffix.lower() == ".parquet":
            found.write_parquet(file)
            return
        nested = [name for name, kind in found.schema.items() if kind.is_nested()]
        found.with_columns(
            pl.Series(
                name, [None if value is None else _in_a_cell(value) for value in found[name].to_list()], pl.String
            )
            for name in nested
        ).write_csv(file)
