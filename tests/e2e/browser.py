"""A real Chromium, driven by the WebDriver protocol: what somebody sees at an address, and presses there."""

import base64
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
from typing import Any

import pytest

PATIENCE_SECONDS = 90
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
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self) -> bytes:
        """What is seen now, as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot"))

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
        missing = "chromium and chromium-driver are not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
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


def _await(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/status", timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, "chromedriver does not answer"
            time.sleep(0.1)
