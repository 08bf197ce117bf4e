"""Lives of homes whose contacts are Delta tables, and prints where they differ from homes on DuckDB.

Run by test_delta.py in the environment that has Sail. `lives FOLDER FILE …` does the same in a home on each engine;
`killed FOLDER STEP` kills a writer at each STEP-th moment; `others FOLDER` lets others write as well; `refused FOLDER`
opens engines that are of no use. Each line that is printed is a JSON object. `child` is what these run.
"""

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from pysail.spark import SparkConnectServer

from contact_pipeline import Pipeline, engines
from contact_pipeline.cli.app import run
from contact_pipeline.contracts.kept import GROWING
from contact_pipeline.engines import on_delta, quoted, tidying
from contact_pipeline.engines.delta import DeltaTables
from contact_pipeline.engines.record import recorded
from contact_pipeline.engines.spark import SparkTables, open_session
from contact_pipeline.errors import ContactPipelineError, Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.store.engine import changing, engine_of
from tests.engines.sail_itself import free_port, sail_server

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
KILLED = 9
SERVERS = []  # one, which ends when nothing refers to it
SEEN = (*GROWING, "fields", "published_contacts", "published_memberships", "published_links")
STAGED = ("contact_changes", "account_changes", "membership_changes", "link_changes", "outcome_rows", "reviews",
          "review_candidates", "rejections", "contact_fields", "named_accounts", "rows_in_turn", "cleaned_rows",
          "conflicts")  # fmt: skip
PASSES = {"upload_id", "last_upload_id", "committed_at", "created_at", "at"}  # differs from home to home
YES = {"confirm_rejected": True, "confirm_deactivations": True}


class Home:
    """A home on one engine, and the ids of its uploads in their order."""

    def __init__(self, folder, engine, url=None):
        self.folder = folder
        self.location = folder / "delta"
        self.location.mkdir(parents=True, exist_ok=True)
        settings = {"spark_url": url, "location": str(self.location)} if engine == "spark" else {}
        self.settings = Settings(home=folder / "home", engine=engine, **settings)
        self.pipeline = Pipeline(settings=self.settings)
        self.store = self.pipeline.store

    def begin(self):
        self.store.load_users(SAMPLES / "users.yaml")
        self.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")
        return self

    @contextmanager
    def changing(self):
        """The kept tables for one transaction that no call makes."""
        with (
            engine_of(self.settings) as work,
            self.store.open() as opened,
            changing(self.settings, opened, work) as kept,
        ):
            yield kept

    def tables(self, name):
        """The path of a Delta table."""
        with self.store.open(read_only=True) as opened:
            return recorded(opened)[name][0]

    def rows(self, names=SEEN):
        """All rows that whoever opens the home can read."""
        with self.store.open(read_only=True) as home:
            return {name: told(home, name) for name in names}

    def staged(self, upload_id):
        with self.store.staging(upload_id).look() as staged:
            return {name: told(staged, name) for name in STAGED if staged is not None and staged.has(name)}

    def planned(self, path, profile):
        options = options_of(path)
        return self.pipeline.plan(path, profile, **options | {"force": True}), options["user"]


def told(tables, name):
    """The columns of a table with their types, and its rows without what differs from home to home."""
    stays = {column: kind for column, kind in tables.types(name).items() if column not in PASSES}
    rows = tables.rows(f"SELECT {', '.join(map(quoted, stays))} FROM {name}")
    return [stays, sorted(map(str, rows))]


def options_of(path):
    return yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))


def samples(stems):
    """Path and profile of sample files, in the order in which they come; of all of them without any name."""
    for each in yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))["uploads"]:
        path = SAMPLES / Path(each["file"]).name
        if path.stem in stems or not stems:
            yield path, each["profile"]


def server_of_sail():
    SERVERS.append(SparkConnectServer(port=0))
    SERVERS[0].start(background=True)
    _, port = SERVERS[0].listening_address
    return f"sc://127.0.0.1:{port}"


