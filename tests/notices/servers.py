"""Servers on loopback that take mail and webhooks as real ones do, and keep what they were sent."""

import base64
import json
import socket
import socketserver
import threading
import time
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSWORD = "correct-horse-battery"


class _Mail(socketserver.StreamRequestHandler):
    """The part of SMTP (RFC 5321) that a client needs to hand over one message."""

    def handle(self):
        self._say(220, "loopback")
        while line := self.rfile.readline():
            match line.split()[0].upper():
                case b"EHLO":
                    self.wfile.write(b"250-loopback\r\n250 AUTH PLAIN\r\n")
                case b"AUTH":
                    is_right = base64.b64decode(line.split()[-1]).endswith(b"\0" + PASSWORD.encode())
                    self._say(*((235, "welcome") if is_right else (535, "Authentication failed")))
                case b"DATA":
                    self._say(354, "go on")
                    self.server.mails.append(message_from_bytes(self._data(), policy=policy.default))
                    self._say(250, "taken")
                case b"QUIT":
                    self._say(221, "bye")
                    return
                case _:
                    self._say(250, "fine")

    def _data(self):
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines).replace(b"\r\n", b"\n")

    def _say(self, code, text):
        self.wfile.write(f"{code} {text}\r\n".encode())


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Mail)
        self.mails = []


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(json.loads(body))
        self.send_response(self.server.answers)
        self.end_headers()

    def log_message(self, *_):
        pass


class _HookServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Hook)
        self.posts = []
        self.answers = 200


@contextmanager
def _running(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def mail_server():
    """A mail server; `mails` are what it took."""
    return _running(_MailServer())


def hook_server(port=0):
    """A server of webhooks; `posts` are what it was sent, `answers` is the status that it gives."""
    return _running(_HookServer(port))


@contextmanager
def hanging_server():
    """A server that takes connections and never says a word; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


class _Drips(socketserver.BaseRequestHandler):
    def handle(self):
        with suppress(OSError):  # the client has had enough
            while True:
                self.request.sendall(b"2")
                time.sleep(0.05)


@contextmanager
def dripping_server():
    """A server that answers for ever, one byte at a time; gives its port."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Drips)
    server.daemon_threads = True
    with _running(server):
        yield port_of(server)


def free_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def port_of(server):
    """Where a server listens."""
    return server.server_address[1]
