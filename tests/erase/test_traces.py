"""After erasing, a search of every byte of the home finds nothing of the person, and everybody else is still there."""

import shutil
import stat

import dagster as dg
import polars as pl
import pytest

from contact_pipeline import Pipeline
from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.engines import open_database
from contact_pipeline.errors import Refusal
from tests.erase.home import BEA, BOB, TRACES, found


@pytest.fixture(scope="module")
def erased(filled, tmp_path_factory):
    """A home from which she was erased: the pipeline on it, and what the erasure said."""
    home = tmp_path_factory.mktemp("erased") / "home"
    shutil.copytree(filled, home)
    pipeline = Pipeline(home)
    return pipeline, pipeline.erase(1, user="dpo")


def test_no_byte_of_the_home_holds_the_person_any_more(filled, erased):
    """Contacts, history, staged rows, refused files, originals and Dagster's previews; before it, they did."""
    before = found(filled, TRACES)
    assert {trace for _, trace in before} == set(TRACES)
    places = {file.split("/")[0] for file, _ in before}
    assert places == {"contacts.duckdb", "dagster", "inbox", "staging", "uploads"}

    pipeline, _ = erased

    assert found(pipeline.settings.home, TRACES) == set()


def test_the_others_stay_as_they_were(filled, erased):
    before = {contact["contact_id"]: contact for contact in Pipeline(filled).store.contacts()}
    pipeline, _ = erased
    after = {contact["contact_id"]: contact for contact in pipeline.store.contacts()}
    assert len(after) == 3
    assert {number: contact for number, contact in after.items() if number != 1} == {
        number: contact for number, contact in before.items() if number != 1
    }
    assert BOB[6] in [contact["email"] for contact in pipeline.store.contacts(published=True)]


def test_contact_history_and_published_view_give_the_contact_as_erased(erased):
    pipeline, result = erased
    contact = pipeline.store.contact(1)
    ours = {"contact_id", "address_book", "active", "revision", "last_upload_id", "erased"}
    assert (contact["erased"], contact["active"]) == (True, False)
    assert [name for name, value in contact.items() if value not in (None, []) and name not in ours] == []
    (published,) = [each for each in pipeline.store.contacts(published=True) if each["contact_id"] == 1]
    assert published["email"] is None
    (then,) = [each for each in pipeline.store.contacts_as_of(result.erased_at) if each["contact_id"] == 1]
    assert (then["email"], then["active"]) == (None, False)
    history = pipeline.store.history(1)
    assert [entry["action"] for entry in history] == ["create", "create", "deactivate", "erase", "remove"]
    sides = [side for entry in history if entry["target"] == "contact" for both in entry["fields"].values()
             for side in both]  # fmt: skip
    assert {side for side in sides if not isinstance(side, bool)} == {None}
    assert history[-2]["by"] == "dpo"


def test_every_row_still_has_its_outcome(erased):
    """X1: emptied rows count as before; one that waited in review is left out."""
    pipeline, _ = erased
    for upload in pipeline.uploads():
        if upload.state in APPLIED and upload.profile != "by_hand":
            counts = dict(upload.outcome_rows.group_by("outcome").len().iter_rows())
            assert counts == {name: count for name, count in upload.outcomes.items() if count}
            assert sum(counts.values()) == upload.line.data_rows
    again = next(upload for upload in pipeline.uploads() if upload.file_name == "again.csv")
    assert (again.outcomes["review"], again.outcomes["rejected"], again.outcomes["duplicate"]) == (0, 2, 1)
    assert again.error_count == again.rejections.filter(pl.col("severity") != "warning").height
    assert again.row_warning_count == again.rejections.filter(severity="warning").height


def test_its_upload_lines_say_what_was_emptied_and_keep_the_hash_of_the_file(filled, erased):
    pipeline, result = erased
    first = next(upload for upload in pipeline.uploads() if upload.file_name == "first.csv" and upload.state in APPLIED)
    assert first.warnings[-1] == "Contact 1 was erased; emptied with it: row 2."
    assert first.sha256 == Pipeline(filled).show(first.upload_id).sha256
    assert result.rows[first.upload_id] == [2]
    assert f"uploads/{first.upload_id}/original.csv" in result.deleted


def test_dagster_shows_its_previews_still_without_the_person(erased):
    pipeline, _ = erased
    upload = next(upload for upload in pipeline.uploads() if upload.profile == "program_contacts")
    with dg.DagsterInstance.local_temp(str(pipeline.settings.home / "dagster")) as instance:
        events = instance.fetch_materializations(dg.AssetKey("normalized_frame"), limit=5).records
    table = events[0].asset_materialization.metadata["preview"]
    assert [record.data["email"] for record in table.records] == ["", BEA[0]]
    assert upload.state == "stale"


def test_every_database_stays_readable_by_its_owner_alone(erased):
    pipeline, _ = erased
    home = pipeline.settings.home
    for path in [*home.rglob("*.duckdb"), pipeline.settings.erasure_key_path]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert not list(home.rglob("*.rewritten"))


def test_the_fingerprints_say_nothing_without_the_key(erased):
    pipeline, _ = erased
    with open_database(pipeline.settings.contacts_path, pipeline.settings, read_only=True) as database:
        rows = database.rows("SELECT field, fingerprint FROM fingerprints")
        assert database.value("SELECT count(*) FROM erased_rows") == 0
    assert {field for field, _ in rows} >= {"email", "phone", "ssn", "account_number"}
    assert all(len(fingerprint) == 64 for _, fingerprint in rows)


def test_erased_twice_is_refused(erased):
    pipeline, _ = erased
    with pytest.raises(Refusal) as refused:
        pipeline.erase(1)
    assert refused.value.code == "erased"
