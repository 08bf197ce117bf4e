"""Maps the columns of a file to the fields of a profile. Unfit headings are refused, each one named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Final

from rapidfuzz import fuzz, process

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.headings.naming import labels, shown
from contact_pipeline.headings.recognize import means, places_of, recognize, suggest
from contact_pipeline.headings.synonyms import folded
from contact_pipeline.headings.witness import CONTENTS, FAINT, Content
from contact_pipeline.masking import mask_heading
from contact_pipeline.profiles import NAME, AnyOf, Column, Profile
from contact_pipeline.terms import CONSENT

_REASONS: Final = "errors"  # the last heading of rejected rows that were given back to be corrected
_TITLES: Final = {"title", "titel", "titre", "titulo", "titolo", "tytul", "titul", "unvan"}  # of a job, or of a person
_WISH_IGNORED: Final = (
    "People who do not want to be contacted could be imported as if they did. To respect their wish, map a column that "
    f"says yes for them to {CONSENT}, in a profile with this field."
)
_NEAR: Final = 60  # of 100: less like headings are no hint


@dataclass(frozen=True)
class Mapping:
    """The field of each column of a file.

    Attributes:
        fields: raw column name → field, in the order of the file; the columns of one field in order of preference.
        ignored: headings that fill no field, in the order of the file.
        suggestions: ignored heading → field for which it might be meant; somebody has to confirm it.
        wishes: ignored headings about who may be contacted.
        places: raw column → place (home, work …) of the parts of addresses, where there are several; the preferred
            places first.
    """

    fields: dict[str, str]
    ignored: list[str]
    suggestions: dict[str, str] = attribute(default_factory=dict)
    wishes: list[str] = attribute(default_factory=list)
    places: dict[str, str] = attribute(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """The suggestions, and the ignored headings about wishes, in sentences."""
        return [
            f"Heading '{heading}' is ignored; it seems to say who may be contacted. {_WISH_IGNORED}"
            for heading in self.wishes
        ] + [
            f"Heading '{heading}' is ignored; it may be meant for {field}. If so, map it: \"{heading}={field}\"."
            for heading, field in self.suggestions.items()
        ]


def map_headings(
    headings: list[str],
    columns: list[str],
    profile: Profile,
    chosen: dict[str, str] | None = None,
    *,
    file: str | None = None,
    holds: dict[str, Content] | None = None,
) -> Mapping:
    """Maps a file's headings to the profile's fields, by the profile's rule for headings.

    Args:
        headings: the headings as in the file, in order.
        columns: the raw rows' column for each heading.
        profile: the profile.
        chosen: heading → field, as a person decided; only for profiles with mapped headings.
        file: the file's name, for messages.
        holds: raw column → what its cells look like, from `what_columns_hold`.

    Raises:
        Refusal: none of the headings is known (`headings-unknown`), they are not those of the profile (`headings`), or
            what it needs cannot be mapped (`mapping`).
    """
    suggestions: dict[int, str] = {}
    if profile.headings == "mapped":
        contents = {n: holds[column] for n, column in enumerate(columns) if holds and column in holds}
        fields = _propose(headings, profile, chosen or {}, file, contents)
        free = [n for n, heading in enumerate(headings) if n not in fields and heading.strip()]
        suggestions = suggest(headings, free, profile, set(fields.values()), contents)
        if not fields:
            raise _none_known(headings, profile, file, suggestions)
        _must_suffice(headings, fields, profile, file, suggestions, contents)
    else:
        if chosen:
            raise Refusal(
                "mapping",
                f"Columns of {profile.title} are not mapped: its headings are fixed.",
                "Leave the mapping out.",
                file=file,
            )
        fields = _find_fixed(headings, profile, file)
    names, places = labels(headings), places_of(headings, fields)
    foremost = {field: min(n for n in fields if fields[n] == field) for field in fields.values()}
    return Mapping(
        fields={columns[n]: fields[n] for n in sorted(fields, key=lambda n: foremost[fields[n]])},
        ignored=[name for n, name in enumerate(names) if n not in fields and name.strip()],
        suggestions={names[n]: field for n, field in suggestions.items()},
        wishes=_wishes([(name, headings[n]) for n, name in enumerate(names) if n not in fields]),
        places={columns[n]: place for n, place in places.items()} if len(set(places.values())) > 1 else {},
    )


def _wishes(ignored: list[tuple[str, str]]) -> list[str]:
    return [name for name, heading in ignored if means(heading, CONSENT) or means(heading, "may_contact")]


def _find_fixed(headings: list[str], profile: Profile, file: str | None) -> dict[int, str]:
    """Position → field, for a profile with fixed headings."""
    keys = [_spaced(heading) for heading in headings]
    names = {_spaced(name): (name, column) for column in profile.columns for name in column.own_headings}
    expected = {key: column for key, (_, column) in names.items()}
    if not expected.keys() & {*keys}:
        raise _none_known(headings, profile, file)
    missing = [name for key, (name, _) in names.items() if key not in keys]
    extra = [n for n, key in enumerate(keys) if key not in expected and (key, n) != (_REASONS, len(keys) - 1)]
    named = [headings[n] for n in extra if headings[n].strip()]
    one_renamed = profile.headings == "exact" and len(missing) == len(named) == 1
    problems = [_missing(heading, named, renamed=one_renamed) for heading in missing]
    problems += [_twice(name, keys) for key, (name, _) in names.items() if keys.count(key) > 1]
    if profile.headings == "exact":
        problems += [_extra(headings[n], n, missing, renamed=one_renamed) for n in extra]
        problems += [
            _misplaced(c, keys.index(_spaced(c.heading))) for c in profile.columns if _spaced(c.heading) in keys
        ]
    problems = [problem for problem in problems if problem]
    if problems:
        raise Refusal(
            "headings",
            f"The headings of {file or 'the file'} are not those of {profile.title}: {'; '.join(problems)}.",
            f"Use the template's headings: {listed((name for name, _ in names.values()), limit=30)}.",
            file=file,
            details={"missing": missing, "extra": [headings[n] for n in extra]},
        )
    return {keys.index(key): column.field for key, column in expected.items()}


def _none_known(
    headings: list[str], profile: Profile, file: str | None, suggestions: dict[int, str] | None = None
) -> Refusal:
    """The refusal of a file without a known heading: another kind of file, another language, or no headings."""
    found = [mask_heading(heading) for heading in headings if heading.strip()]
    names = [name for column in profile.columns for name in column.own_headings]
    meant = {headings[n]: field for n, field in (suggestions or {}).items()}
    seems = listed(f"{shown([heading])} may be {field}" for heading, field in meant.items())
    one = next(iter(meant.items()), (found[0] if found else "Heading", profile.columns[0].field))
    way = f"use those of {profile.title}"
    if profile.headings == "mapped":
        way = f'map its headings, such as --map "{shown(one[:1])[1:-1]}={one[1]}"'
    return Refusal(
        "headings-unknown",
        f"No heading of {file or 'the file'} is known to {profile.title}. It has {shown(found)}; known are "
        f"{shown(names, limit=30)}." + (f" By spelling or cells, {seems}." if seems else ""),
        f"If its first row holds values, write headings above it; if headings stand further down, remove what is above "
        f"them; else {way}.",
        file=file,
        details={"known": names, "headings": found},
    )


def _missing(heading: str, extra: list[str], *, renamed: bool) -> str:
    near = extra[0] if renamed else nearest([heading], extra)
    return f"'{heading}' is missing" + (f" (is '{near}' meant to be it?)" if near else "")


def _twice(heading: str, keys: list[str]) -> str:
    letters = [_letter(n) for n, key in enumerate(keys) if key == _spaced(heading)]
    return f"'{heading}' stands in columns {' and '.join(letters)}"


def _extra(heading: str, position: int, missing: list[str], *, renamed: bool) -> str:
    if not heading.strip():
        return f"column {_letter(position)} has no heading"
    near = missing[0] if renamed else nearest([heading], missing)
    return f"'{heading}' (column {_letter(position)}) is not expected" + (f"; the nearest is '{near}'" if near else "")


def _misplaced(column: Column, position: int) -> str:
    if column.letter is None or column.letter == _letter(position):
        return ""
    return f"'{column.heading}' must stand in column {column.letter}, not {_letter(position)}"


def _propose(
    headings: list[str], profile: Profile, chosen: dict[str, str], file: str | None, contents: dict[int, Content]
) -> dict[int, str]:
    """Position → field: first the chosen ones, then those that headings mean and cells do not contradict."""
    fields = _chosen(headings, chosen, file)
    _must_be_fields(fields.values(), profile, file)
    denied = {
        (n, column.field) for n, content in contents.items() for column in profile.columns if _denies(content, column)
    }
    fields |= recognize(headings, profile, fields, denied)
    if "honorific" in profile.column_of and "honorific" not in fields.values():
        titles = [n for n, content in contents.items() if content == "honorific" and folded(headings[n]) in _TITLES]
        fields |= {n: "honorific" for n in titles[:1] if n not in fields}
    return fields


def columns_under(wanted: str, headings: Sequence[str]) -> list[int]:
    """The positions of all columns with a heading, or of one by its number (`Phone#2`); empty if there is none."""
    for fold in (str, _spaced):
        for names in (headings, labels(headings)):
            if found := [n for n, name in enumerate(names) if fold(name) == fold(wanted)]:
                return found
    return []


def lacking(profile: Profile, mapped: set[str]) -> list[str]:
    """What the profile needs and no row could have if only these fields are mapped, in words."""
    needs = [column.heading for column in profile.columns if column.required and column.field not in mapped]
    return needs + [rule.message for rule in profile.rules if isinstance(rule, AnyOf) and not _can_be_met(rule, mapped)]


def _chosen(headings: list[str], chosen: dict[str, str], file: str | None) -> dict[int, str]:
    """Position → field, in the order chosen. A repeated heading means its columns that are not named by number."""
    found = {heading: _find_heading(heading, headings, file) for heading in chosen}
    numbered = {positions[0] for positions in found.values() if len(positions) == 1}
    return {
        position: chosen[heading]
        for heading, positions in found.items()
        for position in positions
        if len(positions) == 1 or position not in numbered
    }


def _denies(content: Content, column: Column) -> bool:
    """Whether cells that look like this contradict a heading of the column."""
    if content in FAINT:
        return False
    if content == "honorific":
        return column.field == "job_title"
    return column.type in {"name", "text"}  # texts and names are no e-mail addresses and no telephone numbers


def _find_heading(wanted: str, headings: list[str], file: str | None) -> list[int]:
    """The columns of a heading, or the one with a number (`Phone#2`); refuses a heading that the file lacks."""
    if found := columns_under(wanted, headings):
        return found
    near = nearest([wanted], headings)
    raise Refusal(
        "mapping",
        f"'{wanted}' is not a heading of {file or 'the file'}." + (f" Did you mean '{near}'?" if near else ""),
        f"Its headings: {listed(labels(headings), limit=30)}.",
        file=file,
    )


def _must_be_fields(fields: Iterable[str], profile: Profile, file: str | None) -> None:
    for field in fields:
        if field not in profile.column_of:
            near = nearest([field], list(profile.column_of))
            raise Refusal(
                "mapping",
                f"'{field}' is not a field of {profile.title}." + (f" Did you mean '{near}'?" if near else ""),
                f"Its fields: {listed(profile.column_of, limit=30)}.",
                file=file,
            )


def _must_suffice(
    headings: list[str],
    fields: dict[int, str],
    profile: Profile,
    file: str | None,
    suggestions: dict[int, str],
    contents: dict[int, Content],
) -> None:
    """Refuses a mapping under which no row could ever be complete."""
    mapped = set(fields.values())
    missing = [column.field for column in profile.columns if column.required and column.field not in mapped]
    needs = [f"{profile.column_of[field].heading}" for field in missing]
    for rule in profile.rules:
        if isinstance(rule, AnyOf) and not _can_be_met(rule, mapped):
            missing += [field for field in _unmapped(rule, mapped, profile) if field not in missing]
            needs.append(rule.message)
    if not missing:
        return
    free = [heading for n, heading in enumerate(headings) if n not in fields and heading.strip()]
    suggested = {field: headings[n] for n, field in suggestions.items()}
    hints = {field: suggested.get(field) or nearest(_names(profile.column_of[field]), free) for field in missing}
    starred = [f"{field}*" + (f" (nearest heading: '{near}')" if near else "") for field, near in hints.items()]
    contents_in_words = [
        f"'{headings[n]}' holds {CONTENTS[content]}" for n, content in contents.items() if n in suggestions
    ]
    example = next((f"{near}={field}" for field, near in hints.items() if near), f"Heading={missing[0]}")
    raise Refusal(
        "mapping",
        f"{file or 'The file'} needs {listed(needs)}. Not mapped: {', '.join(starred)}."
        + (f" {listed(contents_in_words)}." if contents_in_words else ""),
        f'Map a heading to each field that is needed, such as "{example}".'
        + (f" Headings that are free: {listed(free, limit=30)}." if free else ""),
        file=file,
        details={"missing": missing, "free": free},
    )


def _can_be_met(rule: AnyOf, mapped: set[str]) -> bool:
    if rule.when_any and not mapped.intersection(rule.when_any):
        return True
    return any(all(_is_mapped(field, mapped) for field in group) for group in rule.any_of)


def _is_mapped(field: str, mapped: set[str]) -> bool:
    if field == NAME:
        return "full_name" in mapped or {"first_name", "last_name"} <= mapped
    return field in mapped


def _unmapped(rule: AnyOf, mapped: set[str], profile: Profile) -> list[str]:
    """The unmapped fields of the sets that lack the fewest, with the parts of a name spelled out."""
    groups = [[field for field in group if not _is_mapped(field, mapped)] for group in rule.any_of]
    fewest = min(len(group) for group in groups)
    lacking: dict[str, None] = {}
    for field in (field for group in groups if len(group) == fewest for field in group):
        parts = ["full_name", "first_name", "last_name"] if field == NAME else [field]
        lacking.update(dict.fromkeys(part for part in parts if part in profile.column_of and part not in mapped))
    return list(lacking)


def _names(column: Column) -> list[str]:
    return column.known_headings


def nearest(names: Sequence[str], among: list[str]) -> str | None:
    """The one of `among` that is most like any of the names; None if none is like enough."""
    found = [
        process.extractOne(name, among, scorer=fuzz.WRatio, processor=folded, score_cutoff=_NEAR) for name in names
    ]
    best = max((match for match in found if match), key=lambda match: match[1], default=None)
    return best[0] if best else None


def _spaced(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def _letter(position: int) -> str:
    """The letter of a sheet's column, from its position from 0: A, Z, AA."""
    letters = ""
    number = position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
