"""YAML as this project reads it: with PyYAML's parser in C, which takes a tenth of the time of the one in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class BrokenYaml(ValueError):
    """A text that is no YAML.

    Attributes:
        problem: what is wrong.
        line: where; None: in no one place.
    """

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def read_yaml(text: str) -> Any:
    """The content of a YAML text: mappings, lists, texts, numbers, dates, nothing that runs code.

    Raises:
        BrokenYaml: it is none.
    """
    import yaml  # many calls read none

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.MarkedYAMLError as error:
        raise BrokenYaml(str(error.problem), error.problem_mark.line + 1 if error.problem_mark else None) from error
    except yaml.YAMLError as error:
        raise BrokenYaml(str(getattr(error, "reason", error)), None) from error


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """The line of a readable YAML text on which a place begins, or what there is of the way to it.

    Args:
        text: the text.
        place: keys of mappings and numbers in lists, from the outside in.
    """
    import yaml

    node = yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    line = None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        else:
            found = None
        if found is None:
            break
        at, node = found
        line = at.start_mark.line + 1
    return line