def lives(folder, *files):
    """Does the same in two homes, and says after each step in what they differ."""
    homes = [Home(folder / "here", "duckdb").begin(), Home(folder / "there", "spark", server_of_sail()).begin()]
    applied = [done for path, profile in samples(files) for done in import_twice(homes, path, profile)]
    held = next(((ids, user) for ids, user in applied if homes[0].store.line(ids[0]).held), None)
    if held is not None:
        both(homes, "finalize", lambda home, n: home.pipeline.finalize(held[0][n], user=held[1]))
    for turn, uploads, more in (("undo", applied, {"clear_do_not_contact": True}), ("redo", applied[::-1], {})):
        for ids, user in uploads:
            both(homes, turn, lambda home, n: getattr(home.pipeline, turn)(ids[n], user=user, **more))  # noqa: B023
            compare(f"inverse by {turn}", *(home.store.staging(ids[n]).for_undo() for n, home in enumerate(homes)))
    live_on(homes)
    there = homes[1]
    before = there.rows()
    for engine in ("duckdb", "spark"):
        there.pipeline.migrate_engine(engine)
        say(f"migrated to {engine}", {} if there.rows() == before else {"rows": ["differ"]}, left=left_at(there))
    say("verified", {}, findings=[str(finding) for finding in there.pipeline.verify().findings])


def import_twice(homes, path, profile):
    """Imports a file twice, planned both times before the first is applied; gives the ids of what was applied."""
    planned = [[home.planned(path, profile) for home in homes] for _ in range(2)]
    for uploads in planned:
        hashes = [upload.line.changeset_sha256 for upload, _ in uploads]
        staged = [home.staged(upload.upload_id) for home, (upload, _) in zip(homes, uploads, strict=True)]
        say("planned", differing(*staged) | ({} if hashes[0] == hashes[1] else {"hash": hashes}), file=path.name)
        ids, user = [upload.upload_id for upload, _ in uploads], uploads[0][1]
        if uploads[0][0].state == "staged":
            states = both(homes, "apply", lambda home, n: home.pipeline.apply(ids[n], user=user, **YES).state)  # noqa: B023
            if states[0] == "applied":
                yield ids, user


def live_on(homes):
    """What people do to contacts besides importing files."""
    (contact_id,) = some_contacts(homes[0], 1)
    two = some_contacts(homes[0], 2)
    both(homes, "deactivate", lambda home, _: home.pipeline.set_active(contact_id, active=False, user="m.keane"))
    both(homes, "into a group", lambda home, _: applied(home, home.pipeline.plan_group_add("Callers of May", two)))
    both(homes, "out of it", lambda home, _: applied(home, home.pipeline.plan_group_remove("Callers of May", two[:1])))
    both(homes, "typed in", lambda home, _: applied(home, typed_in(home)))
    named = unmasked(homes[0], two[1])
    backup(homes[1], "before")
    before = traces(homes[1].folder, named)
    both(homes, "erase", lambda home, _: home.pipeline.erase(two[1], user="m.keane").contact_ids)
    say("looked for the erased", {}, before=len(before), left=traces(homes[1].folder, named))
    backup(homes[1], "after")
    both(homes, "export", lambda home, _: exported(home))


def some_contacts(home, many):
    found = f"SELECT contact_id FROM contacts WHERE active AND email IS NOT NULL ORDER BY ALL LIMIT {many}"
    with home.store.open(read_only=True) as contacts:
        return [number for (number,) in contacts.rows(found)]


def unmasked(home, contact_id):
    with home.store.open(read_only=True) as contacts:
        return contacts.records(f"SELECT * FROM contacts WHERE contact_id = {contact_id}")[0]


def applied(home, upload):
    return home.pipeline.apply(upload.upload_id).state


def typed_in(home):
    values = {"first_name": "Ada", "last_name": "Exemplar", "email": "ada@example.com"}
    return home.pipeline.plan_contact("outreach_contacts", values)


def exported(home):
    made = home.folder / "made.csv"
    home.pipeline.export(made, overwrite=True)
    return made.read_text(encoding="utf-8")


def backup(home, when):
    """Backs a home up, and restores it as a home on DuckDB."""
    file, restored = home.folder / f"{when}.tar.gz", home.folder / when
    home.pipeline.backup(file)
    Pipeline(settings=Settings(home=restored)).restore(file)
    other = Home(home.folder / "none", "duckdb")
    other.settings = Settings(home=restored)
    other.store = Pipeline(settings=other.settings).store
    with other.store.open(read_only=True) as opened:
        say(f"restored, {when} erasing", differing(home.rows(), other.rows()), on_delta=on_delta(opened))


