"""Imports the sample files of some profiles, and matches each on Sail as well: prints whether the results are the same.

Run by test_spark.py in the environment that has Sail: `on_sail.py HOME PROFILE …`. Each line is a JSON object.
"""

import io
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import yaml
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.engines.spark import SparkTables
from contact_pipeline.match import match
from contact_pipeline.pipeline.states import resolved

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
RESULTS = ("contact_changes", "account_changes", "membership_changes", "link_changes", "outcome_rows", "reviews",
           "review_candidates")  # fmt: skip
STAGED = ("normalized_rows", "noted_cells", "rejections", "blank_rows")


def main(home, *profiles):
    """Imports every sample file of these profiles."""
    server = SparkConnectServer(port=0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    with redirect_stdout(io.StringIO()):
        run(["--home", home, "users", "load", str(SAMPLES / "users.yaml")])
        run(["--home", home, "vocabularies", "load", "specialties", str(SAMPLES / "specialties.txt")])
    pipeline = Pipeline(home)
    for each in yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))["uploads"]:
        if each["profile"] in profiles:
            path = SAMPLES / Path(each["file"]).name
            options = yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))
            upload = pipeline.plan(path, each["profile"], **options)
            with tempfile.TemporaryDirectory() as folder:
                sys.stdout.write(f"{json.dumps(compared(pipeline.store, upload, session, Path(folder)))}\n")
            if upload.state == "staged":
                pipeline.apply(upload.upload_id, user=options["user"])
    session.stop()
    server.stop()


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


if __name__ == "__main__":
    main(*sys.argv[1:])
