"""`serve`: Dagster's webserver and daemon on this home; the only command that needs Dagster."""

from __future__ import annotations

import typer

app = typer.Typer()
