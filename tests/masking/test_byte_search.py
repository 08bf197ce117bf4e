"""A search of every byte that commands print and keep after values that were planted wherever a sender can put them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import dagster as dg
import pytest
import yaml
from starlette.applications import Starlette
from starlette.routing import Mount

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run as run_command
from contact_pipeline.engines import Database
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.inbox import look_through
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.pages.review import write_everything
from contact_pipeline.pipeline import stages
from contact_pipeline.settings import Settings
from contact_pipeline.web.app import PREFIX, build_app
from tests.masking import home as planted
from tests.masking.home import Garden
from tests.trust import record
from tests.web.client import Client


class Played:
    """The home, what was planted in it, and everything that its commands printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = planted.make_home(folder)
        self.garden = Garden()
        self.printed: dict[str, str] = {}
        self.pipeline = Pipeline(home=self.home)

    def run(self, *words: object, status: int | None = 0, once: bool = False) -> str:
        """Runs a command for people and, unless `once`, again as JSON; gives what it printed last."""
        for more in [[]] if once else [[], ["--json"]]:
            out, err = io.StringIO(), io.StringIO()
            before = sys.stdout, sys.stderr, sys.stdin
            sys.stdout, sys.stderr, sys.stdin = out, err, io.StringIO("")
            try:
                ended = run_command([*map(str, words), *more, "--home", str(self.home)])
            finally:
                sys.stdout, sys.stderr, sys.stdin = before
            self.printed[" ".join([*map(str, words), *more])] = out.getvalue() + err.getvalue()
            assert status in {None, ended}, (words, ended, out.getvalue(), err.getvalue())
        return out.getvalue()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Every command, over files that hold what was planted."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("CONTACT_PIPELINE_HOME", raising=False)
        patched.setenv("COLUMNS", "400")
        story = Played(tmp_path_factory.mktemp("masking"))
        _import_swapped(story)
        _import_patients(story)
        _import_what_is_refused(story)
        _look_at_everything(story)
        _run_in_dagster(story)
    return story


def _import_swapped(story: Played) -> None:
    file = planted.swapped(story.garden, story.folder)
    group = ("--profile", "outreach_contacts", "--group", "Spring", "--allow-rejected", "100")
    story.run("inspect", file)
    story.run("plan", file, *group)
    first = _newest(story)
    story.run("show", first, "--rows", "--changes", "--all-errors")
    story.run("apply", first)
    story.run("rejected", first)
    story.run("review", first)
    story.run("undo", first, "--plan")
    story.run("undo", first)
    story.run("redo", first, "--plan")
    story.run("redo", first)
    one = story.garden.plant("a contact by hand")
    fields = [f"--field=ssn={one.dashed}", f"--field=date_of_birth={one.us_day}", f"--field=first_name={one.dashed}"]
    story.run("contacts", "add", "--profile", "outreach_contacts", *fields, "--field=account_number=AC-7000",
              "--option=group=Spring", "--yes", once=True)  # fmt: skip
    review = story.garden.plant("a row in review")
    row = ("Rosa", "", story.garden.planted[0].dashed, review.dashed, review.us_day, "AC-8000", "new@example.com", "")
    file = planted.write_csv(story.folder / "review.csv", planted.OUTREACH, row)
    story.run("import", file, *group, "--yes", once=True)
    upload = _newest(story)
    story.run("in-review", upload)
    story.run("review", upload)
    story.run("resolve", upload, "--row", "2", "--to", one.dashed, status=1)
    story.run("resolve", upload, "--row", "2", "--to", "new", once=True)
    story.run("decisions")


