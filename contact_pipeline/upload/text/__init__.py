"""Delimited text: bytes → characters, by the encoding; → records, by the delimiter and the quotes; → raw rows."""
