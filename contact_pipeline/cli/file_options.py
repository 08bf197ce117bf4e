"""The options of one file: what `plan` and `import` take, and the few that `inspect` shares with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from contact_pipeline.cli import completion
from contact_pipeline.cli.invocation import User, login

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV file or Excel workbook.")]
Profile = Annotated[
    str,
    typer.Option(
        "--profile",
        "-p",
        metavar="NAME",
        help="The source system; `profiles` lists them.",
        autocompletion=completion.profiles,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="D", help="Delimiter of a CSV file, a character or `tab`; unset: detected."),
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="E", help="Encoding of a CSV file; unset: detected.")
]
Sheet = Annotated[str | None, typer.Option("--sheet", metavar="S", help="Sheet of a workbook; unset: the only one.")]

_CHOSEN: dict[str, tuple[Any, Any]] = {
    "group": (
        Annotated[
            str | None, typer.Option("--group", metavar="NAME", help="Group that new contacts join; made if new.")
        ],
        None,
    ),
    "group_members": (
        Annotated[
            Literal["created", "all"] | None,
            typer.Option("--group-members", help="Whom the group takes in: new contacts, or all in the file."),
        ],
        None,
    ),
    "blank": (
        Annotated[
            Literal["fill", "keep", "overwrite"] | None,
            typer.Option("--blank", help="What a blank does to a contact that has a value."),
        ],
        None,
    ),
    "blank_in": (
        Annotated[
            list[str],
            typer.Option(
                "--blank-in",
                metavar='"HEADING=POLICY"',
                help="What a blank in that column does, whatever holds for the others; may be given several times.",
            ),
        ],
        (),
    ),
    "lists": (
        Annotated[
            Literal["add", "replace"] | None,
            typer.Option("--lists", help="Whether values of lists are added to a contact's, or take their place."),
        ],
        None,
    ),
    "rule": (
        Annotated[
            Literal["merge", "create"] | None,
            typer.Option("--rule", help="What becomes of a lead that matches."),
        ],
        None,
    ),
    "lead_type": (
        Annotated[
            str | None, typer.Option("--lead-type", metavar="T", help="Type of the leads; it decides their module.")
        ],
        None,
    ),
    "delimiter": (Delimiter, None),
    "encoding": (Encoding, None),
    "sheet": (Sheet, None),
    "map": (
        Annotated[
            list[str],
            typer.Option(
                "--map",
                metavar='"HEADING=FIELD"',
                help="Heading → field; repeat it, in order of preference. `Phone#2`: the second of that name.",
            ),
        ],
        (),
    ),
    "date_format": (
        Annotated[
            list[str],
            typer.Option(
                "--date-format",
                metavar='"HEADING=FORMAT"',
                help="Format of a date column that declares several, such as DD/MM/YYYY; repeatable.",
            ),
        ],
        (),
    ),
    "save_mapping": (
        Annotated[bool, typer.Option("--save-mapping", help="Keep the mapping for files with the same headings.")],
        False,
    ),
    "deactivate_missing": (
        Annotated[bool, typer.Option("--deactivate-missing", help="Deactivate contacts that are not in the file.")],
        False,
    ),
    "reactivate": (
        Annotated[bool, typer.Option("--reactivate", help="Reactivate deactivated contacts that are in the file.")],
        False,
    ),
    "clear_do_not_contact": (
        Annotated[
            bool,
            typer.Option("--clear-do-not-contact", help="Let a 'no' take back that a contact is not to be contacted."),
        ],
        False,
    ),
    "allow_deactivations": (
        Annotated[
            float | None,
            typer.Option(
                "--allow-deactivations",
                metavar="PERCENT",
                min=0,
                max=100,
                help="Share of the active contacts that may be deactivated without asking.",
            ),
        ],
        None,
    ),
    "allow_rejected": (
        Annotated[
            float | None,
            typer.Option(
                "--allow-rejected",
                metavar="PERCENT",
                min=0,
                max=100,
                help="Share of the rows that may be rejected without asking.",
            ),
        ],
        None,
    ),
    "allow_changed": (
        Annotated[
            float | None,
            typer.Option(
                "--allow-changed",
                metavar="PERCENT",
                min=0,
                max=100,
                help="Share of the address book's contacts that may be changed without asking.",
            ),
        ],
        None,
    ),
}
_CONTINUES = Annotated[
    str | None,
    typer.Option(
        "--continues",
        metavar="UPLOAD",
        help="The upload whose rejected rows the file brings; unset: found by them.",
        autocompletion=completion.uploads,
    ),
]
_FORCE = Annotated[bool, typer.Option("--force", help="Import the same bytes again where a profile asks for it.")]


@dataclass(frozen=True)
class Request:
    """A file that somebody wants imported, with its options."""

    file: Path
    profile: str
    user: str
    force: bool
    continues: str | None
    options: dict[str, Any]


def takes_a_file(function: Callable[..., int]) -> Callable[..., int]:
    """Gives a command the file, the profile and every option of an upload, as one `Request`."""
    signature = inspect.signature(function, eval_str=True)
    first, _, *own = signature.parameters.values()

    @wraps(function)
    def entry(
        invocation: Any,
        file: Path,
        profile: str,
        user: str | None,
        force: bool,
        continues: str | None,
        **given: Any,
    ) -> int:
        chosen = {name: given.pop(name) for name in _CHOSEN}
        chosen["map"] = pairs(chosen["map"], "--map", "Heading=field")
        chosen["date_format"] = pairs(chosen["date_format"], "--date-format", "Heading=DD/MM/YYYY")
        chosen["blank_in"] = pairs(chosen["blank_in"], "--blank-in", "Heading=policy")
        chosen["delimiter"] = delimiter_meant(chosen["delimiter"])
        options = {name: value for name, value in chosen.items() if value not in (None, {}) and value is not False}
        return function(invocation, Request(file, profile, login(user), force, continues, options), **given)

    parameters = [first, _keyword("file", File), _keyword("profile", Profile)]
    parameters += [_keyword(name, annotation, default) for name, (annotation, default) in _CHOSEN.items()]
    parameters += [_keyword("continues", _CONTINUES, None)]
    parameters += [_keyword("user", User, None), _keyword("force", _FORCE, False)]
    parameters += [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    entry.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return entry


def pairs(given: list[str], option: str, form: str) -> dict[str, str]:
    """Heading → value of options such as `Heading=field`; only the heading may contain an equals sign."""
    found = {}
    for pair in given:
        heading, equals, value = pair.rpartition("=")
        if not (heading.strip() and equals and value.strip()):
            raise typer.BadParameter(f"'{pair}' is not of the form {form}.", param_hint=option)
        found[heading.strip()] = value.strip()
    return found


def delimiter_meant(given: str | None) -> str | None:
    """The delimiter that a text means: a tab is hard to type in a shell, so it may be named.

    Raises:
        BadParameter: it cannot be a delimiter.
    """
    if given is None:
        return None
    from contact_pipeline.profiles.base import why_no_delimiter

    meant = "\t" if given.lower() in {"tab", r"\t"} else given
    if why := why_no_delimiter(meant):
        raise typer.BadParameter(f"{why}.", param_hint="--delimiter")
    return meant


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
