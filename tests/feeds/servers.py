"""Servers on 127.0.0.1 that feeds fetch from: S3, SFTP, HTTPS, and a wire before them that can be cut."""

import os
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
PATIENCE_SECONDS = 20


class Wire(socketserver.ThreadingTCPServer):
    """Passes everything on to a port; `cut_after` lets the next answers of so many bytes end in the middle, once."""

    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = port
        self.cut_after = None
        self.cuts = 0

    @property
    def port(self):
        return self.server_address[1]


class _Passing(socketserver.BaseRequestHandler):
    def handle(self):
        came = 0
        with socket.create_connection(("127.0.0.1", self.server.target)) as other:
            both = {self.request: other, other: self.request}
            while True:
                for ready in select.select(list(both), [], [])[0]:
                    try:
                        piece = ready.recv(8192)
                    except OSError:
                        piece = b""
                    if not piece:
                        return
                    limit = self.server.cut_after
                    if ready is other and limit is not None and (came := came + len(piece)) > limit:
                        self.server.cut_after = None
                        self.server.cuts += 1
                        return
                    with suppress(OSError):
                        both[ready].sendall(piece)


@contextmanager
def serving(server):
    """Serves in a thread for as long as the block lasts."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)


@contextmanager
def sftp_server(folder):
    """OpenSSH's server as this user, with a host key and a login key of its own; gives its port."""
    if SSHD is None:
        missing = "openssh-server is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it asks for that folder, as root
    for key in ("host", "login", "stranger"):
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    shutil.copy(folder / "login.pub", folder / "authorized")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    with (folder / "log").open("w") as log, subprocess.Popen([SSHD, "-D", "-e", "-f", config], stderr=log) as process:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "sshd did not begin to listen"
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()


class Web(ThreadingHTTPServer):
    """Serves `files` by their paths: the content, and optionally a status and a redirect."""

    daemon_threads = True

    def __init__(self, authority, **validity):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.files = {}
        self.login = None  # the header Authorization that is asked for
        self.asked, self.logins = [], []  # requests, and the logins in them
        self.marks = True  # whether answers have an ETag
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", **validity).configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        """Prints nothing when a client that does not trust the certificate closes the connection."""


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, *, with_body):
        server = self.server
        server.asked.append((self.command, self.path))
        server.logins.append(self.headers["Authorization"])
        content = server.files.get(self.path)
        if server.login is not None and self.headers["Authorization"] != server.login:
            status, headers, content = 401, {}, b""
        elif content is None:
            status, headers, content = 404, {}, b""
        elif isinstance(content, tuple):
            (status, headers), content = content, b""
        else:
            status, headers = 200, {"ETag": f'"{hash(content)}"'} if server.marks else {}
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, *_):
        """Nothing on stderr."""


def expired():
    """The validity of an expired certificate."""
    now = datetime.now(UTC)
    return {"not_before": now - timedelta(days=9), "not_after": now - timedelta(days=1)}


def new_authority(folder):
    """A new CA, and the file with which clients trust it."""
    authority = trustme.CA()
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return authority, path