def _import_patients(story: Played) -> None:
    for file in planted.patients(story.garden, story.folder):
        story.run("inspect", file)
        story.run("plan", file, "--profile", "patients", "--save-mapping", "--allow-rejected", "100")
        upload = _newest(story)
        story.run("show", upload, "--rows", "--changes", "--all-errors")
        story.run("apply", upload)
        story.run("undo", upload, "--plan")
    file = planted.leads(story.garden, story.folder)
    story.run("inspect", file)
    users = story.folder / "users.yaml"
    users.write_text(yaml.safe_dump([{"login": "d", "name": "D", "roles": ["director"], "can_import": True}]))
    story.run("users", "load", users)
    story.run("import", file, "--profile", "dealer_leads", "--lead-type", "SMS", "--rule", "merge", "--user", "d",
              "--allow-rejected", "100", "--yes", once=True)  # fmt: skip
    story.run("show", _newest(story), "--rows", "--changes", "--all-errors")


def _import_what_is_refused(story: Played) -> None:
    garden, folder = story.garden, story.folder
    named, by_day = garden.plant("the name of a file"), garden.plant("another name of a file")
    story.run("plan", planted.without_heading(garden, folder, f"for {named.dashed}.csv"), "--profile",
              "outreach_contacts", "--group", "G", status=1)  # fmt: skip
    story.run("plan", planted.without_heading(garden, folder, f"{by_day.digits} dob {by_day.day}.csv"), "--profile",
              "patients", status=1)  # fmt: skip
    file = planted.write_csv(folder / "ok.csv", planted.OUTREACH, ("Ivo", "", "", "Moss", "", "AC-5", "", ""))
    for text in (
        garden.plant("a group").dashed,
        f"born {garden.plant('another group').us_day}",
        garden.plant("g").digits,
    ):
        story.run("plan", file, "--profile", "outreach_contacts", "--group", text, status=1)
    mapped = garden.plant("an option")
    story.run("plan", file, "--profile", "patients", "--map", f"{mapped.dashed}=full_name", status=1)
    story.run("plan", file, "--profile", "patients", "--sheet", mapped.digits, status=1)
    story.run("plan", folder / f"{named.dashed}.gone.csv", "--profile", "patients", status=1)
    inbox = story.home / "inbox" / "outreach_contacts"
    said = garden.plant("an options file")
    for number, options in enumerate(({"group": f"For {said.dashed}"}, {"group": "Autumn"})):
        dropped = planted.without_heading(garden, inbox, f"{garden.plant('a dropped name').dashed} {number}.csv")
        beside = dropped.with_name(f"{dropped.name}.options.yaml")
        beside.write_text(f"# born {said.us_day}\n{yaml.safe_dump(options)}")
        (drop,) = (drop for drop in look_through(story.home / "inbox").drops if drop.path == dropped)
        upload = story.pipeline.receive(dropped, "outreach_contacts", move=True, seen=drop.seen, **options)
        if upload.state == "received":
            story.pipeline.read(upload.upload_id)
        story.run("show", upload.upload_id)


