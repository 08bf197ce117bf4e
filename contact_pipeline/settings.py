"""Every setting, typed and described. Each is read from the environment as CONTACT_PIPELINE_<NAME>."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from contact_pipeline.errors import Refusal

_PREFIX: Final = "CONTACT_PIPELINE_"
INBOX: Final = "inbox"  # in the home
NOTICES: Final = "notices.yaml"  # in the home: the rules of notices

# DuckDB splits its list of folders at commas, begins the parameters of an address at a question mark, and takes a
# backslash for a slash.
_MISREAD: Final = {",": "a comma", "?": "a question mark", "\\": "a backslash"}


class Settings(BaseModel):
    """The settings of one home folder: as given, else as the environment has them, else the defaults."""

    model_config = ConfigDict(frozen=True)

    home: Path = Field(
        default=Path("data"),
        validate_default=True,
        description="Folder with inbox/, contacts.duckdb, staging/, uploads/ and profiles/. Its path may have no "
        "comma, question mark or backslash.",
    )
    memory_limit: str = Field(default="2GB", description="Memory that DuckDB may use before it spills to disk.")
    threads: int | None = Field(default=None, ge=1, description="Threads that DuckDB may use; unset: all cores.")
    slice_rows: int = Field(
        default=250_000, ge=1, description="Rows that are normalized and validated at a time; bounds the memory used."
    )
    lock_wait_seconds: float = Field(
        default=60, ge=0, description="How long to wait for the contact database while another process holds it."
    )
    previews: bool = Field(default=True, description="Whether Dagster metadata holds table previews (masked).")
    preview_rows: int = Field(default=20, ge=0, le=20, description="Rows of a table preview in Dagster metadata.")
    trust_inbox_user: bool = Field(
        default=False, description="Whether `user:` in an options file of the inbox is believed; if not, the owner is."
    )
    inbox_settle_seconds: float = Field(
        default=30,
        ge=0,
        description="How long a file in the inbox, and its options file, must stand still before they are taken. A "
        "writer that keeps the file open is waited for longer, where the system tells who has it open. A file of a "
        "feed must be as old, or is looked at again after that time.",
    )
    feed_retry_seconds: float = Field(
        default=2,
        ge=0,
        le=300,
        description="How long after a connection that was cut a feed tries again; four times as long the second time, "
        "after which it is broken until its next run.",
    )
    min_free_bytes: int = Field(
        default=100_000_000,
        ge=0,
        description="Bytes that a file of the inbox or of a feed must leave free on the disk of the home. With less, "
        "none is taken until there is room, and people are told so once a day.",
    )
    max_file_bytes: int = Field(default=2_000_000_000, ge=1, description="Size of the largest file that is taken.")
    max_rows: int = Field(default=5_000_000, ge=1, description="Rows that a file may have below its heading.")
    max_columns: int = Field(default=1_000, ge=1, description="Columns that a file may have.")
    max_cell_characters: int = Field(default=100_000, ge=1, description="Length of the longest cell that is taken.")
    max_unpacked_bytes: int = Field(
        default=2_000_000_000, ge=1, description="Size to which the parts of a workbook may unpack, all together."
    )
    max_compression_ratio: int = Field(
        default=200,
        ge=1,
        description="How many times its packed size a part of a workbook (above 10 MB) may unpack to.",
    )
    max_text_bytes: int = Field(
        default=500_000_000,
        ge=1,
        description="Text that the cells of a sheet may show together; one that many cells share counts for each.",
    )
    max_cells: int = Field(
        default=100_000_000,
        ge=1,
        description="Cells of the area that a sheet spans, the empty ones between others included.",
    )
    copies_kept: int = Field(
        default=3, ge=1, description="Copies of the contact database that are kept in backups/, the newest ones."
    )
    copy_before_rows: int | None = Field(
        default=None,
        ge=1,
        description="A copy of the contact database is kept before that many rows or more are applied or taken back; "
        "unset: before a migration only.",
    )
    keep_runs_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Days that Dagster keeps what belongs to no upload: runs of feeds and of `expire`, refused "
        "launches, and older materializations of `contacts`, `awaiting_approval` and of feeds. The job `expire` "
        "deletes it; unset: it stays. What belongs to an upload is kept as its profile's `keep_days` says.",
    )
    port: int = Field(default=3000, ge=0, le=65535, description="Port of the webserver that `serve` starts.")
    address: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s<>]+$",
        description="Address at which people reach what `serve` shows, such as https://contacts.example.com, for links "
        "in notices, and in the metadata of a Dagster that `serve` has not started; unset: where it listens.",
    )
    user_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Header in which a proxy with a login says who asks, such as X-Forwarded-User; needs "
        "`proxy_secret`. Unset: no proxy is believed.",
    )
    proxy_secret: SecretStr | None = Field(
        default=None,
        description="What that proxy sends in the header X-Proxy-Secret, so that nobody who comes past it can name a "
        "user: 20 characters or more, known to the proxy and to `serve` alone.",
    )
    decide_locally: bool = Field(
        default=False,
        description="Whether pages let people decide without such a proxy, as the user who runs `serve`: for one "
        "person on a machine of their own. Whoever can reach the port decides in that name.",
    )
    dagster_postgres: SecretStr | None = Field(
        default=None,
        description="Address of a PostgreSQL database in which Dagster keeps its runs, events and schedules, such as "
        "postgresql+psycopg2://dagster@localhost/dagster, for this home alone; needs the extra `postgres`. Unset: they "
        "lie in the home. Whatever erases people, or collects what is held about them, needs it, too.",
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="Where contacts lie and are matched: in the home, by DuckDB, or in Delta tables, by an engine that "
        "speaks Spark Connect; needs the extra `spark`, `spark_url` and `location`. `migrate-engine` moves a home.",
    )
    spark_url: SecretStr | None = Field(
        default=None, description="Where that engine listens, such as sc://127.0.0.1:50051; it may have a token."
    )
    location: str | None = Field(
        default=None,
        description="Folder of the Delta tables, as an absolute path, which this machine and the engine both reach.",
    )
    notice_seconds: float = Field(
        default=5, gt=0, le=60, description="How long a server that takes notices is waited for, at each step."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_the_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        named = {name: os.environ.get(f"{_PREFIX}{name.upper()}") for name in cls.model_fields}
        return {name: value for name, value in named.items() if value is not None} | given

    @field_validator("home", mode="before")
    @classmethod
    def _as_a_path(cls, home: object) -> object:
        return Path(home) if isinstance(home, str) else home  # as text, bytes that are no UTF-8 would not pass

    @field_validator("home")
    @classmethod
    def _readable_by_all(cls, home: Path) -> Path:
        check_folder(home.absolute())
        check_folder(Path(os.path.realpath(home)))  # DuckDB follows links
        # Libraries take `~` for the user's folder and what stands before a colon for a kind of address.
        return home.absolute() if str(home).startswith("~") or ":" in str(home) else home

    @property
    def contacts_path(self) -> Path:
        """The contact database."""
        return self.home / "contacts.duckdb"

    @property
    def erasure_key_path(self) -> Path:
        """The secret by which erased people are recognized; without it their fingerprints cannot be matched."""
        return self.home / "erasure.key"

    @property
    def erasures_path(self) -> Path:
        """The list of erasures, which are repeated when an older backup is restored."""
        return self.home / "erasures.jsonl"

    @property
    def backups_path(self) -> Path:
        """The folder with copies of the contact database; backups may lie there too."""
        return self.home / "backups"

    @property
    def inbox(self) -> Path:
        """The folder with one folder per profile, into which files are dropped."""
        return self.home / INBOX

    @property
    def export_profiles_path(self) -> Path:
        """The folder with the user's own export profiles."""
        return self.home / "export_profiles"

    @property
    def feeds_path(self) -> Path:
        """The folder with the feeds."""
        return self.home / "feeds"

    @property
    def profiles_path(self) -> Path:
        """The user's own profiles."""
        return self.home / "profiles"

    @property
    def notices_path(self) -> Path:
        """The file with the rules of notices."""
        return self.home / NOTICES

    @property
    def served_path(self) -> Path:
        """The file with the address of `serve`, as long as it runs."""
        return self.home / "dagster" / "address"

    def staging_path(self, upload_id: str) -> Path:
        """The folder that holds everything staged for one upload."""
        return self.home / "staging" / upload_id

    def upload_path(self, upload_id: str) -> Path:
        """The folder that holds an upload's original and what is given back for it."""
        return self.home / "uploads" / upload_id


def check_folder(folder: Path) -> None:
    """Tests that no library can misread the path of a folder; call it before anything is written there.

    Raises:
        Refusal: the path has characters that a library misreads (code `home-path`).
    """
    path = str(folder)
    found = [name for mark, name in _MISREAD.items() if mark in path]
    if any("\ud800" <= letter <= "\udfff" for letter in path):
        found.append("bytes that are no UTF-8")
    if found:
        raise Refusal(
            "home-path",
            f"The path {os.fsencode(path).decode('utf-8', 'replace')} has {found[0]}.",
            "Choose a home folder without that in its path.",
        )
