"""What a checkpoint keeps beside a database file, and how a file that it tore becomes readable again."""

import fcntl
import shutil
import stat

import duckdb
import pytest

from contact_pipeline.engines import checkpoint, open_database
from contact_pipeline.engines.checkpoint import put_back
from contact_pipeline.errors import MachineFault, StoreBusy
from contact_pipeline.settings import Settings

ROWS = [(number,) for number in range(3)]


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, lock_wait_seconds=0.3)


@pytest.fixture
def path(tmp_path, settings):
    """A database whose first row is in the file, and the others in its log."""
    path = tmp_path / "some.duckdb"
    with open_database(path, settings) as database:
        database.run("CREATE TABLE numbers AS SELECT 0 AS number")
    assert not log_of(path).exists()
    with duckdb.connect() as other:
        other.execute("SET checkpoint_on_detach = 'DISABLED'")
        other.execute(f"ATTACH '{path}' AS file; INSERT INTO file.numbers VALUES (1), (2); DETACH file")
    assert log_of(path).exists()
    return path


def log_of(path):
    return path.with_name(f"{path.name}.wal")


def kept(path):
    return path.with_name(f"{path.name}.blocks")


def tear(path):
    """Leaves the file as a checkpoint does that is killed while it writes a block of metadata again."""
    with path.open("r+b") as file:
        checkpoint._locked_copy(file, [0], kept(path)).close()
        start = checkpoint._place_of(0)
        file.seek(start)
        block = file.read(checkpoint._BLOCK)
        file.seek(start)
        file.write(bytes(byte ^ 1 for byte in block[:4096]))


def numbers(path, settings, *, read_only=True):
    with open_database(path, settings, read_only=read_only) as database:
        return database.rows("FROM numbers ORDER BY ALL")


@pytest.mark.parametrize("read_only", [True, False])
def test_a_torn_block_is_put_back_by_whoever_opens_the_file_next(read_only, path, settings):
    tear(path)
    with pytest.raises(duckdb.Error, match=r"(?i)corrupt"):
        duckdb.connect(str(path)).execute("FROM numbers")
    assert numbers(path, settings, read_only=read_only) == ROWS
    assert not kept(path).exists()


def test_a_torn_block_is_put_back_where_the_file_is_opened_beside_another(path, settings):
    tear(path)
    with open_database(None, settings, beside={"other": path}) as database:
        assert database.rows("FROM other.numbers ORDER BY ALL") == ROWS


def test_nothing_is_put_back_into_a_file_that_went_on(path, settings, tmp_path):
    tear(path)
    shutil.copy(kept(path), tmp_path / "aside")
    assert numbers(path, settings, read_only=False) == ROWS
    (tmp_path / "aside").rename(kept(path))
    before = path.read_bytes()
    assert numbers(path, settings) == ROWS
    assert path.read_bytes() == before
    assert not kept(path).exists()


def test_while_a_checkpoint_goes_on_others_wait(path, settings):
    tear(path)
    torn = path.read_bytes()
    with kept(path).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreBusy):
            numbers(path, settings)
        assert path.read_bytes() == torn
    assert numbers(path, settings) == ROWS


def test_what_is_kept_is_for_its_owner_and_only_as_long_as_the_checkpoint_lasts(path, settings, monkeypatch):
    seen = []
    copied = checkpoint._locked_copy

    def watched(*words):
        copy = copied(*words)
        seen.append(stat.S_IMODE(kept(path).stat().st_mode))
        with pytest.raises(BlockingIOError):
            put_back(path)
        return copy

    monkeypatch.setattr(checkpoint, "_locked_copy", watched)
    with open_database(path, settings) as database:
        database.run("INSERT INTO numbers VALUES (3)")
    assert seen == [0o600]
    assert not kept(path).exists()
    assert not log_of(path).exists()


def test_every_block_of_metadata_is_kept(path, settings, monkeypatch):
    sizes = []
    copied = checkpoint._locked_copy

    def watched(file, blocks, kept):
        copy = copied(file, blocks, kept)
        sizes.append((len(blocks), kept.stat().st_size))
        return copy

    monkeypatch.setattr(checkpoint, "_locked_copy", watched)
    for table in range(2):
        with open_database(path, settings) as database, database.transaction():
            for number in range(300):
                database.run(f"CREATE TABLE wide_{table}_{number} AS SELECT {number} AS a, 'x' AS b, 1.5 AS c")
    (first, size), (second, bigger) = sizes
    assert (first, second > 1) == (1, True)
    assert (size, bigger) == (12_288 + 8 + 262_144, 12_288 + second * (8 + 262_144))
    with duckdb.connect() as look:
        look.execute(f"ATTACH '{path}' AS file (READ_ONLY)")
        assert look.execute(
            "SELECT block_size FROM pragma_database_size() WHERE database_name = 'file'"
        ).fetchone() == (checkpoint._BLOCK,)


def test_what_was_cut_off_before_the_checkpoint_is_deleted_by_the_next_writer(path, settings):
    half = kept(path).with_name(f"{kept(path).name}.new")
    half.write_bytes(bytes(12_288))
    assert numbers(path, settings, read_only=True) == ROWS
    assert half.exists()  # somebody may be writing it
    assert numbers(path, settings, read_only=False) == ROWS
    assert not half.exists()


def test_where_there_is_no_room_the_log_stays_unless_it_must_be_one_file(path, settings, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_locked_copy", no_room)
    assert numbers(path, settings, read_only=False) == ROWS
    assert log_of(path).exists()
    with pytest.raises(MachineFault, match="The disk is full"), open_database(path, settings, in_one_file=True):
        pass
    monkeypatch.undo()
    with open_database(path, settings, in_one_file=True) as database:
        assert database.rows("FROM numbers ORDER BY ALL") == ROWS
    assert not log_of(path).exists()
