"""Opens the ports that the settings name; used by the command line and the web page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from autoctrl.config import Settings, find_project, load_settings
from autoctrl.errors import AutoctrlError, Conflict, SettingsError, nearest
from autoctrl.executors.inline import InlineExecutor
from autoctrl.machine.context import Context
from autoctrl.model.campaign import PROMPT, Campaign
from autoctrl.model.names import INLINE, STATE_FOLDER
from autoctrl.model.output import MarkRecord
from autoctrl.node import hint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from autoctrl.handlers.handler import Function
    from autoctrl.model.task import Task
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Clock, Executor, Hint, Notifier, Source, Store


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the present time, aware UTC."""
        return datetime.now(UTC)


class Project:
    """A project with its ports open."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Open the store; everything else is opened when it is asked for."""
        from autoctrl.stores import open_store

        self.settings = settings
        self.folder = settings.folder
        self.clock: Clock = clock if clock is not None else SystemClock()
        self.store: Store = open_store(store_address(settings))
        self._notifier: Notifier | None = None
        self._executors: dict[str, Executor] = {}
        _ensure_prompt(self.store, self.clock)

    @property
    def notifier(self) -> Notifier:
        """Who is told."""
        if self._notifier is None:
            from autoctrl.notifiers import open_notifier

            self._notifier = open_notifier(self.settings)
        return self._notifier

    def executor(self, address: str) -> Executor:
        """Return the executor ``name``, or ``name@place`` for jobs of an earlier place.

        Raises ``SettingsError`` if the settings have none of this name.
        """
        if address not in self._executors:
            self._executors[address] = self._open_executor(*address.partition("@")[::2])
        return self._executors[address]

    def calls(
        self, function: Function, view: Callable[[str], Task], tick: Callable[[], object]
    ) -> Executor:
        """Return an executor that calls ``function``; see ``InlineExecutor``."""
        return InlineExecutor(self.folder / STATE_FOLDER, function, view, tick)

    def _open_executor(self, name: str, place: str) -> Executor:
        state = self.folder / STATE_FOLDER
        if name == INLINE:
            return InlineExecutor(state)
        if name not in self.settings.executors:
            message = (
                f"There is no executor '{name}' in the settings. "
                f"{nearest(name, self.settings.executors)}"
            )
            raise SettingsError(message, hint=f'Declare it: [executors.{name}] type = "local".')
        from autoctrl.executors import Surroundings, open_executor

        surroundings = Surroundings(
            state,
            self.store.store_id,
            place,
            templates=(self.folder / "templates", self.folder / "workflows"),
            hints=_hints(self.settings),
        )
        return open_executor(name, self.settings.executors[name], surroundings)

    def hints(self, task: TaskKey) -> tuple[list[Hint], str]:
        """Return what the task's jobs said of themselves last, and why that cannot be told: nobody
        fails for a hint.
        """
        if not self.settings.hints.url:
            return [], ""
        from autoctrl.stores import read_hints

        try:
            return read_hints(hints_address(self.settings), self.store.store_id, task), ""
        except AutoctrlError as error:
            return [], f"Hints of the jobs cannot be shown. {error}"

    def sources(self) -> list[Source]:
        """Return the sources of runs that the settings name."""
        if not self.settings.sources:
            return []
        from autoctrl.sources import open_sources

        return open_sources(self.settings)

    def context(self, campaign: str) -> Context:
        """Return what a cycle of this campaign works with."""
        return Context(
            store=self.store,
            executor=self.executor,
            calls=self.calls,
            notifier=self.notifier,
            clock=self.clock,
            settings=self.settings,
            campaign=campaign,
        )

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        """Be closed at the end of a with statement."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the project."""
        self.close()


def open_project(
    folder: Path | None = None, environment: str | None = None, clock: Clock | None = None
) -> Project:
    """Open the project in ``folder``, or in the nearest folder above the working directory that has
    settings.
    """
    return Project(load_settings(find_project(folder), environment=environment), clock)


def _hints(settings: Settings) -> dict[str, str]:
    """Return the variables by which a job finds the bucket for hints.

    Raises ``SettingsError`` without its token.
    """
    if not settings.hints.url:
        return {}
    file = settings.path(settings.hints.token_file)
    if not file.is_file():  # it travels with the jobs, and a folder would as well
        message = f"The token for hints, which travels with the jobs, is no file: {file}."
        raise SettingsError(
            message, hint="Name one: [hints] token_file = 'PATH'; or leave out [hints] url."
        )
    return {hint.URL: settings.hints.url, hint.TOKEN_FILE: str(file)}


def store_address(settings: Settings) -> str:
    """Return the store's address with a relative path counted from the project's folder."""
    scheme, _, place = settings.store.url.partition(":")
    if scheme != "sqlite":
        return with_token(settings, settings.store.url, settings.store.token_file)
    path = settings.path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:{path}"


def hints_address(settings: Settings) -> str:
    """Return the address of the bucket for hints with the file of its token."""
    return with_token(settings, settings.hints.url, settings.hints.token_file)


def with_token(settings: Settings, url: str, file: str) -> str:
    """Return the address of a service with the path of its token, of the file that it names itself
    or else ``file``.
    """
    address, _, words = url.partition("?")
    options = dict(parse_qsl(words))
    file = options.pop("token_file", file)
    options.update({"token_file": str(settings.path(file))} if file else {})
    return f"{address}?{urlencode(options)}" if options else address


def _ensure_prompt(store: Store, clock: Clock) -> None:
    """Make the campaign that every project has, once."""
    if any(mark.name == PROMPT for mark in store.marks("campaign")):
        return
    prompt = Campaign(PROMPT, follow=True)
    try:
        store.append([MarkRecord("campaign", PROMPT, PROMPT, prompt.values(), clock.now())])
    except Conflict:
        return  # another process made it at the same moment


def exit_code(errors: Sequence[str], failed: Sequence[str]) -> int:
    """Return 2 if a cycle could not work, 1 if a task failed for good, else 0."""
    return 2 if any(errors) else int(bool(failed))
