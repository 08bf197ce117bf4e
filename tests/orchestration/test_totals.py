"""The asset that shows how many contacts there are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.totals import contact_totals
from contact_pipeline.pipeline import Pipeline


def test_contacts_are_counted_by_address_book_after_each_commit(
    pipeline: Pipeline,
    resource: PipelineResource,
    outreach_file: Callable[..., Path],
    program_file: Callable[..., Path],
) -> None:
    cursor = None

    def tick() -> Any:
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor, resources={"pipeline": resource}) as context:
            result = contact_totals(context)
        cursor = getattr(result, "cursor", cursor)
        return result

    def shown() -> dict[str, Any]:
        (event,) = tick().asset_events
        assert event.asset_key == dg.AssetKey("contacts")
        return {name: value.value for name, value in event.metadata.items()}

    assert isinstance(tick(), dg.SkipReason)
    outreach = outreach_file("a.csv", "a@example.com")
    pipeline.apply(pipeline.plan(outreach, "outreach_contacts", group="Spring").upload_id)
    user = outreach.owner()
    program = pipeline.plan(program_file("b.xlsx", "c@example.com"), "program_contacts", user=user)
    pipeline.apply(program.upload_id, user=user)
    first = pipeline.store.contacts()[0]["contact_id"]
    pipeline.set_active(first, active=False)

    totals = shown()
    assert (totals["active"], totals["inactive"]) == (1, 1)
    assert totals["address_books"].splitlines()[2:] == ["| outreach | 0 | 1 | 0 | 1 |", "| program | 1 | 0 | 0 | 0 |"]
    assert isinstance(tick(), dg.SkipReason)

    pipeline.erase(first, user=user)
    pipeline.undo(program.upload_id, user=user)
    totals = shown()
    assert (totals["active"], totals["inactive"]) == (0, 0)
