"""Runs the command line as `python -m contact_pipeline`."""

from __future__ import annotations

from contact_pipeline.cli import main

if __name__ == "__main__":
    main()
