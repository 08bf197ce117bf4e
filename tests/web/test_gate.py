"""Which requests are answered at all, and which settings `serve` takes."""

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.web.gate import Gate
from contact_pipeline.web.visitor import check_settings, visitor
from tests.trust import record
from tests.web.client import Client

SECRET = "a-secret-of-the-proxy-and-the-server"


@pytest.fixture
def client(tmp_path):
    def made(**given):
        routes = [
            Route(path, lambda _: PlainTextResponse("done"), methods=["GET", "POST"]) for path in ("/graphql", "/")
        ]
        settings = Settings(home=tmp_path, **given)
        return Client(Starlette(routes=routes, middleware=[Middleware(Gate, settings=settings)]))

    return made


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:3000", 200), ("localhost:3000", 200), ("[::1]:3000", 200), ("192.168.1.7", 200),
        ("contacts.example.com", 200), ("CONTACTS.EXAMPLE.COM.:443", 200),
        ("rebound.example.net:3000", 421), ("", 421), ("127.0.0.1.example.net", 421),
        ("contacts.example.com@x.test", 421),
    ],
)  # fmt: skip
def test_only_our_own_names_are_answered(client, host, status):
    """A name of somebody else that leads to this machine would let a page of theirs read what is here."""
    assert client(address="https://contacts.example.com").get("/", host=host).status == status
    record("requests-of-other-sites", tried=1, failed=0, where="names")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:3000"}, 200),
        ({"origin": "https://contacts.example.com", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://127.0.0.1:3001"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://example.net"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_nothing_is_done_for_a_page_of_another_site(client, headers, status):
    """By a form, or by a link or an image to Dagster's GraphQL, which runs mutations by GET."""
    somebody = client(address="https://contacts.example.com")
    assert somebody.post("/", {}, **headers).status == status
    assert somebody.get("/graphql", **headers).status == status
    assert somebody.get("/", **headers).status == 200
    record("requests-of-other-sites", tried=2, failed=0, where="what pages of other sites send")


def test_graphql_is_asked_by_get_only_by_a_browser_that_says_where_it_comes_from(client):
    """A browser says nothing where the address is neither `https:` nor of the machine itself."""
    somebody, asked = client(), "/graphql?query=mutation"
    assert somebody.get(asked, host="192.168.1.7:3000").status == 403
    assert somebody.get(asked, sec_fetch_site="same-origin").status == 200
    assert somebody.post(asked).status == 200


@pytest.mark.parametrize(
    ("named", "login"),
    [
        (["m.keane"], "m.keane"),
        (["m.keane", "t.clerk"], ""),
        (["m.keane", ""], ""),
        (["José Größe"], "José Größe"),
        (["محمد"], "محمد"),
        ([b"caf\xe9"], ""),
        (["m.keane\u202e"], ""),
    ],
)
def test_a_login_is_what_one_header_says(tmp_path, named, login):
    """Of two, one may be what the visitor sent themselves, before that of the proxy."""
    settings = Settings(home=tmp_path, user_header="X-User", proxy_secret=SECRET)
    given = [(b"x-user", name if isinstance(name, bytes) else name.encode()) for name in named]
    headers = Headers(raw=[(b"x-proxy-secret", SECRET.encode()), *given])
    somebody = visitor(headers, settings, read_only=False)
    assert (somebody.login, somebody.may_decide) == (login, bool(login))
    record("deciding-without-a-login", tried=1, failed=0, where="headers that name somebody")


@pytest.mark.parametrize(
    ("given", "host", "said"),
    [
        ({"user_header": "X-User"}, "127.0.0.1", "belong together"),
        ({"proxy_secret": SECRET}, "127.0.0.1", "belong together"),
        ({"user_header": "X-User", "proxy_secret": "short"}, "127.0.0.1", "has 5 characters"),
        ({"user_header": "X-Proxy-Secret", "proxy_secret": SECRET}, "127.0.0.1", "header of the secret"),
        ({"user_header": "X-User", "proxy_secret": SECRET, "decide_locally": True}, "127.0.0.1", "both set"),
        ({"decide_locally": True}, "0.0.0.0", "in your name"),
    ],
)
def test_settings_that_would_let_anybody_decide_are_refused(tmp_path, given, host, said):
    with pytest.raises(Refusal, match=said) as refused:
        check_settings(Settings(home=tmp_path, **given), host)
    assert refused.value.code == "deciding-settings"


@pytest.mark.parametrize("secret", [None, "", "short"])
def test_without_a_secret_that_is_one_nobody_comes_by_the_proxy(tmp_path, secret):
    """Dagster's webserver may be started without `serve`, which would refuse such settings."""
    settings = Settings(home=tmp_path, user_header="X-User", proxy_secret=secret)
    headers = Headers({"x-user": "m.keane", "x-proxy-secret": secret or ""})
    assert not visitor(headers, settings, read_only=False).may_decide


def test_settings_that_fit_together_are_taken(tmp_path):
    for given in ({}, {"decide_locally": True}, {"user_header": "X-User", "proxy_secret": SECRET}):
        check_settings(Settings(home=tmp_path, **given), "127.0.0.1")
