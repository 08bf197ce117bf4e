"""The pages of a home at an address of this machine, for a real browser, without Dagster."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from contact_pipeline.settings import Settings
from contact_pipeline.web.app import PREFIX, build_app
from contact_pipeline.web.gate import Gate


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The pages of a home, at the address that is given."""
    routes = [Mount(PREFIX, app=build_app(settings))]
    app = Starlette(routes=routes, middleware=[Middleware(Gate, settings=settings)])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
