"""Fixtures for kinds: those of normalization and validation, since a kind decides both."""

from tests.normalize.conftest import one_column, raw, repairs_in, values_of
from tests.validate.conftest import codes_of, profile_of, rows

__all__ = ["codes_of", "one_column", "profile_of", "raw", "repairs_in", "rows", "values_of"]
