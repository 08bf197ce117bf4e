"""Dagster plumbing: partitions, resources, jobs, sensors, definitions, and `serve`. No rule of an import lives here."""

import warnings

# Partitioned checks and backfill policies; Dagster's version is pinned, and tests show that they work.
warnings.filterwarnings("ignore", message=".* is currently in (beta|preview), and may have breaking changes")
