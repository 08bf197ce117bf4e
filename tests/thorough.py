"""How many cases and examples a run of the tests tries: few by default, all with `THOROUGH=1`, as in .ci/run.

A test with a variable of its own, such as `SEQUENCES=3000`, uses that one first.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}


def examples(default: int, thorough: int, variable: str = "") -> int:
    """How many examples, sequences or kills a test tries.

    Args:
        default: in a run that is not thorough.
        thorough: in a run with THOROUGH=1.
        variable: the environment variable that sets the number for this test alone, whatever else is set.
    """
    given = os.environ.get(variable) if variable else None
    return int(given or (thorough if THOROUGH else default))


# How many cases of each test are run. Tests that make homes or other files take longer than those of values.
CASES = examples(3, 1_000_000, "CASES")
CASES_WITH_FILES = examples(1, 1_000_000, "CASES")


def spread(items: Sequence[T], default: int, thorough: int | None = None) -> Sequence[T]:
    """Some of the items, in equal steps, the middle one of each step.

    Args:
        items: all that could be tried.
        default: how many are tried in a run that is not thorough.
        thorough: how many in a run with THOROUGH=1; None: all of them.
    """
    many = default if not THOROUGH else len(items) if thorough is None else thorough
    if len(items) <= many:
        return items
    return [items[(2 * step + 1) * len(items) // (2 * many)] for step in range(many)]
