"""Dagster's webserver, started by `serve`: its address opens the list of jobs, and `/pages/` the pages of uploads.

Dagster's own choice of a start page is a timeline, which is empty until something has run, and again half a day later;
no setting of Dagster 1.13 names another page. The graph of the assets is no better: Dagster draws it green while there
is no upload.

Both are reached by one address, and by one rule: requests of other sites are refused, and behind a proxy with a login,
whoever comes past the proxy can launch nothing. `/health` and `/metrics` are for machines, which have no login.
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
from contact_pipeline.web.guard import HEALTH, Guard
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
        """The guard stands before everything, Dagster's own included."""
        return [Middleware(Guard, settings=self._settings), *super().build_middleware()]

    def build_routes(self) -> list[BaseRoute]:
        """Our pages, and below them Dagster's, of which the last takes every path."""
        pages = Mount(PREFIX, app=build_app(self._settings, read_only=self._read_only))
        routes: list[BaseRoute] = super().build_routes()  # type: ignore[no-untyped-call]
        watched = [Route(HEALTH, self._answer_health), Route(METRICS, self._answer_metrics)]
        return [*watched, Route(PREFIX, lambda _: RedirectResponse(f"{PREFIX}/")), pages, *routes]

    async def _answer_health(self, _request: Request) -> Response:
        """Whether all is well: 200, or 503 and what is not, in words."""
        document = as_document(await run_in_threadpool(self._checks))
        return JSONResponse(document, 200 if document["status"] == "ok" else 503, _NEVER_KEPT)

    async def _answer_metrics(self, request: Request) -> Response:
        """The figures of the home, as Prometheus reads them."""
        content, kind = await run_in_threadpool(self._metrics.text, request.headers.get("accept", ""))
        return Response(content, headers=_NEVER_KEPT | {"Content-Type": kind})

    def _checks(self) -> Mapping[str, Check]:
        return self._health.checks(self._process_context.create_request_context().get_code_location_entries())

    def _make_request_context(self, conn: HTTPConnection) -> WorkspaceRequestContext:
        """What a request may do in Dagster: behind a proxy with a login, one that comes past it only looks."""
        context: WorkspaceRequestContext = super()._make_request_context(conn)
        if self._settings.user_header is not None and not comes_by_proxy(conn.headers, self._settings):
            context._read_only = True  # noqa: SLF001 - no method of Dagster says it for one request alone
        return context


def _listen_at(fd: int) -> None:
    """Lets Dagster's command listen at an open socket, where it knows of ports alone."""
    uvicorn.run = partial(uvicorn.run, fd=fd)


if __name__ == "__main__":
    app.DagsterWebserver = Webserver  # type: ignore[attr-defined]  # the name by which the app makes its server
    if sys.argv[1:2] == ["--fd"]:
        _listen_at(int(sys.argv[2]))
        del sys.argv[1:3]
    cli.main()  # type: ignore[no-untyped-call]
