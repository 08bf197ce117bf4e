"""Reads a sheet of an Excel workbook, every cell as the text that stands for it."""

from __future__ import annotations

from pathlib import Path

from contact_pipeline.settings import Settings
from contact_pipeline.upload.raw import RawUpload


def read_workbook(path: Path, file_name: str, *, sheet: str | None, folder: Path, settings: Settings) -> RawUpload:
    raise NotImplementedError
