"""A server of Sail as its command starts it; for the tests and for the scripts that they run in its environment."""

import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

PYTHON = Path(__file__).parents[2] / ".venv" / "spark" / "bin" / "python"


@contextmanager
def sail_server(port):
    """A server of Sail, as its command starts it."""
    command = [PYTHON.parent / "sail", "spark", "server", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()  # it does not end by itself
        process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
