"""Write the pages of docs/reference/ from the code: the command line, profiles, settings, codes, and frames and tables.

With `--check` nothing is written; the exit status is 1 when a page is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast, get_args

import pandera.polars as pa
import typer
from pydantic import BaseModel
from typer.core import TyperGroup, TyperOption

from contact_pipeline import terms
from contact_pipeline.cli.app import NAME, app
from contact_pipeline.codes import CODES
from contact_pipeline.contracts import frames as contracts
from contact_pipeline.contracts.kept import KEPT
from contact_pipeline.contracts.news import EVENTS, FeedEvent, HomeEvent
from contact_pipeline.contracts.states import BEGUN, CALLS, State
from contact_pipeline.contracts.states import STATES as STATES_OF
from contact_pipeline.contracts.tables import STAGED, Table
from contact_pipeline.exports import ExportProfile
from contact_pipeline.exports.layout import known_fields
from contact_pipeline.feeds.credentials import VARIABLES, variable
from contact_pipeline.feeds.model import Feed
from contact_pipeline.notices.rules import Rules
from contact_pipeline.profiles import Profile, find_profiles
from contact_pipeline.reports.profiles import describe_profile, profile_facts
from contact_pipeline.settings import Settings

FOLDER = Path(__file__).resolve().parent / "reference"
GENERATED = "This page is generated from the code; `make format` writes it anew.\n"
COMMANDS = """\
Every command takes, before or after its name:

| option | means |
| --- | --- |
| `--home DIR` | The home folder. Unset: `CONTACT_PIPELINE_HOME`, else `./data`. |
| `--json` | Print one JSON document on stdout and nothing else there. |
| `--no-color` | Draw without colours, as with `NO_COLOR` in the environment or `TERM=dumb`. |
| `--help`, `-h` | Show what the command takes. |

Exit status: 0 done (a `plan` that ends blocked, or a file that is repeated, included); 1 refused, blocked at `import`
or `apply`, stale, failed or given up, with a message that says what, where and what to do; 2 usage. Under `--json` a
refusal is `{"error": {"code", "message", "fix", "file", "row_number"}}`.
"""
KEYS = """\
A profile is a YAML file. The shipped ones are in `contact_pipeline/profiles/`, your own in `<home>/profiles/`; one of
your own stands before a shipped one of the same name. A key that is not listed here is refused.

## Keys
"""
EXPORT_KEYS = """\
An export profile is a YAML file in `<home>/export_profiles/`; its name is that of the file. The name of an import
profile is an export profile, too, and so are `contacts` and `accounts`, which have every field. A key that is not
listed here is refused.

