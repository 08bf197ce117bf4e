"""A browser without a screen: asks an ASGI app, keeps its cookies, and sends the forms that stand on its pages."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The JSON document of the answer."""
        return json.loads(self.text)

    @property
    def token(self) -> str:
        """The token in the forms of the page."""
        found = re.search(r'name="token" value="(\w+)"', self.text)
        return found.group(1) if found else ""

    @property
    def seen(self) -> str:
        """The text of the page."""
        body = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@dataclass
class Client:
    """Somebody at a browser. `headers` are those that a proxy adds."""

    app: Any
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, address: str, **headers: str) -> Answer:
        return self._ask("GET", address, b"", headers)

    def post(self, address: str, form: Mapping[str, str] | None = None, /, **headers: str) -> Answer:
        """Sends a form as it is given."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self._ask("POST", address, urlencode(form or {}).encode(), kind | headers)

    def send(self, page: str, act: str, /, **fields: str) -> Answer:
        """Sends a form of a page with its token, and follows the redirect."""
        token, address = self.get(page).token, page
        named = {name.replace("__", "-"): value for name, value in fields.items()}
        answer = self.post(f"{page}/{act}", {"token": token, **named})
        while answer.status == 303 or "refresh" in answer.headers:
            address = answer.headers.get("location", address if answer.status == 200 else "")
            answer = self.get(address)
            time.sleep(0.2 if "refresh" in answer.headers else 0)
        return answer

    def _ask(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        split = urlsplit(address)
        given = {"host": "127.0.0.1:3000", **self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
            "method": method, "scheme": "http",
            "path": split.path, "raw_path": split.path.encode(), "query_string": split.query.encode(), "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
            "server": ("127.0.0.1", 3000), "client": ("127.0.0.1", 50000), "state": {},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def ask() -> None:
            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message: dict[str, Any]) -> None:
                sent.append(message)

            await self.app(scope, receive, send)

        asyncio.run(ask())
        start = sent[0]
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        if "set-cookie" in found:
            name, _, value = found["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(start["status"], found, content.decode("utf-8", "replace"))
