"""The metadata that Dagster shows of an upload: facts of its ledger line, masked previews and schemas of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from contact_pipeline.contracts.tables import declared
from contact_pipeline.orchestration.links import page_metadata
from contact_pipeline.visible import visible

if TYPE_CHECKING:
    import polars as pl
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

# Asset → the numbers that are known when it is materialized (later ones would be zero). Dagster plots each of them.
_PLOTTED = {
    "raw_upload": ("rows",),
    "normalized_frame": ("rows",),
    "validated_rows": ("rows", "errors"),
    "matched_changeset": ("rows", "errors", "duplicates"),
    "applied_contacts": ("rows", "errors", "duplicates", "imports"),
}
_FROM_MATCHING = ("matched_changeset", "applied_contacts")


def staged(asset: str, upload: Upload, pipeline: Pipeline) -> Metadata:
    """The metadata of a materialization: facts of the upload, the counts known by then, and the asset's table."""
    table = STAGED[asset]
    with upload.staging.look():
        schema = pipeline.schema_of(upload, table)
        shown = facts(upload) | _as_read(upload, asset) | counts(upload, asset)
        shown |= preview(upload, table, schema, pipeline.settings)
        if asset == "matched_changeset" and "preview" in shown:  # a line for each change says more than forty columns
            shown["preview"] = _table(_changes(upload.first_changes(pipeline.settings.preview_rows)))
    return shown


def facts(upload: Upload) -> Metadata:
    """The facts of an upload and its file that never change."""
    shown: dict[str, object] = {
        "profile": upload.profile,
        "file": upload.file_name,
        "file_size": f"{upload.file_size:,} bytes",
        "sha256": upload.sha256,
        "group": upload.group,
        "repeats": upload.repeats,
        "continues": upload.continues,
        "came_by": _came_by(upload),
        "added_at": f"{upload.added_at:%Y-%m-%d %H:%M:%S} UTC",
        "added_by": upload.user,
    }
    return {"page": page_metadata(upload.upload_id)} | {
        name: _value(value) for name, value in shown.items() if value not in (None, "")
    }


def _came_by(upload: Upload) -> str:
    if upload.feed:
        return f"feed {upload.feed}"
    return "inbox" if upload.line.inbox else "command line or Python"


def _as_read(upload: Upload, asset: str) -> Metadata:
    """How the file was read: for raw_upload its form, for normalized_frame its columns."""
    if asset == "raw_upload":
        form: dict[str, object] = {"encoding": upload.encoding, "delimiter": upload.delimiter, "sheet": upload.sheet}
        shown = {name: _value(value) for name, value in form.items() if value}
    elif asset == "normalized_frame":
        lines = [(heading, field) for heading, field in upload.mapping.items()]
        lines += [(heading, "not imported") for heading in upload.ignored]
        shown = {"columns": dg.MetadataValue.md(as_markdown(("Column", "Field"), lines))} if lines else {}
        shown |= {"dagster/column_lineage": _lineage(upload)} if upload.mapping else {}
    else:
        return {}
    if upload.warnings:
        shown["warnings"] = dg.MetadataValue.md("\n".join(f"- {in_markdown(warning)}" for warning in upload.warnings))
    return shown


def _lineage(upload: Upload) -> dg.MetadataValue:
    """Which columns of the file each field is made of."""
    of_field: dict[str, list[dg.TableColumnDep]] = {}
    for heading, field in upload.mapping.items():
        of_field.setdefault(field, []).append(dg.TableColumnDep("raw_upload", heading))
    return dg.MetadataValue.column_lineage(dg.TableColumnLineage(of_field))


def counts(upload: Upload, asset: str) -> Metadata:
    """The numbers of an upload that are known at an asset, and the hash of the changeset."""
    numbers = {
        "rows": upload.line.data_rows,
        "errors": upload.error_count,
        "duplicates": sum(upload.duplicates.values()),
        "imports": upload.imports,
    }
    shown: dict[str, object] = {name: numbers[name] for name in _PLOTTED[asset]}
    if rows := upload.line.data_rows:
        rates = {"error_rate": "errors", "duplicate_rate": "duplicates"}
        shown |= {rate: numbers[name] / rows for rate, name in rates.items() if name in shown}
    if "errors" in shown:  # by then the warnings are known, too; one number for each code is not plotted
        shown["row_warnings"] = upload.row_warnings_by_code() or None
        shown["by_type"] = _by_type(upload, outcomes=asset in _FROM_MATCHING)
    if asset in _FROM_MATCHING:
        shown |= {
            "outcomes": dict(upload.outcomes),
            "duplicates_of": dict(upload.duplicates),
            "more": {"processed": upload.processed, "repairs": upload.repairs, "deactivated": upload.deactivated},
            "changeset_sha256": upload.changeset_sha256,
            "rejected_rows": _rejected_rows(upload),
        }
    return {name: _value(value) for name, value in shown.items() if value is not None}


def _rejected_rows(upload: Upload) -> dg.MetadataValue | None:
    """The place on its page where the rejected rows are downloaded. Only a form gets them: they are unmasked."""
    if not upload.outcomes["rejected"]:
        return None
    return page_metadata(upload.upload_id, "#rejected", "rejected")


