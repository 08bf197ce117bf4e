"""The home of the tests that erase somebody, in which that person has left traces everywhere."""

from tests.erase.conftest import filled, pipeline

__all__ = ["filled", "pipeline"]
