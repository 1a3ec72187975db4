"""The verbs by name, loaded when they are asked for, and what becomes of errors."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from autoctrl.errors import AutoctrlError, nearest
from autoctrl.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "autoctrl"
INTERRUPTED = 130
BROKEN_PIPE = 141
# Looking for cyclic references takes long: there are thousands of records, hardly any in a cycle.
COLLECT_AFTER = 20_000
INTERRUPTED_TEXT = "Interrupted."
STILL_RUNNING_TEXT = (
    "Jobs that were submitted go on; the next cycle or loop takes in what they made."
)
# The verbs in the order in which help shows them, by section; with each the module that holds it.
SECTIONS = {
    "A project": {
        "init": "skeletons",
        "new-workflow": "skeletons",
        "doctor": "health",
        "notify": "incidents",
        "store": "stores",
        "deploy": "deploy",
        "jenkins": "jenkins",
        "token": "tokens",
        "login": "login",
        "grafana": "grafana",
    },
    "Runs": {"runs": "runs", "discover": "runs"},
    "Processing": {"plan": "rounds", "cycle": "rounds", "loop": "rounds", "watch": "watch"},
    "Looking": {
        "status": "status",
        "health": "health",
        "quota": "quota",
        "incidents": "incidents",
        "why": "looking",
        "history": "looking",
        "jobs": "looking",
        "log": "looking",
        "provenance": "looking",
        "outputs": "outputs",
        "fields": "outputs",
        "latency": "latency",
        "serve": "serve",
    },
    "Acting": dict.fromkeys(
        ("retry", "reprocess", "skip", "fail", "complete", "pause", "resume"), "acting"
    ),
    "Campaigns": {"campaign": "campaigns"},
}
MODULES = {name: module for section in SECTIONS.values() for name, module in section.items()}


class ReaderGone(Exception):
    """The reader of our output has closed it."""


class Verbs(click.Group):
    """All verbs; a module is imported when one of its verbs is used or listed."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the verb returns
        """Run the verb. Raises ``ReaderGone`` for a broken pipe, which click would report as a
        failure.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs' names in the order in which help shows them."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the verb of this name, None if there is none."""
        if cmd_name not in MODULES:
            return None
        module = importlib.import_module(f"autoctrl.cli.{MODULES[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb. Raises ``click.UsageError`` naming the nearest if there is none."""
        if args[0] == "help":
            args = [*args[1:2], "--help"]
        if args[0] not in MODULES and not args[0].startswith("-"):
            ctx.fail(f"There is no verb '{args[0]}'. {nearest(args[0], MODULES)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by what they are for."""
        width = max(len(name) for name in MODULES)
        for title, names in SECTIONS.items():
            with formatter.section(title):
                commands = ((name, self.get_command(ctx, name)) for name in names)
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(72))
                        for name, command in commands
                        if command
                    ]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """End with an example, as every verb does."""
        formatter.write_paragraph()
        formatter.write(f"Example: {PROGRAM} status\n")


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from autoctrl import __version__

        click.echo(f"{PROGRAM} {__version__}")
        ctx.exit()


@click.group(
    PROGRAM,
    cls=Verbs,
    context_settings={"help_option_names": ["--help", "-h"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def app() -> None:
    """Process a physics experiment's data: every run through every workflow.

    Give --help after a verb to learn more; a verb's options come after its name.
    """


def run(argv: Sequence[str] | None = None) -> int:
    """Run one verb; errors become one paragraph on stderr and an exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(COLLECT_AFTER)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a name that the terminal cannot show stops no verb
    try:
        code = app.main(arguments, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except (ReaderGone, BrokenPipeError):
        # Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a fault of ours is reported like any other error
        return _complain(error, arguments)
    return code if isinstance(code, int) else 0


def _complain(error: BaseException, arguments: Sequence[str]) -> int:
    """Say on stderr what went wrong, in one paragraph, and return the exit code."""
    is_debugging = "--debug" in arguments
    if is_debugging and not isinstance(error, click.Abort | KeyboardInterrupt):
        import traceback

        traceback.print_exception(error)
    found = _explain(error, is_debugging=is_debugging)
    if found.code == INTERRUPTED and arguments[0] in {"cycle", "loop"}:
        found = found._replace(hint=STILL_RUNNING_TEXT)
    sys.stdout.flush()
    sys.stderr.write(f"{found.as_json() if _wants_json(arguments) else readable(str(found))}\n")
    return found.code


class Complaint(NamedTuple):
    """What went wrong, what to do about it, and the exit code."""

    message: str
    hint: str = ""
    code: int = 2

    def __str__(self) -> str:
        """Return it as one paragraph."""
        return f"{self.message} {self.hint}".rstrip()

    def as_json(self) -> str:
        """Return it as ``/api`` answers what it cannot do."""
        import json

        values = {"schema": 1, "error": self.message, "hint": self.hint}
        return json.dumps(values, indent=2, ensure_ascii=False)


def _wants_json(arguments: Sequence[str]) -> bool:
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def _explain(error: BaseException, *, is_debugging: bool) -> Complaint:
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Complaint(INTERRUPTED_TEXT, code=INTERRUPTED)
    if isinstance(error, AutoctrlError):
        return Complaint(error.message, error.hint, error.exit_code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return Complaint(error.format_message())
    if isinstance(error, click.ClickException):
        return _explain_usage(error)
    text = f"autoctrl hit an unexpected error: {type(error).__name__}: {error}."
    hint = "" if is_debugging else "Run the same command with --debug to see where, and report it."
    return Complaint(" ".join(text.split()), hint)


def _explain_usage(error: click.ClickException) -> Complaint:
    text = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context is not None:
        text = (
            f"There is no option {error.option_name}. {_other_option(error.option_name, context)}"
        )
    text = text if text.endswith((".", "?")) else f"{text}."
    path = context.command_path if context is not None else PROGRAM
    return Complaint(text, f"See: {path} --help")


def _other_option(name: str, context: click.Context) -> str:
    known = [
        text
        for option in context.command.get_params(context)
        for text in option.opts
        if text.startswith("-")
    ]
    if context.parent is None and name.startswith("--"):
        return f"A verb's options come after its name, as in '{PROGRAM} status {name}'."
    return nearest(name, known)
