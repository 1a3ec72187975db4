"""What every verb of the command line has: the common options, the open project, the person."""

from __future__ import annotations

import functools
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from autoctrl.cli.app import PROGRAM
from autoctrl.cli.output import NEWEST
from autoctrl.errors import nearest
from autoctrl.model.actor import Actor
from autoctrl.model.campaign import PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from autoctrl.compose import Project
    from autoctrl.config import Settings
    from autoctrl.verbs import Request
    from autoctrl.views import Spelling


Caller = TypeVar("Caller", bound="Callable[..., Any]")


class Session(NamedTuple):
    """The common options of one call.

    folder       where to look for the project, None for the nearest one
    campaign     the campaign that is meant
    environment  environment of the settings, None for AUTOCTRL_ENVIRONMENT's or none
    format       ``text``, ``json`` or, for an overview, ``csv``
    """

    folder: Path | None
    campaign: str
    environment: str | None
    format: str

    @property
    def is_json(self) -> bool:
        """Say whether JSON is wanted."""
        return self.format == "json"

    def see(self, words: str) -> str:
        """Return ``See: autoctrl WORDS`` with the options that this call had, so that it means the
        same project.
        """
        options = {
            "--project": str(self.folder) if self.folder else "",
            "--environment": self.environment or "",
        }
        options["--campaign"] = "" if self.campaign == PROMPT else self.campaign
        given = [word for name, value in options.items() if value for word in (name, value)]
        return f"See: {PROGRAM} {words} {shlex.join(given)}".rstrip()

    def describe_closed(self, project: Project) -> str:
        """Say that the campaign is closed, nothing if it is open.

        Raises ``UsageError`` if there is none.
        """
        from autoctrl.campaigns import find_campaign

        again = f"Open it again: {PROGRAM} campaign edit {self.campaign} --reopen"
        is_closed = find_campaign(project.store, self.campaign).closed
        return (
            f"Campaign {self.campaign} is closed; nothing starts in it any more. {again}"
            if is_closed
            else ""
        )

    def settings(self) -> Settings:
        """Load the settings. Raises ``SettingsError``."""
        from autoctrl.config import find_project, load_settings

        return load_settings(find_project(self.folder), environment=self.environment)

    def open(self) -> Project:
        """Open the project. Raises ``SettingsError`` or ``StoreError``."""
        from autoctrl.compose import Project

        return Project(self.settings())

    def open_at_code(self) -> Project:
        """Open the project in the release of the code that the campaign wants, if it was deployed.

        Raises ``SettingsError`` or ``StoreError``.
        """
        from autoctrl.config.release import release_of

        project = self.open()
        if release_of(project.folder) is None:
            return project
        from autoctrl.operations.deployment.pinned import at_code

        return at_code(project, self.campaign)

    def silent_before(self, project: Project) -> datetime | None:
        """Return since when a campaign must have had a cycle, None if it never must."""
        from autoctrl.views import limit_silence

        return limit_silence(project.settings, project.clock.now())

    def spelling(self, project: Project) -> Spelling:
        """Return how times are written: in the project's time zone."""
        from autoctrl.views import Spelling

        return Spelling(project.settings.project.timezone)

    def request(self, project: Project, reason: str = "", *, dry_run: bool = False) -> Request:
        """Return what a verb needs to know."""
        return project.request(person(), self.campaign, reason, dry_run=dry_run)


class Exemplified(click.Command):
    """A command whose help ends with an example."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **kwargs)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """End with the example, on one line however long it is."""
        formatter.write_paragraph()
        formatter.write(f"Example: {PROGRAM} {self.example}\n")


class VerbGroup(Exemplified, click.Group):
    """A verb that has parts, as ``runs add`` and ``runs list``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the part. Raises ``click.UsageError`` naming the nearest if there is none."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"There is no verb '{self.name} {args[0]}'. {nearest(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Show only this many of the newest; text shows {NEWEST} by default.",
)


def verb(
    example: str,
    *,
    name: str | None = None,
    group: click.Group | None = None,
    formats: tuple[str, ...] = ("text", "json"),
    has_campaign: bool = True,
    has_project: bool = True,
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a function a verb with the common options; it is called with the session first.

    ``example`` is a whole command line without the program's name; ``group`` is the verb that it is
    part of.
    """

    def decorate(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def call(**given: Any) -> int | None:  # noqa: ANN401 - each verb has its own options
            return function(_take_session(given), **given)

        common = _common_options(formats, has_campaign=has_campaign, has_project=has_project)
        make = group.command if group is not None else click.command
        called = name or function.__name__.removesuffix("_").replace("_", "-")
        return make(called, cls=Exemplified, example=example)(add_options(call, common))

    return decorate


def _take_session(given: dict[str, Any]) -> Session:
    """Return the session that the common options mean, and take them out of ``given``."""
    del given["debug"]
    return Session(
        folder=given.pop("project", None),
        campaign=given.pop("campaign", PROMPT),
        environment=given.pop("environment", None),
        format=given.pop("format"),
    )


def add_options(call: Caller, options: Sequence[Callable[[Caller], Caller]]) -> Caller:
    """Return a verb's function with options that help shows behind those that it has."""
    own = getattr(call, "__click_params__", [])
    call.__click_params__ = []  # type: ignore[attr-defined]  # where click keeps them
    for option in reversed(options):
        call = option(call)
    call.__click_params__ += own  # type: ignore[attr-defined]  # as above
    return call


def _common_options(
    formats: tuple[str, ...], *, has_campaign: bool, has_project: bool
) -> list[Callable[[Any], Any]]:
    folder = click.Path(path_type=Path, file_okay=False)
    format_choice = click.Choice(formats)
    campaign = click.option(
        "--campaign",
        metavar="NAME",
        default=PROMPT,
        show_default=True,
        help="Campaign that is meant.",
        shell_complete=complete_campaigns,
    )
    of_project = [
        click.option(
            "--project",
            type=folder,
            metavar="DIR",
            help="Project folder; by default the nearest above.",
        ),
        click.option("--environment", metavar="NAME", help="Environment of the settings."),
    ]
    return [
        *(of_project if has_project else []),
        *([campaign] if has_campaign else []),
        click.option(
            "--format", type=format_choice, default="text", show_default=True, help="How to print."
        ),
        click.option("--debug", is_flag=True, help="Show where an error comes from."),
    ]


def person() -> Actor:
    """Return who calls, as the operating system names them."""
    import getpass

    try:
        return Actor(getpass.getuser(), "cli")
    except (OSError, KeyError):
        return Actor(f"uid {os.getuid()}", "cli")


def complete_campaigns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's
    """Return the campaigns whose names begin like this, for the shell."""
    return _complete(ctx, "campaign", incomplete)


def complete_workflows(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's
    """Return the workflows whose names begin like this, for the shell."""
    return _complete(ctx, "workflow", incomplete)


def _complete(ctx: click.Context, kind: str, incomplete: str) -> list[str]:
    from autoctrl.errors import AutoctrlError

    session = Session(ctx.params.get("project"), PROMPT, ctx.params.get("environment"), "text")
    try:
        with session.open() as project:
            names = {mark.name for mark in project.store.marks(kind)}
    except AutoctrlError:
        return []  # outside a project there is nothing to complete
    return sorted(name for name in names if name.startswith(incomplete))
