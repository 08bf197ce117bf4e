"""Finds and loads profiles: YAML files in this folder and in the user's own; a broken one does not hide the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.profiles.model import Profile
from contact_pipeline.profiles.sound import find_unsound
from contact_pipeline.yaml_text import BrokenYaml, read_yaml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SHIPPED = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class BrokenProfile:
    """A profile file that cannot be used, with the key and the reason."""

    file: Path
    key: str
    reason: str

    def __str__(self) -> str:
        at = f", at {self.key}" if self.key else ""
        return f"{self.file.name}{at}: {self.reason}"


def find_profiles(own: Path | None = None) -> tuple[dict[str, Profile], list[BrokenProfile]]:
    """Every usable profile by name, a user's own before a shipped one of the same name, and the broken files."""
    found: dict[str, Profile] = {}
    broken: list[BrokenProfile] = []
    for file in _files(own):
        profile = _read(file, file.stat().st_mtime_ns)
        if isinstance(profile, Profile):
            found[profile.name] = profile
        else:
            broken.append(profile)
    return dict(sorted(found.items())), broken


def load_profile(name: str, own: Path | None = None) -> Profile:
    """The profile of that name.

    Raises:
        Refusal: there is none (code `profile-unknown`), or its file cannot be used (`profile-broken`).
    """
    found: Profile | None = None
    for file in _files(own):
        if file.stem == name:
            profile = _read(file, file.stat().st_mtime_ns)
            if isinstance(profile, BrokenProfile):
                raise Refusal("profile-broken", f"Profile {profile}.", f"Correct {file.name}.", file=file.name)
            found = profile
    if found is None:
        from rapidfuzz import process  # only a wrong name needs it

        others, _ = find_profiles(own)
        near = process.extractOne(name, list(others), score_cutoff=60)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise Refusal("profile-unknown", f"There is no profile '{name}'.", f"Profiles: {listed(others)}.{hint}")
    return found


def _files(own: Path | None) -> list[Path]:
    """The files of profiles, a user's own after the shipped ones."""
    folders = [folder for folder in (SHIPPED, own) if folder is not None and folder.is_dir()]
    return [file for folder in folders for file in sorted(folder.glob("*.yaml"))]


def check_profile(file: Path) -> Profile:
    """The profile in a file, wherever it lies.

    Raises:
        Refusal: it cannot be used (code `profile-broken`); all that is wrong with it is listed.
    """
    profile, problems = _find_problems(file)
    if problems or profile is None:
        found = "; ".join(str(BrokenProfile(file, key, reason)) for key, reason in problems)
        raise Refusal(
            "profile-broken",
            f"Profile {found}" + ("" if found.endswith("?") else "."),
            f"Correct {file.name}.",
            file=file.name,
            details={"problems": [{"key": key, "message": reason} for key, reason in problems]},
        )
    return profile


@cache
def _read(file: Path, changed: int) -> Profile | BrokenProfile:  # noqa: ARG001 - the time is part of the cache key
    profile, problems = _find_problems(file)
    if problems or profile is None:
        return BrokenProfile(file, *problems[0])
    return profile


def _find_problems(file: Path) -> tuple[Profile | None, list[tuple[str, str]]]:
    """The profile in a file, or each key that cannot stand as it is, and the reason."""
    try:
        content = read_yaml(file.read_text(encoding="utf-8"))
    except BrokenYaml as error:
        return None, [(f"line {error.line}" if error.line else "", f"not readable as YAML: {error.problem}")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [("", f"not readable: {error}")]
    if not isinstance(content, dict):
        return None, [("", "holds no keys; a profile is a mapping of keys to values")]
    try:
        profile = Profile.model_validate(content)
    except ValidationError as error:
        found = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        return None, [(".".join(map(str, each["loc"])), _in_words(each)) for each in found]
    problems = list(find_unsound(profile))
    if profile.name != file.stem:
        problems.append(("name", f"is '{profile.name}', but the file is called {file.name}"))
    return profile, problems


def _in_words(error: ErrorDetails) -> str:
    """The reason, with what was probably meant, and how to write what YAML does not take for a text."""
    given = error["input"]
    if error["type"] == "extra_forbidden":
        *place, key = error["loc"]
        known = _keys_at(place)
        return f"is no key that is known here; {_meant(key, known) or f'keys: {listed(known)}'}"
    if error["type"] in {"string_type", "literal_error"} and not isinstance(given, str | list | dict):
        return f"{_unquoted(given)} Put it in quotes"
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "literal_error":
        hint = _meant(given, re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected"))))
        return f"'{given}' is not known here; {hint}" if hint else reason
    return reason


def _meant(given: object, known: list[str]) -> str:
    near = get_close_matches(str(given).casefold(), known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def _keys_at(place: list[str | int]) -> list[str]:
    """The keys that may stand at a place of a profile."""
    models: list[type[BaseModel]] = [Profile]
    for part in (str(part) for part in place):
        having = [model for model in models if part in model.model_fields]
        models = (
            [inner for model in having for inner in _models_in(model.model_fields[part].annotation)] or having or models
        )
    return list(dict.fromkeys(key for model in models for key in model.model_fields))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models of which a field's value consists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _unquoted(given: object) -> str:
    if isinstance(given, bool):
        words = "Yes, On and True" if given else "No, Off and False"
        return f"{words} without quotes are the truth value {str(given).lower()} in YAML, not a text."
    if given is None:
        return "null, ~ and nothing at all are no text in YAML."
    kind = "date" if isinstance(given, date) else "number"
    return f"{given} without quotes is a {kind} in YAML, not a text."
