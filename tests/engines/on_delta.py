"""Does to Delta tables what is done to those of DuckDB, and prints in which tables they differ.

Run by test_delta.py in the environment that has Sail. `same FOLDER FILE …` applies, undoes and redoes sample files;
`killed FOLDER STEP` kills a writer at each STEP-th moment; `others FOLDER` lets others write as well; `refused FOLDER`
opens servers that are of no use. Each line that is printed is a JSON object. `child` is what these run.
"""

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from inspect import signature
from itertools import count
from pathlib import Path

import yaml
from pysail.spark import SparkConnectServer

from contact_pipeline import Pipeline
from contact_pipeline.apply import mark_effect, plan_effect, stale_rows, write_changeset
from contact_pipeline.cli.app import run
from contact_pipeline.engines import open_database
from contact_pipeline.engines.delta import DeltaTables, move_to_delta
from contact_pipeline.engines.spark import SparkTables, open_session
from contact_pipeline.errors import ContactPipelineError, MachineFault
from contact_pipeline.match import parts_of
from contact_pipeline.pipeline import committing
from contact_pipeline.pipeline.states import resolved
from contact_pipeline.settings import Settings
from contact_pipeline.store.schema import _publish

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
KILLED = 9
REVISION = "SELECT revision FROM contacts WHERE contact_id = 1"
SERVERS = []  # one, which ends when nothing refers to it
PAIRS = ("membership", "link")
DELTA = (
    "commits",
    "groups",
    *(f"{entity}s" for entity in ("contact", "account", *PAIRS)),
    *(f"{entity}_changes" for entity in ("contact", "account", *PAIRS)),
)
PUBLISHED = ("published_contacts", "published_memberships", "published_links")
PLANNED = ("contact_changes", "account_changes", "membership_changes", "link_changes", "conflicts")


class Mirror:
    """A home of its own whose contacts are Delta tables, to which everything is done as it was on DuckDB."""

    def __init__(self, session, folder, here=None):
        self.session = session
        self.here = here
        self.scratch = folder / "scratch"
        self.settings = Settings(home=folder / "there")
        if here is not None:
            self.scratch.mkdir()
            self.settings.home.mkdir()
            with here.open(read_only=True):
                shutil.copy(here.settings.contacts_path, self.settings.contacts_path)
            with self.home() as home:
                move_to_delta(session, self.scratch, self.settings, home, DELTA, str(folder / "delta"))

    @contextmanager
    def home(self, **how):
        with open_database(self.settings.contacts_path, self.settings, **how) as home:
            yield home

    @contextmanager
    def tables(self):
        with self.home() as home:
            yield DeltaTables(self.session, self.scratch, self.settings, home)

    def take_ledger(self):
        """Copies what stays in DuckDB, as it is here by now, except what a commit itself writes."""
        with self.here.open(read_only=True) as here, self.home() as there:
            for (name,) in here.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary"):
                if name not in {*DELTA, "fields", "migrations", "published_contacts"}:
                    there.store(name, here.frame(f"FROM {name}"))

    def plan(self, staging, upload_id, turn):
        """Plans an undo or redo; whether its changeset is the same."""
        tables = SparkTables(self.session, self.scratch, self.settings)
        with tables.attached(self.settings.contacts_path, "book"):
            plan_effect(tables, upload_id, turn)
        with staging.open(read_only=True) as staged:
            return differing(staged, tables, [name for name in PLANNED if staged.has(name) or tables.has(name)])

    def write(self, path, told, line=None):
        """Does what stage 5 was told; where it finds other rows stale, their numbers."""
        found = {}
        with self.tables() as tables, tables.attached(path, "staged"), tables.transaction():
            for call, named, became in told:
                if call is stale_rows:
                    given = named | {"parts": parts(self.here, line), "settings": self.settings}
                    if (rows := stale_rows(tables, **given)) != became:
                        found["stale"] = [became, rows]
                else:
                    call(tables, **named)
        return found

    def rows(self):
        """All rows of the Delta tables, as they are read by whoever opens the home."""
        with self.tables() as tables:
            return {name: rows_of(tables, name) for name in DELTA}

    def differing(self):
        """The tables that differ from those on DuckDB."""
        with self.here.open(read_only=True) as here, self.tables() as there:
            _publish(there)
            return differing(here, there, [*DELTA, *PUBLISHED, "fields"])


def differing(here, there, names):
    return {
        name: [sorted(only)[:2] for only in (one - other, other - one)]
        for name in names
        for one, other in [(rows_of(here, name), rows_of(there, name))]
        if one != other
    }


def rows_of(tables, name):
    if not tables.has(name):
        return {"no such table"}
    rows = [str(sorted(row.items())) for row in tables.records(f"SELECT * FROM {name}")]
    return {f"{row} ×{rows.count(row)}" for row in rows}


