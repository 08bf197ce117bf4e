"""Finds export profiles: the import profiles, files in the home's `export_profiles/`, and two that are built in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.exports.layout import Layout, built_in_layouts, known_fields, layout_of_import, layout_of_own
from contact_pipeline.exports.model import ExportProfile
from contact_pipeline.profiles import BrokenProfile, Profile, find_profiles
from contact_pipeline.profiles.as_meant import as_meant
from contact_pipeline.profiles.base import Name
from contact_pipeline.profiles.problems import (
    Place,
    Problem,
    cannot_be_used,
    meant,
    placed,
    read_file,
    validated,
    yaml_files,
)
from contact_pipeline.settings import Settings

_LISTING = "`contact-pipeline export-profiles` lists them."


def find_export_profiles(settings: Settings) -> tuple[dict[str, Layout], list[BrokenProfile]]:
    """Every export profile that can be used, by name, and the files that cannot."""
    profiles, broken = find_profiles(settings.profiles_path)
    found = {**built_in_layouts(profiles.values()), **{name: layout_of_import(each) for name, each in profiles.items()}}
    for file in _files(settings):
        layout, problems = _read(file, profiles.values(), profiles.keys())
        if layout is None:
            broken.append(BrokenProfile(file, problems[0]))
        else:
            found[file.stem] = layout
    return dict(sorted(found.items())), broken


def find_export_profile(name: str, settings: Settings) -> Layout:
    """The export profile of that name.

    Raises:
        Refusal: there is no such profile (code `profile-unknown`), or its file cannot be used (`profile-broken`).
    """
    found, broken = find_export_profiles(settings)
    for problem in broken:
        if problem.file.stem == name:
            raise Refusal(
                "profile-broken", f"Export profile {problem}.", f"Correct {problem.file.name}.", file=problem.file.name
            )
    if name not in found:
        near = get_close_matches(name, found, n=1)
        hint = f"Did you mean {near[0]}?" if near else _LISTING
        raise Refusal(
            "profile-unknown", f"There is no export profile '{name}'.", f"Export profiles: {listed(found, 20)}. {hint}"
        )
    return found[name]


def check_export_profile(file: Path, settings: Settings) -> Layout:
    """The export profile in a file, in the home or elsewhere.

    Raises:
        Refusal: it cannot be used (code `profile-broken`); all problems are listed, each with its line.
    """
    profiles, _ = find_profiles(settings.profiles_path)
    layout, problems = _read(file, profiles.values(), profiles.keys())
    if layout is None:
        raise cannot_be_used("Export profile", file, problems)
    return layout


def _files(settings: Settings) -> list[Path]:
    folder = settings.export_profiles_path
    return yaml_files(folder) if folder.is_dir() else []


def _read(file: Path, profiles: Collection[Profile], taken: Collection[str]) -> tuple[Layout | None, list[Problem]]:
    """The export profile in a file, or all its problems."""
    text, content, problems = read_file(file, "an export profile")
    if not isinstance(content, dict):
        return None, problems
    own, found = validated(content, ExportProfile)
    judged = own or as_meant(content, ExportProfile)[0]
    found += _wrong_name(file.stem, taken)
    if judged is not None:
        found += _unknown_fields(judged, profiles)
    problems += placed(text, found)
    if problems or own is None:
        return None, problems
    return layout_of_own(file.stem, own, profiles), []


def _wrong_name(name: str, taken: Collection[str]) -> Iterator[tuple[Place, str]]:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        yield (), f"'{name}' is no name: call the file by small letters, digits and underscores"
    if name in taken:
        yield (), f"'{name}' is the name of an import profile, which exports its own file: choose another"


def _unknown_fields(own: ExportProfile, profiles: Iterable[Profile]) -> Iterator[tuple[Place, str]]:
    """The fields that contacts or accounts do not have."""
    known = known_fields(own.of, profiles)
    named: list[tuple[Place, str]] = [
        *((("columns", number, "field"), column.field) for number, column in enumerate(own.columns)),
        *((("filter", "where", number, "field"), each.field) for number, each in enumerate(own.filter.where)),
        *((("order", number), field.removeprefix("-")) for number, field in enumerate(own.order)),
    ]
    for place, field in named:
        if field not in known:
            yield place, f"'{field}' is no field of {own.of}; {meant(field, known) or f'fields: {listed(known, 40)}'}"
