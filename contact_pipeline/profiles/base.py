"""What the models of a profile are made of: a base that refuses unknown keys, and names of fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]

NAME = "name"  # in match rules: the full name, or first and last name put together


class Model(BaseModel):
    """A part of a profile; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
