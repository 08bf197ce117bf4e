"""Finds and loads profiles: YAML files in this folder and in the user's own; a broken one does not hide the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.profiles.model import Profile
from contact_pipeline.profiles.problems import validated
from contact_pipeline.profiles.sound import find_unsound
from contact_pipeline.yaml_text import BrokenYaml, read_yaml

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
        raise cannot_be_used("Profile", file, problems)
    return profile


def cannot_be_used(what: str, file: Path, problems: Sequence[tuple[str, str]]) -> Refusal:
    """The refusal of a profile, with each key that cannot stand as it is and the reason."""
    found = "; ".join(str(BrokenProfile(file, key, reason)) for key, reason in problems)
    return Refusal(
        "profile-broken",
        f"{what} {found}" + ("" if found.endswith("?") else "."),
        f"Correct {file.name}.",
        file=file.name,
        details={"problems": [{"key": key, "message": reason} for key, reason in problems]},
    )


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
    profile, found = validated(content, Profile)
    if profile is None:
        return None, [(".".join(map(str, place)), reason) for place, reason in found]
    problems = list(find_unsound(profile))
    if profile.name != file.stem:
        problems.append(("name", f"is '{profile.name}', but the file is called {file.name}"))
    return profile, problems
