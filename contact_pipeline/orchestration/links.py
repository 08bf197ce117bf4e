"""Links from Dagster to the pages of uploads. Where nobody serves the pages, a command is named instead."""

from __future__ import annotations

import os
from typing import Final

import dagster as dg

from contact_pipeline.settings import Settings

SERVED: Final = "CONTACT_PIPELINE_SERVED"  # set by `serve` for its processes: the pages are at Dagster's own address


def page_of(upload_id: str) -> str:
    """The address of the page of an upload; empty: there is none that Dagster can name.

    Under `serve` it is relative to Dagster's address. In another Dagster it is that of CONTACT_PIPELINE_ADDRESS.
    """
    address = "" if os.environ.get(SERVED) else Settings().address
    return "" if address is None else f"{address.rstrip('/')}/pages/uploads/{upload_id}"


def as_link(text: str, upload_id: str) -> str:
    """A text in Markdown that leads to the page of an upload, if there is one."""
    page = page_of(upload_id)
    return f"[{text}]({page})" if page else text


def page_metadata(upload_id: str, part: str = "", otherwise: str = "review") -> dg.MetadataValue:
    """A link to the page of an upload, or else the command that gives the same.

    Args:
        upload_id: the upload.
        part: of the page.
        otherwise: the command.
    """
    page = page_of(upload_id)
    if page:
        return dg.MetadataValue.url(f"{page}{part}")
    return dg.MetadataValue.text(f"contact-pipeline {otherwise} {upload_id}")
