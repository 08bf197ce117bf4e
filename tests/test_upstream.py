"""The behaviour of libraries that the project relies on, private names included: a breaking upgrade fails here."""

import ast
import importlib
import inspect
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaErrorReason, SchemaErrors

PRIVATE = {
    "dagster._cli": ["main"],
    "dagster._cli.api": [],
    "dagster._core.events": [
        "AssetObservationData", "DagsterEvent", "DagsterEventType", "StepMaterializationData",
    ],
    "dagster._core.events.log": ["EventLogEntry"],
    "dagster._core.instance.utils": ["RUNLESS_JOB_NAME", "RUNLESS_RUN_ID"],
    "dagster._core.storage.event_log.schema": [
        "AssetCheckExecutionsTable", "AssetEventTagsTable", "AssetKeyTable", "SqlEventLogStorageTable",
    ],
    "dagster._core.storage.event_log.sql_event_log": ["SqlEventLogStorage"],
    "dagster._core.utils": ["is_valid_email"],
    "dagster._core.definitions.source_asset": ["SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION"],
    "dagster._core.definitions.asset_checks.asset_check_evaluation": [
        "AssetCheckEvaluationTargetMaterializationData",
    ],
    "dagster._core.definitions.unresolved_asset_job_definition": ["UnresolvedAssetJobDefinition"],
    "dagster._core.run_coordinator": ["QueuedRunCoordinator", "SubmitRunContext"],
    "dagster._core.storage.event_log.sqlite.sqlite_event_log": ["INDEX_SHARD_NAME", "SqliteEventLogStorage"],
    "dagster._core.storage.runs.schema": ["KeyValueStoreTable"],
    "dagster._core.storage.runs.sql_run_storage": ["SqlRunStorage"],
    "dagster._core.storage.noop_compute_log_manager": ["NoOpComputeLogManager"],
    "dagster._core.storage.tags": ["RUN_KEY_TAG"],
    "dagster._core.workspace.context": ["WorkspaceRequestContext"],
    "dagster._core.storage.sqlite_storage": [],
    "dagster._grpc": ["server"],
    "dagster._grpc.server": ["DagsterApiServer"],
    "dagster._grpc.__generated__": ["dagster_api_pb2"],
    "dagster._grpc.types": ["StartRunResult"],
    "dagster._serdes": ["serialize_value"],
    "dagster._daemon": [],
    "dagster.components.component_scaffolding": ["scaffold_component"],
    "dagster_graphql.implementation.utils": ["UserFacingGraphQLError"],
    "dagster_graphql.schema.errors": ["GraphenePythonError"],
    "dagster_shared.error": ["SerializableErrorInfo"],
    "dagster_webserver": ["app", "cli"],
    "dagster_webserver.app": ["DagsterWebserver"],
    "dagster_webserver.cli": ["main"],
    "dagster_webserver.webserver": ["DagsterWebserver"],
}  # fmt: skip


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        yield opened


def test_private_names_of_dagster_are_where_they_were():
    gone = []
    for module, names in PRIVATE.items():
        try:
            there = __import__(module, fromlist=[*names, ""])  # which imports submodules, too
        except ImportError as error:
            gone.append(f"{module}: {error}")
        else:
            gone += [f"{module}.{name}" for name in names if not hasattr(there, name)]
    assert gone == []


