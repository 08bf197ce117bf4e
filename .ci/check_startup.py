"""Start the command line as a person would, and fail if it imports Dagster, Apprise or fsspec, each taking a second."""

import contextlib
import io
import runpy
import sys

sys.argv = ["contact-pipeline", "--help"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    runpy.run_module("contact_pipeline", run_name="__main__")

imported = sorted(
    {name.partition(".")[0] for name in sys.modules} & {"apprise", "cronsim", "dagster", "dagster_webserver", "fsspec"}
)
if imported:
    sys.exit(f"`contact-pipeline --help` imported {', '.join(imported)}")
