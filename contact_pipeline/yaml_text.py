"""YAML as this project reads it: with PyYAML's parser in C, which takes a tenth of the time of the one in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


class BrokenYaml(ValueError):
    """A text that is not valid YAML.

    Attributes:
        problem: what is wrong.
        line: the line; None: no single place.
        column: the column on the line; None: no single place.
    """

    def __init__(self, problem: str, line: int | None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column

    @property
    def where(self) -> str:
        """The place, in words; empty if there is no single place."""
        parts = (("line", self.line), ("column", self.column))
        return ", ".join(f"{name} {number}" for name, number in parts if number)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A key that stands twice in one mapping: of the two values YAML keeps the last.

    Attributes:
        place: keys of mappings and numbers in lists, from the outside in.
        line: on which it stands again.
        first: line on which it stands first.
    """

    place: tuple[str | int, ...]
    line: int
    first: int

    @property
    def problem(self) -> str:
        """What is wrong, in words."""
        return f"'{self.place[-1]}' stands twice, first on line {self.first}; keep one of them"


@dataclass(frozen=True, slots=True)
class ReadYaml:
    """A YAML text as it was read.

    Attributes:
        content: mappings, lists, texts, numbers, dates.
        repeated: keys that stand twice.
    """

    content: Any
    repeated: list[Repeated] = field(default_factory=list)


def read_yaml(text: str) -> Any:
    """The content of a YAML text: mappings, lists, texts, numbers, dates, nothing that runs code.

    Raises:
        BrokenYaml: the text is not valid YAML, or a key is repeated.
    """
    found = read_yaml_and_repeated(text)
    for repeated in found.repeated:
        raise BrokenYaml(repeated.problem, repeated.line)
    return found.content


def read_yaml_and_repeated(text: str) -> ReadYaml:
    """The content of a YAML text, and the keys that stand twice in it.

    Raises:
        BrokenYaml: the text is not valid YAML.
    """
    import yaml  # here, as many calls read no YAML

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return ReadYaml(None)
            repeated = [*_find_repeated(node, (), set())]
            return ReadYaml(loader.construct_document(node), repeated)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        found = BrokenYaml(str(error.problem), mark.line + 1 if mark else None, mark.column + 1 if mark else None)
        raise found from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2024-02-31, which is no day
        raise BrokenYaml(str(getattr(error, "reason", error)), None) from error


def _find_repeated(node: yaml.Node, place: tuple[str | int, ...], seen: set[int]) -> Iterator[Repeated]:
    import yaml

    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, each in enumerate(node.value):
            yield from _find_repeated(each, (*place, number), seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if (key.tag, key.value) in first:
                    yield Repeated((*place, key.value), line, first[key.tag, key.value])
                first.setdefault((key.tag, key.value), line)
                yield from _find_repeated(value, (*place, key.value), seen)


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """The line of a valid YAML text on which a place begins, or the nearest outer place that exists.

    Args:
        text: the text.
        place: keys of mappings and numbers in lists, from the outside in; other words are ignored.
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
            continue
        at, node = found
        line = at.start_mark.line + 1
    return line
