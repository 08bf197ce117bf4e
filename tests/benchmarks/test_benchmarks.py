"""Every benchmark on small files: the answers are checked, never the times."""

import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks import bound
from benchmarks.answers import differences, undone_differences
from benchmarks.make_contacts import PROFILE, make_contacts
from benchmarks.measure import measured
from benchmarks.people import FIELDS, people
from benchmarks.results import Results
from benchmarks.suite import BENCHMARKS, Bench
from contact_pipeline import Pipeline
from tests.thorough import THOROUGH

# Name → by how much its files are made smaller, to ten thousand rows at most.
SCALES = {
    "100": 1, "20k": 1 / 10, "100k": 1 / 50, "1m": 1 / 500, "two_of_three": 1 / 100, "undo": 1 / 100, "ledger": 1 / 100,
    "dagster": 1 / 100, "large_base": 1 / 1_000, "10m": 1 / 1_000, "30m": 1 / 3_000,
}  # fmt: skip


# The others run the same programs on files of other sizes.
UNLIKE = ("20k", "two_of_three", "undo", "ledger", "dagster")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand rows for a thousand contacts."""
    folder = tmp_path_factory.mktemp("made") / "data"
    make_contacts(folder, 1_000, 1_000)
    return folder


@pytest.fixture
def home(data: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data / "home", tmp_path / "home")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", UNLIKE if not THOROUGH else (*UNLIKE, "10m"))
def test_every_benchmark_runs_and_every_run_gives_the_right_answers(name: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data", SCALES[name], runs=1)
    BENCHMARKS[name](bench)
    Results(tmp_path).keep(name, bench)
    assert bench.taken
    assert not bench.wrong
    assert f"## {name}\n" in (tmp_path / "RESULTS.md").read_text()
    for target in bench.targets:
        assert f"| {target.what}" in (tmp_path / "RESULTS.md").read_text()


def test_the_same_arguments_make_the_same_file(data: Path, tmp_path: Path) -> None:
    make_contacts(tmp_path / "again", 1_000, 1_000)
    make_contacts(tmp_path / "other", 1_000, 1_000, seed=8)
    first, again, other = (folder / "incoming.csv" for folder in (data, tmp_path / "again", tmp_path / "other"))
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_no_two_made_up_people_share_what_they_are_found_by() -> None:
    made = pl.select(**people(pl.int_range(200_000)))
    named = made.drop_nulls("phone").select("first_name", "last_name", "phone")
    assert made["email"].is_unique().all()
    assert made["account_number"].drop_nulls().is_unique().all()
    assert named.is_unique().all()


def test_the_pipeline_and_the_bound_both_do_what_the_answers_say(data: Path, home: Path, tmp_path: Path) -> None:
    pipeline = Pipeline(home=home)
    upload = pipeline.plan(data / "incoming.csv", PROFILE.stem, deactivate_missing=True)
    pipeline.apply(upload.upload_id)
    book = shutil.copyfile(bound.base(data), tmp_path / "bound.duckdb")
    bound.import_file(data, book)
    staged = pipeline.store.staging(upload.upload_id).path
    assert set(differences(data, home / "contacts.duckdb", staged).values()) == {0}
    assert set(differences(data, book, book).values()) == {0}


def test_answers_tell_a_wrong_import_and_a_wrong_undoing(data: Path, home: Path) -> None:
    pipeline = Pipeline(home=home)
    upload = pipeline.plan(data / "incoming.csv", PROFILE.stem, deactivate_missing=True)
    pipeline.apply(upload.upload_id)
    staging = pipeline.store.staging(upload.upload_id)
    with pipeline.store.change() as contacts:
        contacts.run(f"UPDATE contacts SET {', '.join(f'{field} = NULL' for field in FIELDS)}, active = true")
        contacts.run("DELETE FROM contact_changes WHERE contact_id % 2 = 0")
    with staging.open() as staged:
        staged.run("UPDATE outcome_rows SET outcome = 'unchanged', contact_id = 1, duplicate_of_row = 1")
        staged.run("DELETE FROM rejections WHERE row_number % 2 = 0")
    found = differences(data, home / "contacts.duckdb", staging.path)
    assert found.pop("contacts") == 0  # none is gone
    assert all(found.values()), found
    assert undone_differences(data, home / "contacts.duckdb")["contacts"] > 0


def test_a_program_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no_such_module"):
        measured([sys.executable, "-m", "no_such_module"], tmp_path / "said.txt")
