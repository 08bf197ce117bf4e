"""A home with uploads in several states, and somebody at a browser: at the machine itself, or behind a proxy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from contact_pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.web.app import PREFIX, build_app
from contact_pipeline.web.gate import Gate
from tests.homes import fill_once, new_home
from tests.web.client import Client

SECRET = "a-secret-of-the-proxy-and-the-server"
OUTREACH = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"
USERS = """
- {login: m.keane, name: M. Keane, roles: [director], can_import: true}
- {login: t.clerk, name: T. Clerk, roles: [], can_import: false}
"""


def fill(home: Path) -> dict[str, str]:
    """Uploads by name: applied, one with a row in review, leads that ask for a role, one that deactivates."""
    pipeline = Pipeline(home)
    files = {
        "known.csv": OUTREACH + "Rosa,,219-09-9990,Delgado,,AC-1,rosa@example.com,02139\n"
        "Omar,,,Haddad,,AC-2,omar@example.com,02139\n",
        "doubt.csv": OUTREACH + "Rosa,,219-09-9990,Delgado,,AC-9,rosa@example.com,02139\n"
        "Hana,,,Sato,,AC-3,hana@example.com,02139\nXimena,,,,,,x@@example,02139\n",
        "leads.csv": "Name,Phone,Email\nJordan Avery,,jordan@example.com\n",
    }
    folder = home.parent / "files"
    folder.mkdir(exist_ok=True)
    (folder / "users.yaml").write_text(USERS)
    pipeline.store.load_users(folder / "users.yaml")
    for name, text in files.items():
        (folder / name).write_text(text)
    known = pipeline.plan(folder / "known.csv", "outreach_contacts", group="Spring", user="s.ender")
    pipeline.apply(known.upload_id, user="s.ender")
    doubt = pipeline.plan(folder / "doubt.csv", "outreach_contacts", group="Spring", user="s.ender")
    leads = pipeline.plan(folder / "leads.csv", "dealer_leads", lead_type="SMS", user="m.keane")
    return {"known": known.upload_id, "doubt": doubt.upload_id, "leads": leads.upload_id}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return new_home(tmp_path / "home")


@pytest.fixture
def uploads(home: Path) -> dict[str, str]:
    def fill_it() -> tuple[tuple[str, str], ...]:
        return tuple(fill(home).items())

    return dict(fill_once(home, fill_it))


@pytest.fixture
def pipeline(home: Path) -> Pipeline:
    return Pipeline(home)


@pytest.fixture
def browser(home: Path) -> Callable[..., Client]:
    """Somebody at a browser; the keywords are settings."""
    made: dict[tuple[Any, ...], Starlette] = {}

    def open_browser(
        login: str | None = None, *, secret: str = SECRET, read_only: bool = False, **given: Any
    ) -> Client:
        if login is not None:
            given = {"user_header": "X-Forwarded-User", "proxy_secret": SECRET} | given
        key = (read_only, *sorted(given.items()))
        if key not in made:
            settings = Settings(home=home, **given)
            routes = [Mount(PREFIX, app=build_app(settings, read_only=read_only))]
            made[key] = Starlette(routes=routes, middleware=[Middleware(Gate, settings=settings)])
        headers = {} if login is None else {"x-forwarded-user": login, "x-proxy-secret": secret}
        return Client(made[key], headers)

    return open_browser


@pytest.fixture
def alone(browser: Callable[..., Client]) -> Client:
    """One person on a machine of their own."""
    return browser(decide_locally=True)
