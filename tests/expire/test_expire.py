"""What finished uploads leave is deleted by age; who waits keeps all, and everything else says what was deleted."""

import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.errors import MachineFault, Refusal, StoreBusy, Usage
from contact_pipeline.expire.files import StagedFiles
from contact_pipeline.pipeline import committing
from contact_pipeline.pipeline.repeats import repeat_key
from contact_pipeline.profiles.load import SHIPPED
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.corrections import give_back_rejected
from contact_pipeline.store.expiries import Amount
from tests.erase.home import BOB, DIRECTOR, IAN, OUTREACH, SHE, open_home, write_csv
from tests.homes import fill_once
from tests.killed import run_killed

LEADS = ("Name", "Phone", "Email")
REJECTED = ("Una", "", "", "Vale", "13/45/1984", "AC-303030", "una@example.com", "")
DOUBTFUL = (*SHE[:5], "AC-1", "turned@example.com", "")  # her number under another account: in review
EVERYTHING = ("staged_data", "originals", "reports")


@pytest.fixture
def made(tmp_path):
    """Uploads in every state, by name → id; `first` has a review page and a file of rejected rows."""

    def fill():
        pipeline, made = open_home(tmp_path), {}

        def plan(name, *rows, heading=OUTREACH, **options):
            file = write_csv(tmp_path / f"{name}.csv", heading, *rows)
            profile = "outreach_contacts" if heading == OUTREACH else "dealer_leads"
            made[name] = pipeline.plan(file, profile, user=DIRECTOR, force=True, **options).upload_id
            return made[name]

        for name, rows in {"first": (SHE, BOB, REJECTED), "taken_back": (SHE, IAN), "reviewed": (DOUBTFUL,)}.items():
            pipeline.apply(plan(name, *rows, group="Spring"), user=DIRECTOR)
        pipeline.undo(made["taken_back"], user=DIRECTOR)
        lead = ("Lea Lund", "202-555-0133", "lea@example.com")
        pipeline.apply(plan("lead", lead, heading=LEADS, rule="merge", lead_type="SMS"), user=DIRECTOR)
        plan("planned", IAN, group="Spring")
        pipeline.review(made["first"])
        return tuple(made.items())

    return dict(fill_once(tmp_path / "home", fill))


@pytest.fixture
def pipeline(made, tmp_path):
    return Pipeline(tmp_path / "home")


def folders(pipeline, upload_id):
    """What lies in the home of an upload."""
    home = pipeline.settings.home
    return {
        path.name for kind in ("staging", "uploads") for path in (home / kind / upload_id).rglob("*") if path.is_file()
    }


def keep(pipeline, profile, **days):
    """Has a profile of the home say how long things are kept."""
    path = pipeline.settings.profiles_path / f"{profile}.yaml"
    text = (path if path.exists() else SHIPPED / path.name).read_text(encoding="utf-8")
    path.write_text(yaml.safe_dump(yaml.safe_load(text) | {"keep_days": days}), encoding="utf-8")


def age(pipeline, upload_id, days):
    """Makes an upload older."""
    with pipeline.store.change() as database:
        for column in ("added_at", "finished_at"):
            database.run(
                f"UPDATE uploads SET {column} = {column} - to_days(?::INTEGER) WHERE upload_id = ?", [days, upload_id]
            )
        database.run(
            "UPDATE commits SET committed_at = committed_at - to_days(?::INTEGER) WHERE upload_id = ?",
            [days, upload_id],
        )


