"""Deletes what finished uploads leave once it is old enough: staged data, originals, reports."""

from contact_pipeline.expire.expire import Expired, Remover, expire

__all__ = ["Expired", "Remover", "expire"]
