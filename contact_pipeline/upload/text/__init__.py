"""Delimited text: bytes → characters (by encoding) → records (by delimiter and quotes) → raw rows."""
