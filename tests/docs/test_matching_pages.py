"""The steps of matching look at what they declare, and change nothing else: seen in the SQL of every sample file."""

import re
import sys
from collections import defaultdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from contact_pipeline.engines.dialect import to_spark

# What sqlglot knows no class for: functions of Spark.
OF_SPARK = {"array_position", "octet_length", "slice", "xxhash64"}

SCRIPT = Path(__file__).parents[2] / "docs" / "generate_matching.py"

# Made in memory by the step that names them.
FRAMES = {"_frame", "lines", "sharing", "erased_lines", "clearing", "composed_keys"}
NAME = r"((?:book\.)?[a-z_]+)"
NAMED = re.compile(rf"(?<!DISTINCT )\b(?:FROM|JOIN) {NAME}\b(?![.(])")
CHANGED = re.compile(
    rf"(?:CREATE (?:OR REPLACE )?(?:TEMP )?(?:TABLE|VIEW)|INSERT INTO|DELETE FROM|UPDATE|COPY .* TO) {NAME}"
)
LOCAL = re.compile(r"(?:WITH (?:RECURSIVE )?|, ?|^)([a-z_]+)(?:\([a-z_, ]*\))? AS (?:MATERIALIZED )?\(", re.MULTILINE)
BESIDE = ("duckdb_tables", "duckdb_views", "counters", "migrations")


# The samples have no linked leads with wishes, nobody who was erased, and no group that takes in all of a file.
NOT_IN_SAMPLES = {
    "find the contacts that are linked with those": {"contact_pairs", "contact_rows", "resolutions", "book.contacts"},
    "find rows that would be new but belong to an erased person": {"contact_row_keys", "contact_by_keys"},
    "carry the wish not to be contacted to linked contacts": {"contact_targets"},
    "list who joins the upload's group": {"left_out", "contact_targets", "reviews"},
}


@pytest.fixture(scope="module")
def runs():
    spec = spec_from_file_location("generate_matching", SCRIPT)
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.recorded()


def looked_at(statement):
    return {*NAMED.findall(statement)} - {*LOCAL.findall(statement)} - FRAMES - {*BESIDE}


def changed(statement):
    return {*CHANGED.findall(statement)} - {*BESIDE}


def of_any(name):
    """The same of contacts and accounts."""
    return name.replace("account", "contact")


def scratch(taken):
    """What a step makes for itself, beside what it declares."""
    return {name for sql in taken.statements for name in changed(sql)} - {*taken.step.makes, "match_defects"}


def test_every_shipped_profile_is_matched(runs):
    assert {run.profile for run in runs} >= {"dealer_leads", "outreach_contacts", "portfolio_accounts"}
    assert all(len(run.taken) > 25 for run in runs)


def test_a_step_looks_only_at_what_it_declares(runs):
    wrong = {
        (run.profile, taken.step.does, name)
        for run in runs
        for taken in run.taken
        for sql in taken.statements
        for name in looked_at(sql) - {*taken.step.reads, *taken.step.makes, *scratch(taken)}
        if not (taken.step.adds and name == "match_defects")
    }
    assert wrong == set()


def test_what_a_step_declares_it_looks_at_for_some_file(runs):
    seen, declared = defaultdict(set), defaultdict(set)
    for run in runs:
        for taken in run.taken:
            does = of_any(taken.step.does)
            declared[does] |= {*map(of_any, taken.step.reads)}
            seen[does] |= {of_any(name) for sql in taken.statements for name in looked_at(sql)}
    never = {does: names - seen[does] for does, names in declared.items() if names - seen[does]}
    assert never == NOT_IN_SAMPLES


def test_no_step_changes_a_table_of_another(runs):
    for run in runs:
        made_by = {}
        for taken in run.taken:
            for name in scratch(taken) | {*taken.step.makes} - {"rejections"}:
                assert made_by.setdefault(name, taken.step.does) == taken.step.does, (run.profile, name)
            adds = {name for sql in taken.statements for name in changed(sql)} & {"match_defects"}
            assert not adds or taken.step.adds or "match_defects" in taken.step.makes, (run.profile, taken.step.does)


def test_steps_that_need_the_contact_database_stand_together(runs):
    for run in runs:
        looks = [taken.step.reads_contacts for taken in run.taken]
        first = looks.index(True)
        assert looks == [first <= place < first + sum(looks) for place in range(len(looks))], run.profile


def test_every_query_is_one_that_spark_has(runs):
    of_the_engine = re.compile(r"duckdb_|COMMENT ON|DROP |UPDATE counters|SELECT next")
    queries = {sql for run in runs for taken in run.taken for sql in taken.raw if not of_the_engine.search(sql)}
    assert len(queries) > 200
    unknown = {
        call.name
        for query in queries
        for call in sqlglot.parse_one(to_spark(query), read="spark").find_all(exp.Anonymous)
        if call.name.lower() not in OF_SPARK
    }
    assert unknown == set()