def parts(store, line):
    profile, options = resolved(line)
    facts = store.staging(line.upload_id).normalized_facts()
    return parts_of(profile, options, facts.columns_normalized, facts.headings_by_field(profile))


def server_of_sail():
    SERVERS.append(SparkConnectServer(port=0))
    SERVERS[0].start(background=True)
    _, port = SERVERS[0].listening_address
    return f"sc://127.0.0.1:{port}"


def home_with_users(folder):
    home = str(folder / "here")
    with redirect_stdout(io.StringIO()):
        run(["--home", home, "users", "load", str(SAMPLES / "users.yaml")])
        run(["--home", home, "vocabularies", "load", "specialties", str(SAMPLES / "specialties.txt")])
    return Pipeline(home)


def samples(stems):
    """Path and profile of sample files, in the order in which they come; of all of them without any name."""
    for each in yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))["uploads"]:
        path = SAMPLES / Path(each["file"]).name
        if path.stem in stems or not stems:
            yield path, each["profile"]


def planned(pipeline, path, profile):
    options = yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))
    return pipeline.plan(path, profile, **options | {"force": True}), options["user"]


def told_to(*calls):
    """What stage 5 is told from now on, in order: the call, its arguments and its answer."""
    told = []
    for call in calls:

        def noting(database, *given, call=call, **named):
            answer = call(database, *given, **named)
            names = dict(zip([*signature(call).parameters][1:], given, strict=False)) | named
            told.append(
                (call, {name: value for name, value in names.items() if name not in {"parts", "settings"}}, answer)
            )
            return answer

        setattr(committing, call.__name__, noting)
    return told


def same(folder, *files):
    """Applies the files, undoes the uploads in the order in which they came, and redoes them in the other."""
    session = open_session(server_of_sail(), 30)
    pipeline = home_with_users(folder)
    told = told_to(write_changeset, mark_effect, stale_rows)
    mirror = Mirror(session, folder, pipeline.store)
    applied = []
    for path, profile in samples(files):
        # The second plan has to be decided again, once the first is applied.
        for upload, user in [planned(pipeline, path, profile) for _ in range(2)]:
            mirror.take_ledger()
            line = pipeline.store.line(upload.upload_id)
            told.clear()
            done = pipeline.apply(upload.upload_id, user=user, confirm_rejected=True, confirm_deactivations=True)
            differing = mirror.write(pipeline.store.staging(upload.upload_id).path, told, line)
            mirror.take_ledger()
            say(done.state, path.name, mirror.differing() | differing)
            applied += [(upload.upload_id, user, path.name)] if done.state == "applied" else []
    for upload_id, user, name in applied:
        if pipeline.store.line(upload_id).held:
            pipeline.finalize(upload_id, user=user)
            mirror.take_ledger()
            say("finalized", name, mirror.differing())
            break
    for turn, uploads in (("undo", applied), ("redo", applied[::-1])):
        for upload_id, user, name in uploads:
            told.clear()
            getattr(pipeline, turn)(upload_id, user=user, **({"clear_do_not_contact": True} if turn == "undo" else {}))
            staging = pipeline.store.staging(upload_id).for_undo()
            differing = mirror.plan(staging, upload_id, turn) | mirror.write(staging.path, told)
            mirror.take_ledger()
            say(turn, name, mirror.differing() | differing)


def killed(folder, step):
    """Kills the writer of a second file at moments at which a commit, or taking it back, can be cut off."""
    every = int(step)
    url = server_of_sail()
    pipeline = home_with_users(folder)
    told = told_to(write_changeset)
    mirror = Mirror(open_session(url, 30), folder, pipeline.store)
    staged = None
    for path, profile in samples(["dealer_leads_1", "outreach_contacts_2"]):
        if staged is not None:
            mirror.write(staged, told)
        mirror.take_ledger()
        told.clear()
        upload, user = planned(pipeline, path, profile)
        pipeline.apply(upload.upload_id, user=user)
        staged = pipeline.store.staging(upload.upload_id).path
    (folder / "told").write_bytes(pickle.dumps((staged, [named for _, named, _ in told])))
    before, moment, code = mirror.rows(), 0, KILLED
    while code and mirror.rows() == before:
        moment += every
        code = child(url, folder, "write", str(moment))
        child(url, folder, "take back", str(8 + moment))  # which may be killed, too
        say("killed" if code else "ended", "", {}, moment=moment)
    mirror.take_ledger()
    say("written", "", mirror.differing(), same=mirror.rows() == before)


