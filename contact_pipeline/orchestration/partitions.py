"""The partitions: one per upload, its key being the upload's id; and the ranges in which runs carry them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg

RANGE_SIZE = 50  # uploads in one run: a run costs seconds whatever it does, but is repeated whole

_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

CONTACT_DATABASE = "contact_database"  # pool of the steps that commit: DuckDB lets one process write

uploads = dg.DynamicPartitionsDefinition(name="uploads")


def in_ranges(wanted: Collection[str], ordered: Sequence[str]) -> Iterator[list[str]]:
    """The wanted keys in stretches that nothing else interrupts, each of at most RANGE_SIZE keys.

    Args:
        wanted: upload ids.
        ordered: every key of the partitions definition, in the order they were added.
    """
    stretch: list[str] = []
    chosen = set(wanted)
    for key in ordered:
        if stretch and (key not in chosen or len(stretch) == RANGE_SIZE):
            yield stretch
            stretch = []
        if key in chosen:
            stretch.append(key)
    if stretch:
        yield stretch


def request(job: str, stretch: Sequence[str], run_key: str) -> dg.RunRequest:
    """A run of a job over one stretch of keys."""
    if len(stretch) == 1:
        return dg.RunRequest(run_key=run_key, job_name=job, partition_key=stretch[0])
    return dg.RunRequest(run_key=run_key, job_name=job, tags={_START: stretch[0], _END: stretch[-1]})


def keys_of(tags: Mapping[str, str], ordered: Sequence[str]) -> list[str]:
    """The keys that a run with these tags carries."""
    if "dagster/partition" in tags:
        return [tags["dagster/partition"]]
    if _START not in tags:
        return []
    return list(ordered[ordered.index(tags[_START]) : ordered.index(tags[_END]) + 1])