def test_only_what_has_ended_and_is_old_enough_goes(pipeline, made):
    """Planned, held, stale and reviewed uploads keep what they have; a dry run changes nothing, and says the same."""
    keep(pipeline, "outreach_contacts", staged_data=30, reports=400)
    assert pipeline.expire(user=DIRECTOR).expiries == []
    for upload_id in made.values():
        age(pipeline, upload_id, 31)
    pipeline.redo(made["taken_back"], user=DIRECTOR)  # which counts from now
    ids = {upload.upload_id for upload in pipeline.uploads()}
    before = {upload_id: folders(pipeline, upload_id) for upload_id in ids}

    shown = pipeline.expire(dry_run=True, user=DIRECTOR)
    assert {(each.line.upload_id, each.kind) for each in shown.expiries} == {
        (made["first"], "staged_data"),
    }
    assert {line.upload_id for line in shown.waiting} == {made[name] for name in ("reviewed", "planned")}
    assert {upload_id: folders(pipeline, upload_id) for upload_id in ids} == before
    done = pipeline.expire(user=DIRECTOR)

    assert done.as_dict() == shown.as_dict() | {"dry_run": False}
    assert folders(pipeline, made["first"]) == {"original.csv", "review.html"}
    assert all(
        folders(pipeline, made[name]) == before[made[name]] for name in ("lead", "taken_back", "reviewed", "planned")
    )
    evidence = pipeline.expiries(made["first"])
    assert [(each["kind"], each["rows"], each["actor"], each["rule"]) for each in evidence] == [
        ("staged_data", 3, DIRECTOR, "profile outreach_contacts keeps staged data for 30 days")
    ]
    assert evidence[0]["files"] == len(before[made["first"]] - {"original.csv", "review.html"})
    assert evidence[0]["size"] > 100_000
    assert evidence[0]["finished_at"] is not None
    assert pipeline.expire(user=DIRECTOR).expiries == []
    assert pipeline.verify().findings == []


def test_an_upload_that_is_continued_by_a_planned_one_stays(pipeline, made):
    with pipeline.store.change() as database:
        database.run("UPDATE uploads SET continues = ? WHERE upload_id = ?", [made["first"], made["planned"]])
    shown = pipeline.expire(older_than=0, dry_run=True)
    assert made["first"] not in {each.line.upload_id for each in shown.expiries}
    assert made["first"] in {line.upload_id for line in shown.waiting}


def test_what_is_asked_for_goes_whatever_profiles_say(pipeline, made):
    """Without a kind it is staged data; a profile narrows; an unknown kind, profile or number of days is refused."""
    keep(pipeline, "outreach_contacts", staged_data=30)
    only = pipeline.expire(older_than=0, profile="dealer_leads", dry_run=True)
    assert only.expiries == []  # it is held
    pipeline.finalize(made["lead"], user=DIRECTOR)
    only = pipeline.expire(older_than=0, profile="dealer_leads", dry_run=True)
    assert [(each.line.upload_id, each.kind) for each in only.expiries] == [(made["lead"], "staged_data")]
    originals = pipeline.expire(older_than=0, kinds=["originals", "reports"])
    assert {each.kind for each in originals.expiries} == {"originals", "reports"}
    assert not (pipeline.settings.home / "uploads" / made["first"]).exists()
    assert pipeline.store.staging(made["first"]).exists()
    for refused in ({"older_than": -1}, {"older_than": 10**9}, {"kinds": ["ledger"]}, {"kinds": ["runs"]}):
        with pytest.raises(Usage):
            pipeline.expire(**refused)
    with pytest.raises(Refusal) as unknown:
        pipeline.expire(profile="nobody")
    assert unknown.value.code == "profile-unknown"


