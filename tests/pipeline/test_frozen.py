"""What is applied is what was frozen: staged files that were changed, deleted or added are refused."""

import duckdb
import polars as pl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.store import Staging
from tests.homes import fill_once
from tests.trust import record

SSN = "219-09-9998"
PEOPLE = [{"account": f"A-{number}", "email": f"p{number}@example.com"} for number in range(20)]


def replace_a_value(folder):
    file = folder / "contact_changes-00001.parquet"
    pl.read_parquet(file, glob=False).with_columns(after_email=pl.lit("mallory@example.com")).write_parquet(file)


def flip_one_bit(folder):
    file = folder / "contact_changes-00001.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def add_changes(folder):
    file = folder / "contact_changes-00001.parquet"
    frame = pl.read_parquet(file, glob=False)
    frame.with_columns(contact_id=pl.col("contact_id") + 1000).write_parquet(folder / "contact_changes-00009.parquet")


def change_memberships(folder):
    with duckdb.connect(folder / "staging.duckdb") as database:
        database.execute("UPDATE membership_changes SET group_name = 'Others'")


def turn_a_view_elsewhere(folder):
    with duckdb.connect(folder / "staging.duckdb") as database:
        some = f"FROM read_parquet('{folder}/contact_changes-*.parquet') LIMIT 1"
        database.execute(f"CREATE OR REPLACE VIEW contact_changes AS {some}")


def delete_a_file(folder):
    (folder / "contact_changes-00001.parquet").unlink()


def delete_the_rows(folder):
    (folder / "normalized-00000.parquet").unlink()


def swap_two_files(folder):
    one, other = folder / "contact_changes-00000.parquet", folder / "contact_changes-00001.parquet"
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)


def delete_all(folder):
    Staging.remove(type("Folder", (), {"folder": folder})())


ATTACKS = [
    replace_a_value, flip_one_bit, add_changes, change_memberships, turn_a_view_elsewhere, delete_a_file,
    delete_the_rows, swap_two_files, delete_all,
]  # fmt: skip


def tables(pipeline):
    with pipeline.store.open(read_only=True) as database:
        names = ("contacts", "contact_changes", "commits", "memberships", "groups", "decisions")
        return {name: database.rows(f"FROM {name} ORDER BY ALL") for name in names}


@pytest.fixture
def people(pipeline, outreach):
    """An upload of these people, planned."""

    def fill():
        return outreach(*PEOPLE).upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_changeset_altered_after_it_was_frozen_is_refused_and_planned_again(pipeline, people, attack):
    """X2: nothing of it is applied; planned again it is read from the original."""
    attack(people.staging.folder)
    before = tables(pipeline)

    with pytest.raises(Refusal) as refusal:
        pipeline.apply(people.upload_id, changeset=people.changeset_sha256)

    assert refusal.value.code == "staged-changed"
    assert f"replan {people.upload_id}" in refusal.value.fix
    assert tables(pipeline) == before
    assert pipeline.show(people.upload_id).state == "staged"
    again = pipeline.plan_again(people.upload_id)
    assert (again.state, again.changeset_sha256) == ("staged", people.changeset_sha256)
    assert pipeline.apply(people.upload_id).state == "applied"
    assert sorted(contact["email"] for contact in pipeline.store.contacts()) == sorted(p["email"] for p in PEOPLE)
    record("staged-files-altered", tried=1, failed=0, where=f"apply: {attack.__name__}")


@pytest.mark.parametrize("attack", [delete_the_rows, flip_one_bit, turn_a_view_elsewhere])
@pytest.mark.parametrize("applied", [False, True])
def test_rows_are_not_decided_from_altered_files(pipeline, outreach, attack, applied):
    """X2: neither before the upload is applied nor after it."""
    upload = outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN})
    if applied:
        pipeline.apply(upload.upload_id)
    attack(upload.staging.folder)
    before = tables(pipeline)

    with pytest.raises(Refusal) as refusal:
        pipeline.resolve(upload.upload_id, 3, "new")

    assert refusal.value.code == "staged-changed"
    assert tables(pipeline) == before
    record("staged-files-altered", tried=1, failed=0, where=f"resolve: {attack.__name__}")


@pytest.mark.parametrize("turn", ["undo", "redo"])
@pytest.mark.parametrize("attack", [flip_one_bit, delete_a_file, turn_a_view_elsewhere])
def test_an_undo_altered_between_planning_and_committing_is_refused(pipeline, people, monkeypatch, turn, attack):
    """X4: what was worked out is written, and nothing else; repeated, it is done."""
    from contact_pipeline.pipeline import committing

    upload = pipeline.apply(people.upload_id)
    if turn == "redo":
        pipeline.undo(upload.upload_id)
    before = tables(pipeline)
    plan = committing.plan_turn

    def plan_and_attack(*given):
        planned = plan(*given)
        folder = upload.staging.for_undo().folder
        (folder / "contact_changes-00000.parquet").rename(folder / "contact_changes-00001.parquet")
        attack(folder)
        return planned

    with monkeypatch.context() as attacked:
        attacked.setattr(committing, "plan_turn", plan_and_attack)
        with pytest.raises(Refusal) as refusal:
            getattr(pipeline, turn)(upload.upload_id)

    assert refusal.value.code == "staged-changed"
    assert tables(pipeline) == before
    assert getattr(pipeline, turn)(upload.upload_id).state == ("undone" if turn == "undo" else "applied")
    record("staged-files-altered", tried=1, failed=0, where=f"{turn}: {attack.__name__}")


def test_looking_at_what_is_staged_does_not_change_it(pipeline, people):
    """Analysts open the staging database as DuckDB opens any file, to read and to write."""
    with duckdb.connect(people.staging.path) as database:
        assert database.execute("SELECT count(*) FROM outcome_rows").fetchall() == [(20,)]

    assert pipeline.apply(people.upload_id).state == "applied"


def test_what_an_erasure_emptied_is_frozen_anew(pipeline, outreach):
    """Another upload that was staged when somebody was erased is applied as it was approved."""
    first = pipeline.apply(outreach(PEOPLE[0]).upload_id)
    second = outreach(*PEOPLE[1:], name="others.csv")
    pipeline.erase(pipeline.store.contacts()[0]["contact_id"])

    assert pipeline.apply(second.upload_id, changeset=second.changeset_sha256).state == "applied"
    assert pipeline.show(first.upload_id).staging.differences(pipeline.show(first.upload_id).line.staged_files) == []


def test_an_erasure_does_not_freeze_what_was_altered(pipeline, outreach):
    """X2: what somebody changed before it is still refused after it."""
    pipeline.apply(outreach(PEOPLE[0]).upload_id)
    second = outreach(*PEOPLE[1:], name="others.csv")
    replace_a_value(second.staging.folder)
    pipeline.erase(pipeline.store.contacts()[0]["contact_id"])

    with pytest.raises(Refusal, match="was changed"):
        pipeline.apply(second.upload_id)


def test_an_upload_staged_by_an_earlier_version_is_planned_again(pipeline, people):
    """X2: of its files nobody knows whether they are what was frozen."""
    with pipeline.store.change() as database:
        database.run("UPDATE uploads SET staged_files = NULL")

    with pytest.raises(Refusal, match="earlier version"):
        pipeline.apply(people.upload_id)

    assert pipeline.apply(pipeline.plan_again(people.upload_id).upload_id).state == "applied"
