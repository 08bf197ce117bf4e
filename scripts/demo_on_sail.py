"""Runs the demo with the contacts in Delta tables, which a Sail server of its own matches and writes.

The home is data/demo-sail/home, and the tables lie in data/demo-sail/delta; both are made anew each time. What becomes
of each sample file is compared with data/samples/expected.yaml, as in the demo on DuckDB.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from pysail.spark import SparkConnectServer

FOLDER = Path(__file__).resolve().parent.parent / "data" / "demo-sail"


def main() -> int:
    """Runs the demo on Sail; the exit status is 1 where something is not as expected."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "delta").mkdir(parents=True)
    server = SparkConnectServer(port=0)
    server.start(background=True)
    _, port = server.listening_address
    os.environ |= {
        "CONTACT_PIPELINE_ENGINE": "spark",
        "CONTACT_PIPELINE_SPARK_URL": f"sc://127.0.0.1:{port}",
        "CONTACT_PIPELINE_LOCATION": str(FOLDER / "delta"),
    }
    sys.argv[1:] = [str(FOLDER / "home")]
    import demo

    return demo.main()


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    os._exit(ended)  # the server does not end by itself
