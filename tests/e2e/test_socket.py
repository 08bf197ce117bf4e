"""`serve` by a Unix socket, behind a real nginx: nothing listens at a port, and nginx vouches for names."""

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from contact_pipeline.pipeline import Pipeline
from tests.e2e.test_killed import wait_until
from tests.e2e.test_serve import OUTREACH, ending

pytestmark = [
    pytest.mark.serve,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        shutil.which("nginx") is None and os.environ.get("CI") != "true",
        reason="needs nginx, of the Debian package nginx-light",
    ),
]

OK, UNAUTHORIZED = 200, 401
SECRET = "a-secret-of-the-proxy-and-the-server"
PASSWORDS = {"ann": "pears", "ben": "plums"}
NGINX = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        auth_basic "Contacts";
        auth_basic_user_file {folder}/users;
        location / {{
            proxy_pass http://unix:{socket};
            proxy_http_version 1.1;
            proxy_set_header Host $host:$server_port;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
            proxy_set_header X-Forwarded-User $remote_user;
            proxy_set_header X-Proxy-Secret "{secret}";
        }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, at: Path) -> Iterator[str]:
    """nginx before a socket; the address at which it listens."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "users").write_text("".join(f"{login}:{{PLAIN}}{word}\n" for login, word in PASSWORDS.items()))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, socket=at, secret=SECRET, user=user))
    with subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"]) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


class Browser:
    """Somebody who has logged in at nginx, and keeps cookies; "": nobody has."""

    def __init__(self, url: str, login: str = "") -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        known = base64.b64encode(f"{login}:{PASSWORDS[login]}".encode()).decode() if login else ""
        self._opener.addheaders = [("Authorization", f"Basic {known}")] if login else []

    def ask(self, path: str, **form: str) -> tuple[int, str]:
        """A page, or what a form leads to."""
        try:
            with self._opener.open(f"{self._url}{path}", urlencode(form).encode() or None, timeout=60) as found:
                return found.status, found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def launch(self, key: str, approved_by: str) -> str:
        """Launches `apply_upload` in Dagster; what is said of it."""
        query = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
            ... on PythonError { message } ... on LaunchRunSuccess { run { runId } } } }"""
        job = {"repositoryLocationName": "contact_pipeline", "repositoryName": "__repository__"}
        tags = [{"key": "dagster/partition", "value": key}] if key else []
        params = {
            "selector": {**job, "jobName": "apply_upload"},
            "runConfigData": {"ops": {"applied_contacts": {"config": {"approved_by": approved_by}}}},
            "executionMetadata": {"tags": [*tags, {"key": "contact_pipeline/login", "value": "carla"}]},
        }
        body = json.dumps({"query": query, "variables": {"params": params}}).encode()
        request = urllib.request.Request(f"{self._url}/graphql", body, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=60) as found:
            return str(json.load(found)["data"]["launchRun"])

    def approve(self, page: str) -> None:
        """Approves what the page shows."""
        shown = self.ask(page)[1]
        form = {name: _value(shown, name) for name in ("token", "changeset")}
        assert self.ask(f"{page}/apply", **form)[0] == 200


def _value(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


def directly(at: Path, path: str, body: str = "", **headers: str) -> str:
    """What is answered to somebody who may open the socket, but does not know the secret."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(at))
    connection.request("POST" if body else "GET", path, body or None, headers)
    found = connection.getresponse().read().decode()
    connection.close()
    return found


def descendants(root: int) -> set[int]:
    parents = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                stat = (process / "stat").read_text()
            except OSError:
                continue
            parents[int(process.name)] = int(stat.rpartition(")")[2].split()[1])
    found, size = {root}, 0
    while size < len(found):
        size = len(found)
        found |= {pid for pid, parent in parents.items() if parent in found}
    return found


def listening_ports(root: int) -> list[str]:
    """The TCP addresses at which a process, or one that it started, listens."""
    theirs = set()
    for pid in descendants(root):
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            try:
                theirs.add(str(fd.readlink()))
            except OSError:
                continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and f"socket:[{cells[9]}]" in theirs:
                found.append(cells[1])
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks at open sockets as Linux shows them")
def test_nginx_stands_before_a_socket_and_nothing_listens_at_a_port(tmp_path: Path) -> None:
    """E1: two people approve through nginx, one on the page and one in Dagster, both verified.

    Past it nobody decides; a dead socket is replaced.
    """
    home, at = tmp_path / "home", tmp_path / "serve.sock"
    (home / "profiles").mkdir(parents=True, mode=0o700)
    shipped = Path("contact_pipeline/profiles/outreach_contacts.yaml").read_text()
    own = shipped.replace("name: outreach_contacts", "name: two").replace("apply: automatic", "apply: approval")
    (home / "profiles" / "two.yaml").write_text(own + "approvals: 2\n")
    (tmp_path / "people.csv").write_text(OUTREACH + "Rosa,,,Delgado,,AC-1,rosa@example.com,02139\n")
    pipeline = Pipeline(home=home)
    upload = pipeline.plan(tmp_path / "people.csv", "two", group="Spring", user="s.ender")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(at))

    command = [sys.executable, "-m", "contact_pipeline", "--home", str(home), "serve", "--socket", str(at)]
    given = {"CONTACT_PIPELINE_USER_HEADER": "X-Forwarded-User", "CONTACT_PIPELINE_PROXY_SECRET": SECRET}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, umask=0, env={**os.environ, **given})
    with ending(process, home):
        assert process.stderr is not None
        assert f"Listens at the socket {at} and at no port" in process.stderr.readline()
        assert listening_ports(process.pid) == []
        page = f"/pages/uploads/{upload.upload_id}"
        with nginx(tmp_path / "nginx", at) as url:
            deadline = time.monotonic() + 30
            while (tried := _status(url)) != UNAUTHORIZED and time.monotonic() < deadline:
                time.sleep(0.1)
            assert tried == UNAUTHORIZED
            browsers = {login: Browser(url, login) for login in PASSWORDS}
            assert 'ann</bdi> <span class="quiet">(verified)' in browsers["ann"].ask(page)[1]
            assert browsers["ann"].ask("/server_info")[0] == OK
            browsers["ann"].approve(page)
            wait_until(lambda: pipeline.show(upload.upload_id).first_approved_by, "the first approval is kept")
            ben = browsers["ben"]
            assert "choose a partition" in ben.launch("", "ben")
            assert "you are logged in as ben" in ben.launch(upload.upload_id, "ann")
            assert "LaunchRunSuccess" in ben.launch(upload.upload_id, "ben")
            wait_until(lambda: pipeline.show(upload.upload_id).state == "applied", "both have approved it")
        seen = directly(at, page, **{"X-Forwarded-User": "ann"})
        assert "did not come through the proxy" in seen
        assert "did not come through the proxy" in directly(
            at, f"{page}/apply", "token=x", **{"X-Forwarded-User": "ann"}
        )
        query = json.dumps({"query": "{ permissions { permission value } }"})
        granted = json.loads(directly(at, "/graphql", query, **{"Content-Type": "application/json"}))
        assert not any(each["value"] for each in granted["data"]["permissions"])
    assert process.returncode == 0
    assert not at.exists()
    line = pipeline.show(upload.upload_id).line
    assert [(line.first_approved_by, line.first_approved_as), (line.approved_by, line.approved_as)] == [
        ("ann", "verified"), ("ben", "verified"),
    ]  # fmt: skip


def _status(url: str) -> int:
    try:
        return Browser(url).ask("/")[0]
    except OSError:  # nginx does not listen yet
        return 0
