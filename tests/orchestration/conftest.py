"""A home folder with users, files to drop into it, and the definitions on that home."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest
import xlsxwriter
import yaml

from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.pipeline import Pipeline
from tests.homes import new_home

OUTREACH = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"
PROGRAM = ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in the inbox have settled when they look the same in two ticks."""
    monkeypatch.setenv("CONTACT_PIPELINE_INBOX_SETTLE_SECONDS", "0")


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are at Dagster's own address, as under `serve`."""
    monkeypatch.setenv("CONTACT_PIPELINE_SERVED", "1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose users include the owner of the files that tests make, as a director who may import."""
    folder = new_home(tmp_path / "home")
    users = [{"login": folder.owner(), "name": "Test", "roles": ["director"], "can_import": True}]
    (tmp_path / "users.yaml").write_text(yaml.safe_dump(users))
    Pipeline(home=folder).store.load_users(tmp_path / "users.yaml")
    return folder


@pytest.fixture
def pipeline(home: Path) -> Pipeline:
    return Pipeline(home=home)


@pytest.fixture
def resource(home: Path) -> PipelineResource:
    return PipelineResource(home=str(home))


@pytest.fixture
def definitions(resource: PipelineResource) -> dg.Definitions:
    return build_definitions({"pipeline": resource})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def outreach_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes an outreach file with one contact per e-mail address; an empty one is a defective row."""

    def made(name: str, *emails: str) -> Path:
        path = tmp_path / name
        rows = [f"Rosa,,219-09-9990,Delgado,04/17/1984,,{email},02139\n" for email in emails]
        path.write_text(OUTREACH + "".join(rows))
        return path

    return made


@pytest.fixture
def program_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes a program workbook with one contact per e-mail address; an empty one blocks the upload."""

    def made(name: str, *emails: str) -> Path:
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as workbook:
            sheet = workbook.add_worksheet()
            sheet.write_row(0, 0, PROGRAM)
            for number, email in enumerate(emails, 1):
                sheet.write_row(number, 0, (email, "Dana", "Whitfield"))
        return path

    return made


@pytest.fixture
def leads_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes a file of leads, one per e-mail address."""

    def made(name: str, *emails: str) -> Path:
        path = tmp_path / name
        path.write_text("Name,Phone,Email\n" + "".join(f"Jordan Avery,,{email}\n" for email in emails))
        return path

    return made


@pytest.fixture
def dropped(home: Path) -> Callable[..., Path]:
    """Drops a file into the inbox of a profile, its options first."""

    def drop(path: Path, profile: str, options: Mapping[str, object] | None = None) -> Path:
        folder = home / "inbox" / profile
        folder.mkdir(parents=True, exist_ok=True)
        if options is not None:
            (folder / f"{path.name}.options.yaml").write_text(yaml.safe_dump(dict(options)))
        return path.rename(folder / path.name)

    return drop
