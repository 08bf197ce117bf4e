"""Finds and loads profiles: YAML files in this folder and in the user's own. A broken file does not hide others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.profiles.as_meant import as_meant
from contact_pipeline.profiles.contradictions import find_in_column, find_in_profile
from contact_pipeline.profiles.model import LENIENT, Profile
from contact_pipeline.profiles.problems import (
    Place,
    Problem,
    cannot_be_used,
    placed,
    read_file,
    validated,
    yaml_files,
)
from contact_pipeline.profiles.sound import find_unsound

SHIPPED = Path(__file__).parent
_OF_OTHERS: Final = {
    "field",
    "heading",
    "headings",
    "type",
    "kind",
}  # keys of columns that other keys are compared with


@dataclass(frozen=True, slots=True)
class BrokenProfile:
    """A profile file that cannot be used, with the first reason."""

    file: Path
    problem: Problem

    def __str__(self) -> str:
        return f"{self.file.name}, {self.problem}"


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


def profile_names(own: Path | None = None) -> list[str]:
    """The names of all profiles, without reading any: that takes a while."""
    return sorted({file.stem for file in _files(own)})


def _files(own: Path | None) -> list[Path]:
    """The files of profiles, a user's own after the shipped ones."""
    folders = [folder for folder in (SHIPPED, own) if folder is not None and folder.is_dir()]
    return [file for folder in folders for file in yaml_files(folder)]


def check_profile(file: Path) -> Profile:
    """The profile in a file, in any folder.

    Raises:
        Refusal: it cannot be used (code `profile-broken`); all its problems are listed.
    """
    profile, problems = _find_problems(file)
    if problems or profile is None:
        raise cannot_be_used("Profile", file, problems)
    return profile


@cache
def _read(file: Path, changed: int) -> Profile | BrokenProfile:  # noqa: ARG001 - the time is part of the cache key
    profile, problems = _find_problems(file)
    if problems or profile is None:
        return BrokenProfile(file, problems[0])
    return profile


def _find_problems(file: Path) -> tuple[Profile | None, list[Problem]]:
    """The profile in a file, or all its problems."""
    text, content, problems = read_file(file, "a profile")
    if not isinstance(content, dict):
        return None, problems
    profile, found = validated(content, Profile, LENIENT)
    judged, unsure = (profile, []) if profile else as_meant(content, Profile, LENIENT)
    if judged is not None:
        found += [each for each in _find_beyond_keys(judged, file) if not _hangs_on(each[0], unsure)]
    problems += placed(text, found)
    return profile, sorted(problems, key=lambda problem: problem.line or 0)


def _find_beyond_keys(profile: Profile, file: Path) -> Iterator[tuple[Place, str]]:
    """Problems of a profile whose keys and words are all known."""
    for number, column in enumerate(profile.columns):
        for place, reason in find_in_column(column):
            yield ("columns", number, *place), reason
    yield from find_in_profile(profile)
    yield from find_unsound(profile)
    if profile.name != file.stem:
        yield ("name",), f"is '{profile.name}', but the file is called {file.name}"


def _hangs_on(place: Place, unsure: Sequence[Place]) -> bool:
    """Whether a problem at a place may come from places whose values are made up."""
    return any(
        each[: len(place)] == place
        or place[: len(each)] == each
        or (each[0] == "columns" and each[-1] in _OF_OTHERS)
        or (each[0] == place[0] and each[0] in {"match", "rules", "options", "account_contacts"})
        for each in unsure
    )
