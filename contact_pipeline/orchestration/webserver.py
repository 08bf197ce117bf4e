"""Dagster's webserver, started by `serve`: its address opens the list of jobs, and `/pages/` the pages of uploads.

Dagster's own start page is a timeline, which is empty until something has run, and again half a day later; Dagster 1.13
has no setting for another page. The graph of the assets does not fit either: Dagster draws it green before the first
upload.

One gate stands before Dagster and the pages: requests of other sites are refused, and behind a proxy with a login,
whoever bypasses the proxy can launch nothing. `/health` and `/metrics` are for machines, which have no login.
"""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import uvicorn
from dagster._core.workspace.context import WorkspaceRequestContext
from dagster_webserver import app, cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from contact_pipeline.orchestration.health import Check, Health, as_document
from contact_pipeline.orchestration.metrics import Metrics
from contact_pipeline.settings import Settings
from contact_pipeline.web.app import PREFIX, build_app
from contact_pipeline.web.gate import HEALTH, Gate
from contact_pipeline.web.visitor import comes_by_proxy

START_PAGE = "/jobs"
METRICS = "/metrics"
_NEVER_KEPT = {"Cache-Control": "no-store"}


class Webserver(DagsterWebserver[Any, Any]):
    """Dagster's webserver with another start page, and with pages of our own beside it."""

    def __init__(self, process_context: Any, *arguments: Any, **options: Any) -> None:
        self._settings = Settings()
        self._read_only = bool(process_context.read_only)
        self._health = Health(self._settings, process_context.instance, read_only=self._read_only)
        self._metrics = Metrics(self._settings, process_context.instance, self._checks)
        super().__init__(process_context, *arguments, **options)

    def index_html_endpoint(self, request: Request) -> Response:
        """The page of Dagster's UI, whatever its path; the bare address leads to the start page."""
        if request.url.path == "/":
            return RedirectResponse(START_PAGE)
        page: Response = super().index_html_endpoint(request)
        return page

    def build_middleware(self) -> list[Middleware]:
        """The gate stands before everything, Dagster's own included."""
        return [Middleware(Gate, settings=self._settings), *super().build_middleware()]

    def build_routes(self) -> list[BaseRoute]:
        """Our routes, then Dagster's: the last of these takes every path."""
        pages = Mount(PREFIX, app=build_app(self._settings, read_only=self._read_only))
        routes: list[BaseRoute] = super().build_routes()  # type: ignore[no-untyped-call]
        watched = [Route(HEALTH, self._answer_health), Route(METRICS, self._answer_metrics)]
        return [*watched, Route(PREFIX, lambda _: RedirectResponse(f"{PREFIX}/")), pages, *routes]

    async def _answer_health(self, _request: Request) -> Response:
        """The checks: status 200 where all are good, or else 503."""
        document = as_document(await run_in_threadpool(self._checks))
        return JSONResponse(document, 200 if document["status"] == "ok" else 503, _NEVER_KEPT)

    async def _answer_metrics(self, request: Request) -> Response:
        """The figures of the home, as Prometheus reads them."""
        content, kind = await run_in_threadpool(self._metrics.text, request.headers.get("accept", ""))
        return Response(content, headers=_NEVER_KEPT | {"Content-Type": kind})

    def _checks(self) -> Mapping[str, Check]:
        return self._health.checks(self._process_context.create_request_context().get_code_location_entries())

    def _make_request_context(self, conn: HTTPConnection) -> WorkspaceRequestContext:
        """Makes requests that bypass a proxy with a login read-only."""
        context: WorkspaceRequestContext = super()._make_request_context(conn)
        if self._settings.user_header is not None and not comes_by_proxy(conn.headers, self._settings):
            context._read_only = True  # noqa: SLF001 - Dagster has no method that does this for one request
        return context


def _listen_at(fd: int) -> None:
    """Makes Dagster's command listen at an open socket; the command itself has only ports."""
    uvicorn.run = partial(uvicorn.run, fd=fd)


if __name__ == "__main__":
    app.DagsterWebserver = Webserver  # type: ignore[attr-defined]  # the name by which the app makes its server
    if sys.argv[1:2] == ["--fd"]:
        _listen_at(int(sys.argv[2]))
        del sys.argv[1:3]
    cli.main()  # type: ignore[no-untyped-call]