@pytest.mark.parametrize("step", ["hash_changeset", "_keep_copy"])
def test_an_undo_says_that_its_data_is_deleted_at_this_moment(pipeline, made, monkeypatch, step):
    first, really = made["first"], getattr(committing, step)

    def meanwhile(*arguments):
        StagedFiles(pipeline.store).delete([first])
        return really(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(committing, step, meanwhile)
        with pytest.raises(StoreBusy, match=f"{first} was deleted by age at this moment. Repeat the undo."):
            pipeline.undo(first, user=DIRECTOR)
    assert pipeline.undo(first, user=DIRECTOR).state == "undone"


def test_undo_and_redo_need_nothing_that_is_deleted(pipeline, made):
    """The history alone is enough, and what an undo has staged anew goes the next time."""
    before = pipeline.store.contacts()
    pipeline.expire(older_than=0, kinds=EVERYTHING)
    assert pipeline.store.contacts() == before
    first = made["first"]
    for _ in range(2):
        planned = pipeline.plan_undo(first)
        assert planned.inverse.change_count == 4
        assert pipeline.undo(first, user=DIRECTOR).state == "undone"
        assert pipeline.verify().findings == []
        assert pipeline.redo(first, user=DIRECTOR).state == "applied"
        assert pipeline.verify().findings == []
    known = {"revision", "last_upload_id"}
    after = pipeline.store.contacts()
    assert [{k: v for k, v in each.items() if k not in known} for each in after] == [
        {k: v for k, v in each.items() if k not in known} for each in before
    ]
    again = [each for each in pipeline.expire(older_than=0).expiries if each.line.upload_id == first]
    assert [(each.kind, each.amount.rows) for each in again] == [("staged_data", None)]
    assert folders(pipeline, first) == set()
    assert pipeline.verify().findings == []


def test_everything_that_needs_the_rows_says_when_and_why_they_went(pipeline, made, tmp_path, capsys):
    """Nothing is called damaged, and nobody is told to do what cannot be done any more."""
    from contact_pipeline.cli.app import run

    first = made["first"]
    pipeline.expire(older_than=0, kinds=EVERYTHING)
    home = ["--home", str(pipeline.settings.home)]
    (tmp_path / "decided.csv").write_text("row_number,to\n2,new\n")
    for command in (
        ["rejected", first], ["in-review", first], ["repairs", first], ["sql", first, "SELECT 1"],
        ["show", first, "--explain", "2"], ["show", first, "--repairs"], ["show", first, "--suggestions"],
        ["show", first, "--where", "outcome=created"], ["resolve", first, "--row", "2", "--to", "new"],
        ["resolve", first, "--from", str(tmp_path / "decided.csv")],
    ):  # fmt: skip
        assert run([*command, *home]) == 1, command
        said = " ".join(capsys.readouterr().err.split())
        assert f"The staged rows of upload {first} were deleted on" in said, command
        assert "older than 0 days, as was asked for" in said
        assert "damaged" not in said
    assert run(["show", first, "--rows", *home]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "staged data, originals, reports deleted on" in shown
    assert f"rejected {first}" not in shown
    assert f"undo {first}" in shown
    page = pipeline.review_page(first)
    assert "staged data, originals, reports deleted on" in page
    for quiet in (["show", first, "--json"], ["replan", first], ["decisions"], ["uploads"]):
        assert run([*quiet, *home]) == 0
    person = tmp_path / "person.json"
    pipeline.export_person(1, person)
    assert "older than 0 days, as was asked for" in person.read_text()
    pipeline.backup(tmp_path / "home.tar.gz")
    restored = Pipeline(tmp_path / "restored")
    restored.restore(tmp_path / "home.tar.gz")
    assert restored.expiries(first) == pipeline.expiries(first)
    assert restored.verify().findings == []
    restored.erase(1)
    assert restored.verify().findings == []


def test_a_corrected_file_of_an_expired_upload_is_planned_all_the_same(pipeline, made, tmp_path):
    file = tmp_path / "corrected.csv"
    give_back_rejected(pipeline.show(made["first"]), file, pipeline.settings)
    pipeline.expire(older_than=0)
    assert pipeline.plan(file, "outreach_contacts", user=DIRECTOR, group="Autumn").continues is None
    told = pipeline.plan(file, "outreach_contacts", user=DIRECTOR, group="Spring", continues=made["first"])
    assert told.continues == made["first"]


def child(home: Path, last: int) -> tuple[int, str]:
    does = 'pipeline.expire(older_than=0, kinds=["staged_data", "originals", "reports"])'
    return run_killed(home, last, does, ["Database.run", "Path.unlink", "os.unlink", "os.rmdir"])


def test_killed_at_any_step_nothing_is_gone_without_a_line_and_a_second_run_finishes(pipeline, made, tmp_path):
    home = pipeline.settings.home
    whole = {upload.upload_id: folders(pipeline, upload.upload_id) for upload in pipeline.uploads()}
    status, said = child(shutil.copytree(home, tmp_path / "counted"), 0)
    assert status == 0, said
    steps = int(said)
    cut = 0
    for last in sorted({*range(1, steps + 1, max(steps // 5, 1)), steps}):
        copy = tmp_path / f"killed-{last}"
        assert child(shutil.copytree(home, copy), last)[0] == -9
        killed = Pipeline(copy)
        for upload_id, files in whole.items():
            if folders(killed, upload_id) != files:
                assert killed.expiries(upload_id), f"step {last}: {upload_id} without a line"
            killed.show(upload_id).as_dict(rows=True, changes=True)
        findings = killed.verify().findings
        assert {each.code for each in findings} <= {"expiry"}
        cut += bool(findings)
        done = killed.expire(older_than=0, kinds=EVERYTHING)
        assert bool(done.completed) == bool(findings)
        assert folders(killed, made["first"]) == set()
        assert len(killed.expiries(made["first"])) == 3
        assert killed.verify().findings == []
        shutil.rmtree(copy)
    assert cut


class OfDagster:
    """Stands in for what Dagster keeps: one run of each upload."""

    def __init__(self, on_find=None, on_delete=None):
        self.on_find, self.on_delete, self.deleted = on_find, on_delete, []

    def find(self, _line):
        if self.on_find:
            self.on_find()
        return Amount(1, 1, None)

    def delete(self, upload_ids):
        if self.on_delete:
            self.on_delete()
        self.deleted.append(list(upload_ids))


def test_others_write_between_parts_of_a_long_deletion(pipeline, made, monkeypatch):
    """Each part has its evidence before anything of it is deleted, and later parts have none yet."""
    monkeypatch.setattr(import_module("contact_pipeline.expire.expire"), "AT_ONCE", 1)
    recorded = []

    def write():
        with Pipeline(pipeline.settings.home).store.change() as contacts:
            contacts.run("UPDATE counters SET next = next + 1")
            recorded.append({upload_id for (upload_id,) in contacts.rows("SELECT upload_id FROM expiries")})

    runs = OfDagster(on_delete=write)
    done = pipeline.expire(older_than=0, kinds=["runs"], runs=runs, user=DIRECTOR)
    expired = [each.line.upload_id for each in done.expiries]
    assert runs.deleted == [[upload_id] for upload_id in expired]
    assert recorded == [{*expired[:number]} for number in range(1, len(expired) + 1)]
    assert len(expired) > 1
    assert pipeline.verify().findings == []


def test_two_that_delete_at_once_leave_one_line_of_evidence(pipeline, made):
    other = Pipeline(pipeline.settings.home)
    runs = OfDagster(on_find=lambda: other.expire(older_than=0, user=DIRECTOR))
    pipeline.expire(older_than=0, runs=runs, user=DIRECTOR)
    assert [each["kind"] for each in pipeline.expiries(made["first"])] == ["staged_data"]
    assert pipeline.expire(older_than=0, runs=OfDagster(), user=DIRECTOR).expiries[0].kind == "runs"


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_on_a_disk_without_any_room_expire_makes_room(pipeline, made, small_disk):
    """It writes its evidence where the reserve was, which is there again afterwards."""
    pipeline.tidy()
    home = shutil.copytree(pipeline.settings.home, small_disk / "home")
    reserve = home / "reserve"
    assert reserve.stat().st_mode & 0o777 == 0o600
    (small_disk / "other").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    assert shutil.disk_usage(small_disk).free == 0
    full = Pipeline(home)
    with pytest.raises(MachineFault, match="The disk is full"), full.store.change() as contacts:
        contacts.run("UPDATE counters SET next = next + 1")

    assert full.expire(older_than=0, kinds=EVERYTHING, user=DIRECTOR).size > 100_000

    assert folders(full, made["first"]) == set()
    assert len(full.expiries(made["first"])) == 3
    assert full.verify().findings == []
    assert reserve.exists()


def test_how_long_things_are_kept_says_nothing_of_what_a_file_means(pipeline):
    """So the same file is still recognized as repeated, by homes of before as well."""
    profile = pipeline.profiles()[0]["outreach_contacts"]
    keep(pipeline, "outreach_contacts", staged_data=90, runs=30)
    keeping = pipeline.profiles()[0]["outreach_contacts"]
    assert (keeping.keep_days.staged_data, keeping.keep_days.originals) == (90, None)
    known = Reference(logins=frozenset(), vocabularies={}, meanings={})
    assert repeat_key("", profile, UploadOptions(), known) == repeat_key("", keeping, UploadOptions(), known)


@pytest.mark.parametrize(
    "wrong", [{"staged_data": "90d"}, {"staged_data": 0}, {"backups": 3}, {"originals": 1.5}, {"reports": True}]
)
def test_a_wrong_number_of_days_is_refused_with_its_place(pipeline, wrong):
    keep(pipeline, "outreach_contacts", **wrong)
    broken = pipeline.profiles()[1][0]
    assert f"keep_days.{next(iter(wrong))}" in str(broken)
