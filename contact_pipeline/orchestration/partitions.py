"""The partitions: one per upload, its key being the upload's id; and the ranges in which runs carry them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

RANGE_SIZE = 50  # uploads in one run: each run costs seconds to start, and a failed run repeats all of its uploads

_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

CONTACT_DATABASE = "contact_database"  # pool of the steps that commit: DuckDB lets one process write

STAGES = "contact_pipeline/stages"  # tag of the runs that stage uploads, two of which work at a time

SHORT_BYTES = 2_000_000  # of a file: some 20,000 rows, which are staged in a second or two
LONG = "contact_pipeline/long"  # tag of the runs that stage a longer file: one of them works at a time

uploads = dg.DynamicPartitionsDefinition(name="uploads")


def in_ranges(wanted: Sequence[str], ordered: Sequence[str]) -> Iterator[list[str]]:
    """The wanted keys, in their order, in stretches that a range can name, each of at most RANGE_SIZE keys.

    Args:
        wanted: upload ids; one that is no partition is left out.
        ordered: every key of the partitions definition, in the order they were added.
    """
    stretch: list[str] = []
    places = {key: place for place, key in enumerate(ordered)}
    for key in filter(places.__contains__, wanted):
        if stretch and (places[key] != places[stretch[-1]] + 1 or len(stretch) == RANGE_SIZE):
            yield stretch
            stretch = []
        stretch.append(key)
    if stretch:
        yield stretch


def request(
    job: str,
    stretch: Sequence[str],
    run_key: str | None,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.RunRequest:
    """A run of a job over one stretch of keys."""
    where: dict[str, Any] = {"partition_key": stretch[0], "tags": tags}
    if len(stretch) > 1:
        where = {"tags": {_START: stretch[0], _END: stretch[-1], **(tags or {})}}
    return dg.RunRequest(run_key=run_key, job_name=job, run_config=run_config, **where)


def upload_ids(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> list[str]:
    """The uploads that a run carries.

    Raises:
        dg.Failure: it was launched without a partition, or for one that is gone.
    """
    keys = keys_of(context.run.tags, context.instance.get_dynamic_partitions("uploads"))
    if not keys:
        message = "Nothing was done: choose a partition of `uploads` (the id of an upload) before launching."
        raise dg.Failure(message, allow_retries=False)
    return keys


def keys_of(tags: Mapping[str, str], ordered: Sequence[str]) -> list[str]:
    """The keys that a run with these tags carries; none of a range with an end that is not given, or is gone.

    Args:
        tags: of the run.
        ordered: every key of the partitions definition, in the order they were added.
    """
    if "dagster/partition" in tags:
        return [tags["dagster/partition"]]
    if tags.get(_START) not in ordered or tags.get(_END) not in ordered:
        return []
    return list(ordered[ordered.index(tags[_START]) : ordered.index(tags[_END]) + 1])
