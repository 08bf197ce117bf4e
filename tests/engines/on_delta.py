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
from contextlib import redirect_stdout, suppress
from itertools import count
from pathlib import Path

import yaml
from pysail.spark import SparkConnectServer

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.engines import on_delta, quoted, tidying
from contact_pipeline.engines.delta import DeltaTables
from contact_pipeline.engines.spark import open_session
from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.settings import Settings
from contact_pipeline.store.engine import GROWING, changing

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
        settings = {"spark_url": url, "location": str(self.location)} if engine == "spark" else {}
        self.settings = Settings(home=folder / "home", engine=engine, **settings)
        self.pipeline = Pipeline(settings=self.settings)
        self.store = self.pipeline.store

    def begin(self):
        self.store.load_users(SAMPLES / "users.yaml")
        self.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")
        return self

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
            compare(
                homes, f"inverse by {turn}", *(home.store.staging(ids[n]).for_undo() for n, home in enumerate(homes))
            )
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
    named = homes[0].store.contact(two[1])
    backup(homes[1], "before")
    both(homes, "erase", lambda home, _: home.pipeline.erase(two[1], user="m.keane").contact_ids)
    say("looked for the erased", {}, left=files_with(homes[1].folder, named))
    backup(homes[1], "after")
    both(homes, "export", lambda home, _: exported(home))


def some_contacts(home, many):
    found = f"SELECT contact_id FROM contacts WHERE active AND email IS NOT NULL ORDER BY ALL LIMIT {many}"
    with home.store.open(read_only=True) as contacts:
        return [number for (number,) in contacts.rows(found)]


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


def files_with(folder, contact):
    """The files of a folder in which an erased contact's e-mail address stands; backups have it."""
    value = contact["email"].encode()
    own = (
        path for path in folder.rglob("*") if path.is_file() and ".tar" not in path.name and "before" not in path.parts
    )
    return [str(path.relative_to(folder)) for path in own if value in path.read_bytes()]


def left_at(home):
    return sorted(path.name for path in home.location.iterdir() if path.name != "temporary")


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
    after, moment, code = home.rows(), 0, KILLED
    while code:
        moment += 4 * every
        code = child(url, folder, "tidy", str(moment))
        say("tidied", {} if home.rows() == after else {"rows": ["changed"]}, moment=moment, code=code)
    home.pipeline.undo(upload.upload_id, user=user)
    say("undone", {}, findings=[str(finding) for finding in home.pipeline.verify().findings])


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
    before = home.rows()
    with home.store.open() as opened, suppress(KeyboardInterrupt), changing(home.store, opened) as kept:
        kept.update("contacts", {"active": "NOT active"}, "true")
        raise KeyboardInterrupt
    say("interrupted", {} if home.rows() == before else {"rows": ["changed"]})
    for meanwhile in (True, False):
        code = None
        with home.store.open() as opened:
            try:
                with changing(home.store, opened) as kept:
                    kept.update("contacts", {"active": "NOT active"}, "true")
                    if meanwhile:
                        write_without_asking(url, home.location)
                    kept.update("contacts", {"active": "NOT active"}, "true")
            except ContactPipelineError as error:
                code = error.code
        when = "while a commit was written" if meanwhile else "before a commit"
        say(f"another program wrote {when}", {} if home.rows() == before else {"rows": ["changed"]}, code=code)
    say("verified", {}, findings=[str(finding) for finding in home.pipeline.verify().findings])


def inactive(home):
    with home.store.open(read_only=True) as contacts:
        return contacts.value("SELECT count(*) FROM contacts WHERE NOT active")


def write_without_asking(url, location):
    """Adds a row to the contacts, as a program does that knows nothing of the home."""
    path = str(location / "contacts")
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
        with home.store.open() as opened, changing(home.store, opened):
            pass
    elif what == "tidy":
        kill_at(int(given[0]), tidying, "recorded", "_forget", "_version_of")
        with home.store.open() as opened:
            tidying.tidy(opened)
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
    def counting(*given):
        reached()
        return call(*given)

    return counting


def refused(folder):
    """What is said of engines that cannot be used, by the command line."""
    url = server_of_sail()
    begun = Home(folder / "begun", "spark", url).begin()
    for path, profile in samples(["program_contacts_1"]):
        upload, user = begun.planned(path, profile)
        begun.pipeline.apply(upload.upload_id, user=user)
    location, secret = str(folder / "begun" / "delta"), "sc://127.0.0.1:1/;token=SECRET"
    own = {"ENGINE": "spark", "SPARK_URL": url, "LOCATION": location}
    add = ["contacts", "add", "--profile", "outreach_contacts", "--field", "email=a@example.com", "--yes"]
    for step, home, environment, command in (
        ("no scheme", "new", own | {"SPARK_URL": "http://127.0.0.1:1"}, add),
        ("no port", "new", own | {"SPARK_URL": "sc://127.0.0.1:port"}, add),
        ("nobody there", "new", own | {"SPARK_URL": secret, "LOCK_WAIT_SECONDS": "0.5"}, add),
        ("no address", "new", {"ENGINE": "spark", "LOCATION": location}, add),
        ("no location", "new", {"ENGINE": "spark", "SPARK_URL": url}, add),
        ("a relative location", "new", own | {"LOCATION": "delta"}, add),
        ("another's location", "new", own, add),
        ("contacts lie there", "begun/home", {"ENGINE": "duckdb"}, add),
        ("they do already", "begun/home", own, ["migrate-engine", "spark"]),
    ):
        say(step, {}, told=command_says(folder / home, environment, command))
    session = type(open_session(url, 30))
    version, session.version = session.version, "3.5.1"
    say("too old", {}, told=command_says(folder / "old", own | {"LOCATION": str(folder / "old delta")}, add))
    session.version = version
    shutil.rmtree(location)
    say("the tables are gone", {}, told=command_says(folder / "begun" / "home", own, add))


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
