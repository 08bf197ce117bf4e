"""What Dagster shows of an upload: the facts of its ledger line, masked previews and column schemas of its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.settings import Settings
    from contact_pipeline.store import Upload

Metadata = dict[str, dg.MetadataValue]

STAGED = {  # asset → the staged table that it shows
    "raw_upload": "raw_rows",
    "normalized_frame": "normalized_rows",
    "validated_rows": "rejections",
    "matched_changeset": "contact_changes",
}

_KNOWN_BY = {  # asset → the counts that exist when it is materialized; later ones would show as zero
    "raw_upload": ("rows",),
    "normalized_frame": ("rows", "processed", "repairs"),
    "validated_rows": ("rows", "processed", "repairs", "errors"),
}


def staged(asset: str, upload: Upload, pipeline: Pipeline) -> Metadata:
    """What the materialization of an asset shows of an upload: the counts that are known by then, and its table."""
    table = STAGED[asset]
    known = counts(upload)
    shown = {name: known[name] for name in _KNOWN_BY[asset] if name in known} if asset in _KNOWN_BY else known
    return (
        facts(upload) | shown | preview(upload, table, pipeline.schema_of(upload.upload_id, table), pipeline.settings)
    )


def facts(upload: Upload) -> Metadata:
    """The upload and where it stands; the reason in words, where it did not go on."""
    shown: dict[str, object] = {
        "profile": upload.profile,
        "file": upload.file_name,
        "file_size": upload.file_size,
        "sha256": upload.sha256,
        "group": upload.group,
        "state": upload.state,
        "reason": reason(upload),
        "repeats": upload.repeats,
    }
    return {name: _value(value) for name, value in shown.items() if value not in (None, "")}


def counts(upload: Upload) -> Metadata:
    """The numbers of the uploads dashboard, and the hash that an approval names."""
    shown: dict[str, object] = {
        "rows": upload.line.data_rows,
        "processed": upload.processed,
        "imports": upload.imports,
        "errors": upload.error_count,
        "repairs": upload.repairs,
        "deactivated": upload.deactivated,
        "outcomes": dict(upload.outcomes),
        "duplicates": dict(upload.duplicates),
        "changeset_sha256": upload.changeset_sha256,
    }
    return {name: _value(value) for name, value in shown.items() if value is not None}


def preview(upload: Upload, table: str, schema: DataFrameSchema | None, settings: Settings) -> Metadata:
    """The columns of a staged table and, unless the settings turn it off, its first rows, masked by the profile.

    Args:
        upload: the upload.
        table: name of the table.
        schema: what it looks like; None: the database alone knows.
        settings: how many rows are shown.
    """
    from contact_pipeline.validate import describe_schema  # heavy, and not needed to load the definitions

    frame = upload.preview(table, settings.preview_rows if settings.previews else 0)
    columns = [dg.TableColumn(name, str(dtype)) for name, dtype in frame.schema.items()]
    told = dg.TableSchema(columns) if schema is None else _table_schema(describe_schema(schema))
    shown: Metadata = {"dagster/column_schema": dg.MetadataValue.table_schema(told)}
    if frame.height:
        records = [dg.TableRecord(row) for row in frame.select(_plain(frame)).iter_rows(named=True)]
        shown["preview"] = dg.MetadataValue.table(records, schema=dg.TableSchema(columns))
    return shown


def _table_schema(described: dict[str, Any]) -> dg.TableSchema:
    """A Pandera schema as Dagster shows it: every column with its type and the codes of its checks."""
    columns = [
        dg.TableColumn(
            column["column"],
            column["type"],
            constraints=dg.TableColumnConstraints(
                nullable=column["nullable"],
                unique=column["unique"],
                other=[check["code"] for check in column["checks"]],
            ),
        )
        for column in described["columns"]
    ]
    of_rows = [": ".join(part for part in (check["code"], check["expected"]) if part) for check in described["checks"]]
    return dg.TableSchema(columns, constraints=dg.TableConstraints(of_rows))


def reason(upload: Upload) -> str:
    """Why the upload did not go on, and what to do; empty where nothing stands in its way."""
    if not upload.reason:
        return ""
    return " ".join(str(upload.reason[part]) for part in ("message", "fix") if upload.reason.get(part))


def _plain(frame: pl.DataFrame) -> list[pl.Expr]:
    """Cells as Dagster's tables take them: numbers and booleans as they are, lists joined, all else as text."""
    return [
        pl.col(name).cast(pl.List(pl.String)).list.join("; ")
        if isinstance(dtype, pl.List)
        else pl.col(name)
        if dtype.is_numeric() or dtype == pl.Boolean
        else pl.col(name).cast(pl.String)
        for name, dtype in frame.schema.items()
    ]


def _value(value: object) -> dg.MetadataValue:
    match value:
        case int():
            return dg.MetadataValue.int(value)
        case dict():
            return dg.MetadataValue.json(value)
        case _:
            return dg.MetadataValue.text(str(value))
