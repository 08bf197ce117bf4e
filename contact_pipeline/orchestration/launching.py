"""Launching runs of uploads: keeps the login that a proxy vouched for, and refuses incomplete runs before they start.

Whoever launches a run can set its tags. So a second tag proves the tag with the login: only a process that knows the
secret of the proxy can make the proof.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_shared.error import SerializableErrorInfo
from starlette.datastructures import Headers

from contact_pipeline.contracts.actors import Verified
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.event_log import keep_open
from contact_pipeline.orchestration.events import APPLIED
from contact_pipeline.orchestration.metadata import STAGED
from contact_pipeline.orchestration.partitions import CONTACT_DATABASE, LONG, SHORT_BYTES, STAGES, keys_of
from contact_pipeline.settings import Settings
from contact_pipeline.web.visitor import visitor

if TYPE_CHECKING:
    from dagster._core.run_coordinator import SubmitRunContext

LOGIN: Final = "contact_pipeline/login"  # tag: whom the proxy has vouched for
_PROOF: Final = "contact_pipeline/login_proof"
_CALLS: Final = ("stage", "apply", "import", "withdraw", "finalize", "undo", "redo", "cancel", "replan", "resolve")
OF_UPLOADS: Final = frozenset(f"{call}_upload" for call in _CALLS)  # jobs
_STAGING: Final = frozenset({"stage_upload", "import_upload"})
EXPIRE: Final = "expire"  # the job that deletes by age, which carries no upload
_BACKFILL: Final = "dagster/backfill"  # tag of a run that the daemon launches for a backfill
_ROOT: Final = "dagster/root_run_id"  # tag of a run that repeats another
_BY_THEMSELVES: Final = {APPLIED, "delete_expired"}  # ops that no person has to ask for
NOT_TRIED_AGAIN: Final = {"dagster/max_retries": "0"}  # the daemon repeats what failed before a step, without a login
PARTITION_TAGS: Final = (
    "dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end",
)  # fmt: skip


class UploadRunCoordinator(QueuedRunCoordinator[Any]):
    """Dagster's queue. It takes a run of uploads, or of `expire`, only if the run names its uploads and who asks.

    The processes that use it, webserver and daemon, keep Dagster's event log open.
    """

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Called by Dagster when it has opened the instance."""
        super().register_instance(instance)
        keep_open(instance.event_log_storage)

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Puts a run into the queue.

        Raises:
            UserFacingGraphQLError: the run names no upload or no login, or a login other than the verified one.
        """
        run, settings = context.dagster_run, Settings()
        of_uploads = _is_of_uploads(run)
        is_ours = of_uploads or run.job_name == EXPIRE
        uploads = self._instance.get_dynamic_partitions("uploads") if of_uploads else []
        login, why_not = _logged_in(context) or _proven(run, settings), ""
        if is_ours and _reads_variables(run.run_config):
            why_not = "Nothing was launched: write each value into the config as it is, not as {env: NAME}."
        elif is_ours and _names_a_home(run.run_config):
            why_not = (
                "Nothing was launched: leave `resources` out of the config. A run stays in the home of its project."
            )
        elif is_ours:
            why_not = _no_upload(run, uploads) if of_uploads else ""
            why_not = why_not or _no_approver(run, login, has_logins=settings.user_header is not None)
        if why_not:
            self._instance.add_run_tags(run.run_id, NOT_TRIED_AGAIN)
            raise _ui_error(why_not)
        if of_uploads:
            self._instance.add_run_tags(run.run_id, _limits(run, uploads, settings))
        if is_ours and login:
            self._instance.add_run_tags(run.run_id, {LOGIN: login, _PROOF: _proof(run, login, settings)})
        self._limit_commits()
        return super().submit_run(context)

    def _limit_commits(self) -> None:
        """Gives the pool its limit before the first run that needs it; Dagster does so once it has let such runs go."""
        storage = self._instance.event_log_storage
        if CONTACT_DATABASE not in storage.get_concurrency_keys():
            storage.initialize_concurrency_limit_to_default(CONTACT_DATABASE)


def _no_upload(run: dg.DagsterRun, uploads: Sequence[str]) -> str:
    """Why a run has no upload, and what to do; empty where it has."""
    keys = keys_of(run.tags, uploads)
    if not keys:
        return "Nothing was launched: choose a partition of `uploads` (the id of an upload) first."
    if unknown := [key for key in keys if key not in uploads]:
        return f"Nothing was launched: there is no upload {unknown[0]}; choose another partition."
    return ""


def _no_approver(run: dg.DagsterRun, login: str, *, has_logins: bool) -> str:
    """Why the login that a run names is not taken, and what to do; empty where it is.

    Args:
        run: the run.
        login: whom the proxy has vouched for, now or when the run was launched that this one repeats; empty: nobody.
        has_logins: whether a proxy names who is logged in.
    """
    for op, given in _approvers(run.run_config):
        approved_by = str(given)
        if op in _BY_THEMSELVES and approved_by == AUTOMATIC:
            continue
        if not approved_by.strip() or approved_by == AUTOMATIC:
            return "Nothing was launched: give your login as approved_by."
        what = "a backfill" if _BACKFILL in run.tags else "a run that repeats another" if _ROOT in run.tags else ""
        if has_logins and not login and what:
            return f"Nothing was launched: {what} does not say who is logged in. Launch a run for each upload."
        if login and approved_by != login:
            return f"Nothing was launched: you are logged in as {login}; give that as approved_by."
    return ""


def vouched(run: dg.DagsterRun, approved_by: str, settings: Settings) -> str:
    """The login that a run was launched with; verified where a proxy has vouched for it."""
    return Verified(approved_by) if approved_by and _proven(run, settings) == approved_by else approved_by


def _proven(run: dg.DagsterRun, settings: Settings) -> str:
    """The login that the tags of a run prove; empty: none."""
    login, proof = run.tags.get(LOGIN, ""), run.tags.get(_PROOF, "")
    if not proof or settings.proxy_secret is None:
        return ""
    return login if hmac.compare_digest(proof.encode(), _proof(run, login, settings).encode()) else ""


def _ui_error(why_not: str) -> Exception:
    """The error that Dagster's UI shows as it is, without a stack trace."""
    from dagster_graphql.implementation.utils import UserFacingGraphQLError
    from dagster_graphql.schema.errors import GraphenePythonError

    shown = GraphenePythonError(SerializableErrorInfo(why_not, [], None))  # type: ignore[no-untyped-call]
    error = UserFacingGraphQLError(shown)
    error.args = (why_not,)  # for the log of the run
    return error


