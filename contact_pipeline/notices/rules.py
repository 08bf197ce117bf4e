"""`notices.yaml`: the targets by name, and the rules of notices. Addresses contain secrets and are kept elsewhere."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contact_pipeline.contracts.news import Event
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import find_profiles
from contact_pipeline.profiles.problems import Place, Problem, meant, validated
from contact_pipeline.settings import NOTICES, Settings
from contact_pipeline.visible import visible
from contact_pipeline.yaml_text import BrokenYaml, line_of, read_yaml

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
_LONGEST: Final = 10_000  # bytes of an address


class NoAddress(Exception):
    """Why a target cannot be reached from this process, in words that quote nothing of its address."""


class Target(BaseModel):
    """Where notices go, by the address of one recipient as the library Apprise writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = Field(default=None, min_length=1, description="The environment variable that holds the address.")
    file: str | None = Field(
        default=None,
        min_length=1,
        description="A file that holds the address and is its owner's alone; relative to the home.",
    )

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("needs either `env`, the variable that holds the address, or `file`")
        return self

    def address(self, home: Path) -> str:
        """The address, which is a secret.

        Raises:
            NoAddress: the variable or the file is missing, or others can read the file.
        """
        if self.env is not None:
            found = os.environ.get(self.env, "").strip()
            if not found:
                raise NoAddress(f"The environment variable {visible(self.env)} is not set here.")
            return found
        path = home / str(self.file)
        try:
            with path.open("rb") as opened:
                if os.fstat(opened.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise NoAddress(f"Others can use the file {visible(str(path))}: make it its owner's (chmod 600).")
                found = opened.read(_LONGEST).decode().strip()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise NoAddress(f"The file {visible(str(path))} cannot be read.") from error
        if not found:
            raise NoAddress(f"The file {visible(str(path))} is empty.")
        return found


class Rule(BaseModel):
    """Which targets get notices of which events. All its conditions must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: list[Name] = Field(min_length=1, description="Names of targets.")
    on: list[Event] = Field(min_length=1, description="What they are told of; `applied` includes `held`.")
    profiles: list[str] | None = Field(
        default=None, min_length=1, description="Profiles of the uploads; unset: all of them."
    )
    users: list[str] | None = Field(
        default=None, min_length=1, description="Logins of those who sent the file; unset: everybody."
    )

    def tells(self, event: str, profile: str, user: str | None) -> bool:
        """Whether the rule applies to an event of an upload with that profile and of that user."""
        return (
            (event in self.on or (event == "held" and "applied" in self.on))
            and (self.profiles is None or profile in self.profiles)
            and (self.users is None or (user or "").casefold() in {login.casefold() for login in self.users})
        )


class Rules(BaseModel):
    """The content of `notices.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    targets: dict[Name, Target] = Field(min_length=1, description="Targets by name.")
    notices: list[Rule] = Field(description="Who is told of what; a target is told once, by however many rules.")

    def targets_for(self, event: str, profile: str, user: str | None) -> list[str]:
        """The targets that get a notice of an event, each once."""
        found = [name for rule in self.notices if rule.tells(event, profile, user) for name in rule.to]
        return [name for name in dict.fromkeys(found) if name in self.targets]


def read_rules(settings: Settings) -> Rules:
    """The rules of the home's `notices.yaml`.

    Raises:
        Refusal: there is no such file (code `notices-missing`), or it cannot be used (`notices-broken`); all wrong keys
            and values are listed.
    """
    path = settings.notices_path
    if not path.exists():
        raise Refusal(
            "notices-missing",
            f"There is no {path}: nobody is told of anything.",
            "The guide has an example (Send notices).",
        )
    rules, problems = _find_problems(path)
    if rules is None:
        raise _broken(problems)
    return rules


def check_rules(rules: Rules, settings: Settings, unreachable: Mapping[str, str]) -> None:
    """Tests that the profiles of the rules exist, and that this process can reach the targets.

    Args:
        rules: of the home.
        settings: of the home.
        unreachable: targets that cannot be reached → why.

    Raises:
        Refusal: a test fails (code `notices-broken`); all problems are listed.
    """
    text = settings.notices_path.read_text(encoding="utf-8")
    found = [(("targets", target), why) for target, why in unreachable.items()]
    problems = [_problem(text, place, message) for place, message in (*found, *_unknown_profiles(rules, settings))]
    if problems:
        raise _broken(problems, f"Correct {NOTICES}, or put the address where it says.")


def _broken(problems: list[Problem], fix: str = f"Correct {NOTICES}.") -> Refusal:
    found = "; ".join(map(str, problems))
    return Refusal(
        "notices-broken",
        f"{NOTICES}, {found}" + ("" if found.endswith(("?", ".")) else "."),
        fix,
        file=NOTICES,
        details={"problems": [each.as_dict() for each in problems]},
    )


def _find_problems(path: Path) -> tuple[Rules | None, list[Problem]]:
    try:
        text = path.read_text(encoding="utf-8")
        content = read_yaml(text)
    except BrokenYaml as error:
        return None, [Problem(error.line, "", f"not readable as YAML: {error.problem}")]
    except (OSError, UnicodeDecodeError):
        return None, [Problem(None, "", "it cannot be read as UTF-8 text")]
    if not isinstance(content, dict):
        return None, [Problem(None, "", "it holds no keys; `targets` and `notices` are expected")]
    rules, found = validated(_with_on(content), Rules, quoting=False)
    problems = [_problem(text, place, reason) for place, reason in found]
    if rules is not None:
        problems += [_problem(text, place, reason) for place, reason in _unknown_targets(rules)]
    return (None if problems else rules), problems


def _with_on(content: dict[Any, Any]) -> dict[Any, Any]:
    """The content with the key `on` as text: YAML reads this word as a truth value."""
    rules = content.get("notices")
    if not isinstance(rules, list):
        return content
    meant_as = [
        {"on" if key is True else key: value for key, value in rule.items()} if isinstance(rule, dict) else rule
        for rule in rules
    ]
    return content | {"notices": meant_as}


def _unknown_targets(rules: Rules) -> Iterator[tuple[Place, str]]:
    for number, rule in enumerate(rules.notices):
        for place, name in enumerate(rule.to):
            if name not in rules.targets:
                hint = meant(name, rules.targets) or f"targets: {', '.join(rules.targets)}"
                yield ("notices", number, "to", place), f"'{name}' is no target here; {hint}"


def _unknown_profiles(rules: Rules, settings: Settings) -> Iterator[tuple[Place, str]]:
    known, _ = find_profiles(settings.profiles_path)
    for number, rule in enumerate(rules.notices):
        for place, name in enumerate(rule.profiles or ()):
            if name not in known:
                hint = meant(name, known) or "`contact-pipeline profiles` lists them"
                yield ("notices", number, "profiles", place), f"there is no profile '{visible(name)}'; {hint}"


def _problem(text: str, place: Place, reason: str) -> Problem:
    """A problem at a place of the file; a key that could be an address is not shown."""
    shown = [str(part) if re.fullmatch(r"[\w-]{1,40}|\[key\]", str(part)) else "…" for part in place]
    return Problem(line_of(text, place), ".".join(part for part in shown if part != "[key]"), reason)