def others(folder):
    """Several writers of a home, then another program that writes its tables."""
    url = server_of_sail()
    pipeline = home_with_users(folder)
    told = told_to(write_changeset)
    mirror = Mirror(open_session(url, 30), folder, pipeline.store)
    for path, profile in samples(["program_contacts_1"]):
        upload, user = planned(pipeline, path, profile)
        pipeline.apply(upload.upload_id, user=user)
        mirror.write(pipeline.store.staging(upload.upload_id).path, told)
    writers = [started(url, folder, "bump", "3") for _ in range(3)]
    codes = [writer.wait() for writer in writers]
    with mirror.tables() as tables:
        bumped = tables.value(REVISION)
        numbers = [number for (number,) in tables.rows("SELECT commit_number FROM commits ORDER BY commit_number")]
    say("several writers", "", {}, codes=codes, revision=bumped, numbers=numbers, commits=rows_by_version(mirror, 11))
    with mirror.tables() as tables:
        with suppress(KeyboardInterrupt), tables.transaction():
            bump(tables)
            raise KeyboardInterrupt
        revisions = [tables.value(REVISION)]
        with tables.transaction():
            bump(tables)
        revisions.append(tables.value(REVISION))
    say("interrupted", "", {}, revisions=revisions)
    before = mirror.rows()
    for meanwhile in (True, False):
        found = None
        with mirror.tables() as tables:
            try:
                with tables.transaction():
                    bump(tables)
                    if meanwhile:
                        write_without_asking(mirror.session, folder)
                    bump(tables)
            except MachineFault as fault:
                found = fault.code
        when = "while a commit was written" if meanwhile else "before a commit"
        say(f"another program wrote {when}", "", {}, code=found, same=mirror.rows() == before)


def rows_by_version(mirror, many):
    """How many rows the first versions of the commits have."""
    read = mirror.session.read.format("delta")
    path = str(mirror.scratch.parent / "delta" / "commits")
    return [read.option("versionAsOf", version).load(path).count() for version in range(many)]


def write_without_asking(session, folder):
    """Adds a row to the contacts, as a program does that knows nothing of the home."""
    path = str(folder / "delta" / "contacts")
    session.read.format("delta").load(path).limit(1).write.format("delta").mode("append").save(path)


def bump(tables):
    """A commit that counts a contact's revision up."""
    tables.append("commits", "SELECT max(commit_number) + 1 AS commit_number, 'bump' AS action FROM commits")
    tables.make("bumps", "SELECT 1 AS contact_id, 'update' AS action")
    tables.merge(
        "contacts",
        "bumps",
        "contact_id",
        created="s.action = 'create'",
        removed="s.action = 'remove'",
        updated={"revision": "e.revision + 1"},
        inserted={"contact_id": "s.contact_id"},
    )


def started(url, folder, *what):
    command = [sys.executable, __file__, "child", str(folder), url, *what]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def child(url, folder, *what):
    """Runs a process that may be killed; its exit code."""
    process = started(url, folder, *what)
    _, told = process.communicate()
    if process.returncode not in {0, KILLED}:
        raise RuntimeError(told.decode()[-3000:])
    return process.returncode


def run_child(folder, url, what, number):
    """Writes, takes back or counts up in a process of its own; ends it at the moment of that number."""
    mirror = Mirror(open_session(url, 30), folder)
    if what == "bump":
        for _ in range(int(number)):
            with mirror.tables() as tables, tables.transaction():
                bump(tables)
    elif what == "take back":
        kill_at(int(number), "_newest")
        with mirror.tables():
            pass
    else:
        path, given = pickle.loads((folder / "told").read_bytes())
        reached = kill_at(int(number), "_wrote", "_record")
        mirror.write(path, [(write_changeset, named, None) for named in given])
        reached()


def kill_at(number, *methods):
    """Ends this process when one of these methods is about to begin, the n-th time in all."""
    counted = count(1)

    def reached():
        if next(counted) == number:
            os._exit(KILLED)

    for name in methods:
        setattr(DeltaTables, name, after(reached, getattr(DeltaTables, name)))
    return reached


def after(reached, call):
    def counting(self, *given):
        reached()
        return call(self, *given)

    return counting


def refused(_folder):
    """What is said of servers that cannot be used."""
    url = server_of_sail()
    for each in ("http://127.0.0.1:1", "sc://127.0.0.1:port", "sc://127.0.0.1:1/;token=SECRET", url):
        if each == url:
            type(open_session(url, 30)).version = "3.5.1"
        try:
            open_session(each, 0.5)
        except ContactPipelineError as error:
            say(error.code, "", {}, words=str(error))


def say(step, name, differences, **more):
    sys.stdout.write(f"{json.dumps({'step': step, 'file': name, 'differing': differences} | more)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    call, where, *rest = sys.argv[1:]
    {"same": same, "killed": killed, "others": others, "refused": refused, "child": run_child}[call](Path(where), *rest)
    sys.stdout.flush()
    os._exit(0)  # Sail's server does not end by itself