def test_every_private_name_that_is_imported_is_listed():
    root = Path(__file__).parents[1]
    for path in (file for folder in ("contact_pipeline", "assets", "checks") for file in (root / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith(("dagster._", "dagster_")):
                missing = {each.name for each in node.names} - {*PRIVATE.get(module, ())}
                assert not missing, f"{path.name} imports {missing} of {module}: list them in PRIVATE"


def test_dagsters_webserver_has_the_methods_that_ours_replaces():
    """Under another name the guard would not stand before it (orchestration/webserver.py)."""
    names = ("index_html_endpoint", "build_middleware", "build_routes", "_make_request_context")
    theirs = importlib.import_module("dagster_webserver.webserver").DagsterWebserver
    assert [name for name in names if not hasattr(theirs, name)] == []


def test_dagsters_code_server_starts_runs_with_the_context_that_ours_replaces():
    """By another it would start Python anew for each run (orchestration/code_server.py)."""
    theirs = importlib.import_module("dagster._grpc.server").DagsterApiServer
    assert "self._mp_ctx.Process(" in inspect.getsource(theirs.StartRun)


def test_duckdb_says_how_many_rows_a_statement_wrote(connection):
    """`Database.value` reads the count of INSERT, DELETE and CREATE TABLE AS."""
    assert connection.execute("CREATE TABLE t AS SELECT unnest([1, 2, 3]) AS n").fetchall() == [(3,)]
    assert connection.execute("INSERT INTO t VALUES (4)").fetchall() == [(1,)]
    assert connection.execute("DELETE FROM t WHERE n > 2").fetchall() == [(2,)]


def test_duckdb_scans_what_has_an_arrow_stream_anew_for_every_query(connection):
    """A frame itself is recognized as one of Polars, for which DuckDB asks for pyarrow (engines/duckdb.py)."""

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return pl.DataFrame({"n": [1, 2]}).__arrow_c_stream__(requested_schema)

    connection.register("seen", Stream())
    for _ in range(2):
        assert connection.execute("SELECT sum(n) FROM seen").fetchall() == [(3,)]


def test_duckdb_finds_relative_paths_of_a_view_in_the_search_path(connection, tmp_path):
    """So that a staging folder can be moved with its Parquet files."""
    pl.DataFrame({"n": [7]}).write_parquet(tmp_path / "rows-00001.parquet")
    with pytest.raises(duckdb.IOException):
        connection.execute("CREATE VIEW rows AS FROM read_parquet('rows-*.parquet')")
    connection.execute(f"SET file_search_path = '{tmp_path}'")
    connection.execute("CREATE VIEW rows AS FROM read_parquet('rows-*.parquet')")
    assert connection.execute("FROM rows").fetchall() == [(7,)]


def test_duckdb_loses_constraints_where_a_table_is_written_anew(connection):
    """Which is why the contact database has none (store/schema.py)."""
    connection.execute("CREATE TABLE t (n INTEGER NOT NULL)")
    connection.execute("CREATE TABLE again AS FROM t")
    connection.execute("INSERT INTO again VALUES (NULL)")
    assert connection.execute("SELECT count(*) FROM again").fetchall() == [(1,)]


def test_duckdb_can_be_told_to_leave_its_log_alone(connection):
    """`engines/checkpoint.py` takes the log in, so that it may be cut off at any write."""
    connection.execute("SET wal_autocheckpoint = '1 TB'")
    connection.execute("SET checkpoint_on_detach = 'DISABLED'")
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")


def test_duckdb_numbers_no_letter_beyond_ascii_as_ascii(connection):
    """`strlen` counts bytes and `length` letters, by which plain values are told from others in no time."""
    rows = connection.execute("SELECT strlen(v) = length(v) FROM (SELECT unnest(['abc', 'José', '田', '']) AS v)")
    assert [row for (row,) in rows.fetchall()] == [True, False, False, True]


def test_polars_reads_empty_cells_as_null_whether_quoted_or_not():
    read = pl.read_csv(b'a,b,c\n,"",x\n', infer_schema=False, null_values="")
    assert read.rows() == [(None, None, "x")]


def test_polars_takes_a_byte_order_mark_from_the_beginning_of_a_text_alone():
    """A heading is therefore put before every piece (upload/text/cells.py)."""
    read = pl.read_csv("\ufeffa\n\ufeffb\n".encode(), infer_schema=False)
    assert (read.columns, read.rows()) == (["a"], [("\ufeffb",)])


def test_polars_scatters_into_the_series_itself():
    """Where the series is used again it is cloned first (normalize/normalize.py)."""
    values = pl.Series([1, 2, 3])
    values.scatter([0], [9])
    assert values.to_list() == [9, 2, 3]


def test_polars_hands_out_batches_of_a_file_in_order(tmp_path):
    """The hash of a changeset is taken from them."""
    pl.DataFrame({"n": range(300_000)}).write_parquet(tmp_path / "n.parquet", row_group_size=1_000)
    batches = pl.scan_parquet(tmp_path / "n.parquet", glob=False).collect_batches(maintain_order=True)
    assert pl.concat([*batches])["n"].is_sorted()


def test_polars_writes_null_and_empty_text_apart():
    """In the text that is hashed an empty cell is a null, "" an empty text."""
    assert pl.DataFrame({"v": [None, "", "x"], "w": [1, 2, 3]}).write_csv(include_header=False) == ',1\n"",2\nx,3\n'


def test_pandera_says_of_each_failed_check_which_rows_fail():
    check = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) > 0), name="positive")
    schema = pa.DataFrameSchema({"n": pa.Column(pl.Int64, [check])})

    with pytest.raises(SchemaErrors) as found:
        schema.validate(pl.DataFrame({"n": [1, -1]}), lazy=True)

    (error,) = found.value.schema_errors
    assert error.reason_code is SchemaErrorReason.DATAFRAME_CHECK
    assert (error.check.name, error.schema.name) == ("positive", "n")
    assert error.check_output.to_series().to_list() == [True, False]
