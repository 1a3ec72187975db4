"""Opens the ports that the settings name; used by the command line and the web page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.config import Settings, find_project, load_settings
from autoctrl.config.release import release_of
from autoctrl.errors import AutoctrlError, Conflict, SettingsError, nearest
from autoctrl.executors.inline import InlineExecutor
from autoctrl.files import share_folder
from autoctrl.machine.context import Context
from autoctrl.model.campaign import PROMPT, Campaign
from autoctrl.model.names import INLINE
from autoctrl.model.output import MarkRecord
from autoctrl.ports import Inbox
from autoctrl.process import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Self

    from autoctrl.handlers.handler import Function
    from autoctrl.model.actor import Actor
    from autoctrl.model.condition import Condition
    from autoctrl.model.incident import Incident
    from autoctrl.model.task import Task
    from autoctrl.model.unit import TaskKey
    from autoctrl.notifiers.listener import Listener
    from autoctrl.ports import (
        ChatServer,
        Clock,
        Executor,
        Hint,
        Message,
        Quota,
        Source,
        Store,
        Tables,
    )
    from autoctrl.verbs import Request


class HintsOfTask(NamedTuple):
    """What the jobs of a task said of themselves.

    hints    the newest of every attempt
    problem  why they cannot be shown, empty if they can
    """

    hints: list[Hint]
    problem: str = ""


class Project:
    """A project with its ports open."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Open the store; everything else is opened when it is asked for."""
        from autoctrl.stores import open_project_store

        self.settings = settings
        self.folder = settings.folder
        self._held = _hold_release(settings.folder)
        self.clock: Clock = clock if clock is not None else SystemClock()
        self.store: Store = open_project_store(settings)
        self._listeners: dict[str, Listener] = {}
        self._executors: dict[str, Executor] = {}
        _ensure_prompt(self.store, self.clock)

    @property
    def notifier_names(self) -> list[str]:
        """The names of the notifiers."""
        from autoctrl.notifiers import list_notifiers

        return list_notifiers(self.settings)

    def listener(self, name: str) -> Listener:
        """Return one of the notifiers, and what it wants to hear.

        Raises ``SettingsError`` if what its table says makes no sense.
        """
        if name not in self._listeners:
            from autoctrl.notifiers import open_listener

            self._listeners[name] = open_listener(self.settings, name)
        return self._listeners[name]

    def chat_server(self) -> ChatServer:
        """Return the server on which people talk to us. Raises ``SettingsError``."""
        from autoctrl.notifiers.mattermost import open_server

        return open_server(self.settings.chat.notifier, self.settings)

    def conditions(self, campaign: str) -> Sequence[Condition]:
        """Return what cannot be done now in a campaign, or may not."""
        from autoctrl.views.conditions import list_conditions

        return list_conditions(self.store, campaign)

    def message(self, campaign: str, incident: Incident, further: int) -> Message:
        """Return what people read of an incident, or of so many further ones, told in one."""
        from autoctrl.views import Spelling
        from autoctrl.views.incidents import spell_further, spell_message

        if further:
            return spell_further(campaign, incident, further)
        spelling = Spelling(self.settings.project.timezone)
        return spell_message(campaign, incident, spelling, self.store.store_id)

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
        return InlineExecutor(self.settings.state_folder, function, view, tick)

    def _open_executor(self, name: str, place: str) -> Executor:
        state = self.settings.state_folder
        if name == INLINE:
            return InlineExecutor(state)
        if name not in self.settings.executors:
            message = (
                f"There is no executor '{name}' in the settings. "
                f"{nearest(name, self.settings.executors)}"
            )
            raise SettingsError(message, hint=f'Declare it: [executors.{name}] type = "local".')
        from autoctrl.executors import Surroundings, open_executor
        from autoctrl.stores.hints import job_variables

        surroundings = Surroundings(
            state,
            self.store.store_id,
            self.folder,
            place,
            templates=(self.folder / "templates", self.folder / "workflows"),
            hints=job_variables(self.settings),
        )
        return open_executor(name, self.settings.executors[name], surroundings)

    def hints(self, task: TaskKey) -> HintsOfTask:
        """Return what the task's jobs last said of themselves; a failure becomes a sentence."""
        if not self.settings.hints.url:
            return HintsOfTask([])
        from autoctrl.stores.hints import read_hints

        try:
            return HintsOfTask(read_hints(self.settings, self.store.store_id, task))
        except AutoctrlError as error:
            return HintsOfTask([], f"Hints of the jobs cannot be shown. {error}")

    def description(self, digest: str) -> dict[str, Any]:
        """Return what made a version, by its digest. Raises ``UsageError`` if that is gone."""
        from autoctrl.machine.provenance import read_body

        return read_body(self.settings.state_folder, digest)

    def sources(self) -> list[Source]:
        """Return the sources of runs that the settings name."""
        if not self.settings.sources:
            return []
        from autoctrl.sources import open_sources

        return open_sources(self.settings)

    def quotas(self) -> dict[str, Quota]:
        """Return the quotas that the settings name, by name."""
        if not self.settings.quotas:
            return {}
        from autoctrl.quotas import open_quotas

        return open_quotas(self.settings)

    def request(
        self, actor: Actor, campaign: str, reason: str = "", *, dry_run: bool = False
    ) -> Request:
        """Return what a verb needs to know, for a person who asks by whatever route."""
        from autoctrl.verbs import Request

        cycle = self.settings.cycle
        return Request(
            store=self.store,
            clock=self.clock,
            actor=actor,
            reason=reason,
            campaign=campaign,
            environment=self.settings.environment,
            dry_run=dry_run,
            wait_s=cycle.verb_wait_s,
            lease_s=cycle.lease_s,
        )

    def context(self, campaign: str) -> Context:
        """Return what a cycle of this campaign works with."""
        return Context(
            store=self.store,
            executor=self.executor,
            calls=self.calls,
            clock=self.clock,
            settings=self.settings,
            campaign=campaign,
        )

    def close(self) -> None:
        """Close the store, and let go of the release."""
        self.store.close()
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def __enter__(self) -> Self:
        """Be closed at the end of a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the project."""
        self.close()


def open_project(
    folder: Path | None = None, environment: str | None = None, clock: Clock | None = None
) -> Project:
    """Open the project in ``folder``, or in the nearest folder above the working directory that has
    settings.
    """
    return Project(load_settings(find_project(folder), environment=environment), clock)


def open_lasting_store(settings: Settings, url: str, *, must_exist: bool) -> Store:
    """Open another store than the project's, its URL written as in the settings.

    Raises ``UsageError`` for one that ends with the process, ``StoreError`` if it ``must_exist``
    and does not: it is not made then.
    """
    from autoctrl import stores

    return stores.open_lasting_store(settings, url, must_exist=must_exist)


def open_tables(settings: Settings) -> AbstractContextManager[Tables]:
    """Open the tables that Grafana reads. Raises ``UsageError`` if the store has none."""
    from autoctrl import stores

    return stores.open_project_tables(settings)


def open_inboxes(settings: Settings) -> list[Inbox]:
    """Return the sources that are told of runs."""
    from autoctrl.sources import open_sources

    return [source for source in open_sources(settings) if isinstance(source, Inbox)]


def ping_hints(settings: Settings) -> str:
    """Return one line about the bucket for hints; raises ``StoreError`` if it cannot be used."""
    from autoctrl.stores import hints

    return hints.ping_hints(settings)


def _hold_release(folder: Path) -> int | None:
    """Let nobody remove the release of a deployed project while it is open."""
    release = release_of(folder)
    return None if release is None else share_folder(release)


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
