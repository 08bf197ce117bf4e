"""The catalogue says of each staged table which steps read it: those of a whole life of uploads, by their SQL."""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp

from contact_pipeline import Pipeline
from contact_pipeline.contracts.tables import STAGED
from contact_pipeline.engines import duckdb
from contact_pipeline.store.staging import Staging

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data" / "samples"
PACKAGE = ROOT / "contact_pipeline"
TABLES = {table.name for table in STAGED}
PROFILE = """
name: readers
title: Readers
address_book: news
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email}
  - {field: full_name, heading: Name, type: name}
  - {field: date_of_birth, heading: Born, type: date, formats: [MM/DD/YYYY, DD/MM/YYYY]}
rules:
  - {unique: [email]}
match:
  - equal: [email]
  - {equal: [full_name], higher_differs: another}
matched: update
on_error: reject
apply: approval
"""
PREFIXES = {"raw": "raw_rows", "normalized": "normalized_rows"}  # of the files that lie beside the database
PASSED_ON = {"store/staging.py", "match/defects.py"}  # read for whoever calls them
ROOMS_OF_STEPS = {"match", "apply", "validate"}
STAGES = {"read": "upload", "normalize": "normalize", "validate": "validate", "match": "match"}  # pipeline/stages
READ_ALL = {"erase", "verify", "backup", "access"}


class Reading:
    """Which step reads which staged table; everything that only shows it is "people"."""

    def __init__(self):
        self.steps = defaultdict(set)

    def note(self, table):
        frames = []
        frame = sys._getframe(1)
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(PACKAGE):
                frames.append((path.relative_to(PACKAGE), frame.f_code.co_name))
            frame = frame.f_back
        within = [name for module, name in frames if module.parts[0] == "engines"]
        if step := not {"columns", "types"} & {*within} and step_of(frames):
            self.steps[table].add(step)


def step_of(frames):
    """The step of the innermost module that reads for itself; None: one that reads whatever is there."""
    outside = [
        (module, name) for module, name in frames if module.parts[0] != "engines" and str(module) not in PASSED_ON
    ]
    module, _ = outside[0]
    if READ_ALL & {module.parts[0] for module, _ in outside}:
        return None
    if module.parts[0] in ROOMS_OF_STEPS and module.stem != "explain":
        return str(module.with_suffix(""))
    stages = [STAGES.get(name) for module, name in outside if str(module) == "pipeline/stages.py"]
    stages += ["apply" for module, _ in outside if str(module) == "pipeline/committing.py"]
    return next(filter(None, stages), "people")


class Connection:
    """A connection of DuckDB whose statements are looked at."""

    def __init__(self, connection, reading):
        self._connection, self._reading = connection, reading
        self._files, self._main = {}, ""

    def execute(self, sql, parameters=()):
        self._look(sql)
        return self._connection.execute(sql, parameters)

    def sql(self, sql):
        self._look(sql)
        return self._connection.sql(sql)

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def _look(self, sql):
        if attached := re.match(r"ATTACH '(.+)' AS (\w+)", sql):
            self._files[attached[2]] = Path(attached[1]).name
        elif used := re.match(r"USE (\w+)$", sql):
            self._main = self._files.get(used[1], "")
        for table in tables_read(sql):
            if table.db == "staged" or (not table.db and self._main == "staging.duckdb"):
                self._reading.note(table.name)


def tables_read(sql):
    """The staged tables, or tables that are called so, that a statement reads."""
    if not any(name in sql for name in TABLES):
        return []
    found = []
    for statement in sqlglot.parse(re.sub(r"\?|\$\w+", "NULL", sql), dialect="duckdb"):
        written = (
            statement.this
            if isinstance(statement, exp.Insert | exp.Create | exp.Delete | exp.Drop | exp.Comment)
            else None
        )
        within = {each.alias_or_name for each in statement.find_all(exp.CTE)}
        found += [
            table
            for table in statement.find_all(exp.Table)
            if table is not written
            and table.name in TABLES
            and table.name not in within
            and not (isinstance(written, exp.Schema) and table is written.this)
        ]
    return found


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    found = Reading()
    with pytest.MonkeyPatch.context() as patched:
        connect = duckdb.connect
        patched.setattr(duckdb, "connect", lambda settings: Connection(connect(settings), found))
        files = Staging.files

        def looked(staging, prefix):
            found.note(PREFIXES[prefix])
            return files(staging, prefix)

        patched.setattr(Staging, "files", looked)
        live(Pipeline(tmp_path_factory.mktemp("readers")))
    return found.steps


def live(pipeline):
    """Everything that becomes of uploads: contacts, accounts, both, rows that are decided later, an inverse."""
    pipeline.store.load_users(SAMPLES / "users.yaml")
    pipeline.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")

    def plan(name):
        options = yaml.safe_load((SAMPLES / f"{name}.options.yaml").read_text(encoding="utf-8"))
        return pipeline.plan(SAMPLES / name, name.rsplit(".", 1)[0].rsplit("_", 1)[0], **options), options["user"]

    for name in ("portfolio_accounts_1.xlsx", "dealer_leads_1.csv", "dealer_leads_2.csv", "portfolio_contacts_1.xlsx"):
        planned, user = plan(name)
        upload = pipeline.apply(planned.upload_id, user=user)
        if name == "dealer_leads_2.csv":
            review = next(row for row in upload.as_dict(rows=True)["rows"] if row["outcome"] == "review")
            pipeline.resolve(upload.upload_id, review["row_number"], "new", user=user)
            look(pipeline, upload, review["row_number"])
            pipeline.undo(upload.upload_id, user=user)
            pipeline.redo(upload.upload_id, user=user)

    (pipeline.settings.home / "profiles").mkdir(exist_ok=True)
    (pipeline.settings.home / "profiles" / "readers.yaml").write_text(PROFILE)
    file = pipeline.settings.home / "readers.csv"
    file.write_text("Email,Name,Born\na@example.com,Ann Bee,1/2/1990\nb@example.com,Ann Bee,1/3/1990\n")
    again = pipeline.plan(file, "readers")
    pipeline.leave_out(again.upload_id, rows=[3])


def look(pipeline, upload, row):
    """Everything that is shown of an upload."""
    upload.as_dict(all_errors=True, all_warnings=True, rows=True, changes=True)
    pipeline.explain(upload.upload_id, row)
    pipeline.repairs(upload.upload_id)
    pipeline.review_page(upload.upload_id)
    assert pipeline.plan_undo(upload.upload_id).inverse.conflicts is not None


def read(reading, table):
    """The steps that read a table; those of contacts and those of accounts have the same."""
    entity, _, rest = table.name.partition("_")
    names = {f"contact_{rest}", f"account_{rest}"} if entity in {"contact", "account"} else {table.name}
    return set().union(*(reading[name] for name in names))


def test_the_catalogue_says_which_steps_read_a_table(reading):
    wrong = {
        table.name: {"declared": table.read_by, "found": ", ".join(sorted(found))}
        for table in STAGED
        if (found := read(reading, table)) != {*table.read_by.split(", ")}
    }
    assert wrong == {}
