"""Write docs/reference/matching.md and docs/reference/matching/: the steps of matching, and the SQL that they run.

The SQL is what matching ran when the sample files were imported. With `--check` nothing is written; the exit status is
1 when a page is stale.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from contact_pipeline.cli.app import run
from contact_pipeline.engines import Database
from contact_pipeline.match import folding, keys
from contact_pipeline.match.plan import Matching, Step

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
SAMPLES = ROOT / "data" / "samples"
GENERATED = "This page is generated from the code; `make format` writes it anew."
INTRO = f"""\
# Matching, step by step

{GENERATED}

How valid rows and the contacts that there are become a changeset. Each step makes tables of its own from those of the
steps before it, and changes no other; `match_defects` alone is added to by several. A step marked ↻ goes through rows
one after the other. `contact_pipeline/match/plan.py` has the list, and a test holds it against the SQL that runs.

`book.` tables are those of the contact database. What the tables hold is said under
[staged tables](frames.md#staged-tables); those that are not listed there last as long as matching does.

| profile | its steps and their SQL |
|---|---|
"""
KEYS = """\
## Keys

In the SQL `KEY(e.email)` stands for what the value of a field is compared by. It is one of these expressions, here of
`value`; `…` stands for the rest of a table of letters.
"""
PAGE = """\
# Matching of {profile}

{generated}

The steps for profile `{profile}` as they ran for {file}, with the SQL. `KEY(…)` is explained
[here](../matching.md#keys). A step without SQL had nothing to do.
"""
PARTS_OF_KEYS = ("is_ascii", "composed", "without_case", "without_marks")
WIDTH = 118
LONGEST = 40  # characters of a text
FEW = 6  # letters that a pattern names
_NO_BREAK = "\N{NO-BREAK SPACE}"
LOOKUP = re.compile(  # what decides on a step's way, or lists what is there
    r"(?s)SELECT (1|count\(\*\)|next|column_name)\b.*|.*duckdb_(tables|views)\(\).*|UPDATE counters.*"
)


@dataclass
class Taken:
    """A step that was taken.

    Attributes:
        step: the step.
        statements: every SQL statement that it ran, as the pages show it.
        raw: the same as they ran.
    """

    step: Step
    statements: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


@dataclass
class Run:
    """One matching of a sample file."""

    profile: str
    file: str
    taken: list[Taken]


def recorded() -> list[Run]:
    """Imports every sample file, in order; what matching ran for each."""
    runs: list[Run] = []
    expected = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _answer(home, "users", "load", SAMPLES / "users.yaml")
        _answer(home, "vocabularies", "load", "specialties", SAMPLES / "specialties.txt")
        for each in expected["uploads"]:
            path = SAMPLES / Path(each["file"]).name
            options = yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))
            words = [word for name, value in options.items() for word in _as_words(name, value)]
            with _recording(home) as taken:
                _answer(home, "import", path, "--profile", each["profile"], *words, "--yes")
            if taken:
                runs.append(Run(each["profile"], path.name, taken))
    return runs


def _answer(home: Path, *words: object) -> None:
    with redirect_stdout(io.StringIO()):
        run(["--home", str(home), "--json", *map(str, words)])


def _as_words(name: str, value: object) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    return [option] if value is True else [option, str(value)]


@contextmanager
def _recording(home: Path) -> Iterator[list[Taken]]:
    """Gathers the steps that are taken, each with its SQL; keys are named, and ids and paths left out."""
    taken: list[Taken] = []
    named: dict[str, str] = {}
    now: list[Taken] = []
    upload = ""

    def perform(step: Step, database: Database) -> None:
        taken.append(Taken(step))
        now.append(taken[-1])
        try:
            step.run(database)
        finally:
            now.pop()

    def key(field: str, alias: str, *rest: Any, **options: Any) -> str:
        expression = original_key(field, alias, *rest, **options)
        named[expression] = f"KEY({alias}.{field})"
        return expression

    def outlined(matching: Matching) -> list[Step]:
        nonlocal upload
        upload = matching.upload_id
        steps: list[Step] = original_plan(matching)
        return steps

    def noting(original: Callable[..., Any]) -> Callable[..., Any]:
        def noted(self: Database, sql: str, *rest: object) -> Any:
            if now:
                now[-1].raw.append(sql)
                now[-1].statements.append(_shown(sql, named, home, upload))
            return original(self, sql, *rest)

        return noted

    match: Any = import_module("contact_pipeline.match.match")  # the package's own name for it is the function
    original_key, original_plan = keys.key, match.to_changeset
    with ExitStack() as patched:
        patched.enter_context(patch.object(match, "perform", perform))
        patched.enter_context(patch.object(match, "to_changeset", outlined))
        patched.enter_context(patch.object(keys, "key", key))
        for name in ("run", "rows", "frame"):
            patched.enter_context(patch.object(Database, name, noting(getattr(Database, name))))
        yield taken


def _shown(sql: str, named: dict[str, str], home: Path, upload: str) -> str:
    for expression, name in sorted(named.items(), key=lambda each: -len(each[0])):
        sql = sql.replace(expression, name)
    sql = re.sub(rf"{re.escape(str(home))}[^']*/", "", sql)
    return _set_out(sql.replace(upload, "UPLOAD") if upload else sql)


def _set_out(sql: str) -> str:
    """A statement without the indentation that it has in the code, its long lines and long texts broken off."""
    sql = re.sub(r"'(?:[^']|'')*'", _text, sql)
    lines = [line.rstrip() for line in sql.strip("\n").splitlines() if line.strip()]
    first, *rest = lines
    shown = [first.strip(), *textwrap.dedent("\n".join(rest)).splitlines()] if rest else [first.strip()]
    return "\n".join(part for line in shown for part in _wrapped(line)).replace(_NO_BREAK, " ")


def _text(found: re.Match[str]) -> str:
    """A text in SQL, which no line is to break; a table of letters is cut."""
    text = found.group()
    is_table = len(text) > LONGEST and (not text.isascii() or text.count("\\x{") > FEW)
    return (f"{text[:LONGEST]}…'" if is_table else text).replace(" ", _NO_BREAK)


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    broken = textwrap.wrap(
        line, WIDTH, subsequent_indent=f"{indent}    ", break_long_words=False, break_on_hyphens=False
    )
    return [indent + broken[0].lstrip(), *broken[1:]] if broken else [line]


def pages(runs: list[Run]) -> dict[str, str]:
    """Every page, by its path in docs/reference/."""
    last = {run.profile: run for run in runs}
    written = {"matching.md": _index(last)}
    for profile, run_of in last.items():
        written[f"matching/{profile}.md"] = _page(run_of)
    return written


def _index(runs: dict[str, Run]) -> str:
    lines = [INTRO.rstrip()]
    lines += [f"| `{profile}` | [{len(run.taken)} steps](matching/{profile}.md) |" for profile, run in runs.items()]
    lines += ["", KEYS]
    for title, name, keeps_case in (
        ("Telephone numbers, e-mail addresses, Social Security numbers", "phone", False),
        ("Names", "name", False),
        ("Other fields", "account_number", False),
        ("Fields under `case: keep`", "account_number", True),
    ):
        lines += [f"### {title}\n", "```sql", _form(name, keeps_case=keeps_case), "```\n"]
    lines.append("### What they are made of\n")
    for name in PARTS_OF_KEYS:
        lines += ["```sql", f"{name}(value) :=", _set_out(getattr(folding, name)("value")), "```\n"]
    return "\n".join(lines)


def _form(name: str, *, keeps_case: bool) -> str:
    """The expression of a key, with the names of those that it is made of."""
    with ExitStack() as patched:
        for part in PARTS_OF_KEYS:
            patched.enter_context(patch.object(keys, part, lambda value, part=part: f"{part}({value})"))
        return _set_out(keys.key(name, "row", {name}, keeps_case=keeps_case).replace(f'row."{name}"', "value"))


def _page(run_of: Run) -> str:
    parts = [PAGE.format(profile=run_of.profile, generated=GENERATED, file=f"`{run_of.file}`")]
    for number, taken in enumerate(run_of.taken, 1):
        step = taken.step
        parts.append(f"## {number}. {step.does[0].upper()}{step.does[1:]}{' ↻' if step.loops else ''}\n")
        made = [*step.makes, *(["adds to match_defects"] if step.adds else [])]
        parts.append(f"- makes: {_listed(made)}\n- from: {_listed(step.reads)}\n")
        shown = [sql for sql in taken.statements if not LOOKUP.fullmatch(sql)]
        if shown:
            parts.append("```sql\n" + "\n\n".join(f"{sql};" for sql in shown) + "\n```\n")
    return "\n".join(parts)


def _listed(tables: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" if " " not in name else name for name in tables) or "nothing"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    stale = []
    for name, text in pages(recorded()).items():
        path = options.folder / name
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(f"{path} is stale: run `make format`")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print("\n".join(stale), file=sys.stderr, end="\n" if stale else "")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
