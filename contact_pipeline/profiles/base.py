"""Shared by the models of a profile: a base that refuses unknown keys, names of fields, checked delimiters."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


def _no_flag(value: object) -> object:
    if isinstance(value, bool):  # Python takes yes for 1
        raise ValueError(f"{'yes' if value else 'no'} is no number")  # noqa: TRY004 - Pydantic expects a ValueError
    return value


Whole = Annotated[int, BeforeValidator(_no_flag)]
Percent = Annotated[float, BeforeValidator(_no_flag)]

NAME = "name"  # in match rules: the full name, or first and last name put together


class Model(BaseModel):
    """A part of a profile. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def why_no_delimiter(given: str) -> str | None:
    """Why a text cannot be a delimiter; None: it can."""
    if len(given) == 1 and not given.isalnum() and given not in "\"'\r\n\0":
        return None
    return f"{given!r} does not part cells: use a comma, a semicolon, a tab or |"
