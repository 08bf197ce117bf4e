"""A real Chromium, driven by the WebDriver protocol: what somebody sees at an address, and presses there."""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

PATIENCE_SECONDS = 90
_AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
_AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1500,1000")


class Browser:
    """A session of Chromium."""

    def __init__(self, url: str, profile: Path) -> None:
        self._url = url
        options = {"args": [*_FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        self._url += "/session/" + self._ask("POST", "/session", wanted)["sessionId"]

    def open(self, address: str) -> None:
        """Goes to an address."""
        self._ask("POST", "/url", {"url": address})

    @property
    def address(self) -> str:
        """Where the browser is."""
        return str(self._ask("GET", "/url"))

    def see(self, text: str) -> str:
        """Waits until a text is on the page; the text of the whole page then."""
        return self._wait(text, lambda seen: text in seen)

    def run(self, script: str) -> Any:
        """What a script in the page returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": []})

    def await_true(self, script: str) -> None:
        """Waits until a script in the page returns something true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.run(script):
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for: {script}"
            time.sleep(0.05)

    def devtools(self, command: str, **parameters: object) -> Any:
        """What Chromium answers to a command of its developer tools."""
        return self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def sized(self, width: int, height: int, scheme: str = "light", media: str = "screen") -> None:
        """Gives the page a size in pixels, a colour scheme and a medium."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)
        self.devtools(
            "Emulation.setScrollbarsHidden", hidden=True
        )  # they take room from some pictures, not from others
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self, *, whole: bool = False) -> bytes:
        """What is seen now, as PNG; or the page down to its end."""
        if not whole:
            return base64.b64decode(self._ask("GET", "/screenshot"))
        taken = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def serious_faults(self) -> list[Any]:
        """What keeps people from using the page, as axe finds it. Without axe the test is skipped, but fails in CI."""
        if not _AXE.exists():
            _missing("axe-core is not installed: .ci/run does it")
        assert hashlib.sha256(_AXE.read_bytes()).hexdigest() == _AXE_SHA256
        self.run(_AXE.read_text(encoding="utf-8") + "; axe.run().then(found => { window.found = found; });")
        self.await_true("return window.found !== undefined")
        faults: list[Any] = self.run(
            """const found = window.found; delete window.found;
            return found.violations.filter(each => ['serious', 'critical'].includes(each.impact))
            .map(each => [each.id, each.nodes.slice(0, 3).map(node =>
                node.html.slice(0, 160) + node.failureSummary)])"""
        )
        return faults

    def press(self, *keys: str) -> None:
        """Presses keys, one after the other."""
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": pressed}]})

    def logged(self) -> list[str]:
        """What the page has complained of since it was asked last."""
        return [entry["message"] for entry in self._ask("POST", "/se/log", {"type": "browser"})]

    def close(self) -> None:
        """Ends the session."""
        self._ask("DELETE", "")

    def _wait(self, what: str, enough: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(seen := str(self.run("return document.body ? document.body.innerText : ''"))):
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for '{what}' at {self.address}: {seen}"
            time.sleep(0.3)
        return seen

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)["value"]


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """A browser, ended by its id afterwards. Without Chromium the test is skipped, but fails in CI."""
    driver = shutil.which("chromedriver")
    if driver is None:
        _missing("chromium and chromium-driver are not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([driver, f"--port={port}"], **silent) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url)
            browser = Browser(url, folder)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            process.terminate()


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def _await(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/status", timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, "chromedriver does not answer"
            time.sleep(0.1)
