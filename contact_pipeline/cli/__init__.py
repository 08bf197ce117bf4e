"""The command line: parses, calls the pipeline, draws what comes back. It has no rules of its own."""

from __future__ import annotations

from contact_pipeline.cli.app import main

__all__ = ["main"]
