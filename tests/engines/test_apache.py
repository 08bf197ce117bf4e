"""The SQL of stage 4 on Apache Spark, in a server that has nothing of ours."""

import os

import pytest

from tests.engines.apache import apache_spark
from tests.engines.matched import ONE, assert_all_are_the_same, assert_texts_are_the_same
from tests.engines.sail import run_on_sail
from tests.thorough import THOROUGH, spread

# A file of each profile. Spark takes a tenth of a second for each of the 340 jobs of a file, however few its rows: a
# thorough run takes two of them, and one with APACHE=all takes all.
FILES = [
    ("portfolio_accounts_2.xlsx", "portfolio_contacts_2.xlsx"),
    ("program_contacts_2.xlsx",),
    ("outreach_contacts_2.csv",),
    ("dealer_leads_2.csv",),
    ("property_contacts_2.xlsx",),
]


CASES = FILES if os.environ.get("APACHE") == "all" else spread(FILES, 1, 2) if THOROUGH else [ONE]


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    with apache_spark(tmp_path_factory.mktemp("spark")) as address:
        yield address


@pytest.mark.timeout(600)
@pytest.mark.parametrize("files", CASES, ids=lambda files: files[-1])
def test_spark_gives_the_same_changesets(spark, tmp_path, files):
    assert_all_are_the_same(run_on_sail("on_spark.py", spark, "match", tmp_path, *files), files)


def test_spark_makes_the_same_of_every_letter(spark, tmp_path):
    assert_texts_are_the_same(run_on_sail("on_spark.py", spark, "keys", tmp_path))


@pytest.mark.skipif(not THOROUGH, reason="a minute and a half of processor time: THOROUGH=1")
@pytest.mark.timeout(600)
def test_two_workers_of_spark_give_the_same_changesets(tmp_path, tmp_path_factory):
    with apache_spark(tmp_path_factory.mktemp("cluster"), workers=2) as address:
        assert_all_are_the_same(run_on_sail("on_spark.py", address, "match", tmp_path, *ONE), ONE)