## Keys
"""
NOTICES = """\
`<home>/notices.yaml` says who is told of which events; the [guide](../guide.md#send-notices) has an example. A key that
is not listed here is refused.

## Keys
"""
FEEDS = """\
`<home>/feeds/NAME.yaml` says from where files are fetched; the [guide](../guide.md#fetch-files-again-and-again) has
examples. The name has letters, digits and `_`. A key that is not listed here is refused.

## Keys
"""
SETTINGS = """\
Each setting is read from the environment; `--home` stands before `CONTACT_PIPELINE_HOME`.
"""
ROWS = """\
What can be wrong with a row. An error rejects the row or, where the profile says `on_error: note`, takes the cell out
into the notes; a warning lets the value through. Codes are stable;
`{column}`, `{value}` and `{expected}` stand for what the message names.
"""
FRAMES = """\
What passes between the stages, in flow order; `contact_pipeline/contracts/frames.py` says what each means. A frame
that is open has one more column per heading or field.
"""
STATES = """\
The life of an upload, as `contact_pipeline/contracts/states.py` has it: the states, what each means, and what can be
asked of an upload in each.
"""
GUIDE = ("<!-- states: generated -->\n", "<!-- end of states -->")
SHARED = {"home", "as_json", "no_color", "help"}


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    stale = []
    for name, write in PAGES.items():
        page, path = write(), options.folder / name
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != page:
                stale.append(f"{path} is stale: run `make format`")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
    guide = options.folder.parent / "guide.md"
    if guide.exists() and (text := guide.read_text(encoding="utf-8")) != (told := with_states(text)):
        if options.check:
            stale.append(f"{guide} is stale: run `make format`")
        else:
            guide.write_text(told, encoding="utf-8")
    print("\n".join(stale), file=sys.stderr, end="\n" if stale else "")
    return 1 if stale else 0


def page(title: str, intro: str, parts: Iterable[str]) -> str:
    """A whole page."""
    return "\n".join([f"# {title}\n", GENERATED, intro, *parts])


def states_page() -> str:
    """The states of an upload, what leads from which to which, and a picture of it."""
    names = [f"`{name}`" for name in CALLS]
    parts = ["## States\n", states_table().replace("(#", "(../guide.md#"), "## What can be asked\n"]
    parts.append("The state afterwards; `-` where the call is refused, blank where it changes nothing.\n")
    parts.append(
        table(("in the state", *names), [(state, *(leads_to(call, state) for call in CALLS)) for state in STATES_OF])
    )
    parts.append("## Picture\n")
    arrows = [f"    [*] --> {state}" for state in sorted(BEGUN)]
    arrows += ["    received --> failed: a fault"]
    led: dict[tuple[State, State], list[str]] = {}
    for call, asked in CALLS.items():
        for state in STATES_OF:
            for after in sorted(asked.leads.get(state, frozenset()) - {state}):
                led.setdefault((state, after), ["plan"] if state == "received" and call == "replan" else []).append(
                    call
                )
    arrows += [f"    {state} --> {after}: {', '.join(calls)}" for (state, after), calls in led.items()]
    parts.append("\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```\n"]))
    return page("States of an upload", STATES, parts)


def states_table() -> str:
    """Every state, what it says and what comes next."""
    return table(("state", "means", "next"), [(state, said.means, said.next) for state, said in STATES_OF.items()])


def leads_to(call: str, state: State) -> str:
    """Where a call leads from a state."""
    leads = CALLS[call].leads.get(state)
    if leads is None:
        return "-"
    return "" if leads == {state} else " or ".join(name for name in STATES_OF if name in leads)


def with_states(guide: str) -> str:
    """The guide with the table of states as it is now.

    Raises:
        SystemExit: the guide does not have both marks of the table, each once and in order.
    """
    begin, end = GUIDE
    before, _, rest = guide.partition(begin)
    _, _, after = rest.partition(end)
    if (guide.count(begin), rest.count(end)) != (1, 1):
        sys.exit(f"guide.md: put the marks of the table of states back, each once: between {begin.strip()} and {end}.")
    return f"{before}{begin}\n{states_table()}\n{end}{after}"


def cli_page() -> str:
    """Every command with its arguments and options."""
    parts = []
    for path, command in commands():
        parts.append(f"## {' '.join(path)}\n")
        parts.append(f"{' '.join((command.help or '').split())}\n")
        parts.append(f"```\n{usage(path, command)}\n```\n")
        rows = [(parameter_name(p), p.help or "") for p in command.params if p.name not in SHARED]
        if rows:
            parts.append(table(("argument or option", "means"), rows))
    return page("Command line", COMMANDS, parts)


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    yield from commands_below((), cast("TyperGroup", typer.main.get_command(app)))


def commands_below(path: tuple[str, ...], group: TyperGroup) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands of a group; the group itself where it does something alone."""
    for name, command in group.commands.items():
        words = (*path, name)
        if not isinstance(command, TyperGroup):
            yield words, command
            continue
        if command.invoke_without_command:
            yield words, command
        yield from commands_below(words, command)


def usage(path: tuple[str, ...], command: Any) -> str:
    """How the command is called, in one line."""
    words = [NAME, *path]
    words += [str(p.metavar or p.name) for p in command.params if not isinstance(p, TyperOption)]
    words += [parameter_name(p, marked=False) for p in command.params if isinstance(p, TyperOption) and p.required]
    if any(isinstance(p, TyperOption) and not p.required and p.name not in SHARED for p in command.params):
        words.append("[OPTIONS]")
    return " ".join(words)


def parameter_name(parameter: Any, *, marked: bool = True) -> str:
    """An argument or option as it is typed."""
    if isinstance(parameter, TyperOption):
        choices = parameter.type_descriptor.choices
        value = "" if parameter.is_flag else f" {parameter.metavar or '|'.join(str(c) for c in choices or ())}"
        names = [f"{name}{value}" for name in (parameter.opts if marked else parameter.opts[:1])]
    else:
        names = [str(parameter.metavar or parameter.name)]
    shown = ", ".join(f"`{name}`" for name in names) if marked else names[0]
    return f"{shown} (required)" if marked and parameter.required else shown


def profiles_page() -> str:
    """Every key of a profile, and the profiles that ship."""
    parts = [*keys_of(Profile), "## The shipped profiles\n"]
    found, _ = find_profiles()
    for profile in found.values():
        parts += shipped_profile(profile)
    return page("Profiles", KEYS, parts)


def export_profiles_page() -> str:
    """Every key of an export profile, and the fields that a file can have."""
    parts = [*keys_of(ExportProfile), "## Fields\n"]
    fields = {"contacts": known_fields("contacts", ()), "accounts": known_fields("accounts", ())}
    parts += [table((f"field of {of}", "kind"), [(f"`{n}`", k) for n, k in has.items()]) for of, has in fields.items()]
    return page("Export profiles", EXPORT_KEYS, parts)


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a YAML file that a model describes."""
    schema = model.model_json_schema()
    for title, part in {model.__name__: schema, **schema["$defs"]}.items():
        if "properties" not in part:
            continue
        yield f"### {title}\n"
        yield f"{' '.join(part.get('description', '').split())}\n"
        required = part.get("required", [])
        rows = [
            (f"`{key}`", kind(value), "required" if key in required else default(value), value.get("description", ""))
            for key, value in part["properties"].items()
        ]
        yield table(("key", "value", "default", "means"), rows)


def notices_page() -> str:
    """The keys of notices.yaml, and what people can be told of."""
    parts = [*keys_of(Rules), "## What people are told of\n"]
    of = dict.fromkeys(get_args(FeedEvent), "Feed <name>") | dict.fromkeys(get_args(HomeEvent), "The home")
    rows = [(f"`{event}`", f"`{of.get(event, '<file>')}: {told.became}`", told.means) for event, told in EVENTS.items()]
    parts.append(table(("on", "subject", "means"), rows))
    return page("Notices", NOTICES, parts)


def feeds_page() -> str:
    """The keys of a feed, and what its login stands in."""
    parts = [*keys_of(Feed), "## Logins\n", "Each stands in a variable of the environment, and nowhere else.\n"]
    rows = [(f"`{variable('<NAME>', name)}`", means) for name, means in VARIABLES.items()]
    rows.append(
        ("`AWS_PROFILE`, `AWS_ACCESS_KEY_ID`, … (of boto)", "s3: the login; `AWS_ENDPOINT_URL`: another server")
    )
    rows.append(
        ("`SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`; `AWS_CA_BUNDLE`", "https; s3: certificates of the CAs to trust")
    )
    parts.append(table(("variable", "holds"), rows))
    return page("Feeds", FEEDS, parts)


def shipped_profile(profile: Profile) -> Iterator[str]:
    """One shipped profile: what it does, its fields, its options."""
    description = describe_profile(profile)
    yield f"### {profile.name}\n"
    yield f"{profile.description}\n"
    yield table(("", ""), profile_facts(profile).items())
    fields = [
        (
            field["heading"] + (" *" if field["required"] else ""),
            f"`{field['field']}`",
            field["format"],
            "masked" if field["sensitive"] else "",
        )
        for field in description["fields"]
    ]
    yield table(("heading (* required)", "field", "format", ""), fields)
    options = [
        (
            f"`{name}`" if option["locked"] else f"`--{name.replace('_', '-')}`",
            {True: "on", False: "off", None: ""}.get(option["default"], option["default"]),
            "locked" if option["locked"] else ", ".join(option["choices"]),
            option["means"],
        )
        for name, option in description["options"].items()
    ]
    yield table(("option", "default", "choices", "means"), options)


def settings_page() -> str:
    """Every setting with its variable and default."""
    rows = [
        (
            f"`CONTACT_PIPELINE_{name.upper()}`",
            default({"default": str(field.default) if isinstance(field.default, Path) else field.default}),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    return page("Settings", SETTINGS, [table(("variable", "default", "means"), rows)])


def codes_page() -> str:
    """Every code of a rejection."""
    rows = [(f"`{name}`", code.severity, code.meaning, code.fix, code.example) for name, code in sorted(CODES.items())]
    return page("Codes", ROWS, [table(("code", "severity", "means", "what to do", "example"), rows)])


def frames_page() -> str:
    """The frames that pass between the stages, and the tables of the contact database."""
    frames = {
        "raw rows": ("1. upload →", contracts.RAW_ROWS),
        "normalized rows": ("2. normalize →", contracts.NORMALIZED_ROWS),
        "blank rows": ("2. normalize →", contracts.BLANK_ROWS),
        "repairs": ("2. normalize →", contracts.REPAIRS),
        "rejections": ("3. validate →", contracts.REJECTIONS),
        "outcome rows": ("4. match →", contracts.OUTCOME_ROWS),
    }
    parts = []
    for name, (stage, schema) in frames.items():
        parts.append(f"## {stage} {name}{'' if schema.strict else ' (open)'}\n")
        parts.append(table(("column", "type", "blank", "values"), [column_row(c) for c in schema.columns.values()]))
    parts.append("## Staged tables\n")
    parts.append(
        "What lies in `staging.duckdb` of an upload, and of the folders below it for rows that were decided later and "
        "for its inverse. The further columns of a table can hold values of people; so can those that are marked. The "
        "steps that make and read a table are named by room, or by module (`match/keys`); *people* see what is in it. "
        "`erase`, `verify`, `backup`, `sql` and `contacts export` read all of them.\n"
    )
    parts += catalogue(STAGED)
    parts.append("## Kept tables\n")
    parts.append(
        "What lies in `contacts.duckdb`, as a new home has it. DuckDB lets one process write, and an open reader keeps "
        "the writer out: look at a copy. Other programs read the published contacts. The columns that are marked can "
        "hold values of people in files; [erasing](../guide.md#erase-a-person) empties them, or puts stars in the "
        "place of the values.\n"
    )
    parts += catalogue(KEPT)
    parts.append("## Outcomes and states\n")
    parts.append(f"Outcomes of a row: {', '.join(f'`{name}`' for name in terms.OUTCOMES)}.\n")
    parts.append("## Canonical fields of a contact\n")
    parts.append(table(("field", "kind", "form", ""), map(canonical_row, terms.CANONICAL, terms.CANONICAL.values())))
    parts.append("## Fields of an account\n")
    parts.append(table(("field", "kind"), [(f"`{name}`", kind) for name, kind in terms.ACCOUNT_FIELDS.items()]))
    return page("Frames and tables", FRAMES, parts)


def column_row(column: pa.Column) -> tuple[str, str, str, str]:
    """A column of a frame."""
    allowed = [check.statistics["allowed_values"] for check in column.checks if "allowed_values" in check.statistics]
    values = ", ".join(str(value) for value in allowed[0]) if allowed else ("unique" if column.unique else "")
    return f"`{column.name}`", str(column.dtype), "may be" if column.nullable else "", values


def canonical_row(name: str, field: terms.CanonicalField) -> tuple[str, str, str, str]:
    """A canonical field of a contact."""
    facts = {"sensitive": field.sensitive, "belongs to one person": field.identifies, "rare": field.rare}
    return f"`{name}`", field.kind, field.form, ", ".join(fact for fact, holds in facts.items() if holds)


def catalogue(tables: Iterable[Table]) -> Iterator[str]:
    """The tables of a catalogue."""
    lies = {
        "database": "",
        "Parquet": " Its rows lie in Parquet files; the table is a view of them.",
        "view": " A view.",
    }
    for each in tables:
        yield f"### {each.name}\n"
        made = f"{'Made' if each in STAGED else 'Written'} by {each.made_by}; read by {each.read_by}."
        key = f" Key: {', '.join(f'`{name}`' for name in each.key)}." if each.key else ""
        yield f"A row: {each.holds}. {made}{lies[each.lies]}{key}\n"
        rows = [(f"`{c.name}`", c.type.lower(), c.holds, "personal" if c.personal else "") for c in each.columns]
        further = [("…", "", each.open, "personal")] if each.open else []
        yield table(("column", "type", "holds", ""), [*rows, *further])


def kind(value: dict[str, Any]) -> str:
    """A key's value in words, from its JSON schema."""
    if "$ref" in value:
        return str(value["$ref"]).rsplit("/", 1)[-1]
    for several in ("anyOf", "oneOf"):
        if several in value:
            return " or ".join(kind(option) for option in value[several] if option.get("type") != "null")
    if "enum" in value:
        return " or ".join(f"`{choice}`" for choice in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    match value.get("type"):
        case "array":
            return f"list of {kind(value['items'])}" if "items" in value else "two fields"
        case "object":
            values = value.get("additionalProperties") or next(iter(value["patternProperties"].values()))
            return "mapping to values" if values is True else f"mapping to {kind(values)}"
        case other:
            return {"string": "text", "boolean": "yes or no"}.get(str(other), str(other))


def default(value: dict[str, Any]) -> str:
    """A key's default."""
    found = value.get("default")
    if found in (None, "", [], {}) or isinstance(found, dict):
        return ""
    return f"`{str(found).lower() if isinstance(found, bool) else found}`"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell(value) for value in line)} |\n" for line in lines)


def cell(value: object) -> str:
    """A value in a table's cell."""
    shown = str(value if value is not None else "").replace("|", "\\|").replace("\n", " ")
    return shown if "`" in shown else shown.replace("<", "&lt;")


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "profiles.md": profiles_page,
    "export_profiles.md": export_profiles_page,
    "feeds.md": feeds_page,
    "notices.md": notices_page,
    "settings.md": settings_page,
    "codes.md": codes_page,
    "frames.md": frames_page,
    "states.md": states_page,
}


if __name__ == "__main__":
    sys.exit(main())
