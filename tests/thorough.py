"""How much a run of the tests tries: enough for every day, or all of it where `THOROUGH=1` is set, as .ci/run does.

A test that has a variable of its own, such as `SEQUENCES=3000`, goes by that one first.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}


def examples(default: int, thorough: int, variable: str = "") -> int:
    """How many examples, sequences or kills a test tries.

    Args:
        default: in a run that was not asked for more.
        thorough: in one with THOROUGH=1.
        variable: the environment variable that says it for this test alone, whatever else is set.
    """
    said = os.environ.get(variable) if variable else None
    return int(said or (thorough if THOROUGH else default))


# Of a test with many cases: how many of them.
CASES = examples(3, 1_000_000, "CASES")


def spread(items: Sequence[T], default: int, thorough: int | None = None) -> Sequence[T]:
    """Some of the items, in equal steps, the middle of each.

    Args:
        items: all that could be tried.
        default: how many are, in a run that was not asked for more.
        thorough: in one with THOROUGH=1; None: all of them.
    """
    many = default if not THOROUGH else len(items) if thorough is None else thorough
    if len(items) <= many:
        return items
    return [items[(2 * step + 1) * len(items) // (2 * many)] for step in range(many)]
