"""Commands that are killed, interrupted, or run out of disk at one of their writes: a selection of the whole sweep.

A thorough run (tests/thorough.py) tries more of them.

The whole: `python -m tests.faults.sweep --command all --calls all`, with `--kind kill`, `tear`, `interrupt` or `full`.
"""

import pytest

from tests.faults.sweep import Sweep, chosen
from tests.thorough import examples
from tests.trust import record

# Command → the calls that left a home broken, and how many spread over the rest a thorough run tries.
_SELECTED = {
    "undo": ("kill", ("pwrite",), 2),
    "resolve-applied": ("kill", ("pwrite",), 2),
    "import": ("kill", ("mkdir",), 2),
    "erase": ("kill", (), 2),
    "first": ("kill", ("pwrite",), 1),
    "apply": ("tear", (), 1),
}


def _selection(sweep, kind, names, spread):
    """The first call of each of these names, and some in equal steps."""
    every = chosen(sweep, kind, "all")
    first = [next((n for n in every if sweep.calls[n - 1][0] == name), every[0]) for name in names]
    step = max(len(every) // max(spread, 1), 1)
    return sorted({*first, *every[step // 2 :: step][:spread]})


@pytest.mark.slow
@pytest.mark.parametrize("command", _SELECTED)
def test_killed_at_a_write_a_command_blocks_nothing_and_is_completed_by_repeating_it(command, ground):
    """Everybody can be erased, other uploads are applied, and the same command ends where it would have ended."""
    kind, names, spread = _SELECTED[command]
    sweep = Sweep(ground, command, quick=True)
    tried = _selection(sweep, kind, names, examples(0 if names else 1, spread))
    problems = [f"{call}: {problem}" for call in tried for problem in sweep.at(kind, call)]
    record("kill-at-writes", tried=len(tried), failed=len(problems), where=command)
    assert not problems


@pytest.mark.slow
@pytest.mark.parametrize(("command", "kind"), [("apply", "full"), ("import", "full"), ("import", "interrupt")])
def test_on_a_full_disk_or_interrupted_a_command_says_what_is_true(command, kind, ground):
    """No traceback, and what it says of the upload is so."""
    sweep = Sweep(ground, command, quick=True)
    tried = _selection(sweep, kind, (), 1)
    problems = [f"{call}: {problem}" for call in tried for problem in sweep.at(kind, call)]
    if kind == "full":
        record("disk-full", tried=len(tried), failed=len(problems), where=command)
    else:
        record("interrupt-at-writes", tried=len(tried), failed=len(problems), where=command)
    assert not problems
