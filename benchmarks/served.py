"""Serves a home while something is measured."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

SERVE = (
    "import sys; from contact_pipeline.orchestration import serve; serve.DEFINITIONS = sys.argv[1]; "
    "from contact_pipeline.cli.app import run; sys.exit(run(['serve', '--port', '0']))"
)


@contextmanager
def served(definitions: str, environment: Mapping[str, str]) -> Iterator[int]:
    """Serves a home for as long as the block lasts, once it is ready; the id of the process.

    Args:
        definitions: the module of what is served.
        environment: of the process; CONTACT_PIPELINE_HOME is the home.

    Raises:
        RuntimeError: the server has ended before it was ready.
    """
    command = [sys.executable, "-c", SERVE, definitions]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            said = ""
            for line in process.stderr or ():
                said += line
                if "Drop files" in line:
                    break
            else:
                raise RuntimeError(f"serve has ended: {said}")
            yield process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
