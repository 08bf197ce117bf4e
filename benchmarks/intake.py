"""How long reading takes, beside what the readers below it take alone.

    python benchmarks/intake.py [--rows 1000000] [--sheet-rows 100000] [--repeat 3]

A CSV file: stage 1 (bytes to Parquet slices, every row accounted for) beside DuckDB reading the same file into a table
of a database file, all columns as text, its options given. A workbook: stage 1 beside fastexcel loading the sheet as
text. Each reading runs in a process of its own, the two in turn; the shortest of the repetitions counts. CPU is the
processors' time, which other work on the machine disturbs less. Memory is the peak of the process of stage 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HEADINGS = ["First name", "Last name", "Email", "Phone", "Zip code", "Date of birth", "Account number", "Notes"]


def main() -> None:
    """Makes the files, has each read, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sheet-rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--reading", nargs=2, metavar=("HOW", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reading:
        print(json.dumps(measure(*options.reading)))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        files = [
            ("CSV, plain", csv_file(home / "plain.csv", options.rows, plain=True), "duckdb"),
            ("CSV, quoted", csv_file(home / "quoted.csv", options.rows, plain=False), "duckdb"),
            ("xlsx, text", workbook(home / "text.xlsx", options.sheet_rows, dated=False), "fastexcel"),
            ("xlsx, dated", workbook(home / "dated.xlsx", options.sheet_rows, dated=True), "fastexcel"),
        ]
        titles = (
            f"{'file':14}{'rows':>10}{'MB':>7}{'alone':>12}{'stage 1':>10}{'ratio':>8}{'CPU ratio':>11}{'memory':>10}"
        )
        print(titles)
        for name, file, rival in files:
            rows = options.rows if rival == "duckdb" else options.sheet_rows
            print(line(name, rows, file, rival, options.repeat))


def line(name: str, rows: int, file: Path, rival: str, repeat: int) -> str:
    """One line of the table: the two readings in turn."""
    runs = [(run(rival, file), run("stage1", file)) for _ in range(repeat)]
    alone, ours = (min(pair[n]["seconds"] for pair in runs) for n in (0, 1))
    cpu_alone, cpu_ours = (min(pair[n]["cpu"] for pair in runs) for n in (0, 1))
    memory = max(pair[1]["megabytes"] for pair in runs)
    size = file.stat().st_size / 1e6
    return (
        f"{name:14}{rows:>10,}{size:>7.0f}{alone:>10.2f} s{ours:>8.2f} s{ours / alone:>7.2f}x"
        f"{cpu_ours / cpu_alone:>10.2f}x{memory:>7.0f} MB"
    )


def run(how: str, file: Path) -> dict[str, float]:
    """One reading in a fresh process."""
    command = [sys.executable, __file__, "--reading", how, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(how: str, file: str) -> dict[str, float]:
    """Reads one file; seconds on the clock and of the processors, without the imports."""
    read = READINGS[how](Path(file))
    clock, cpu = time.perf_counter(), time.process_time()
    read()
    seconds, busy = time.perf_counter() - clock, time.process_time() - cpu
    return {"seconds": seconds, "cpu": busy, "megabytes": peak_megabytes()}


def peak_megabytes() -> float:
    """The most memory that this process had; Linux says it per program, where getrusage hands on the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def with_duckdb(file: Path) -> Callable[[], object]:
    """DuckDB alone: into a table of a database file, all columns as text."""
    import duckdb

    database = duckdb.connect(str(file.with_suffix(".duckdb")))
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in HEADINGS)
    with file.open("rb") as opened:
        line_end = "\\r\\n" if opened.readline().endswith(b"\r\n") else "\\n"

    def read() -> None:
        database.execute(
            f"CREATE OR REPLACE TABLE contacts AS FROM read_csv('{file}', header = true, auto_detect = false, "
            f"columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"', new_line = '{line_end}')"
        ).fetchall()
        database.execute("CHECKPOINT")

    return read


def with_fastexcel(file: Path) -> Callable[[], object]:
    """Fastexcel alone: the sheet as text, in a Polars frame."""
    import fastexcel
    import polars as pl

    return lambda: pl.DataFrame(fastexcel.read_excel(file).load_sheet(0, header_row=None, skip_rows=0, dtypes="string"))


def with_stage_1(file: Path) -> Callable[[], object]:
    """Stage 1 of the pipeline, into slices."""
    from contact_pipeline.settings import Settings
    from contact_pipeline.upload import ReadOptions, read_upload

    folder = file.with_suffix(".staged")
    return lambda: read_upload(file, file.name, None, ReadOptions(), folder, Settings())


READINGS = {"duckdb": with_duckdb, "fastexcel": with_fastexcel, "stage1": with_stage_1}


def rows_of(count: int) -> list[list[str]]:
    """Made-up contacts."""
    made = random.Random(7)
    return [
        [
            f"First{made.randrange(5000)}", f"Last{made.randrange(20000)}", f"person{number}@example.com",
            f"+1 202 555 {made.randrange(10000):04d}", f"{made.randrange(100000):05d}",
            f"19{made.randrange(40, 99)}-{made.randrange(1, 13):02d}-{made.randrange(1, 29):02d}",
            f"A{number:09d}", "called in spring" if number % 3 else "",
        ]
        for number in range(count)
    ]  # fmt: skip


def csv_file(path: Path, count: int, *, plain: bool) -> Path:
    """A CSV file; if not plain, every text is quoted, one in fifty holds a line end, one in ten a doubled quote."""
    rows = rows_of(count)
    if not plain:
        for number, row in enumerate(rows):
            row[7] = "two\nlines" if number % 50 == 0 else 'said "yes", twice' if number % 10 == 0 else row[7]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL if plain else csv.QUOTE_ALL)
        writer.writerow(HEADINGS)
        writer.writerows(rows)
    return path


def workbook(path: Path, count: int, *, dated: bool) -> Path:
    """A workbook of text, each stored once, as Excel does; if dated, with dates and numbers as Excel keeps them."""
    import datetime as dt

    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day, zeros = (book.add_format({"num_format": code}) for code in ("yyyy-mm-dd", "00000"))
        sheet.write_row(0, 0, HEADINGS)
        for number, row in enumerate(rows_of(count), start=1):
            sheet.write_row(number, 0, row)
            if dated:
                sheet.write_datetime(number, 5, dt.datetime.fromisoformat(row[5]), day)
                sheet.write_number(number, 4, int(row[4]), zeros)
    return path


if __name__ == "__main__":
    main()