def traces(folder, contact):
    """The files of a folder in which a contact stands: in bytes, in rows, or in what a file says of its columns."""
    wanted = [str(contact[name]) for name in ("email", "phone", "last_name") if contact[name]]
    files = (path for path in folder.rglob("*") if path.is_file())
    own = [path for path in files if ".tar" not in path.name and "before" not in path.parts]
    return [str(path.relative_to(folder)) for path in own if any(each in text_of(path) for each in wanted[:2])]


def text_of(path):
    if path.suffix != ".parquet":
        return path.read_bytes().decode("utf-8", "replace")
    rows = pq.ParquetFile(path)
    return f"{rows.read().to_pylist()} {[rows.metadata.row_group(n).to_dict() for n in range(rows.num_row_groups)]}"


def left_at(home):
    return sorted(path.name for path in home.location.glob("contact-pipeline-*/*"))


def both(homes, step, do):
    """Does a step in both homes; says in what the homes, or the answers, differ."""
    answers = [do(home, number) for number, home in enumerate(homes)]
    if hasattr(answers[0], "state"):
        answers = [answer.state for answer in answers]
    say(step, differing(*(home.rows() for home in homes)) | ({} if answers[0] == answers[1] else {"answer": answers}))
    return answers


def compare(step, here, there):
    tables = []
    for staging in (here, there):
        with staging.look() as staged:
            tables.append({name: told(staged, name) for name in STAGED if staged is not None and staged.has(name)})
    say(step, differing(*tables))


def differing(here, there):
    """Table → its columns in both homes, or else rows that only one of them has."""
    found = {}
    for name in here.keys() | there.keys():
        one, other = here.get(name, [None, []]), there.get(name, [None, []])
        if one[0] != other[0]:
            found[name] = [one[0], other[0]]
        elif one != other:
            found[name] = [row for row in one[1] + other[1] if (row in one[1]) != (row in other[1])][:4] or ["how many"]
    return found


def killed(folder, step):
    """Kills the writer of a second file at moments at which a commit, or taking it back, can be cut off."""
    every, url = int(step), server_of_sail()
    home = Home(folder, "spark", url).begin()
    (first, second) = samples(["dealer_leads_1", "outreach_contacts_2"])
    upload, user = home.planned(*first)
    home.pipeline.apply(upload.upload_id, user=user)
    upload, user = home.planned(*second)
    before, moment, code = home.rows(), 0, KILLED
    while code:
        moment += every
        code = child(url, folder, "apply", upload.upload_id, user, str(moment))
        state = home.store.line(upload.upload_id).state
        if code:
            changed = home.rows() != before
            say("killed", {} if changed == (state == "applied") else {"rows": [state, changed]}, moment=moment)
        if state != "applied":
            child(url, folder, "take back", str(8 + moment))  # which may be killed, too
    say("written", {}, state=home.store.line(upload.upload_id).state, same=home.rows() == before)
    say("verified", {}, findings=[str(finding) for finding in home.pipeline.verify().findings])
    tidied(home, url, 4 * every)
    home.pipeline.undo(upload.upload_id, user=user)
    moved(home, url, every)
    contact_id = some_contacts(home, 2)[1]
    named = unmasked(home, contact_id)
    moment, code = 0, KILLED
    while code:
        moment += every
        code = child(url, folder, "erase", str(contact_id), str(moment))
        say("erasing was killed" if code else "erased", {}, moment=moment)
    say("looked for the erased", {}, left=traces(folder, named))
    with home.store.open(read_only=True) as contacts:
        whole = contacts.value("SELECT count(*) FROM erasures WHERE finished_at IS NULL") == 0
        printed = contacts.value("SELECT count(*) FROM fingerprints")
    say("its evidence", {} if whole and printed else {"erasures": [whole, printed]})
    say("undone", {}, findings=[str(finding) for finding in home.pipeline.verify().findings])


def tidied(home, url, every):
    """Kills tidying, until it ends."""
    after, moment, code = home.rows(), 0, KILLED
    while code:
        moment += every
        code = child(url, home.folder, "tidy", str(moment))
        say("tidied", {} if home.rows() == after else {"rows": ["changed"]}, moment=moment, code=code)


