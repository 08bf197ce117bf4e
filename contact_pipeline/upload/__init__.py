"""Stage 1: the bytes of a file → raw rows, with every cell as text, and the rows that could not be split."""

from contact_pipeline.upload.raw import RawUpload, first_rows, raw_paths
from contact_pipeline.upload.read import ReadOptions, inspect_file, read_columns, read_upload

__all__ = ["RawUpload", "ReadOptions", "first_rows", "inspect_file", "raw_paths", "read_columns", "read_upload"]
