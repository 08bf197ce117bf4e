"""What all lists share: `--where` and `--limit`, the total before a list, and how many more there are after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.cli import console
from contact_pipeline.errors import Usage, listed, number_of

if TYPE_CHECKING:
    from contact_pipeline.cli.invocation import Invocation

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=1, help="How many to give; unset: what the screen holds, and all if piped or JSON."
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="NAME=VALUE",
        help="Only what has this value, by the names of --json; `*` stands for anything, no value for blank. "
        "Repeatable: all must fit.",
    ),
]

_AROUND = 8  # lines of the screen for the text before and after a list
_FEWEST = 10  # rows shown on however low a screen
_LOOKED_AT = 1_000  # records whose names are collected


def chosen(records: Sequence[dict[str, Any]], where: Collection[str] | None) -> list[dict[str, Any]]:
    """The records that fit every NAME=VALUE, compared without case.

    Raises:
        Usage: no record has such a name.
    """
    tests = _tests(records, where or ())
    return [record for record in records if all(fits(record) for fits in tests)]


def has_names(records: Sequence[dict[str, Any]], where: Collection[str]) -> bool:
    """Whether the records have every name in these NAME=VALUE pairs."""
    return _names(records).keys() >= {_split_pair(pair)[0] for pair in where}


def draw_list(
    invocation: Invocation,
    records: Sequence[dict[str, Any]],
    headings: Sequence[str],
    row: Callable[[dict[str, Any]], Sequence[object]],
    *,
    called: str,
    command: Sequence[object],
    limit: int | None,
    count: int | None = None,
) -> list[Any]:
    """A list for people: its total, the rows that the screen holds, and how to see the others.

    Args:
        invocation: of the command.
        records: the records.
        headings: of the table.
        row: record → cells.
        called: the noun for one record, such as `contact`.
        command: the command that lists them, with all options but the limit.
        limit: how many to show; None: what fits.
        count: how many records there are in all; unset: those given.
    """
    total = len(records) if count is None else count
    counted = number_of(total, called) if total else f"No {called}"
    page: list[Any] = [console.text(f"{counted}.", "bold")]
    shown = records[: most(limit)]
    if shown:
        page.append(console.rows(headings, [row(record) for record in shown]))
    return [*page, *more(invocation, total - len(shown), [*command, "--limit", total])]


def more(invocation: Invocation, count: int, command: Sequence[object]) -> list[Any]:
    """A line with how many more there are, and the command that shows them; nothing if there are no more."""
    return [console.next_command(f"{count:,} more", invocation.line(*command))] if count > 0 else []


def most(limit: int | None) -> int | None:
    """How many rows to show: the limit, or what the screen holds; None: all, since piped output must be complete."""
    if limit is not None or not (out := console.out()).is_terminal:
        return limit
    return max(out.height - _AROUND, _FEWEST)


def as_words(where: Collection[str] | None) -> list[str]:
    """The filters as they were typed, to repeat them in a command."""
    return [word for pair in where or () for word in ("--where", pair)]


def _tests(records: Sequence[dict[str, Any]], where: Collection[str]) -> list[Callable[[dict[str, Any]], bool]]:
    names = _names(records)
    tests: list[Callable[[dict[str, Any]], bool]] = []
    for pair in where:
        name, wanted = _split_pair(pair)
        if records and name not in names:
            raise Usage("usage", f"--where: nothing here is called '{name}'.", f"The names: {listed(names, limit=40)}.")
        pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)
        tests.append(partial(_has, name=name, pattern=pattern))
    return tests


def _split_pair(pair: str) -> tuple[str, str]:
    name, sign, value = pair.partition("=")
    if not sign or not name.strip():
        raise Usage("usage", f"--where '{pair}' is not NAME=VALUE.", "Write --where name=value.")
    return name.strip(), " ".join(value.split()).casefold()


def _names(records: Sequence[dict[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(name for record in records[:_LOOKED_AT] for name in record)


def _has(record: dict[str, Any], *, name: str, pattern: re.Pattern[str]) -> bool:
    value = record.get(name)
    parts = value or [""] if isinstance(value, list) else [value]
    return any(pattern.fullmatch(_as_typed(part)) for part in parts)


def _as_typed(value: object) -> str:
    text = "" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)
    return " ".join(text.split()).casefold()
