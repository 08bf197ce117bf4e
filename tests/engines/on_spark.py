"""Asks an engine that speaks Spark Connect the same as DuckDB: prints the answers of both, each line a JSON object.

Run by tests in the environment that has its client. ENGINE is `sail`, which is started here,
or the address of a server. `ENGINE match HOME NAME …` imports the sample files of some profiles and matches some;
`ENGINE keys FOLDER` asks for the keys of texts.
"""

import io
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from unicodedata import category

import polars as pl
import yaml
from pysail.spark import SparkConnectServer

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.engines import open_database
from contact_pipeline.engines.spark import SparkTables, open_session
from contact_pipeline.masking import ALONE, mask_sql
from contact_pipeline.match import match
from contact_pipeline.match.keys import key
from contact_pipeline.pipeline.states import resolved
from contact_pipeline.settings import Settings

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
RESULTS = ("contact_changes", "account_changes", "membership_changes", "link_changes", "outcome_rows", "reviews",
           "review_candidates")  # fmt: skip
TEXTS = (
    *(
        "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ",
        "İSTANBUL",
        "Jean–Luc  O’Neil",
        "Ёлкина й",
        "ﻵ ﺑﺎﺑﺎ",
        "ｶﾞｷﾞ ﾊﾟ",
        "ﾡￂ ﾢ",
        "ﬁ ﬀ Ⅳ",
        "हिंदी Ábč",
        "Łukasz",
    ),
    *(
        "e\u0301 u\u0308\u0301",
        "Ab\u0627\u064b",
        "İ ı ẞ ß ﬆ",
        "café–O'Ñ मी",
        "張 O’Brien-Ü",
        "가각 한글",
        "SSN 123-45-6789.",
    ),
    *("x123 45 6789é", "née le 17 avril 1984", "DÉC 4, 1984", "dob: 04/17/84\u200b", "17 FÉVR. 1984", "é19840417"),
    *("born 1984-04-17 12:30Z", "1984-04-17\n", "ssn\u00a01 2 3 4 5 6 7 8 9", "٠٤/١٧/١٩٨٤ né", "_dob_ 4.7.1984"),
)
UNKNOWN = {"Cn", "Co", "Cs", "Zs"}  # letters that only newer versions of Unicode have, and no letters
STAGED = ("normalized_rows", "noted_cells", "rejections", "blank_rows")


def main(engine, what, *named):
    """Opens a session, and asks."""
    server = None
    if engine == "sail":
        server = SparkConnectServer(port=0)
        server.start(background=True)
        _, port = server.listening_address
        engine = f"sc://127.0.0.1:{port}"
    session = open_session(engine, 30)
    for answers in {"match": matched, "keys": keys}[what](session, *named):
        sys.stdout.write(f"{json.dumps(answers)}\n")
    session.stop()
    if server:
        server.stop()


def matched(session, home, *names):
    """Imports every sample file of some profiles, and matches again those that are named, by profile or by file."""
    with redirect_stdout(io.StringIO()):
        run(["--home", home, "users", "load", str(SAMPLES / "users.yaml")])
        run(["--home", home, "vocabularies", "load", "specialties", str(SAMPLES / "specialties.txt")])
    pipeline = Pipeline(home)
    uploads = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))["uploads"]
    profiles = {each["profile"] for each in uploads if {each["profile"], each["file"]} & {*names}}
    for each in uploads:
        if each["profile"] in profiles:
            path = SAMPLES / Path(each["file"]).name
            options = yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))
            upload = pipeline.plan(path, each["profile"], **options)
            if {each["profile"], each["file"]} & {*names}:
                with tempfile.TemporaryDirectory() as folder:
                    yield compared(pipeline.store, upload, session, Path(folder))
            if upload.state == "staged":
                pipeline.apply(upload.upload_id, user=options["user"])


def compared(store, upload, session, folder):
    """The results of both engines for an upload's valid rows."""
    line = store.line(upload.upload_id)
    profile, options = resolved(line)
    staging = store.staging(upload.upload_id)
    tables = SparkTables(session, folder, store.settings)
    with staging.open(read_only=True) as staged:
        for name in STAGED:
            tables.see(name, staged.frame(f"FROM {name}"))
        rejections = staged.rows("SELECT row_number, code, message FROM rejections ORDER BY ALL")
        results = results_of(staged)
        facts = staging.normalized_facts()
    found = match(
        tables,
        store,
        profile,
        options,
        upload_id=upload.upload_id,
        columns=facts.columns_normalized,
        headings=facts.headings_by_field(profile),
    )
    told = tables.rows("SELECT row_number, code, message FROM rejections ORDER BY row_number, code, message")
    return {
        "file": upload.file_name,
        "sha256": [line.changeset_sha256, found.sha256],
        "outcomes": [{name: getattr(line, name) for name in found.outcomes}, found.outcomes],
        "rows": [results, results_of(tables)],
        "rejections": [sorted(map(list, rejections), key=str), sorted(map(list, told), key=str)],
    }


def results_of(tables):
    """The rows of each table of results. New contacts and accounts are called by their rows: numbers go on."""
    found = {name: tables.records(f"SELECT * FROM {name}") for name in RESULTS if tables.has(name)}
    for entity in ("contact", "account"):
        changes = found.get(f"{entity}_changes", [])
        new = {row[f"{entity}_id"]: f"of row {row['row_number']}" for row in changes if row["action"] == "create"}
        for row in (row for rows in found.values() for row in rows if f"{entity}_id" in row):
            row[f"{entity}_id"] = new.get(row[f"{entity}_id"], row[f"{entity}_id"])
    return {name: sorted(str(sorted(row.items())) for row in rows) for name, rows in found.items()}


def keys(session, folder):
    """The keys of every letter that Python knows, alone and among others, and of some texts; and what hides dates."""
    folder = Path(folder)
    letters = [letter for letter in map(chr, range(1, sys.maxunicode)) if category(letter) not in UNKNOWN]
    texts = [*letters, *(f"Ab {letter}c" for letter in letters), *TEXTS]
    frame = pl.DataFrame({"text": texts, "full_name": texts, "email": texts})
    asked = {name: key(name, "e", frame.columns) for name in frame.columns} | {"hidden": mask_sql("e.text", ALONE)}
    query = f"SELECT e.text AS given, {', '.join(f'{sql} AS {name}' for name, sql in asked.items())} FROM texts AS e"
    settings = Settings(home=folder)
    there = SparkTables(session, folder, settings)
    with open_database(folder / "texts.duckdb", settings) as here:
        found = []
        for tables in (here, there):
            tables.see("texts", frame)
            found.append(tables.frame(query).sort("given"))
    for name in asked:
        of_both = pl.DataFrame({"given": found[0]["given"], "here": found[0][name], "there": found[1][name]})
        changed = of_both.filter(pl.col("given").ne_missing(pl.col("here")))
        differing = of_both.filter(pl.col("here").ne_missing(pl.col("there")))
        yield {"asked": name, "changed": changed.height, "differing": differing.head(20).rows()}


if __name__ == "__main__":
    main(*sys.argv[1:])