def _look_at_everything(story: Played) -> None:
    one = story.garden.plant("a single value")
    story.run("value", "ssn", one.dashed, one.digits)
    story.run("value", "date_of_birth", one.us_day, "--format", "MM/DD/YYYY")
    story.run("value", "email", one.dashed, one.digits, one.us_day, "--profile", "outreach_contacts")
    story.run("value", one.dashed, "x", status=1)
    story.run("uploads")
    story.run("groups", "list")
    story.run("accounts", "list")
    story.run("contacts", "list")
    story.run("contacts", "list", "--published")
    story.run("contacts", "list", "--as-of", "2200-01-01")
    for contact in json.loads(story.printed["contacts list --json"])[::6]:
        story.run("contacts", "show", contact["contact_id"])
        story.run("contacts", "history", contact["contact_id"])
    story.run("contacts", "find", "--name", "a")
    story.run("contacts", "find", one.dashed, status=None)
    story.run("contacts", "show", one.dashed, status=1)
    for profile in ("outreach_contacts", "patients"):
        asked = ("-p", profile, "--near", "--at-least", "10", "--limit", "500")
        story.run("duplicates", "find", *asked)
        story.run("duplicates", "find", *asked, "-o", story.home / "reports" / f"{profile}.csv", status=None, once=True)
    story.run("duplicates", "merge", "-p", "outreach_contacts", "--set", one.dashed, status=2)
    story.run("duplicates", "merge", "-p", "outreach_contacts", "--from", f"{one.dashed}.csv", status=1)
    ids = [
        contact["contact_id"] for contact in story.pipeline.store.contacts() if contact["address_book"] == "patients"
    ]
    story.run("duplicates", "merge", "-p", "patients", "--set", ",".join(map(str, ids[:3])), once=True)
    story.run("show", _newest(story), "--changes", "--suggestions")
    story.run("apply", _newest(story), once=True)
    story.run("contacts", "show", ids[0])
    story.run("undo", _newest(story), status=None, once=True)
    story.run("export", "-o", story.folder / f"{one.dashed}-export.csv", once=True)
    story.run("export-profiles")
    story.run("uploads", "--waiting")
    story.run("notices")
    story.run("accounts", "show", one.dashed, status=1)
    story.run("show", one.dashed, status=1)
    story.run("verify", status=None)
    story.run("vocabularies", "list")
    story.run("template", "outreach_contacts", "-o", story.folder / f"{one.dashed}.csv", once=True)
    last = next(contact["contact_id"] for contact in reversed(story.pipeline.store.contacts()) if contact["active"])
    story.run("contacts", "deactivate", last, once=True)
    story.run("contacts", "reactivate", last, once=True)
    story.run("contacts", "deactivate", one.dashed, status=1)
    story.run("contacts", "erase", one.dashed, "--yes", status=1)
    story.run("contacts", "erase", last, "--yes", once=True)
    for word in ("cancel", "replan", "finalize", "undo", "redo", "decisions"):
        story.run(word, one.dashed, status=None)
    file = planted.swapped(story.garden, story.folder)
    story.run("plan", file, "--profile", "outreach_contacts", "--group", "Last", once=True)
    story.run("replan", _newest(story), status=None)
    story.run("cancel", _newest(story))


def _run_in_dagster(story: Played) -> None:
    """The same files through Dagster, with previews; then one in whose run DuckDB fails over a cell, and says so."""
    storage = story.home / "dagster"
    storage.mkdir()
    definitions = build_definitions({"pipeline": PipelineResource(home=str(story.home))})
    swapped, (first, _) = planted.swapped(story.garden, story.folder), planted.patients(story.garden, story.folder)
    leads = planted.leads(story.garden, story.folder)
    received = [
        story.pipeline.receive(swapped, "outreach_contacts", group="Autumn", allow_rejected=100.0),
        story.pipeline.receive(first, "patients", allow_rejected=100.0),
        story.pipeline.receive(leads, "dealer_leads", lead_type="SMS", rule="merge", user="d", allow_rejected=100.0),
        story.pipeline.receive(planted.swapped(story.garden, story.folder), "outreach_contacts", group="Winter"),
    ]
    with dg.DagsterInstance.local_temp(str(storage)) as instance:
        instance.add_dynamic_partitions("uploads", [upload.upload_id for upload in received])
        ends = {
            "dagster/asset_partition_range_start": received[0].upload_id,
            "dagster/asset_partition_range_end": received[2].upload_id,
        }
        job = definitions.resolve_job_def("stage_upload")
        assert job.execute_in_process(instance=instance, tags=ends).success
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(stages, "find_doubtful", _fails_over_a_cell)
            ended = job.execute_in_process(instance=instance, partition_key=received[3].upload_id, raise_on_error=False)
            assert not ended.success
            text = str(instance.all_logs(ended.run_id))  # of which one is the traceback
            assert "Could not convert string" in text
            story.printed["the failed run"] = text
            story.run("plan", swapped, "--profile", "outreach_contacts", "--group", "Defect", status=1)


def _fails_over_a_cell(rows: Any, *_: object) -> Any:
    from contact_pipeline.engines import open_database
    from contact_pipeline.settings import Settings

    with open_database(None, Settings()) as database:
        _convert(database, " | ".join(f"{ssn} {born}" for ssn, born in rows.select("ssn", "date_of_birth").rows()))


