"""A profile described for people: its fields with their formats in words, its rules, and its options."""

from __future__ import annotations

from typing import Any

from contact_pipeline.kinds.words import in_words
from contact_pipeline.profiles import AnyOf, Column, InOrder, Profile, RequiredWhen, Same, Together, Unique
from contact_pipeline.profiles.options import UploadOptions, available
from contact_pipeline.profiles.rules import RowRule, required_when

HEADINGS = {
    "exact": "exactly these, in any order",
    "all": "all of these; others are ignored and listed",
    "mapped": "mapped to the fields, by name or by --map",
}
ON_ERROR = {
    "block": "any error blocks the whole upload",
    "reject": "rows with an error are rejected, the others go on",
    "note": "a value in error goes to the contact's notes; the row goes on",
}
MATCHED = {
    "update": "updates the contact",
    "ignore": "is a duplicate and ignored",
    "merge": "is merged into the contact",
    "create": "makes a new contact, linked to it",
}
WITHIN_FILE = {
    "first_wins": "the first row wins, later ones are duplicates",
    "last_wins": "the last row wins, earlier ones are duplicates",
    "reject_later": "the later rows are rejected",
    "merge": "the rows are merged",
}
APPLIED = {"automatic": "at once", "approval": "after approval"}
_LOCKED = {
    "update_existing": "Whether contacts that exist are updated.",
    "add_new": "Whether new contacts are added.",
}


def describe_profile(profile: Profile) -> dict[str, Any]:
    """The document of `profiles show`."""
    return {
        "name": profile.name,
        "title": profile.title,
        "description": profile.description,
        "address_book": profile.address_book,
        "target": profile.target,
        "file_types": list(profile.file.types),
        "headings": profile.headings,
        "region": profile.region,
        "fields": [_field(column, profile) for column in profile.columns],
        "rules": [_rule(rule) for rule in profile.rules],
        "match": [match_in_words(profile, number) for number in range(len(profile.match))],
        "matched": profile.matched,
        "within_file": profile.within_file,
        "blank": profile.blank,
        "on_error": profile.on_error,
        "apply": profile.apply,
        "approvals": profile.approvals,
        "finalize": profile.finalize,
        "lead_types": dict(profile.lead_types),
        "roles": profile.roles.model_dump() if profile.roles else None,
        "guards": profile.guards.model_dump(),
        "options": describe_options(profile),
    }


def profile_facts(profile: Profile) -> dict[str, str]:
    """What a profile does with a file, in words; empty facts are left out."""
    roles = profile.roles
    facts = {
        "address book": profile.address_book,
        "files": ", ".join(profile.file.types),
        "headings": HEADINGS[profile.headings],
        "every row needs": "; ".join(_rule(rule) for rule in profile.rules),
        "same person": "; else ".join(match_in_words(profile, number) for number in range(len(profile.match))),
        "a row that matches": MATCHED[profile.matched],
        "twice in the file": WITHIN_FILE[profile.within_file],
        "errors": ON_ERROR[profile.on_error],
        "applied": applied_in_words(profile) + (", held until finalized" if profile.finalize else ""),
        "lead types": ", ".join(f"{name} → {module}" for name, module in profile.lead_types.items()),
        "who": f"{' or '.join(roles.any_of)}{', with can_import' if roles.import_flag else ''}" if roles else "anybody",
    }
    return {name: value for name, value in facts.items() if value}


def applied_in_words(profile: Profile) -> str:
    """When planned uploads are applied."""
    return APPLIED[profile.apply] + (" by two people who did not send it" if profile.approvals > 1 else "")


def describe_options(profile: Profile) -> dict[str, dict[str, Any]]:
    """Option → its meaning, default, choices, and whether it is locked."""
    defaults = {"blank": profile.blank, "rule": profile.matched, "group": profile.group and profile.group.default}
    defaults["group_members"] = profile.group and profile.group.members
    choices: dict[str, list[str]] = {
        "blank": [*profile.options.blank],
        "rule": [*profile.options.rule],
        "group_members": ["created", "all"],
        "lists": ["add"] if profile.matched == "merge" else ["add", "replace"],
        "lead_type": [*profile.lead_types],
    }
    options = {
        name: {
            "means": UploadOptions.model_fields[name].description,
            "default": defaults.get(name),
            "choices": choices.get(name, []),
            "locked": False,
        }
        for name in available(profile)
    }
    for name, means in _LOCKED.items():
        value = getattr(profile.options, name) == "locked_on"
        options[name] = {"means": means, "default": value, "choices": [], "locked": True}
    return options


def format_in_words(column: Column, profile: Profile) -> str:
    """The format of a column's values, in words."""
    parts = [in_words(column, profile)]
    if column.letter:
        parts.append(f"in sheet column {column.letter}")
    if column.nothing:
        parts.append(f"'{column.nothing}' for none")
    if column.default:
        parts.append(f"blank means {column.default} for something new")
    if column.blank_means:
        parts.append(f"blank means {column.blank_means}")
    return "; ".join(part for part in parts if part)


def match_in_words(profile: Profile, number: int) -> str:
    """A match rule as a phrase: 'email', 'at least 2 of name, phone, email'."""
    rule = profile.match[number]
    words = f"at least {rule.at_least} of {', '.join(rule.of)}" if rule.of else " + ".join(rule.equal)
    if rule.narrow:
        words += f", narrowed by {' then '.join(step.field for step in rule.narrow)}"
    if rule.higher_differs != "same":
        words += f" (a differing earlier key: {rule.higher_differs.replace('another', 'another person')})"
    return words


def _field(column: Column, profile: Profile) -> dict[str, Any]:
    return {
        "field": column.field,
        "heading": column.heading,
        "headings": column.known_headings if profile.headings == "mapped" else column.own_headings,
        "required": column.required,
        "type": column.type,
        "format": format_in_words(column, profile),
        "choices": list(column.choices),
        "sensitive": column.sensitive,
    }


def _rule(rule: RowRule) -> str:
    match rule:
        case AnyOf():
            return rule.message
        case Same():
            return f"{rule.same[0]} is the same as {rule.same[1]}"
        case Together():
            return f"all of {', '.join(rule.together)}, or none"
        case RequiredWhen():
            return f"{rule.required} where {required_when(rule)}"
        case InOrder():
            return f"{rule.start} not after {rule.end}"
        case Unique():
            return f"{' + '.join(rule.unique)} once in the file"
        case _:
            raise TypeError(rule)
