"""Lists every problem of a YAML file that people wrote, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.visible import visible
from contact_pipeline.yaml_text import BrokenYaml, line_of, read_yaml_and_repeated

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]
Described = TypeVar("Described", bound=BaseModel)

_LONGEST: Final = 60  # characters of a wrong word that are quoted
_PATTERNS: Final = {
    "^[A-Z]{2}$": "two capital letters, such as US",
    "^[A-Z]$": "one capital letter, such as B",
    "^[a-z][a-z0-9_]*$": "small letters, digits and underscores, a letter first",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a file.

    Attributes:
        line: its line; None: it has no single place.
        key: path to it: keys of mappings and numbers in lists, between dots.
        message: the reason.
    """

    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        at = f"line {self.line}" if self.line else ""
        where = ", ".join(part for part in (at, self.key) if part)
        return f"{where}: {self.message}" if where else self.message

    def as_dict(self) -> dict[str, object]:
        """The problem as the command line's JSON holds it."""
        return {"line": self.line, "key": self.key, "message": self.message}


def yaml_files(folder: Path) -> list[Path]:
    """The files of a folder that describe something, by name. `read_file` says of NAME.yml how to name it."""
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def read_file(file: Path, what: str) -> tuple[str, object, list[Problem]]:
    """The text of a YAML file, its content, and problems: why it cannot be read, or which keys it has twice.

    Args:
        file: its path.
        what: its kind, in words: 'a profile'.
    """
    try:
        text = file.read_text(encoding="utf-8")
        found = read_yaml_and_repeated(text)
    except BrokenYaml as error:
        at = f" (column {error.column})" if error.column else ""
        return "", None, [Problem(error.line, "", f"not readable as YAML: {error.problem}{at}")]
    except (OSError, UnicodeDecodeError) as error:
        return "", None, [Problem(None, "", f"not readable: {error}")]
    repeated = [Problem(each.line, dotted(each.place), each.problem) for each in found.repeated]
    if file.suffix == ".yml":
        repeated.append(Problem(None, "", f"only .yaml files are read: name it {file.stem}.yaml"))
    if not isinstance(found.content, dict):
        repeated.append(Problem(None, "", f"holds no keys; {what} is a mapping of keys to values"))
    return text, found.content, repeated


def placed(text: str, found: Iterable[tuple[Place, str]]) -> list[Problem]:
    """Problems with their lines, in the order of the file."""
    problems = [Problem(line_of(text, place), dotted(place), reason) for place, reason in found]
    return sorted(problems, key=lambda problem: problem.line or 0)


def dotted(place: Place) -> str:
    """A place for people: columns.0.field."""
    return visible(".".join(map(str, place)))


def cannot_be_used(what: str, file: Path, problems: Sequence[Problem]) -> Refusal:
    """The refusal of a file, with its problems, one a line."""
    if len(problems) == 1:
        message = f"{what} {file.name}, {problems[0]}"
        message += "" if message.endswith("?") else "."
    else:
        message = "\n".join([f"{what} {file.name} has {len(problems)} problems:", *(f"  {each}" for each in problems)])
    return Refusal(
        "profile-broken",
        message,
        f"Correct {file.name}.",
        file=file.name,
        details={"problems": [problem.as_dict() for problem in problems]},
    )


def validated(
    content: object, model: type[Described], context: dict[str, Any] | None = None, *, quoting: bool = True
) -> tuple[Described | None, list[tuple[Place, str]]]:
    """The model of a file's content; or each place with a problem, and the reason.

    Args:
        content: mappings, lists and values.
        model: the model to validate against.
        context: of the validation.
        quoting: whether wrong values are quoted; they could be secrets.
    """
    try:
        return model.model_validate(content, context=context), []
    except ValidationError as error:
        found = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        renamed = {place for each in found if (place := _meant_place(each, model)) is not None}
        kept = [each for each in found if not (each["type"] == "missing" and each["loc"] in renamed)]
        return None, [(each["loc"], _in_words(each, model, quoting=quoting)) for each in kept]


def _meant_place(error: ErrorDetails, model: type[BaseModel]) -> Place | None:
    """The place of the known key that an unknown one resembles."""
    *place, key = error["loc"] or ("",)
    near = nearest(key, keys_at(place, model)) if error["type"] == "extra_forbidden" else None
    return (*place, near) if near else None


def _in_words(error: ErrorDetails, model: type[BaseModel], *, quoting: bool) -> str:
    """The reason, with what was probably meant, and how to quote what YAML does not read as a text."""
    given, kind, context = error["input"], error["type"], error.get("ctx", {})
    word = f"'{_quoted(given)}' " if quoting else ""
    if kind == "extra_forbidden":
        *place, key = error["loc"]
        word = f"'{_quoted(key)}' " if quoting else ""
        known = keys_at(place, model)
        return f"{word}is no key that is known here; {meant(key, known) or f'keys: {listed(known, 40)}'}"
    if kind == "missing":
        return "is missing"
    if kind in {"string_type", "literal_error"} and not isinstance(given, str | list | dict):
        return f"{_unquoted(given)} Put it in quotes"
    if kind == "literal_error":
        words = words_known(error)
        return f"'{_quoted(given)}' is not known here; {meant(given, words) or f'one of: {listed(words, 40)}'}"
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern"))
        return f"{word}does not have the right form: {_PATTERNS.get(pattern, pattern)}"
    if kind in {"bool_parsing", "bool_type"}:
        return f"{word}is neither true nor false"
    if kind == "list_type":
        return f"{word}stands where a list is expected: write it in square brackets, or with dashes"
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        known = keys_at([*error["loc"]], model) if error["loc"] else []
        return f"{word}stands where keys are expected" + (f": {listed(known, 40)}" if known else "")
    return error["msg"].removeprefix("Value error, ")


def words_known(error: ErrorDetails) -> list[str]:
    """The words of which one is expected."""
    return re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected")))


def _quoted(given: object) -> str:
    line = visible(str(given)).replace("\n", " ")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def meant(given: object, known: Iterable[str]) -> str:
    """A question that names what was probably meant; empty where no known word is near."""
    near = nearest(given, known)
    return f"did you mean '{near}'?" if near else ""


def nearest(given: object, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_fold = {word.casefold(): word for word in known}
    near = get_close_matches(str(given).casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[near[0]] if near else None


def keys_at(place: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """The keys that may stand at a place of what the model describes."""
    return list(dict.fromkeys(key for each in models_at(place, model) for key in each.model_fields))


def models_at(place: Sequence[str | int], model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that the value at a place may be of."""
    models: list[type[BaseModel]] = [model]
    for part in (str(part) for part in place):
        having = [model for model in models if part in model.model_fields]
        models = (
            [inner for model in having for inner in models_in(model.model_fields[part].annotation)] or having or models
        )
    return models


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models of which a field's value consists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def _unquoted(given: object) -> str:
    if isinstance(given, bool):
        words = "Yes, On and True" if given else "No, Off and False"
        return f"{words} without quotes are the truth value {str(given).lower()} in YAML, not a text."
    if given is None:
        return "null, ~ and nothing at all are no text in YAML."
    kind = "date" if isinstance(given, date) else "number"
    return f"{given} without quotes is a {kind} in YAML, not a text."