def _by_type(upload: Upload, *, outcomes: bool) -> dg.MetadataValue | None:
    """The outcomes, errors and warnings that there are, with how often, as a table; None where there are none."""
    found = [("outcome", name, count) for name, count in upload.outcomes.items() if count] if outcomes else []
    found += [("error", code, count) for code, count in upload.rejections_by_code().items()]
    found += [("warning", code, count) for code, count in upload.row_warnings_by_code().items()]
    lines = [(what, name, f"{count:,}") for what, name, count in found]
    return dg.MetadataValue.md(as_markdown(("What", "Type", "Count"), lines, right=1)) if lines else None


def preview(upload: Upload, table: str, schema: DataFrameSchema | None, settings: Settings) -> Metadata:
    """The columns of a staged table and, unless the settings turn it off, its first rows, masked by the profile.

    Args:
        upload: the upload.
        table: name of the table.
        schema: of the table; None: the schema of the database is shown.
        settings: tell how many rows are shown.
    """
    from contact_pipeline.validate import describe_schema  # heavy, and not needed to load the definitions

    frame = upload.preview(table, settings.preview_rows if settings.previews else 0)
    words = {column.name: column.holds for column in declared(table).values()}
    columns = [dg.TableColumn(name, str(dtype), words.get(name)) for name, dtype in frame.schema.items()]
    table_schema = dg.TableSchema(columns) if schema is None else _table_schema(describe_schema(schema), words)
    shown: Metadata = {"dagster/column_schema": dg.MetadataValue.table_schema(table_schema)}
    if frame.height:
        records = [dg.TableRecord(row) for row in frame.select(_plain(frame)).iter_rows(named=True)]
        shown["preview"] = dg.MetadataValue.table(records, schema=dg.TableSchema(columns))
    return shown


def inverse_preview(upload: Upload, settings: Settings) -> Metadata:
    """What undoing or redoing an upload would write, and what it would leave alone: counts, and the first of each.

    Args:
        upload: the upload, whose inverse is planned.
        settings: tell how many rows are shown, if any.
    """
    inverse = upload.inverse
    counted = inverse.changes.group_by("target", "action").len().sort("target", "action").iter_rows()
    shown: Metadata = {
        "would_write": dg.MetadataValue.json({f"{action} {target}": count for target, action, count in counted}),
        "left_alone": dg.MetadataValue.int(inverse.conflicts.height),
    }
    first = settings.preview_rows if settings.previews else 0
    changes = _changes(inverse.first_changes(first) if first else ())
    conflicts = inverse.conflicts.head(first).select("target", "id", "field", "reason", "upload_id").to_dicts()
    for name, rows in (("first_changes", changes), ("first_left_alone", conflicts)):
        if rows:
            shown[name] = _table(rows)
    return shown


def _changes(changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Changes as lines: what is changed, how, by which row, and its fields before → after."""
    return [
        {
            "target": f"{change['target']} {change.get(change['target'] + '_id', '')}".strip(),
            "action": change["action"],
            "row_number": change.get("row_number"),
            "fields": "; ".join(_field(name, *sides) for name, sides in change["fields"].items()),
        }
        for change in changes
    ]


def _field(name: str, before: object, after: object) -> str:
    texts = ["" if side is None else "; ".join(map(str, side)) if isinstance(side, list) else str(side)
            for side in (before, after)]  # fmt: skip
    return f"{name}: {texts[0]} → {texts[1]}" if texts[0] else f"{name}: {texts[1]}"


def _table(rows: Sequence[dict[str, Any]]) -> dg.MetadataValue:
    schema = dg.TableSchema([dg.TableColumn(name) for name in rows[0]] if rows else [])
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema=schema)


def as_markdown(headings: Sequence[str], lines: Iterable[Sequence[str]], *, right: int = 0) -> str:
    """A table in Markdown, its cells escaped.

    Args:
        headings: of its columns.
        lines: the cells of each line.
        right: how many of the last columns are numbers.
    """
    rules = [*("---" for _ in headings[right:]), *("--:" for _ in range(right))]
    rows = [headings, rules, *([in_markdown(cell) for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def in_markdown(text: str) -> str:
    """A text escaped for Markdown. Names, addresses and numbers stay unescaped, so that erasing finds them."""
    return re.sub(r"([\\`*\[\]<>|~&])", r"\\\1", visible(text).replace("\n", " "))


def _table_schema(described: dict[str, Any], words: Mapping[str, str]) -> dg.TableSchema:
    """A Pandera schema as Dagster shows it: every column with its type, what it holds, and the codes of its checks."""
    columns = [
        dg.TableColumn(
            column["column"],
            column["type"],
            words.get(column["column"]),
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
    """Why the upload stopped, and what to do; empty if it did not stop."""
    if not upload.reason:
        return ""
    return " ".join(str(upload.reason[part]) for part in ("message", "fix") if upload.reason.get(part))


def _plain(frame: pl.DataFrame) -> list[pl.Expr]:
    """Cells as Dagster's tables take them: numbers and booleans as they are, lists joined, all else as text."""
    import polars as pl  # its threads do not outlive a fork: the process that runs are forked from does not load it

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
        case dg.MetadataValue():
            return value
        case int():
            return dg.MetadataValue.int(value)
        case float():
            return dg.MetadataValue.float(round(value, 4))
        case dict():
            return dg.MetadataValue.json(value)
        case _:
            return dg.MetadataValue.text(str(value))
