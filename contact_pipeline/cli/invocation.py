"""What every command shares: the home folder, `--json`, the user, and the pipeline opened for them."""

from __future__ import annotations

import getpass
import inspect
import os
import shlex
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contact_pipeline.errors import Refusal, where_it_stands

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.settings import Settings

Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The home folder; unset: CONTACT_PIPELINE_HOME, else ./data."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="Draw without colours, as with NO_COLOR in the environment.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there already.")]
Unmasked = Annotated[bool, typer.Option("--unmasked", help="Show social security numbers and dates of birth, too.")]
User = Annotated[str | None, typer.Option("--user", metavar="LOGIN", help="Who does this; unset: your login here.")]


def interrupted(error: BaseException) -> Refusal:
    """The refusal after Ctrl-C, with the state of the upload, if there is one."""
    notes = where_it_stands(error)
    if notes:
        return Refusal("interrupted", " ".join(["Interrupted.", *notes]), "")
    return Refusal("interrupted", "Interrupted.", "It is done wholly or not at all; repeat it to be sure.")


@dataclass(frozen=True)
class Invocation:
    """One call of the command line."""

    home: Path | None = None
    json: bool = False
    nested: bool = False  # a command of this group follows

    @cached_property
    def settings(self) -> Settings:
        """The settings of this home."""
        from contact_pipeline.settings import Settings

        return Settings() if self.home is None else Settings(home=self.home)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline on this home; loaded only when a command needs it, so that help stays fast."""
        import polars  # noqa: F401 - it sets its own handler of Ctrl-C, which panics on stderr; replaced here

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return self.light_pipeline

    @cached_property
    def light_pipeline(self) -> Pipeline:
        """The pipeline without loading Polars, for commands that only look at uploads."""
        from contact_pipeline import Pipeline

        return Pipeline(settings=self.settings)

    def tell(self) -> None:
        """Sends the notices of what the command has changed, if there are any."""
        if "light_pipeline" in self.__dict__:
            from contact_pipeline.cli.telling import tell

            tell(self.light_pipeline)

    def line(self, *words: object) -> str:
        """A command to type next, for this home."""
        home = ["--home", self.home] if self.home is not None and "CONTACT_PIPELINE_HOME" not in os.environ else []
        return shlex.join(["contact-pipeline", *(str(word) for word in (*words, *home))])


def login(user: str | None) -> str:
    """The user named on the command line, or whoever is logged in on this machine."""
    if user:
        return user
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())


def everywhere(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Gives a command `--home`, `--json` and `--no-color`, which may also stand before its name."""
    signature = inspect.signature(function, eval_str=True)

    @wraps(function)
    def entry(ctx: typer.Context, home: Path | None, as_json: bool, no_color: bool, **options: Any) -> int | None:  # noqa: ARG001 - `app.run` evaluates no_color before help is drawn
        outer = ctx.parent.obj if ctx.parent and isinstance(ctx.parent.obj, Invocation) else Invocation()
        nested = ctx.invoked_subcommand is not None
        ctx.obj = Invocation(home if home is not None else outer.home, as_json or outer.json, nested)
        try:
            try:
                status = function(ctx.obj, **options)
            except Exception:  # even so something may have changed: a refused file has a ledger line
                ctx.obj.tell()
                raise
            ctx.obj.tell()
        except KeyboardInterrupt as interrupt:  # typer would end without a message
            raise interrupted(interrupt) from interrupt
        return status

    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in list(signature.parameters.values())[1:]),
        inspect.Parameter("home", keyword, default=None, annotation=Home),
        inspect.Parameter("as_json", keyword, default=False, annotation=Json),
        inspect.Parameter("no_color", keyword, default=False, annotation=NoColor),
    ]
    entry.__signature__ = signature.replace(parameters=shared)  # type: ignore[attr-defined]
    return entry


def group(app: typer.Typer, name: str, means: str, panel: str) -> typer.Typer:
    """A group of commands, `name list`, `name show` and so on, below an app."""
    commands = typer.Typer(help=means, no_args_is_help=True)
    app.add_typer(commands, name=name, rich_help_panel=panel)

    @commands.callback()
    @everywhere
    def pass_on(invocation: Invocation) -> None: ...

    return commands
