"""The asset `awaiting_approval`: the uploads that wait for somebody. A sensor makes it when the list changes."""

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import dagster as dg

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.orchestration.links import as_link
from contact_pipeline.orchestration.metadata import in_markdown
from contact_pipeline.orchestration.resources import PipelineResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contact_pipeline.store import Upload

WAITING: Final = "awaiting_approval"
LOOK_SECONDS: Final = 15
_SHOWN: Final = 50  # uploads, the oldest

awaiting_approval = dg.AssetSpec(
    WAITING,
    group_name="contacts",
    description="The uploads that wait for somebody: to approve, correct, plan again, decide rows or finalize. The "
    "newest materialization lists them, the oldest first, each with its page. A sensor makes it when they change.",
    kinds={"table"},
)


@dg.sensor(
    name="waiting_uploads",
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def waiting_uploads(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """Shows the uploads that wait for somebody as the asset awaiting_approval, when they change. Takes no run."""
    opened = pipeline.open()
    try:
        count = opened.store.count_lines(waiting=True)
        table = _table(opened.uploads(_SHOWN, waiting=True, oldest_first=True))
    except ContactPipelineError as problem:  # such as a long commit that keeps the contact database
        return dg.SkipReason(f"The list stays as it is: {problem}")
    cursor = sha256(f"{count}\n{table}".encode()).hexdigest()
    if cursor == context.cursor or not (count or context.cursor):
        return dg.SkipReason(f"{count} wait, as before.")
    shown: dict[str, dg.MetadataValue] = {
        "waiting": dg.MetadataValue.int(count),
        "uploads": dg.MetadataValue.md(table if count else "Nothing waits for anybody."),
    }
    if count > _SHOWN:
        shown["more"] = dg.MetadataValue.text(f"{count - _SHOWN} newer ones are not in the table.")
    return dg.SensorResult(asset_events=[dg.AssetMaterialization(WAITING, metadata=shown)], cursor=cursor)


def _table(uploads: "Sequence[Upload]") -> str:
    """The uploads as a table in Markdown."""
    heading = "| File | What to do | Rows | Changes | Profile | Feed | Added (UTC) |\n|---|---|--:|--:|---|---|---|"
    return "\n".join([heading, *map(_line, uploads)])


def _line(upload: "Upload") -> str:
    line = upload.line
    changes = "" if upload.state in APPLIED else f"{upload.planned_imports:,}"
    cells = [
        as_link(in_markdown(upload.file_name), upload.upload_id), in_markdown(upload.waits_for),
        f"{line.data_rows:,}", changes, in_markdown(upload.profile), in_markdown(line.feed or ""),
        f"{upload.added_at:%Y-%m-%d %H:%M}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"
