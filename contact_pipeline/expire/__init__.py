"""Deletes by age what finished uploads leave: staged data, originals, reports."""

from contact_pipeline.expire.expire import Expired, Remover, expire

__all__ = ["Expired", "Remover", "expire"]
