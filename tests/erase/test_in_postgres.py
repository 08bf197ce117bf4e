"""Where Dagster's records lie in PostgreSQL: erasing reaches them, or refuses, and never passes them over."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from contact_pipeline.erase.previews import count_previews
from contact_pipeline.errors import MachineFault, Refusal, StoreBusy
from contact_pipeline.orchestration.forgetting import forget_materializations, newest_materializations
from contact_pipeline.orchestration.serve import _put_settings
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.store.dagster_records import VARIABLE
from tests.erase.home import BEA, DIRECTOR, found, open_home, stage_in_dagster
from tests.postgres import ask, postgres_server

SHE = ("quintessa.q@example.com", "Quennevais", "2025550187")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Path]]:
    with postgres_server() as started:
        yield started


@pytest.fixture
def pipeline(tmp_path: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline on a home that was served once with its records in PostgreSQL."""
    monkeypatch.setenv(VARIABLE, server[0])
    settings = Settings(home=open_home(tmp_path).settings.home)
    folder = settings.home / "dagster"
    folder.mkdir()
    _put_settings(settings, folder)
    before = (folder / "dagster.yaml").read_text()
    _put_settings(settings, folder)
    assert (folder / "dagster.yaml").read_text() == before
    assert server[0] not in before
    return Pipeline(settings=settings)


def test_who_is_erased_is_in_no_page_of_postgresql_and_the_rest_is_shown_still(
    pipeline: Pipeline, server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, data = server
    home = pipeline.settings.home
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        ask(address, "ALTER TABLE event_logs ALTER event SET STORAGE EXTERNAL")  # packed, no search finds anything
        upload_id = stage_in_dagster(pipeline, tmp_path, instance)
        pipeline.apply(upload_id, user=DIRECTOR)
        ask(address, "ANALYZE")
        ask(address, "CHECKPOINT")
        assert not list((home / "dagster").rglob("*.db"))
        assert SHE[0] in {trace for _, trace in found(data / "base", SHE)}
        person, other = sorted(pipeline.store.contacts(), key=lambda each: each["email"] != SHE[0])
        assert count_previews(pipeline.settings, None, {upload_id: [2]}) != {}

        with closing(_reader(address)):  # keeps what would lock the table waiting
            hasty = Pipeline(settings=pipeline.settings.model_copy(update={"lock_wait_seconds": 0.2}))
            with pytest.raises(StoreBusy, match="PostgreSQL have been in use"):
                hasty.erase(person["contact_id"], user="dpo")
        pipeline.erase(person["contact_id"], user="dpo")

        ask(address, "CHECKPOINT")
        assert found(data / "base", SHE) == set()
        shown = instance.fetch_materializations(dg.AssetKey("normalized_frame"), limit=5).records[0]
        table = shown.asset_materialization.metadata["preview"]
        assert [record.data["email"] for record in table.records] == ["", BEA[0]]

        assert newest_materializations(instance, "raw_upload", [upload_id])
        forget_materializations(instance, "raw_upload", upload_id)
        assert newest_materializations(instance, "raw_upload", [upload_id]) == {}

    monkeypatch.delenv(VARIABLE)
    with pytest.raises(Refusal, match=f"{VARIABLE} is not set") as refused:
        Pipeline(home).erase(other["contact_id"], user="dpo")
    assert refused.value.code == "dagster-storage"
    monkeypatch.setenv(VARIABLE, "postgresql+psycopg2://dagster:hush@/postgres?host=/nowhere")
    with pytest.raises(MachineFault) as fault:
        Pipeline(home).erase(other["contact_id"], user="dpo")
    assert "hush" not in str(fault.value)
    assert pipeline.store.contact(other["contact_id"])["email"] == BEA[0]


@pytest.mark.parametrize(
    "said",
    [
        "storage: {mysql: {mysql_url: x}}",
        "storage: {postgres: {postgres_db: {username: x}}}",
        "event_log_storage: {module: x, class: y}",
        "storage: {postgres: {postgres_url: 'postgresql://x'}}",
        "storage: [",
    ],
)
def test_records_that_erasing_cannot_reach_are_refused_before_anything_is_erased(tmp_path: Path, said: str) -> None:
    pipeline = open_home(tmp_path)
    (pipeline.settings.home / "dagster").mkdir()
    (pipeline.settings.home / "dagster" / "dagster.yaml").write_text(said)
    with pytest.raises(Refusal) as refused:
        pipeline.erase(1, user="dpo")
    assert refused.value.code == "dagster-storage"
    with pytest.raises(Refusal):
        count_previews(pipeline.settings, None, {})


def _reader(address: str):
    import psycopg2

    connection = psycopg2.connect(address.replace("+psycopg2", ""))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event_logs")
    return connection
