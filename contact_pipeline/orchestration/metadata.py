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

# Asset → the numbers that are known when it is materialized; later ones would show as zero. Dagster plots each of them.
_PLOTTED = {
    "raw_upload": ("rows",),
    "normalized_frame": ("rows",),
    "validated_rows": ("rows", "errors"),
    "matched_changeset": ("rows", "errors", "duplicates"),
    "applied_contacts": ("rows", "errors", "duplicates", "imports"),
}
_FROM_MATCHING = ("matched_changeset", "applied_contacts")


def staged(asset: str, upload: Upload, pipeline: Pipeline) -> Metadata:
    """What the materialization of an asset shows of an upload: the counts that are known by then, and its table."""
    table = STAGED[asset]
    schema = pipeline.schema_of(upload.upload_id, table)
    return facts(upload) | counts(upload, asset) | preview(upload, table, schema, pipeline.settings)


def facts(upload: Upload) -> Metadata:
    """The upload and its file: what does not change, whatever becomes of it afterwards."""
    shown: dict[str, object] = {
        "profile": upload.profile,
        "file": upload.file_name,
        "file_size": f"{upload.file_size:,} bytes",
        "sha256": upload.sha256,
        "group": upload.group,
        "repeats": upload.repeats,
        "continues": upload.continues,
        "added_at": f"{upload.added_at:%Y-%m-%d %H:%M:%S} UTC",
        "added_by": upload.user,
    }
    page = {"page": dg.MetadataValue.url(f"/pages/uploads/{upload.upload_id}")}  # by whatever name Dagster is reached
    return page | {name: _value(value) for name, value in shown.items() if value not in (None, "")}


def counts(upload: Upload, asset: str) -> Metadata:
    """The numbers of an upload as far as an asset knows them, and the hash that an approval names."""
    numbers = {
        "rows": upload.line.data_rows,
        "errors": upload.error_count,
        "duplicates": sum(upload.duplicates.values()),
        "imports": upload.imports,
    }
    shown: dict[str, object] = {name: numbers[name] for name in _PLOTTED[asset]}
    if "errors" in shown:  # by then the warnings are known, too; one number for each code is not plotted
        shown["row_warnings"] = upload.row_warnings_by_code() or None
    if asset in _FROM_MATCHING:
        shown |= {
            "outcomes": dict(upload.outcomes),
            "duplicates_of": dict(upload.duplicates),
            "more": {"processed": upload.processed, "repairs": upload.repairs, "deactivated": upload.deactivated},
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


def inverse_preview(upload: Upload, settings: Settings) -> Metadata:
    """What undoing or redoing an upload would write, and what it would leave alone: counts, and the first of each.

    Args:
        upload: the upload, whose inverse is planned.
        settings: how many rows are shown, if any.
    """
    inverse = upload.inverse
    counted = inverse.changes.group_by("target", "action").len().sort("target", "action").iter_rows()
    shown: Metadata = {
        "would_write": dg.MetadataValue.json({f"{action} {target}": count for target, action, count in counted}),
        "left_alone": dg.MetadataValue.int(inverse.conflicts.height),
    }
    first = settings.preview_rows if settings.previews else 0
    changes = [
        {
            "target": f"{change['target']} {change.get(change['target'] + '_id', '')}".strip(),
            "action": change["action"],
            "row_number": change.get("row_number"),
            "fields": "; ".join(f"{name}: {before} → {after}" for name, (before, after) in change["fields"].items()),
        }
        for change in (inverse.first_changes(first) if first else ())
    ]
    conflicts = inverse.conflicts.head(first).select("target", "id", "field", "reason", "upload_id").to_dicts()
    for name, rows in (("first_changes", changes), ("first_left_alone", conflicts)):
        if rows:
            shown[name] = dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema=_columns_of(rows[0]))
    return shown


def _columns_of(row: dict[str, Any]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name) for name in row])


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
