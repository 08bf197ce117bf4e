"""The asset `contacts`: the number of contacts by address book. It has no partitions, and is made after each commit."""

from typing import TYPE_CHECKING, Final

import dagster as dg

from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.orchestration.metadata import as_markdown
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.store.measures import count_books, newest_commit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contact_pipeline.store.measures import BookTotals

CONTACTS: Final = "contacts"
_LOOK_SECONDS: Final = 15

contacts = dg.AssetSpec(
    CONTACTS,
    deps=["applied_contacts"],
    group_name="contacts",
    description="The contacts by address book, as after the newest commit. A sensor makes it when they change.",
    kinds={"duckdb", "table"},
)


@dg.sensor(
    name="contact_totals",
    minimum_interval_seconds=_LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def contact_totals(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """Counts the contacts after a new commit, and shows the counts as the asset contacts. Takes no run."""
    opened = pipeline.open()
    if not opened.settings.contacts_path.exists():
        return dg.SkipReason("There are no contacts yet.")
    try:
        with opened.store.open(read_only=True) as database:
            newest = newest_commit(database)
            if newest is None or str(newest) == context.cursor:
                return dg.SkipReason("Nothing was committed since.")
            books = count_books(database)
    except ContactPipelineError as problem:  # such as a long commit that keeps the contact database
        return dg.SkipReason(f"The totals stay as they are: {problem}")
    shown: dict[str, dg.MetadataValue] = {
        "active": dg.MetadataValue.int(sum(book.active for book in books)),
        "inactive": dg.MetadataValue.int(sum(book.inactive for book in books)),
        "commit": dg.MetadataValue.int(newest),
        "address_books": dg.MetadataValue.md(_table(books)),
    }
    events = [dg.AssetMaterialization(CONTACTS, metadata=shown)]
    return dg.SensorResult(asset_events=events, cursor=str(newest))


def _table(books: "Sequence[BookTotals]") -> str:
    headings = ("Address book", "Active", "Inactive", "Accounts", "Groups")
    lines = [
        (book.name, *(f"{count:,}" for count in (book.active, book.inactive, book.accounts, book.groups)))
        for book in books
    ]
    return as_markdown(headings, lines, right=4)
