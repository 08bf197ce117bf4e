from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from contact_pipeline.profiles.model import FileFormat
from contact_pipeline.settings import Settings
from contact_pipeline.upload import RawUpload, ReadOptions, raw_paths, read_upload


@dataclass(frozen=True)
class Reading:
    """The result of reading one file: its facts, and its rows as they were written."""

    upload: RawUpload
    rows: pl.DataFrame
    folder: Path

    @property
    def cells(self) -> list[tuple[str | None, ...]]:
        return self.rows.select(self.upload.columns).rows()

    @property
    def row_numbers(self) -> list[int]:
        return self.rows["row_number"].to_list()

    @property
    def line_numbers(self) -> list[int]:
        return self.rows["line_number"].to_list()

    @property
    def unreadable(self) -> list[tuple[int, int, str | None]]:
        return self.upload.rejections.select("row_number", "line_number", "value").rows()


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Reading]:
    """Reads a file, given by its path or by its content."""

    def read_file(
        content: str | bytes | Path,
        *,
        name: str = "contacts.csv",
        file: FileFormat | None = None,
        options: ReadOptions | None = None,
        settings: Settings | None = None,
        mask: bool = False,
        known: Collection[str] = (),
    ) -> Reading:
        path = content if isinstance(content, Path) else tmp_path / name
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        folder = tmp_path / "staged"
        declared, limits = options or ReadOptions(), settings or Settings()
        upload = read_upload(path, path.name, file, declared, folder, limits, mask=mask, known=known)
        rows = pl.concat([pl.read_parquet(part) for part in raw_paths(folder)])
        return Reading(upload, rows, folder)

    return read_file
