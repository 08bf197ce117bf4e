"""The job `expire` and its schedule: deletes by age, including the partitions, runs and events of Dagster."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import dagster as dg
from pydantic import Field

from contact_pipeline.contracts.expiry import KINDS
from contact_pipeline.errors import ContactPipelineError, number_of
from contact_pipeline.orchestration.approval import AUTOMATIC, CLAIMED
from contact_pipeline.orchestration.events import fail
from contact_pipeline.orchestration.forgetting import count_runs, forget_uploads
from contact_pipeline.orchestration.launching import EXPIRE
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import again_if_busy, require_login
from contact_pipeline.orchestration.without_upload import Old, find_old, forget_old
from contact_pipeline.store.expiries import Amount
from contact_pipeline.store.ledger import now

if TYPE_CHECKING:
    from collections.abc import Collection

    from contact_pipeline.contracts.expiry import Kind
    from contact_pipeline.expire import Expired
    from contact_pipeline.store import LedgerLine

_DELETE: Final = "delete_expired"
_SHOWN: Final = 50  # in the metadata of a run


class Runs:
    """What Dagster keeps of uploads: partitions, events, and runs that carried nothing else."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._known = set(instance.get_dynamic_partitions("uploads"))

    def find(self, line: "LedgerLine") -> Amount | None:
        """How many runs and events Dagster has of an upload; None: Dagster does not know the upload."""
        if line.upload_id not in self._known:
            return None
        runs, events = count_runs(self._instance, line.upload_id)
        return Amount(runs, events, None)

    def delete(self, upload_ids: "Collection[str]") -> None:
        """Deletes all that Dagster keeps of these uploads."""
        forget_uploads(self._instance, upload_ids)


class Expiring(dg.Config):
    """Who deletes, what, and whether to delete or only to show."""

    approved_by: str = Field(
        description=f"Login of whoever asks for it; {CLAIMED}. '{AUTOMATIC}' deletes what is kept no longer."
    )
    older_than_days: int | None = Field(
        default=None,
        ge=0,
        description="Days after which staged data and what Dagster keeps go, whatever profiles say; unset: what "
        "`keep_days` of each profile says.",
    )
    kinds: list[str] | None = Field(
        default=None,
        description="Only these of staged_data, originals, reports and runs; with older_than_days, in place of staged "
        "data and runs.",
    )
    profile: str | None = Field(default=None, description="Only uploads of this profile.")
    dry_run: bool = Field(default=False, description="Only show what would be deleted.")


@dg.op(name=_DELETE)  # in no pool: it may take long, and writes to the contact database only now and then
def expire_op(context: dg.OpExecutionContext, config: Expiring, pipeline: PipelineResource) -> None:
    """Deletes what has been kept long enough of uploads that have ended, or only shows it; then runs of no upload."""
    opened = pipeline.open()
    if config.approved_by == AUTOMATIC and config.older_than_days is not None:
        fail([f"Nothing was deleted: '{AUTOMATIC}' has no older_than_days. Give your login as approved_by."])
    try:
        with again_if_busy():
            done = opened.expire(
                older_than=config.older_than_days,
                profile=config.profile,
                kinds=cast("list[Kind] | None", config.kinds),
                dry_run=config.dry_run,
                user=require_login(context, config.approved_by, opened),
                runs=Runs(context.instance),
            )
    except ContactPipelineError as problem:
        fail([str(problem)])
        return
    others = _of_no_upload(context, config, opened.settings.keep_runs_days)
    if others is not None and not config.dry_run:
        forget_old(context.instance, others)
    context.log.info("%s", _summary(done, others))
    rows = ["| upload | what | files | rule |", "|---|---|---:|---|"]
    rows += [
        f"| {each.line.upload_id} | {KINDS[each.kind]} | {each.amount.files:,} | {each.rule} |"
        for each in done.expiries[:_SHOWN]
    ]
    context.add_output_metadata(
        {
            "dry_run": done.dry_run,
            "by": config.approved_by,
            "uploads": len({each.line.upload_id for each in done.expiries}),
            "bytes": done.size,
            "waiting": len(done.waiting),
            "runs_of_no_upload": len(others.run_ids) if others else 0,
            "events_of_no_upload": others.events if others else 0,
            "first": dg.MetadataValue.md("\n".join(rows)),
        }
    )


def _of_no_upload(context: dg.OpExecutionContext, config: Expiring, keep_days: int | None) -> Old | None:
    """What belongs to no upload and is old enough; None where nothing says that it goes."""
    days = keep_days if config.older_than_days is None else config.older_than_days
    if days is None or config.profile is not None or "runs" not in (config.kinds or ["runs"]):
        return None
    origin = context.run.remote_job_origin
    return find_old(context.instance, now() - timedelta(days=days), origin.location_name if origin else None)


def _summary(done: "Expired", others: Old | None) -> str:
    uploads = number_of(len({each.line.upload_id for each in done.expiries}), "upload")
    begun = "Would delete" if done.dry_run else "Deleted"
    things = f"{number_of(len(done.expiries), 'thing')} of {uploads}, {done.size:,} bytes of files"
    if others is None:
        return f"{begun} {things}."
    runs, events = number_of(len(others.run_ids), "run"), number_of(others.events, "event")
    return f"{begun} {things}; and {runs} and {events} that belong to no upload."


expire_uploads = dg.GraphDefinition(name=EXPIRE, node_defs=[expire_op]).to_job(
    executor_def=dg.in_process_executor,
    description="Deletes what was kept long enough of uploads that have ended: staged data, originals, reports, and "
    "what Dagster keeps of them; and runs that belong to no upload. The ledger and the history stay. With dry_run: "
    "true it only shows what that would be.",
)

expire_nightly = dg.ScheduleDefinition(
    name="expire_nightly",
    job=expire_uploads,
    cron_schedule="30 2 * * *",
    run_config={"ops": {_DELETE: {"config": {"approved_by": AUTOMATIC}}}},
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Deletes every night what profiles keep no longer. Off until somebody turns it on.",
)
