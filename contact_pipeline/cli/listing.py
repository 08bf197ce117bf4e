"""What every list shares: `--where` and `--limit`, its total before it, and how many more there are after it."""

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

_AROUND = 8  # lines of a screen that a list leaves to what stands before and after it
_FEWEST = 10  # that a screen shows, however low it is
_LOOKED_AT = 1_000  # records that are asked for their names


def chosen(records: Sequence[dict[str, Any]], where: Collection[str] | None) -> list[dict[str, Any]]:
    """The records that fit every NAME=VALUE, compared without case.

    Raises:
        Usage: no record has such a name.
    """
    tests = _tests(records, where or ())
    return [record for record in records if all(fits(record) for fits in tests)]


def has_names(records: Sequence[dict[str, Any]], where: Collection[str]) -> bool:
    """Whether the records have every name that is asked for."""
    return _names(records).keys() >= {_parted(pair)[0] for pair in where}


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
        records: what is listed.
        headings: of the table.
        row: record → cells.
        called: one of them, such as `contact`.
        command: that lists them, with all that was asked for but the limit.
        limit: how many were asked for; None: what fits.
        count: how many there are in all; unset: those given.
    """
    total = len(records) if count is None else count
    counted = number_of(total, called) if total else f"No {called}"
    page: list[Any] = [console.text(f"{counted}.", "bold")]
    shown = records[: most(limit)]
    if shown:
        page.append(console.rows(headings, [row(record) for record in shown]))
    return [*page, *more(invocation, total - len(shown), [*command, "--limit", total])]


def more(invocation: Invocation, count: int, command: Sequence[object]) -> list[Any]:
    """How many more there are, and how to see them; nothing where that is all."""
    return [console.next_command(f"{count:,} more", invocation.line(*command))] if count > 0 else []


def most(limit: int | None) -> int | None:
    """How many rows are shown: those asked for, or what a screen holds; None: all, as what is piped must be whole."""
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
        name, wanted = _parted(pair)
        if records and name not in names:
            raise Usage("usage", f"--where: nothing here is called '{name}'.", f"The names: {listed(names, limit=40)}.")
        pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)
        tests.append(partial(_has, name=name, pattern=pattern))
    return tests


def _parted(pair: str) -> tuple[str, str]:
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
    said = "" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)
    return " ".join(said.split()).casefold()
