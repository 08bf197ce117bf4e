"""The asset that shows at a glance what waits for somebody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from contact_pipeline.orchestration.links import as_link
from contact_pipeline.orchestration.metadata import counts, facts
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.waiting import waiting_uploads
from contact_pipeline.pipeline import Pipeline


def test_what_waits_is_listed_anew_when_it_changes(
    pipeline: Pipeline, resource: PipelineResource, outreach_file: Callable[..., Path]
) -> None:
    cursor = None

    def tick() -> Any:
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor, resources={"pipeline": resource}) as context:
            result = waiting_uploads(context)
        cursor = getattr(result, "cursor", cursor)
        return result

    def shown() -> dict[str, Any]:
        (event,) = tick().asset_events
        assert event.asset_key == dg.AssetKey("awaiting_approval")
        return {name: value.value for name, value in event.metadata.items()}

    assert isinstance(tick(), dg.SkipReason)
    first = pipeline.plan(outreach_file("May|[June].csv", "a@example.com"), "outreach_contacts", group="Spring")
    name = "Ann-Lee o'Dee +1 (202) ann_b@example.com.csv"  # erasing a person looks for such, as they are
    second = pipeline.plan(outreach_file(name, "b@example.com", "c@example.com"), "outreach_contacts", group="S")

    listed = shown()
    assert listed["waiting"] == 2
    lines = listed["uploads"].splitlines()[2:]
    assert [line.split("](")[1].split(")")[0] for line in lines] == [
        f"/pages/uploads/{upload.upload_id}" for upload in (first, second)
    ]
    assert lines[0].startswith(r"| [May\|\[June\].csv](")
    assert f"[{name}](" in lines[1]
    assert "| approve | 2 | 1 |" in lines[1]
    assert isinstance(tick(), dg.SkipReason)

    pipeline.apply(first.upload_id)
    pipeline.cancel(second.upload_id)
    assert shown() == {"waiting": 0, "uploads": "Nothing waits for anybody."}
    assert isinstance(tick(), dg.SkipReason)


def test_where_nobody_serves_the_pages_no_link_is_dead(
    pipeline: Pipeline, program_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a Dagster project of somebody else, the pages are at an address of their own, or nowhere."""
    upload = pipeline.plan(program_file("a.xlsx", "a@example.com", ""), "program_contacts")
    key = upload.upload_id
    assert as_link("a.xlsx", key) == f"[a.xlsx](/pages/uploads/{key})"
    assert facts(upload)["page"] == dg.MetadataValue.url(f"/pages/uploads/{key}")
    monkeypatch.delenv("CONTACT_PIPELINE_SERVED")
    assert as_link("a.xlsx", key) == "a.xlsx"
    assert facts(upload)["page"] == dg.MetadataValue.text(f"contact-pipeline review {key}")
    assert counts(upload, "matched_changeset")["rejected_rows"].value == f"contact-pipeline rejected {key}"
    monkeypatch.setenv("CONTACT_PIPELINE_ADDRESS", "https://contacts.example.com/")
    page = f"https://contacts.example.com/pages/uploads/{key}"
    assert as_link("a.xlsx", key) == f"[a.xlsx]({page})"
    assert counts(upload, "matched_changeset")["rejected_rows"] == dg.MetadataValue.url(f"{page}#rejected")
