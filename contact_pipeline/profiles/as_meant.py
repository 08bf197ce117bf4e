"""Guesses what a file with wrong words means, so that contradictions beyond these words can be found, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from contact_pipeline.profiles.problems import Described, Place, keys_at, models_at, models_in, nearest, words_known

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def as_meant(
    content: object, model: type[Described], context: dict[str, Any] | None = None
) -> tuple[Described | None, list[Place]]:
    """Validates a content after replacing its wrong words by what they probably mean.

    A word that resembles nothing is left out, or replaced by any valid value.

    Returns:
        The model, None where too much is wrong; and the places whose values are made up.
    """
    unsure: list[Place] = []
    copied = _copy(content)
    for _ in range(3):
        try:
            return model.model_validate(copied, context=context), unsure
        except ValidationError as error:
            found = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        mended = [_mend(copied, each, model, unsure) for each in found]
        if not all(mended):
            return None, unsure
    return None, unsure


def _mend(content: Any, error: ErrorDetails, model: type[BaseModel], unsure: list[Place]) -> bool:
    """Corrects one place of the content. Returns whether it could."""
    place = error["loc"]
    holder, key = _holder(content, place), place[-1] if place else ""
    if isinstance(holder, dict) and isinstance(key, str):
        return _mend_key(holder, key, error, model, unsure)
    words = words_known(error)
    if not (isinstance(holder, list) and isinstance(key, int) and words):
        return False
    near = nearest(error["input"], words)
    holder[key] = near or words[0]
    unsure.extend([] if near else [place])
    return True


def _mend_key(
    holder: dict[str, Any], key: str, error: ErrorDetails, model: type[BaseModel], unsure: list[Place]
) -> bool:
    place = error["loc"]
    if error["type"] == "missing":
        if key not in holder:
            holder[key] = _some_word(model, place)
            unsure.append(place)
        return holder[key] is not None
    if key not in holder:
        return False
    value = holder.pop(key)
    if error["type"] == "extra_forbidden":
        near = nearest(key, keys_at(place[:-1], model))
        holder.update({near: value} if near and near not in holder else {})
    elif near := nearest(value, words_known(error)):
        holder[key] = near
    else:
        unsure.append(place)
    return True


def _holder(content: Any, place: Place) -> Any:
    """The mapping or list in which a place is; parts of the path that are no keys are skipped."""
    for part in place[:-1]:
        is_place = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if is_place or (isinstance(content, dict) and part in content):
            content = content[part]
    return content


def _some_word(model: type[BaseModel], place: Place) -> str | None:
    """A valid word for a missing key; None where its value needs more than a word."""
    *way, key = place
    for owner in models_at(way, model):
        described = owner.model_fields.get(str(key))
        if described is None or models_in(described.annotation):
            continue
        words = [word for word in get_args(described.annotation) if isinstance(word, str)]
        if words or described.annotation is str:
            return words[0] if words else "x"
    return None


def _copy(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _copy(value) for key, value in content.items()}
    return [_copy(value) for value in content] if isinstance(content, list) else content
