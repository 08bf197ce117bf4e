"""Write docs/behaviours.md: each behaviour in one line, and the tests that show it.

The behaviours come from docs/behaviours.yaml, the tests from the docstrings of the test functions: `"B7: …"` or
`"B7, X1: …"`. With `--check` nothing is written; the exit status is 1 when the page is stale.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
IDS = re.compile(r"([A-Z]\d+(?:, [A-Z]\d+)*):\s")
MEANT_AS_IDS = re.compile(r"[A-Z]\d+\b")
HEAD = """\
# Behaviours

What the pipeline does for each of the systems it stands in for, and the tests that show it. A test names the
behaviours at the start of its docstring.

This page is generated: edit [behaviours.yaml](behaviours.yaml) or the tests, then run `make format`.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; the paths can be named, so that this script can be tested."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is stale")
    parser.add_argument("--behaviours", type=Path, default=ROOT / "docs" / "behaviours.yaml")
    parser.add_argument("--tests", type=Path, default=ROOT / "tests")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "behaviours.md")
    options = parser.parse_args(arguments)

    sections = yaml.safe_load(options.behaviours.read_text(encoding="utf-8"))
    known = {behaviour for section in sections.values() for behaviour in section}
    shown, problems = find_tests(options.tests, known)
    page = render(sections, shown)
    if options.check:
        if not options.page.exists() or options.page.read_text(encoding="utf-8") != page:
            problems.append(f"{options.page} is stale: run `make format`")
    else:
        options.page.write_text(page, encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def find_tests(folder: Path, known: set[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Map each behaviour id to the tests that name it, as `path::name`, and list what is wrong with the ids."""
    shown: dict[str, list[str]] = defaultdict(list)
    problems = []
    for path in sorted(folder.rglob("test_*.py")):
        for test in tests_in(path):
            docstring = ast.get_docstring(test) or ""
            where = f"{path}:{test.lineno}: {test.name}"
            ids = IDS.match(f"{docstring} ")
            if ids is None and MEANT_AS_IDS.match(docstring):
                problems.append(f"{where}: write the behaviour ids as 'B7: …' or 'B7, X1: …'")
            for behaviour in ids[1].split(", ") if ids else []:
                shown[behaviour].append(f"{path.relative_to(folder.parent).as_posix()}::{test.name}")
                if behaviour not in known:
                    problems.append(f"{where}: docs/behaviours.yaml has no behaviour {behaviour}")
    return shown, problems


def tests_in(path: Path) -> list[ast.FunctionDef]:
    """The test functions of a module, in the order they stand in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return sorted((f for f in functions if f.name.startswith("test_")), key=lambda f: f.lineno)


def render(sections: dict[str, dict[str, str]], shown: dict[str, list[str]]) -> str:
    """Set the page: a table for each section."""
    parts = [HEAD]
    for title, behaviours in sections.items():
        rows = [
            f"| {behaviour} | {text} | {'<br>'.join(f'`{test}`' for test in shown.get(behaviour, [])) or 'not yet'} |"
            for behaviour, text in behaviours.items()
        ]
        parts.append("\n".join([f"## {title}", "", "| id | behaviour | tests |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
