"""The rules of a profile over a whole row, and its match rules: when a row and a contact are the same person."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from contact_pipeline.profiles.base import Model, Name, Whole


class AnyOf(Model):
    """A row needs every field of at least one of these sets."""

    any_of: list[list[Name]] = Field(min_length=1, description="Sets of fields; one whole set must be filled.")
    when_any: list[Name] = Field(default=[], description="Applies only to rows where one of these is filled.")
    message: str = Field(description="What is needed, in words: 'an account number, or …'.")

    @property
    def fields(self) -> list[str]:
        """Every field that the rule looks at."""
        return [*(name for group in self.any_of for name in group), *self.when_any]


class Same(Model):
    """Two fields of a row must hold the same value."""

    same: tuple[Name, Name] = Field(description="The field in error and the field that it must equal.")

    @property
    def fields(self) -> list[str]:
        """Every field that the rule looks at."""
        return list(self.same)


class Together(Model):
    """Fields of which all are filled, or none."""

    together: list[Name] = Field(min_length=2, description="Fields of which all are filled, or none.")

    @property
    def fields(self) -> list[str]:
        """Every field that the rule looks at."""
        return self.together


class RequiredWhen(Model):
    """A field that must be filled where other fields hold certain values."""

    required: Name = Field(description="The field that must be filled.")
    when: dict[Name, list[str]] = Field(
        min_length=1, description="Field → values of which it must hold one; [] for any. All of them must agree."
    )

    @property
    def fields(self) -> list[str]:
        """Every field that the rule looks at."""
        return [self.required, *self.when]


class InOrder(Model):
    """Two dates of which the first is not after the second."""

    start: Name = Field(description="Field of the earlier date.")
    end: Name = Field(description="Field of the later date; the one in error.")

    @property
    def fields(self) -> list[str]:
        """Every field that the rule looks at."""
        return [self.start, self.end]


class Unique(Model):
    """Fields in which no two rows of a file may agree; rows where one of the fields is blank are not compared."""

    unique: list[Name] = Field(min_length=1, description="Fields that are together unique in the file.")

    @property
    def fields(self) -> list[str]:
        """Every field that the rule looks at."""
        return self.unique


_RULES: dict[str, str] = {  # key → the rule that has it
    "any_of": "any_of", "when_any": "any_of", "same": "same", "together": "together", "required": "required",
    "when": "required", "start": "start", "end": "start", "unique": "unique",
}  # fmt: skip


def _which_rule(given: Any) -> str:
    """The rule that is meant, by its keys, so that errors are reported for this rule alone."""
    keys = list(given) if isinstance(given, dict) else list(given.model_fields_set)
    near = (name for key in keys for name in get_close_matches(str(key), _RULES, n=1, cutoff=0.6))
    return _RULES[next((key for key in keys if key in _RULES), next(near, "any_of"))]


RowRule = Annotated[
    Annotated[AnyOf, Tag("any_of")]
    | Annotated[Same, Tag("same")]
    | Annotated[Together, Tag("together")]
    | Annotated[RequiredWhen, Tag("required")]
    | Annotated[InOrder, Tag("start")]
    | Annotated[Unique, Tag("unique")],
    Discriminator(_which_rule),
]


class Narrow(Model):
    """Keeps only the candidates that agree in one more field."""

    field: Name = Field(description="Field that must agree.")
    otherwise: Literal["new", "review"] = Field(description="What the row is when no candidate agrees.")


class MatchRule(Model):
    """When a row and a contact are the same person: equal in all of `equal`, or in `at_least` of `of`."""

    equal: list[Name] = Field(default=[], description="Fields that must all be filled and equal.")
    at_least: Whole | None = Field(None, ge=1, description="How many of `of` must be filled and equal.")
    of: list[Name] = Field(default=[], description="Fields of which `at_least` must agree.")
    narrow: list[Narrow] = Field(default=[], description="Further fields, in turn, to choose among several.")
    higher_differs: Literal["same", "another", "review"] = Field(
        "same", description="What a candidate is whose key of an earlier rule is filled and different."
    )

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if bool(self.equal) == bool(self.of) or bool(self.of) != (self.at_least is not None):
            raise ValueError("a match rule has either 'equal', or 'at_least' and 'of'")
        if self.at_least is not None and self.at_least > len(self.of):
            raise ValueError(f"at_least {self.at_least} of {len(self.of)} fields can never be met")
        if self.narrow and not self.equal:
            raise ValueError("'narrow' goes with 'equal'")
        return self

    @property
    def fields(self) -> list[str]:
        """Every field that the rule compares, in order, narrowing ones included."""
        return [*self.equal, *self.of, *(step.field for step in self.narrow)]


def required_when(rule: RequiredWhen) -> str:
    """When the rule applies, in words."""
    parts = (f"{field} is {' or '.join(values) if values else 'filled'}" for field, values in rule.when.items())
    return " and ".join(parts)
