"""Dagster's webserver, started by `serve`: its address opens the list of jobs, where everything begins.

Dagster's own choice is a timeline, which is empty until something has run, and again half a day later; no setting of
Dagster 1.13 names another page. The graph of the assets is no better: Dagster draws it green while there is no upload.
"""

from typing import Any

from dagster_webserver import app, cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

START_PAGE = "/jobs"


class Webserver(DagsterWebserver[Any, Any]):
    """Dagster's webserver with another start page."""

    def index_html_endpoint(self, request: Request) -> Response:
        """The page of Dagster's UI, whatever its path; the bare address leads to the start page."""
        if request.url.path == "/":
            return RedirectResponse(START_PAGE)
        page: Response = super().index_html_endpoint(request)
        return page


if __name__ == "__main__":
    app.DagsterWebserver = Webserver  # type: ignore[attr-defined]  # the name by which the app makes its server
    cli.main()  # type: ignore[no-untyped-call]
