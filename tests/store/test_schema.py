"""The schema of the contact database: its migrations, each recorded, and the columns that profiles add."""

import pytest

from contact_pipeline.contracts.tables import Column, Table
from contact_pipeline.engines.record import RECORD
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.store import Store, schema
from contact_pipeline.store.ledger import add_line, now
from contact_pipeline.store.schema import add_contact_fields
from tests.match.ground import Ground


def migrations(store):
    with store.open(read_only=True) as database:
        return database.rows("SELECT number, name FROM migrations ORDER BY number")


def add_nickname(database):
    database.run("ALTER TABLE vocabularies ADD COLUMN nickname VARCHAR")


def test_a_new_database_has_its_migrations_recorded_with_their_time(store):
    assert migrations(store) == [(number, name) for number, (name, _) in enumerate(schema.MIGRATIONS, 1)]
    with store.open(read_only=True) as database:
        assert database.value("SELECT count(*) FROM migrations WHERE applied_at IS NULL") == 0


def test_opening_again_migrates_nothing(store, settings):
    before = migrations(store)
    assert migrations(Store(settings)) == before


def test_a_database_of_an_earlier_version_is_migrated_and_keeps_its_rows(store, settings, monkeypatch):
    with store.change() as database:
        database.run("INSERT INTO vocabularies (name, position, value) VALUES ('specialties', 0, 'Surgery')")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("nicknames", add_nickname)))

    store = Store(settings)

    assert migrations(store)[0] == (1, "first schema")
    assert migrations(store)[-1] == (len(schema.MIGRATIONS), "nicknames")
    assert store.vocabularies() == {"specialties": ["Surgery"]}
    with store.open(read_only=True) as database:
        assert database.value("SELECT count(*) FROM vocabularies WHERE nickname IS NULL") == 1


@pytest.mark.parametrize("required", [True, False])
def test_a_column_that_is_declared_with_a_migration_is_added_to_databases_made_before(store, required):
    with store.change() as database:
        add_line(database, upload_id="one", profile="p", file_name="f.csv", file_size=1, sha256="0", state="received",
                 stage="received", added_at=now(), user_login="ann")  # fmt: skip
        mood = Column("mood", "INTEGER", "how it feels", required=required, default="7", since="moods")
        schema._adding(Table("uploads", "", "", (mood,)), mood)(database)
        declared = database.rows(
            "SELECT data_type, is_nullable FROM duckdb_columns() WHERE table_name = 'uploads' AND column_name = 'mood'"
        )
        assert database.value("SELECT mood FROM uploads") == 7
    assert declared == [("INTEGER", not required)]


def test_contacts_in_delta_tables_are_moved_back_before_a_migration_of_theirs(store, settings, monkeypatch):
    with store.change() as database:
        database.run(f"CREATE TABLE {RECORD} (name VARCHAR, path VARCHAR, version BIGINT, writing BOOLEAN)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("nicknames", add_nickname)))
    with pytest.raises(MachineFault, match="cannot be done") as refused, Store(settings).open():
        pass
    assert refused.value.code == "engine-upgrade"
    monkeypatch.setattr(schema, "_OF_SMALL_TABLES", {"nicknames"})
    assert migrations(Store(settings))[-1] == (len(schema.MIGRATIONS), "nicknames")


def test_a_migration_that_fails_leaves_the_database_as_it_was(store, settings, monkeypatch):
    def fails(database):
        add_nickname(database)
        raise RuntimeError

    before = migrations(store)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("nicknames", fails)))
    with pytest.raises(RuntimeError), Store(settings).open():
        pass
    monkeypatch.undo()
    assert migrations(store) == before
    with store.open(read_only=True) as database:
        columns = [name for (name,) in database.rows("SELECT column_name FROM (DESCRIBE vocabularies)")]
    assert "nickname" not in columns


def test_a_custom_field_is_a_column_added_in_a_recorded_migration(store):
    with store.change() as database:
        database.run("INSERT INTO contacts (contact_id, address_book, email) VALUES (1, 'leads', 'a@example.com')")
        add_contact_fields(database, {"loyalty_card": "text", "pets": "list", "email": "text"}, frozenset())
    assert [name for _, name in migrations(store)][-2:] == [
        "contact field loyalty_card (text)",
        "contact field pets (list)",
    ]
    (contact,) = store.contacts()
    assert (contact["email"], contact["loyalty_card"], contact["pets"]) == ("a@example.com", None, None)


def test_a_custom_field_is_published_and_kept_in_the_history(store):
    with store.change() as database:
        add_contact_fields(database, {"pets": "list"}, frozenset())
        published = [name for (name,) in database.rows("SELECT column_name FROM (DESCRIBE published_contacts)")]
        history = [name for (name,) in database.rows("SELECT column_name FROM (DESCRIBE contact_changes)")]
    assert "pets" in published
    assert {"before_pets", "after_pets"} <= set(history)


def test_a_field_that_is_there_already_is_not_added_again(store):
    for _ in range(2):
        with store.change() as database:
            add_contact_fields(database, {"pets": "list"}, frozenset())
    assert [name for _, name in migrations(store)].count("contact field pets (list)") == 1


def test_a_custom_field_that_is_sensitive_is_masked(store):
    """B2: as the profile that declares it says."""
    with store.change() as database:
        add_contact_fields(database, {"passport": "text"}, frozenset({"passport"}))
        database.run("""
            INSERT INTO contacts (contact_id, address_book, ssn, date_of_birth, passport)
            VALUES (1, 'leads', '219-09-9990', '1984-04-17', 'X123')""")
    contact = store.contact(1)
    shown = (contact["ssn"], contact["date_of_birth"], contact["passport"])
    assert shown == ("***-**-****", "****-**-**", "****")


def test_a_profile_that_declares_a_field_of_its_own_has_it_stored():
    """E6: applying adds the column."""
    from contact_pipeline.profiles import Profile, load_profile

    content = load_profile("dealer_leads").model_dump(mode="json")
    content["columns"].append({"field": "loyalty_card", "heading": "Loyalty card"})
    ground = Ground()
    row = {"full_name": "Ann Bee", "email": "a@example.com", "loyalty_card": "L-1"}
    ground.run(Profile.model_validate(content), [row], lead_type="SMS")
    assert ground.store.contact(1)["loyalty_card"] == "L-1"
    ground.close()


def test_the_contact_database_is_for_its_owner_only(store, settings):
    """B2: sensitive values lie in it."""
    store.lines()
    assert settings.contacts_path.stat().st_mode & 0o077 == 0


def test_a_canonical_field_is_of_its_own_kind_before_it_has_a_column(store):
    with (
        store.change() as database,
        pytest.raises(Refusal, match="'company' as text; the profile declares it as list"),
    ):
        add_contact_fields(database, {"company": "list"}, frozenset())


def test_uploads_of_a_newer_version_can_be_listed(store):
    """It may know more of an upload than this one."""
    with store.change() as database:
        database.run("ALTER TABLE uploads ADD COLUMN mood VARCHAR DEFAULT 'good'")
        add_line(database, upload_id="one", profile="p", file_name="f.csv", file_size=1, sha256="0", state="received",
                 stage="received", added_at=now(), user_login="ann")  # fmt: skip

    assert [line.upload_id for line in store.lines()] == ["one"]