def moved(home, url, every):
    """Kills moves to the home's own database and back, until they end."""
    before = home.rows()
    for engine in ("duckdb", "spark"):
        moment, code = 0, KILLED
        while code:
            moment += 3 * every
            code = child(url, home.folder, "migrate", engine, str(moment))
            there = lies_on(home)
            if code == 0 or there != engine:
                say(f"moving to {engine}", {} if home.rows() == before else {"rows": ["changed"]}, code=code)
            code = code if there != engine else 0
    with home.changing():  # deletes what the killed moves have left
        pass
    say("tables are left once", {}, folders=len([*home.location.glob("contact-pipeline-*/contacts")]))


def lies_on(home):
    with home.store.open(read_only=True) as opened:
        return "spark" if on_delta(opened) else "duckdb"


def others(folder):
    """Several writers of a home, then another program that writes its tables."""
    url = server_of_sail()
    home = Home(folder, "spark", url).begin()
    for path, profile in samples(["program_contacts_1"]):
        upload, user = home.planned(path, profile)
        home.pipeline.apply(upload.upload_id, user=user)
    ids = some_contacts(home, 9)
    writers = [started(url, folder, "deactivate", *map(str, ids[at::3])) for at in range(3)]
    codes = [writer.wait() for writer in writers]
    rows = home.rows(("commits", "contact_changes"))
    say("several writers", {}, codes=codes, commits=len(rows["commits"][1]), inactive=inactive(home))
    before, contacts = home.rows(), home.tables("contacts")
    with suppress(KeyboardInterrupt), home.changing() as kept:
        kept.update("contacts", {"active": "NOT active"}, "true")
        raise KeyboardInterrupt
    say("interrupted", {} if home.rows() == before else {"rows": ["changed"]})
    for meanwhile in (True, False):
        code = None
        try:
            with home.changing() as kept:
                kept.update("contacts", {"active": "NOT active"}, "true")
                if meanwhile:
                    write_without_asking(url, contacts)
                kept.update("contacts", {"active": "NOT active"}, "true")
        except ContactPipelineError as error:
            code = error.code
        when = "while a commit was written" if meanwhile else "before a commit"
        say(f"another program wrote {when}", {} if home.rows() == before else {"rows": ["changed"]}, code=code)
    say("verified", {}, findings=[str(finding) for finding in home.pipeline.verify().findings])


def inactive(home):
    with home.store.open(read_only=True) as contacts:
        return contacts.value("SELECT count(*) FROM contacts WHERE NOT active")


def write_without_asking(url, path):
    """Adds a row to a table, as a program does that knows nothing of the home."""
    session = open_session(url, 30)
    session.read.format("delta").load(path).limit(1).write.format("delta").mode("append").save(path)


def started(url, folder, *what):
    command = [sys.executable, __file__, "child", str(folder), url, *what]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def child(url, folder, *what):
    """Runs a process that may be killed; its exit code."""
    process = started(url, folder, *what)
    _, found = process.communicate()
    if process.returncode not in {0, KILLED}:
        raise RuntimeError(found.decode()[-3000:])
    return process.returncode


def run_child(folder, url, what, *given):
    """Applies, takes back, tidies or deactivates in a process of its own; may end it at a moment of that number."""
    home = Home(folder, "spark", url)
    if what == "deactivate":
        for number in given:
            home.pipeline.set_active(int(number), active=False, user="m.keane")
    elif what == "take back":
        kill_at(int(given[0]), DeltaTables, "_newest")
        with home.changing():
            pass
    elif what == "migrate":
        engine, moment = given
        kill_at(int(moment), engines.Database, "run", "batches")
        home.pipeline.migrate_engine(engine)
    elif what == "erase":
        contact_id, moment = given
        kill_at(int(moment), DeltaTables, "_wrote", "_record", "_newest")
        with suppress(Refusal):  # it was erased before
            home.pipeline.erase(int(contact_id), user="m.keane")
    elif what == "tidy":
        kill_at(int(given[0]), tidying, "recorded", "_forget", "_version_of")
        with engine_of(home.settings) as work, home.store.open() as opened:
            work.tidy(opened)
        sys.stdout.flush()
        os._exit(0)
    else:
        upload_id, user, moment = given
        reached = kill_at(int(moment), DeltaTables, "_wrote", "_record")
        home.pipeline.apply(upload_id, user=user)
        reached()


def kill_at(number, where, *names):
    """Ends this process when one of these functions is about to begin, the n-th time in all."""
    counted = count(1)

    def reached():
        if next(counted) == number:
            os._exit(KILLED)

    for name in names:
        setattr(where, name, after(reached, getattr(where, name)))
    return reached


