"""What is wrong with a YAML file that people wrote: every problem at once, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from contact_pipeline.errors import listed

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]
Described = TypeVar("Described", bound=BaseModel)


def validated(content: object, model: type[Described]) -> tuple[Described | None, list[tuple[Place, str]]]:
    """What a model makes of the content of a file; or each place that cannot stand as it is, and the reason."""
    try:
        return model.model_validate(content), []
    except ValidationError as error:
        found = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        return None, [(each["loc"], _in_words(each, model)) for each in found]


def _in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The reason, with what was probably meant, and how to write what YAML does not take for a text."""
    given = error["input"]
    if error["type"] == "extra_forbidden":
        *place, key = error["loc"]
        known = _keys_at(place, model)
        return f"is no key that is known here; {meant(key, known) or f'keys: {listed(known)}'}"
    if error["type"] in {"string_type", "literal_error"} and not isinstance(given, str | list | dict):
        return f"{_unquoted(given)} Put it in quotes"
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "literal_error":
        hint = meant(given, re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected"))))
        return f"'{given}' is not known here; {hint}" if hint else reason
    return reason


def meant(given: object, known: Iterable[str]) -> str:
    """A question that names what was probably meant; nothing where none of the known words is near."""
    near = get_close_matches(str(given).casefold(), [*known], n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def _keys_at(place: list[str | int], model: type[BaseModel]) -> list[str]:
    """The keys that may stand at a place of what the model describes."""
    models: list[type[BaseModel]] = [model]
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