def _convert(database: Database, cell: str) -> None:
    database.run("SELECT CAST(? AS INTEGER)", [cell])


def _newest(story: Played) -> str:
    return story.pipeline.uploads(1)[0].upload_id


def _leaks(story: Played, places: Iterator[tuple[str, bytes]], where: str) -> dict[str, list[str]]:
    """Place → where what stands there was planted; what was searched is recorded."""
    leaks, searched = {}, 0
    for name, content in places:
        searched += len(content)
        found = story.garden.found_in(content)
        if found:
            leaks[name] = found
    assert searched
    record("bytes-searched", tried=searched, failed=len(leaks), where=where)
    record("values-planted", tried=2 * len(story.garden.planted), failed=len(leaks), where=where)
    return leaks


def test_no_command_prints_what_was_planted(played: Played) -> None:
    """B2: a sensitive value is masked wherever it is shown, in whatever column it came."""
    places = ((name, text.encode()) for name, text in played.printed.items())
    assert _leaks(played, places, "output of every command") == {}


def test_nothing_is_kept_outside_contacts_rows_and_originals(played: Played) -> None:
    """B2: the ledger, rejections, notes of other tables, file names, refused files' reasons and Dagster's storage."""
    assert _leaks(played, planted.contents(played.home), "every file and table of a home") == {}


def test_notes_that_the_pipeline_writes_hold_none(played: Played) -> None:
    """E12: what is not imported, and what a merge displaces, goes to the notes without what looks sensitive."""
    with played.pipeline.store.open(read_only=True) as contacts:
        notes = [note for (note,) in contacts.rows("SELECT unnest(notes) FROM contacts WHERE notes IS NOT NULL")]
    written = [note for note in notes if note.startswith(("[import]", "[merge]"))]
    assert any(note.startswith("[import] Phone") for note in written)
    assert any(note.startswith("[merge] Company: *") for note in written)
    assert _leaks(played, ((note, note.encode()) for note in written), "notes") == {}


def test_what_was_planted_is_where_it_may_be(played: Played) -> None:
    """The search finds: originals and contacts hold it, and `--unmasked` shows it."""
    originals = b"".join(path.read_bytes() for path in played.home.glob("uploads/*/original.csv"))
    assert set(played.garden.found_in(originals)) > {"the right column", "digits in First name", "digits in Comment"}
    assert "the right column" in played.garden.found_in((played.home / "contacts.duckdb").read_bytes())
    played.run("inspect", played.folder / "swapped.csv", "--unmasked")
    shown = played.printed.pop(f"inspect {played.folder / 'swapped.csv'} --unmasked --json")
    played.printed.pop(f"inspect {played.folder / 'swapped.csv'} --unmasked")
    assert played.garden.found_in(shown.encode())


def test_no_page_shows_what_was_planted(played: Played) -> None:
    """B2: the page of every upload, what it leads to, and of its undo what is left alone; as they are served."""
    settings = Settings(home=played.home, decide_locally=True)
    somebody = Client(Starlette(routes=[Mount(PREFIX, app=build_app(settings))]))
    pages = {"/": somebody.get(f"{PREFIX}/").text}
    for upload in played.pipeline.uploads():
        at, packed = f"{PREFIX}/uploads/{upload.upload_id}", io.BytesIO()
        pages[at] = somebody.get(at).text
        pages[f"{at}/undo"] = somebody.send(at, "plan-undo").text
        write_everything(upload, packed)
        with ZipFile(packed) as tables:
            pages |= {f"{at} {name}": tables.read(name).decode() for name in tables.namelist()}
    assert any("left alone" in page for page in pages.values())
    assert sum(page.count("***-**-****") for page in pages.values()) > 100
    found = {name: where for name, page in pages.items() if (where := played.garden.found_in(page.encode()))}
    record("pages-searched", tried=sum(map(len, pages.values())), failed=len(found))
    assert found == {}