def after(reached, call):
    def counting(*given, **named):
        reached()
        return call(*given, **named)

    return counting


def refused(folder):
    """What is said of engines that cannot be used, by the command line."""
    url = server_of_sail()
    begun = Home(folder / "begun", "spark", url).begin()
    for path, profile in samples(["program_contacts_1"]):
        upload, user = begun.planned(path, profile)
        begun.pipeline.apply(upload.upload_id, user=user)
    location, secret = str(begun.location), "sc://127.0.0.1:1/;token=SECRET"
    own = {"ENGINE": "spark", "SPARK_URL": url, "LOCATION": location}
    add = ["contacts", "add", "--profile", "outreach_contacts", "--field", "email=a@example.com", "--yes"]
    for step, home, environment, command in (
        ("no scheme", "new", own | {"SPARK_URL": "http://127.0.0.1:1"}, add),
        ("no port", "new", own | {"SPARK_URL": "sc://127.0.0.1:port"}, add),
        ("nobody there", "new", own | {"SPARK_URL": secret, "LOCK_WAIT_SECONDS": "0.5"}, add),
        ("no address", "new", {"ENGINE": "spark", "LOCATION": location}, add),
        ("no location", "new", {"ENGINE": "spark", "SPARK_URL": url}, add),
        ("a relative location", "new", own | {"LOCATION": "delta"}, add),
        ("a location that is not there", "new", own | {"LOCATION": str(folder / "nowhere")}, add),
        ("signs that are misread", "new", own | {"LOCATION": f"{location} [1]"}, add),
        ("contacts lie there", "begun/home", {"ENGINE": "duckdb"}, add),
        ("they do already", "begun/home", own, ["migrate-engine", "spark"]),
    ):
        say(step, {}, told=command_says(folder / home, environment, command))
    session = type(open_session(url, 30))
    version, session.version = session.version, "3.5.1"
    say("too old", {}, told=command_says(folder / "old", own, add))
    session.version = version
    shutil.copytree(folder / "begun" / "home", folder / "copied")
    say("a copy writes", {}, told=command_says(folder / "copied", own, add))
    copied = Home(folder, "duckdb")
    copied.settings = Settings(home=folder / "copied")
    copied.pipeline = Pipeline(settings=copied.settings)
    copied.pipeline.migrate_engine("duckdb")
    say("a copy has contacts of its own", {}, findings=[str(finding) for finding in begun.pipeline.verify().findings])
    with sail_server(port := free_port()) as server:
        wait_for(f"sc://127.0.0.1:{port}")
        kept, SparkTables.make = SparkTables.make, dying(server, SparkTables.make, 5)
        url = f"sc://127.0.0.1:{port}"
        say("it dies", {}, told=command_says(folder / "dying", own | {"SPARK_URL": url}, add))
        SparkTables.make = kept
    shutil.rmtree(location)
    say("the tables are gone", {}, told=command_says(folder / "begun" / "home", own, add))


def wait_for(url):
    open_session(url, 60).stop()


def dying(server, call, number):
    """A call that ends the engine when it is made for the n-th time."""
    counted = count(1)

    def counting(*given):
        if next(counted) == number:
            server.kill()
        return call(*given)

    return counting


def command_says(home, environment, command):
    """The error that a command prints as JSON; the command starts in this process, with an environment of its own."""
    names = {name: value for name, value in os.environ.items() if name.startswith("CONTACT_PIPELINE_")}
    for name in names:
        del os.environ[name]
    os.environ.update({f"CONTACT_PIPELINE_{name}": value for name, value in environment.items()})
    with redirect_stdout(io.StringIO()) as out, suppress(SystemExit):
        run(["--home", str(home), "--json", *command])
    for name in environment:
        del os.environ[f"CONTACT_PIPELINE_{name}"]
    os.environ.update(names)
    return json.loads(out.getvalue())["error"]


def say(step, differences, **more):
    sys.stdout.write(f"{json.dumps({'step': step, 'differing': differences} | more, default=str)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    call, where, *rest = sys.argv[1:]
    {"lives": lives, "killed": killed, "others": others, "refused": refused, "child": run_child}[call](
        Path(where), *rest
    )
    sys.stdout.flush()
    os._exit(0)  # Sail's server does not end by itself
