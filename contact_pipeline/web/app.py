"""The app of the pages: its routes and what each does. `PREFIX` is the path at which it is mounted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import wraps
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final, get_args
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from contact_pipeline.contracts.states import State
from contact_pipeline.errors import Refusal, StoreBusy, faults_masked
from contact_pipeline.pages.served import FORMS, PageMessage, Served
from contact_pipeline.temporary import temporary_folder
from contact_pipeline.web import offered
from contact_pipeline.web.deciding import ACTS
from contact_pipeline.web.desk import Desk, ending_of
from contact_pipeline.web.forms import Forged, Signing, cookie_of, new_cookie, read_form, set_cookie
from contact_pipeline.web.visitor import Visitor, visitor

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.settings import Settings

PREFIX: Final = "/pages"
_PATIENCE_SECONDS: Final = 2.0  # to wait for a task before a page says that it is still running
_AGAIN_SECONDS: Final = 2
_LOOK_SECONDS: Final = 3.0  # to wait for the contact database while a page is drawn
_MOST_WAITING: Final = 10
_MOST_DECIDED: Final = 25
_MOST_CORRECTIONS: Final = 25
_MOST_CHANGES: Final = 50
_PIECE: Final = 1_000_000  # bytes
_STATUS: Final = {"upload-unknown": 404, "not-authorized": 403, "form-size": 413, "form-type": 415}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Endpoint = Callable[["Pages", Request], Any]


def build_app(settings: Settings, *, read_only: bool = False) -> Starlette:
    """The app of one home.

    Args:
        settings: of the home; they tell how users are identified.
        read_only: whether nobody can decide anything.
    """
    pages = Pages(settings, read_only=read_only)
    upload = "/uploads/{upload_id}"
    return Starlette(
        routes=[
            Route("/", pages.dashboard),
            Route(upload, pages.upload),
            Route(upload + "/undo", pages.turn, methods=["GET"]),
            Route(upload + "/redo", pages.turn, methods=["GET"]),
            Route(upload + "/everything", pages.everything, methods=["GET"]),
            Route(upload + "/rejected", pages.rejected, methods=["POST"]),
            Route(upload + "/{act}", pages.act, methods=["POST"]),
            Route("/{rest:path}", pages.nothing, methods=["GET", "POST"]),
        ]
    )


def _answered(endpoint: Endpoint) -> Endpoint:
    """Makes an endpoint answer every error with a page in plain words."""

    @wraps(endpoint)
    async def answer(self: Pages, request: Request) -> Response:
        try:
            response = await endpoint(self, request)
        except HTTPException as error:
            message = PageMessage("There is no such page.", good=False)
            response = self.say(request, message, "Not found", error.status_code)
        except Exception as error:  # noqa: BLE001 - a visitor gets words, never a traceback
            response = self.sorry(request, error)
        response.headers.update(_HEADERS)
        return response  # type: ignore[no-any-return]

    return answer


class Pages:
    """What the app shows and does for one home."""

    def __init__(self, settings: Settings, *, read_only: bool) -> None:
        from contact_pipeline.pipeline import Pipeline

        self._settings, self._read_only = settings, read_only
        patience = min(settings.lock_wait_seconds, _LOOK_SECONDS)
        self._reader = Pipeline(settings=settings.model_copy(update={"lock_wait_seconds": patience}))
        self._pipeline = Pipeline(settings=settings)
        self._desk, self._signing = Desk(), Signing()
        self._packing = Lock()

    @_answered
    async def dashboard(self, request: Request) -> Response:
        """All uploads."""
        return await run_in_threadpool(self._dashboard, request)

    @_answered
    async def upload(self, request: Request) -> Response:
        """One upload: its review page with the possible decisions; or the task that is running on it."""
        return await run_in_threadpool(self._upload, request)

    @_answered
    async def turn(self, request: Request) -> Response:
        """What undoing or redoing an upload would write."""
        return await run_in_threadpool(self._turn, request)

    @_answered
    async def act(self, request: Request) -> Response:
        """Carries out the request of a form, and redirects to the page with the result."""
        who, form = await self._sent(request)
        act, upload_id = ACTS.get(request.path_params["act"]), request.path_params["upload_id"]
        if act is None:
            raise HTTPException(404)
        pipeline: Pipeline = self._pipeline
        call = act.call
        task = self._desk.begin(upload_id, who.login, act.doing, lambda: call(pipeline, upload_id, form, who.login))
        await run_in_threadpool(task.wait, _PATIENCE_SECONDS)
        leads = act.leads if task.ending is None or task.ending.good else ""
        place = f"{_root(request)}/uploads/{quote(upload_id)}{'/' + leads if leads else ''}?done={task.number}"
        return RedirectResponse(place, 303)

    @_answered
    async def rejected(self, request: Request) -> Response:
        """The rejected rows of an upload as a file, unmasked, and so only for people who may decide on it."""
        who, _ = await self._sent(request)
        return await run_in_threadpool(self._rejected, request.path_params["upload_id"], who.login)

    @_answered
    async def everything(self, request: Request) -> Response:
        """All rows and changes of an upload as a file, masked like its page."""
        return await run_in_threadpool(self._everything, request.path_params["upload_id"])

    @_answered
    async def nothing(self, _request: Request) -> Response:
        """There is no such page."""
        raise HTTPException(404)

    def sorry(self, request: Request, error: Exception) -> Response:
        """The page for an error."""
        if isinstance(error, Forged):
            message = PageMessage(
                "Nothing was done: this form is not from a page that you were shown. The server may have been started "
                "again since, or somebody else has logged in.",
                "Open the page again, and send it once more.",
                good=False,
            )
            return self.say(request, message, "Not done", 403)
        if isinstance(error, _MayNotDecide):
            return self.say(request, PageMessage(f"Nothing was done. {error}", good=False), "Not allowed", 403)
        ending = ending_of(error)
        status = _STATUS.get(error.code, 409) if isinstance(error, Refusal) else 503
        title = {404: "Not found", 403: "Not allowed", 503: "A fault"}.get(status, "That cannot be done")
        title = "Busy" if isinstance(error, StoreBusy) else title
        response = self.say(request, PageMessage(ending.message, ending.fix, good=False), title, status)
        if isinstance(error, StoreBusy):
            response.headers["Retry-After"] = str(_AGAIN_SECONDS)
        return response

    def say(self, request: Request, message: PageMessage, title: str, status: int = 200) -> Response:
        """A page with only a message."""
        from contact_pipeline.pages.page import draw

        served, cookie = self._served(request, message)
        upload_id = request.path_params.get("upload_id", "") if status != 404 else ""
        page = draw(
            "message.html", styles=("static/served.css",), allowed=FORMS, served=served, title=title,
            upload_id=upload_id,
        )  # fmt: skip
        return self._answer(request, page, cookie, status)

    async def _sent(self, request: Request) -> tuple[Visitor, dict[str, str]]:
        """The sender of a form, and its fields.

        Raises:
            Forged: the form was not sent by a page of this server.
            _MayNotDecide: the sender may not decide.
        """
        who = self._who(request)
        if not who.may_decide:
            raise _MayNotDecide(who.why_not)
        form = await read_form(request)
        self._signing.check(form, cookie_of(request), who.login)
        return who, form

    def _who(self, request: Request) -> Visitor:
        return visitor(request.headers, self._settings, read_only=self._read_only)

    def _served(self, request: Request, *message: PageMessage) -> tuple[Served, str]:
        """What a page knows of its address and visitor, and the browser's cookie."""
        who, cookie = self._who(request), cookie_of(request) or new_cookie()
        token = self._signing.token(cookie, who.login) if who.may_decide else ""
        return Served(_root(request), who.login, who.identity, who.may_decide, who.why_not, token, message), cookie

    def _answer(self, request: Request, page: str, cookie: str, status: int = 200) -> Response:
        response = HTMLResponse(page.encode("utf-8", "replace"), status)
        if not cookie_of(request):
            secure = (self._settings.address or "").startswith("https:") and bool(self._settings.user_header)
            set_cookie(response, cookie, path=_root(request), secure=secure)
        return response

    def _dashboard(self, request: Request) -> Response:
        from contact_pipeline.pages.dashboard import PAGE, dashboard_page
        from contact_pipeline.pipeline.uploads import upload_of

        asked, offset = _asked(request)
        store = self._reader.store
        with faults_masked():
            overview = self._reader.overview(
                profile=asked["profile"] or None,
                states=[asked["state"]] if asked["state"] else [],
                since=datetime.fromisoformat(asked["since"]) if asked["since"] else None,
                waiting=bool(asked["waiting"]),
                limit=PAGE,
                offset=offset,
                most_waiting=_MOST_WAITING,
            )
            uploads, waiting = (
                [upload_of(store, line) for line in lines] for lines in (overview.lines, overview.waiting)
            )
            served, cookie = self._served(request)
            page = dashboard_page(overview, uploads, waiting, asked, served, offset=offset)
        return self._answer(request, page, cookie)

    def _upload(self, request: Request) -> Response:
        from contact_pipeline.pipeline.approving import refusal_of

        upload_id = request.path_params["upload_id"]
        if waits := self._going_on(request, upload_id):
            return waits
        with faults_masked():
            upload = self._reader.show(upload_id)
            served, cookie = self._served(request, *self._came_of(request, upload_id))
            acts = offered.possible_calls(upload)
            none_of_two = refusal_of(upload.line, served.login) if "apply" in acts else None
            decided = (
                [each for each in self._reader.decisions() if offered.stands(each, upload)] if "resolve" in acts else []
            )
            page = self._reader.review_page(
                upload_id,
                template="upload.html",
                styles=("static/served.css",),
                allowed=FORMS,
                everything=served.upload(upload_id, "everything"),
                served=served,
                acts=acts,
                confirmations=offered.confirmations_for(upload),
                none_of_two=none_of_two.message if none_of_two else "",
                is_own_approval=upload.is_half_approved_by(served.login),
                decided=decided,
                corrections=offered.in_effect(self._reader.corrections(upload_id)),
                most_corrections=_MOST_CORRECTIONS,
                cells=offered.cells_to_correct(upload.mapping or {}),
                most_decided=_MOST_DECIDED,
            )
        return self._answer(request, page, cookie)

    def _turn(self, request: Request) -> Response:
        from contact_pipeline.pages.page import draw
        from contact_pipeline.pipeline.committing import look_at_turn
        from contact_pipeline.reports.left_alone import left_alone

        upload_id, turn = request.path_params["upload_id"], request.url.path.rpartition("/")[2]
        if waits := self._going_on(request, upload_id):
            return waits
        upload = self._reader.show(upload_id)
        task = self._desk.find(request.query_params.get("done", ""), upload_id, self._who(request).login)
        if task is None or task.doing != ACTS[f"plan-{turn}"].doing or turn not in offered.possible_calls(upload):
            return RedirectResponse(f"{_root(request)}/uploads/{quote(upload_id)}", 303)
        with faults_masked():
            contactable, agreed = look_at_turn(self._reader.store, upload_id)  # before the shown changes are read
            inverse = upload.inverse
            served, cookie = self._served(request, *self._came_of(request, upload_id))
            changes = inverse.first_changes(_MOST_CHANGES)
            page = draw(
                "turn.html",
                styles=("static/served.css",),
                allowed=FORMS,
                served=served,
                upload=upload,
                turn=turn,
                acts=offered.possible_calls(upload),
                count=inverse.change_count,
                changes=[offered.filled(change) for change in changes],
                left=inverse.conflicts.height,
                conflicts=left_alone(self._reader.store, upload, _MOST_CHANGES),
                contactable=contactable if turn == "undo" else 0,
                agreed=agreed,
            )
        return self._answer(request, page, cookie)

    def _rejected(self, upload_id: str, login: str) -> Response:
        from contact_pipeline.pipeline.uploads import check_user
        from contact_pipeline.reports.corrections import give_back_rejected

        with faults_masked():
            upload = self._reader.show(upload_id)
            check_user(self._reader.store, upload.line, login)
            file, _ = give_back_rejected(upload, None, self._settings)
        if file is None:
            raise Refusal(
                "nothing-rejected", f"No row of {upload.file_name} was rejected.", "There is nothing to correct."
            )
        content = Path(file).read_bytes()
        name = quote(Path(file).name, safe="")
        how = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type="application/octet-stream", headers=how)

    def _everything(self, upload_id: str) -> Response:
        from contact_pipeline.pages.review import write_everything

        upload = self._reader.show(upload_id)
        if not self._packing.acquire(blocking=False):
            raise StoreBusy("Another file of all rows and changes is being written.")
        try:
            with ExitStack() as until_written, faults_masked():
                file = until_written.enter_context(TemporaryFile(dir=temporary_folder(self._settings.home)))
                write_everything(upload, file)
                until_written.pop_all()  # the response closes the file once it is sent
        finally:
            self._packing.release()
        size = file.tell()
        file.seek(0)
        how = {"Content-Disposition": f'attachment; filename="{upload_id}.zip"', "Content-Length": str(size)}
        return StreamingResponse(_pieces(file), media_type="application/zip", headers=how)

    def _going_on(self, request: Request, upload_id: str) -> Response | None:
        """The page for an upload with a running task, which reloads itself; None: no task is running."""
        task = self._desk.running(upload_id)
        if task is None:
            return None
        doing = f"{task.doing} upload {upload_id} for {task.seconds} s."
        message = PageMessage(doing, "This page tells what comes of it.")
        response = self.say(request, message, "Under way")
        response.headers["Refresh"] = str(_AGAIN_SECONDS)
        return response

    def _came_of(self, request: Request, upload_id: str) -> list[PageMessage]:
        """The result of the task that this person asked for."""
        task = self._desk.find(request.query_params.get("done", ""), upload_id, self._who(request).login)
        if task is None or task.ending is None:
            return []
        return [PageMessage(task.ending.message, task.ending.fix, good=task.ending.good)]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


class _MayNotDecide(Exception):
    """Somebody who may not decide has sent a form."""


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _asked(request: Request) -> tuple[dict[str, str], int]:
    """The selection of uploads in the query, and how many newer ones to skip.

    Raises:
        Refusal: there is no such state, time or number (code `form-incomplete`).
    """
    given = request.query_params
    asked = {name: given.get(name, "") for name in ("profile", "state", "since", "waiting")}
    offset = given.get("offset", "0")
    unknown = Refusal("form-incomplete", "There is no such state or day.", "Choose them in the form above the list.")
    if asked["state"] and asked["state"] not in get_args(State):
        raise unknown
    try:
        if asked["since"]:
            asked["since"] = datetime.fromisoformat(asked["since"]).date().isoformat()
    except ValueError:
        raise unknown from None
    return asked, int(offset[:9]) if offset.isascii() and offset.isdecimal() else 0