def _is_of_uploads(run: dg.DagsterRun) -> bool:
    """Whether it is a run of our jobs, or one that materializes our assets from their own page, chosen or all."""
    if run.job_name == EXPIRE:
        return False
    judged = {key.asset_key for key in run.asset_check_selection or ()}
    assets = {key.to_user_string() for key in {*(run.asset_selection or ()), *judged}}
    return run.job_name in OF_UPLOADS or bool(assets & {*STAGED, APPLIED}) or bool([*_approvers(run.run_config)])


def _limits(run: dg.DagsterRun, uploads: Sequence[str], settings: Settings) -> dict[str, str]:
    """The tags that limit how many runs stage at a time, and how many of them a long file."""
    if not _stages(run):
        return {}
    return {STAGES: "yes"} | ({LONG: "yes"} if _has_long(run, uploads, settings) else {})


def _has_long(run: dg.DagsterRun, uploads: Sequence[str], settings: Settings) -> bool:
    """Whether a run carries a long file; one whose original is gone is not staged again."""
    from contact_pipeline.store.originals import Originals

    originals = Originals(settings)
    for upload_id in keys_of(run.tags, uploads):
        with suppress(OSError):
            if originals.path(upload_id).stat().st_size > SHORT_BYTES:
                return True
    return False


def _stages(run: dg.DagsterRun) -> bool:
    """Whether a run materializes assets that are staged: chosen ones, or all where none and no check is chosen."""
    if run.job_name in OF_UPLOADS:
        return run.job_name in _STAGING
    chosen = {key.to_user_string() for key in run.asset_selection or ()}
    return bool(chosen & {*STAGED}) or not (chosen or run.asset_check_selection)


def _logged_in(context: SubmitRunContext) -> str:
    """Whom a proxy has vouched for; empty where nobody did, as for runs that a sensor asks for."""
    source = getattr(context.workspace, "source", None)
    headers = getattr(source, "headers", None)
    if not isinstance(headers, Headers):
        return ""
    login = visitor(headers, Settings(), read_only=False).login
    return login if isinstance(login, Verified) else ""


def _approvers(run_config: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What stands as `approved_by` in a config, by step: a login, or `{env: NAME}`."""
    for name, op in (run_config.get("ops") or {}).items():
        config = op.get("config") if isinstance(op, Mapping) else None
        if isinstance(config, Mapping) and "approved_by" in config:
            yield name, config["approved_by"]


def _reads_variables(config: object) -> bool:
    """Whether Dagster would put environment variables into a config. The secret of the proxy is one of them."""
    if isinstance(config, Mapping):
        return set(config) == {"env"} or any(map(_reads_variables, config.values()))
    return isinstance(config, list) and any(map(_reads_variables, config))


def _names_a_home(run_config: Mapping[str, Any]) -> bool:
    """Whether a config leads the run into another home than that of the definitions."""
    resource = (run_config.get("resources") or {}).get("pipeline") or {}
    return bool((resource.get("config") or {}).get("home"))


def _proof(run: dg.DagsterRun, login: str, settings: Settings) -> str:
    """A signature of a login and what it asks: job, uploads, config. Runs that repeat a run have that of the first."""
    secret = settings.proxy_secret.get_secret_value() if settings.proxy_secret else ""
    signed = [run.tags.get(_ROOT, run.run_id), login, run.job_name, *(run.tags.get(tag, "") for tag in PARTITION_TAGS)]
    signed.append(json.dumps(run.run_config, sort_keys=True))
    return hmac.new(secret.encode(), "\n".join(signed).encode(), "sha256").hexdigest()
