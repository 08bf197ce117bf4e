"""The command line: parses arguments, calls the pipeline, and draws the result. It has no rules of its own."""

from __future__ import annotations

from contact_pipeline.cli.app import main

__all__ = ["main"]
