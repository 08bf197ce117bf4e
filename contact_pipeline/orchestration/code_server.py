"""Dagster's code server, started by `serve`. It forks the process of each run from one that has loaded what runs need.

By itself Dagster starts Python anew for every run, which loads Dagster and this package again. The definitions are made
anew in every run all the same, as they depend on the feeds of the home. Polars is loaded after the fork, as its threads
do not outlive one.
"""

import atexit
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, Final

from dagster._cli import main
from dagster._grpc import server

LOADED: Final = [
    "contact_pipeline.orchestration.code_server",
    "contact_pipeline.orchestration.sensors",
    "contact_pipeline.orchestration.totals",
    "contact_pipeline.orchestration.waiting",
    "contact_pipeline.pipeline.pipeline",
    "dagster._cli.api",
    "dagster._core.storage.sqlite_storage",
]  # none of them loads the definitions, or Polars


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


class CodeServer(server.DagsterApiServer):
    """Dagster's code server, which starts the processes of runs in another way."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        context = _Forks()
        context.set_forkserver_preload(LOADED)
        self._mp_ctx = context  # type: ignore[assignment]  # annotated as the one that Dagster makes


if __name__ == "__main__":
    server.DagsterApiServer = CodeServer  # type: ignore[misc]  # the name by which Dagster's command makes its server
    main()  # type: ignore[no-untyped-call]
