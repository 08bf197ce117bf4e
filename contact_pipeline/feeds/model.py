"""The model of a feed's YAML file. It needs nothing else of a home, so that others can use it as a schema."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from contact_pipeline.feeds.place import place_of
from contact_pipeline.feeds.times import check_cron, seconds_of

_SOONEST: Final = 10  # seconds: the shortest interval
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _duration(given: str) -> str:
    if seconds_of(given) < _SOONEST:
        raise ValueError(f"is too short; {_SOONEST}s is the shortest")
    return given


def _time_zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (OSError, ValueError, KeyError) as error:  # a path, or unknown (a KeyError)
        raise ValueError("is no time zone; write one such as America/New_York or UTC") from error
    return given


def _time_of_day(given: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", given):
        raise ValueError('is no time of day; write it in quotes with four digits, such as "09:00"')
    return given


def _cron(given: str) -> str:
    check_cron(given)
    return given


def _source(given: str) -> str:
    place_of(given)
    return given


# The patterns are for editors and `dg check yaml`, which know only the schema.
Duration = Annotated[
    str, AfterValidator(_duration), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,5}[smhd]$"})
]
Cron = Annotated[str, AfterValidator(_cron), WithJsonSchema({"type": "string", "pattern": r"^\S+( +\S+){4}$"})]
TimeOfDay = Annotated[
    str, AfterValidator(_time_of_day), WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Schedule(_Part):
    """When files are fetched, by the clock."""

    cron: Cron = Field(description="Minute, hour, day of the month, month and day of the week, such as `0 6 * * 1-5`.")
    time_zone: TimeZone = Field(default="UTC", description="Time zone of these times, such as America/New_York.")


class Move(_Part):
    """Where a file is moved at its source."""

    move: str = Field(
        min_length=1, description="Folder beside the file, on the same server; it is made if it is not there."
    )

    @model_validator(mode="after")
    def _beside(self) -> Self:
        parts = self.move.split("/")
        if any(part in {"", ".", ".."} for part in parts) or "\0" in self.move:
            raise ValueError("`move` needs the name of a folder beside the files, such as fetched")
        return self


class Due(_Part):
    """By when a file must have come."""

    at: TimeOfDay | None = Field(
        default=None, description='Time of day by which one must have come since that time before, such as "09:00".'
    )
    days: list[Day] | None = Field(
        default=None, min_length=1, description="Days on which `at` holds: mon, tue and so on; unset: every day."
    )
    time_zone: TimeZone | None = Field(
        default=None, description="Time zone of `at`; unset: that of the schedule, or else UTC."
    )
    within: Duration | None = Field(default=None, description="How old the newest file may become, such as 26h or 8d.")
    missed: Literal["notice", "show"] = Field(
        default="notice",
        description="What happens when none has come: people are told by a notice, or it is only shown by `feeds`.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.at is None) == (self.within is None):
            raise ValueError("needs either `at`, a time of day, or `within`, an age")
        if self.at is None and (self.days is not None or self.time_zone is not None):
            raise ValueError("has `days` or `time_zone`, which say something of `at` only")
        return self


class Feed(_Part):
    """A place from which files are fetched again and again, and what is done with them."""

    title: str | None = Field(default=None, min_length=1, max_length=200, description="What it is, for people.")
    source: Annotated[str, AfterValidator(_source)] = Field(
        description="Where the files lie: a folder or files of this machine (relative to the home), "
        "s3://BUCKET/FOLDER/, sftp://HOST/FOLDER/ or https://HOST/FILE. The last name may have `*`, `?` and `[…]` for "
        "what changes in it. No login or password stands in it."
    )
    profile: str = Field(min_length=1, description="Profile that the files are planned with.")
    options: dict[str, Any] = Field(
        default={}, description="Options of the uploads, as in an options file of the inbox: `group: Spring`."
    )
    schedule: Schedule | None = Field(default=None, description="When files are fetched, by the clock.")
    every: Duration | None = Field(
        default=None,
        description="How often files are looked for, such as 15m. Neither `schedule` nor `every`: when somebody asks.",
    )
    after: Literal["leave", "delete"] | Move = Field(
        default="leave",
        description="What becomes of a file at its source once it is planned: `leave`, `delete`, or `move: FOLDER`. "
        "One that is refused stays.",
    )
    due: Due | None = Field(default=None, description="By when a file must have come; unset: at no time.")
    owner: str | None = Field(
        default=None,
        min_length=1,
        description="Login of who answers for it: the uploads are theirs, and need their role. Unset: of who runs it.",
    )
    notices: bool | list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]] = Field(
        default=True,
        description="Whether people are told when it breaks or a file does not come: by the rules of notices.yaml, not "
        "at all, or these targets of it. What becomes of its uploads is told by the rules.",
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.schedule is not None and self.every is not None:
            raise ValueError("has `schedule` and `every`; keep one of them")
        place = place_of(self.source)
        if place.scheme == "https" and self.after != "leave":
            raise ValueError("has an `after` that changes the source; over https nothing is changed")
        return self

    @property
    def due_time_zone(self) -> ZoneInfo:
        """The time zone of the time by which a file is due."""
        named = (self.due and self.due.time_zone) or (self.schedule and self.schedule.time_zone) or "UTC"
        return ZoneInfo(named)
