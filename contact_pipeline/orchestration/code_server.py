"""Dagster's code server, started by `serve`. It forks the process of each run from one that has loaded what runs need.

By itself Dagster starts Python anew for every run, which loads Dagster and this package again. The definitions are made
anew in every run all the same, as they depend on the feeds of the home. Polars is loaded after the fork, as its threads
do not outlive one.

A forked process loads the rest from the files of the program. So once these were replaced, no run is started.
"""

import atexit
from contextlib import suppress
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Final

from dagster._cli import main
from dagster._grpc import server
from dagster._grpc.__generated__ import dagster_api_pb2
from dagster._grpc.types import StartRunResult
from dagster._serdes import serialize_value

import contact_pipeline

LOADED: Final = [
    "contact_pipeline.orchestration.code_server",
    "contact_pipeline.orchestration.sensors",
    "contact_pipeline.orchestration.totals",
    "contact_pipeline.orchestration.waiting",
    "contact_pipeline.pipeline.pipeline",
    "dagster._cli.api",
    "dagster._core.storage.sqlite_storage",
]  # none of them loads the definitions, or Polars


REPLACED: Final = (
    "The files of contact-pipeline were replaced while `serve` runs, and this run would mix what is loaded with them. "
    "Stop `serve` and start it again."
)


class _Run(ForkServerProcess):
    """The process of a run. By itself a forked process ends without what is registered with `atexit`."""

    def run(self) -> None:
        try:
            super().run()
        finally:
            atexit._run_exitfuncs()  # noqa: SLF001 - Python's own, and the only way


class _Forks(ForkServerContext):
    """Starts processes by forking one that has loaded these modules; that one is started for the first run."""

    Process = _Run


def find_files() -> frozenset[tuple[str, int, int]]:
    """The files of the program, with their sizes and times: others after every upgrade, and every edit.

    Inodes tell nothing: some file systems give a file another one while it is not open.
    """
    found = set()
    for package in ("contact_pipeline", "assets", "checks"):
        for path in Path(contact_pipeline.__file__).parents[1].joinpath(package).rglob("*.*"):
            if path.parent.name != "__pycache__":
                with suppress(FileNotFoundError):  # it is being replaced
                    status = path.stat()
                    found.add((str(path), status.st_size, status.st_mtime_ns))
    return frozenset(found)


class CodeServer(server.DagsterApiServer):
    """Dagster's code server, which starts the processes of runs in another way."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._loaded_from = find_files()
        super().__init__(*arguments, **options)
        context = _Forks()
        context.set_forkserver_preload(LOADED)
        self._mp_ctx = context  # type: ignore[assignment]  # annotated as the one that Dagster makes

    def StartRun(self, request: Any, context: Any) -> Any:  # noqa: N802 - Dagster's name
        """Called by Dagster to start a run. Refused where the program was replaced; the run fails with the reason."""
        if find_files() == self._loaded_from:
            return super().StartRun(request, context)
        refused = StartRunResult(success=False, message=REPLACED, serializable_error_info=None)
        return dagster_api_pb2.StartRunReply(serialized_start_run_result=serialize_value(refused))


if __name__ == "__main__":
    server.DagsterApiServer = CodeServer  # type: ignore[misc]  # the name by which Dagster's command makes its server
    main()  # type: ignore[no-untyped-call]
