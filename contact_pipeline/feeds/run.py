"""Runs a feed: lists its source, fetches new files, has them received, and records how the run ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from contact_pipeline.contracts.states import ENDED_WITHOUT, State
from contact_pipeline.errors import ContactPipelineError, MachineFault, Refusal
from contact_pipeline.feeds.model import Feed, Move
from contact_pipeline.feeds.origin import Found, Origin, Trouble
from contact_pipeline.feeds.read import check_feed, is_elsewhere, load_feed, options_of, usable
from contact_pipeline.feeds.source import is_known, listed, origin_of, strays_of, tried
from contact_pipeline.feeds.status import note_missed_of, record, time_of
from contact_pipeline.machine import check_room, fault_of, is_defect
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store, Upload
from contact_pipeline.store.feeds import (
    Fetched,
    Known,
    digest_of,
    forget,
    known_files,
    left_on_the_way,
    look_anew,
)
from contact_pipeline.store.ledger import now
from contact_pipeline.store.source import alone_in, sha256_of
from contact_pipeline.temporary import temporary_folder


class Receive(Protocol):
    """Takes a file in, as `Pipeline.receive` does."""

    def __call__(
        self, file: Path, profile: str, *, user: str | None, fetched: Fetched, **options: Any
    ) -> Upload:  # pragma: no cover
        """Receives the file, and adds its ledger line."""


Stage = Callable[[Upload], Upload]


@dataclass(slots=True)
class FetchedFile:
    """The result for one file of a feed.

    Attributes:
        name: of the file, as it may be shown.
        upload: its upload; None: it has none.
        left: why the file was not received, or not moved or deleted at its source; None: all was done.
        not_applied: why its upload was not applied by itself; it waits for somebody.
        is_continued: whether an earlier run received it, which was cut off.
    """

    name: str
    upload: Upload | None = None
    left: Refusal | None = None
    not_applied: Refusal | None = None
    is_continued: bool = False

    @property
    def problem(self) -> Refusal | None:
        """Why not all was done with the file."""
        return self.left or self.not_applied

    def as_dict(self) -> dict[str, Any]:
        """The file as a JSON document."""
        upload = self.upload
        return {
            "file_name": self.name,
            "upload_id": upload.upload_id if upload else None,
            "state": upload.state if upload else None,
            "problem": self.problem.as_dict() if self.problem else None,
        }


@dataclass(slots=True)
class FeedRun:
    """What a run of a feed did.

    Attributes:
        feed: its name.
        files: files that were fetched or should have been, ordered by the time of their change.
        waiting: how many files were left for the next run, as they are not complete or still change.
        known: how many files were received before and have not changed since.
        strays: name → why a file is never taken.
        missed_at: the time at which a file was due that has not come, in UTC.
        defects: errors of the program while a file was staged; its upload has failed, and the others went on.
    """

    feed: str
    files: list[FetchedFile] = field(default_factory=list)
    waiting: int = 0
    known: int = 0
    strays: dict[str, str] = field(default_factory=dict)
    missed_at: datetime | None = None
    defects: list[Exception] = field(default_factory=list)

    @property
    def uploads(self) -> list[Upload]:
        """The uploads that were made, or continued."""
        return [file.upload for file in self.files if file.upload is not None]

    @property
    def received(self) -> list[Upload]:
        """The uploads of the files that came in this run."""
        return [file.upload for file in self.files if file.upload is not None and not file.is_continued]

    @property
    def has_delivered(self) -> bool:
        """Whether a file has come that was no rubbish: it was not refused, and has not failed.

        A file of an earlier run that was cut off counts, as that run did not get to say so; not where it can only wait.
        """
        return any(
            file.upload.state not in ENDED_WITHOUT or file.upload.line.stage == "matched"
            for file in self.files
            if file.upload is not None and not (file.is_continued and file.problem)
        )

    @property
    def problem(self) -> Refusal | None:
        """The first reason for which a file was left."""
        return next((file.left for file in self.files if file.left is not None), None)

    def as_dict(self) -> dict[str, Any]:
        """The run as a JSON document."""
        return {
            "feed": self.feed,
            "files": [file.as_dict() for file in self.files],
            "waiting": self.waiting,
            "known": self.known,
            "never_taken": [{"file_name": name, "why": why} for name, why in self.strays.items()],
            "missed_at": time_of(self.missed_at),
        }


def run_feed(
    store: Store,
    name: str,
    receive: Receive,
    stage: Stage | None = None,
    *,
    described: Feed | None = None,
    again: bool = False,
) -> FeedRun:
    """Fetches the new files of a feed, once.

    Args:
        store: the store.
        name: of the feed.
        receive: takes a file in.
        stage: takes an upload through the stages, and applies it if its profile is automatic; None: the caller does.
        described: the feed, where no file of the home describes it.
        again: whether to fetch again files whose upload was refused, failed or was cancelled.

    Raises:
        Refusal: there is no such feed, its file cannot be used, it runs already (`feed-running`), or its source cannot
            be reached. Files received before that are in the ledger.
    """
    feed = described
    if described is None and not is_elsewhere(name, store.settings):
        _must_be_known(store.settings, name)
    with _alone(store.settings, name):
        try:
            feed = check_feed(name, store.settings) if described is None else usable(described, store.settings)
            run = _Run(store, name, feed, receive, stage, again=again).done()
        except (Refusal, MachineFault, OSError) as error:
            problem = error if isinstance(error, Refusal) else fault_of(error)
            with suppress(ContactPipelineError):  # the first error is the one to raise
                record(store, name, feed, "broken", problem)
            raise
        record(store, name, feed, "fetched" if run.received else "nothing", run.problem)
        run.missed_at = note_missed_of(store, name, feed)
        return run


class _Run:
    """One run of a feed; the feed has no other run meanwhile."""

    def __init__(
        self, store: Store, name: str, feed: Feed, receive: Receive, stage: Stage | None, *, again: bool
    ) -> None:
        self._store, self._name, self._feed = store, name, feed
        self._receive, self._stage, self._again = receive, stage, again
        self._result = FeedRun(name)
        self._stopped = False

    def done(self) -> FeedRun:
        """Does the run; returns the result for each file."""
        origin = origin_of(self._store.settings, self._name, self._feed)
        try:
            self._finish_cut_off()
            with self._store.open(read_only=True) as contacts:
                self._known = known_files(contacts, self._name)
            found = self._settled(origin)
            for each in found:
                if self._stopped:
                    break
                known = self._known.get(digest_of(each.name))
                if is_known(known, each, again=self._again):
                    self._result.known += 1
                    self._clear_away(origin, each, known)
                else:
                    self._take(origin, each, known)
        finally:
            origin.close()
        return self._result

    def _finish_cut_off(self) -> None:
        """Goes on with files that an earlier run received, and did not stage or apply: it was killed, or could not."""
        if self._stage is not None:
            with self._store.open(read_only=True) as contacts:
                lines = left_on_the_way(contacts, self._name)
            for line in lines:
                file = FetchedFile(line.file_name, self._upload(line.upload_id), is_continued=True)
                self._result.files.append(file)
                self._staged(file)

    def _settled(self, origin: Origin) -> list[Found]:
        """The files that are complete: all of object stores; of other sources, those that have stood still."""
        settings = self._store.settings
        listing = listed(settings, self._feed, origin)
        self._result.strays = strays_of(listing)
        self._result.waiting = listing.unfinished
        seconds = settings.inbox_settle_seconds
        before = now() - timedelta(seconds=seconds)
        young = {each.path: each.look for each in listing.files if self._is_young(each, before)}
        if not young:
            return listing.files
        time.sleep(seconds)
        again = {each.path: each for each in tried(settings, origin.look_through).files}
        whole = [each for each in listing.files if each.path not in young or _look(again.get(each.path)) == each.look]
        self._result.waiting += len(listing.files) - len(whole)
        return whole

    def _is_young(self, found: Found, before: datetime) -> bool:
        """Whether a new file may still be growing. A time in the future, by a wrong clock, counts as growing."""
        if not found.settles or is_known(self._known.get(digest_of(found.name)), found, again=self._again):
            return False
        if found.changed_at is None:
            return True
        return not found.changed_at.replace(tzinfo=None) <= before

    def _take(self, origin: Origin, found: Found, known: Known | None) -> None:
        """Fetches a file and has it received. An error of one file does not stop the others."""
        file = FetchedFile(found.shown)
        try:
            file.upload = self._received(origin, found, known)
        except Refusal as refusal:
            if refusal.code in {"feed-changing", "file-changing"}:
                self._result.waiting += 1
                return
            if refusal.code == "feed-missing":  # it was removed meanwhile
                return
            self._leave(file, refusal)
        if file.upload is None and file.left is None:
            self._result.known += 1
            self._clear_away(origin, found, known)
            return
        self._result.files.append(file)
        if file.upload is not None:
            self._after(origin, found, file, file.upload)

    def _leave(self, file: FetchedFile, refusal: Refusal) -> None:
        """Records why a file was left; trouble with the server also stops the run."""
        file.left = file.left or refusal
        self._stopped |= isinstance(refusal, Trouble) and not refusal.of_one_file

    def _received(self, origin: Origin, found: Found, known: Known | None) -> Upload | None:
        """Fetches and receives a file; None: its content is the same as when it was last received."""
        settings = self._store.settings
        if found.size is not None and found.size > settings.max_file_bytes:
            raise Trouble(
                "file-too-large",
                f"{found.shown} has {found.size:,} bytes; {settings.max_file_bytes:,} are taken.",
                "Raise CONTACT_PIPELINE_MAX_FILE_BYTES, or have it sent in parts.",
                of_one_file=True,
            )
        check_room(settings.home, found.size or 0, settings.min_free_bytes)
        fetched = Fetched(self._name, digest_of(found.name), found.look)
        with owner_only(), TemporaryDirectory(dir=temporary_folder(settings.home)) as folder:
            path = Path(folder) / found.name
            tried(settings, lambda: origin.fetch(found, path, settings.max_file_bytes))
            if known and known.sha256 == sha256_of(path) and not (self._again and known.state in ENDED_WITHOUT):
                with self._store.change() as contacts:
                    look_anew(contacts, fetched)
                return None
            return self._receive(
                path, self._feed.profile, user=self._feed.owner, fetched=fetched, **options_of(self._feed)
            )

    def _after(self, origin: Origin, found: Found, file: FetchedFile, upload: Upload) -> None:
        """Stages a received file, and then moves or deletes it at its source, if the feed asks for that."""
        try:
            state = self._staged(file)
        except KeyboardInterrupt:  # its upload is cancelled; the file is to be fetched again
            with self._store.change() as contacts:
                forget(contacts, Fetched(self._name, digest_of(found.name), found.look))
            raise
        try:
            self._change_source(origin, found, state or upload.state)
        except Refusal as refusal:
            self._leave(file, refusal)

    def _staged(self, file: FetchedFile) -> State | None:
        """Stages a received file, if this run stages; returns the new state of its upload."""
        if self._stage is None or file.upload is None or file.upload.state not in {"received", "staged"}:
            return None
        try:
            file.upload = self._stage(file.upload)
        except Refusal as refusal:  # such as a missing role, for a profile that applies automatically
            file.upload = self._upload(file.upload.upload_id)
            if file.upload.line.is_given_up:
                file.not_applied = refusal
            else:
                file.left = refusal
        except Exception as error:
            if not is_defect(error):
                raise
            self._result.defects.append(error)
            file.upload = self._upload(file.upload.upload_id)
        return file.upload.state

    def _clear_away(self, origin: Origin, found: Found, known: Known | None) -> None:
        """Moves or deletes a file at its source that was received before and is planned by now."""
        if self._feed.after == "leave" or known is None:
            return
        try:
            self._change_source(origin, found, known.state)
        except Refusal as refusal:
            self._result.files.append(file := FetchedFile(found.shown))
            self._leave(file, refusal)

    def _change_source(self, origin: Origin, found: Found, state: State) -> None:
        after, settings = self._feed.after, self._store.settings
        if after == "leave" or state == "received" or state in ENDED_WITHOUT:
            return
        if _look(tried(settings, lambda: origin.look(found))) != found.look:  # changed or gone
            return
        if isinstance(after, Move):
            folder = after.move
            tried(settings, lambda: origin.move(found, folder))
        else:
            tried(settings, lambda: origin.remove(found))

    def _upload(self, upload_id: str) -> Upload:
        return Upload(self._store.line(upload_id), self._store.staging(upload_id))


def _look(found: Found | None) -> str | None:
    return None if found is None else found.look


def _must_be_known(settings: Settings, name: str) -> None:
    """Tests that there is a feed of that name, even a broken one.

    Raises:
        Refusal: there is no such feed (code `feed-unknown`).
    """
    try:
        load_feed(name, settings)
    except Refusal as refusal:
        if refusal.code == "feed-unknown":
            raise


@contextmanager
def _alone(settings: Settings, name: str) -> Iterator[None]:
    """Locks a feed as long as the block lasts.

    Raises:
        Refusal: the feed runs already (code `feed-running`).
    """
    folder = settings.feeds_path / ".running" / name
    with owner_only():
        folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder) as alone:
        if not alone:
            raise Refusal("feed-running", f"The feed {name} runs already.", "Wait until it has ended.")
        yield
