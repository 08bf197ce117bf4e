"""Checks over uploads: a judgement of one upload becomes Dagster's check result for its partition.

Dagster's own `AssetCheckResult` names no partition in a run over a range, and a result counts for a partition only
if it names the materialization that it judged. So results are logged one by one, complete.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.orchestration.event_log import together
from contact_pipeline.orchestration.events import fail, materialized_assets, sentence_of
from contact_pipeline.orchestration.forgetting import newest_materializations
from contact_pipeline.orchestration.metadata import reason
from contact_pipeline.orchestration.partitions import upload_ids, uploads
from contact_pipeline.orchestration.resources import PipelineResource

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check of one upload. `is_grave`: a failure stops the upload; otherwise it is only worth a look.

    Dagster plots each of the numbers; the details are only shown.
    """

    passed: bool
    description: str
    is_grave: bool = False
    numbers: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, float] = field(default_factory=dict)


Judge = Callable[["Upload"], Verdict]


@dataclass(frozen=True, slots=True)
class UploadCheck:
    """A check of an asset: how one upload is judged, and Dagster's definition that judges those of a run."""

    asset: str
    name: str
    judge: Judge
    definition: dg.AssetChecksDefinition


def upload_check(asset: str) -> Callable[[Judge], UploadCheck]:
    """Makes an asset check of a function that judges one upload; its docstring describes the check."""

    def made(judge: Judge) -> UploadCheck:
        name = judge.__name__

        @dg.asset_check(asset=asset, name=name, description=judge.__doc__, partitions_def=uploads)  # type: ignore[arg-type]
        def check(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> Iterator[dg.Output[None]]:
            run = context.op_execution_context
            found = pipeline.look_up(upload_ids(run))
            due, stopped = dict[str, Verdict](), list[str]()
            for key, upload in found.items():
                try:
                    if is_due(asset, name, upload):
                        due[key] = judge(upload)
                except Exception as error:  # noqa: BLE001 - whatever it is, the other uploads of the run are judged
                    stopped.append(sentence_of(run, key, error))
            with together(run.instance):
                for result in evaluations(run.instance, asset, name, due):
                    log_result(run, result)
            fail(stopped)
            yield dg.Output(None)

        return UploadCheck(asset, name, judge, check)

    return made


def is_due(asset: str, name: str, upload: "Upload") -> bool:
    """Whether a check has something to judge: a stage that did not run, or was deleted, neither passes nor fails.

    Of a refused file only `file_accepted` judges.
    """
    if name == "file_accepted" and upload.state == "refused":
        return True
    return asset in materialized_assets(upload) and upload.state != "cancelled"


def guard_verdict(upload: "Upload", guarded: str, count: int, counted: str) -> Verdict:
    """The verdict of a guard that asks for a confirmation: failed as long as it blocks the upload.

    Its details have the limit, in percent, that held for the upload.
    """
    from contact_pipeline.profiles.options import guard_limits  # heavy, and not needed to load the definitions

    stopped = upload.reason is not None and guarded in upload.reason.get("confirm", ())
    profile = upload.resolved_profile
    details = {"limit_percent": guard_limits(profile, upload.options)[guarded]} if profile else {}
    description = reason(upload) if stopped else f"{count} {counted}."
    return Verdict(not stopped, description, is_grave=stopped, numbers={counted.split()[-1]: count}, details=details)


def log_result(context: dg.OpExecutionContext, result: dg.AssetCheckEvaluation) -> None:
    """Puts a check result into the log of a run."""
    context.log_event(result)  # type: ignore[arg-type]  # taken, though the annotation leaves it out


def evaluations(
    instance: dg.DagsterInstance, asset: str, name: str, verdicts: Mapping[str, Verdict]
) -> list[dg.AssetCheckEvaluation]:
    """The verdicts (upload → verdict) as Dagster keeps them, each tied to the newest materialization."""
    newest = newest_materializations(instance, asset, verdicts)
    return [
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(asset),
            check_name=name,
            passed=verdict.passed,
            partition=upload_id,
            severity=dg.AssetCheckSeverity.ERROR if verdict.is_grave else dg.AssetCheckSeverity.WARN,
            description=verdict.description,
            metadata={**verdict.numbers, **_details(verdict)},
            target_materialization_data=newest.get(upload_id),
        )
        for upload_id, verdict in verdicts.items()
    ]


def _details(verdict: Verdict) -> dict[str, dg.MetadataValue]:
    return {"details": dg.MetadataValue.json(dict(verdict.details))} if verdict.details else {}
