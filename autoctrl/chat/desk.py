"""What all hooks of the chat share: the project, who may do what, keys, and what was used."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from autoctrl.chat.roles import Person, read_roster
from autoctrl.chat.trigger import REMEMBERED, check_trigger
from autoctrl.chat.workers import Workers
from autoctrl.config import read_secret_lines
from autoctrl.errors import AutoctrlError, SettingsError, StoreError, UsageError
from autoctrl.model.actor import Actor
from autoctrl.model.role import Role
from autoctrl.model.signature import SHORTEST_KEY
from autoctrl.views import Spelling, limit_silence
from autoctrl.views.runs import RunIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from autoctrl.chat.deployment import Deploy
    from autoctrl.compose import Project
    from autoctrl.verbs import Request

VIA = "mattermost"


class Nonces(Protocol):
    """What was used once, remembered beyond this process."""

    def use(self, nonce: str, expires: datetime, now: datetime) -> bool:
        """Say whether it is used for the first time; it is remembered until ``expires``."""

    def give_back(self, nonce: str) -> None:
        """Let it be new again. Raises ``StoreError``."""


class Caller(NamedTuple):
    """Who asks.

    person  as the server says
    role    as the settings say
    """

    person: Person
    role: Role


def _complain(text: str) -> None:
    sys.stderr.write(f"chat: {text}\n")


class Desk:
    """Where people are answered; used by several threads."""

    def __init__(
        self,
        project: Project,
        nonces: Nonces,
        *,
        workers: Workers | None = None,
        deploy: Deploy | None = None,
        complain: Callable[[str], None] = _complain,
    ) -> None:
        """Open the chat of a project; ``complain`` is told what nobody else can be told.

        Raises ``SettingsError`` if the settings make no sense, or a secret cannot be read.
        """
        self.project, self.nonces, self.deploy = project, nonces, deploy
        self.workers, self.complain = workers or Workers(), complain
        self.store, self.settings = project.store, project.settings
        self.server = project.chat_server()
        self.roster = read_roster(self.settings.chat, self.server.team)
        self.spelling = Spelling(self.settings.project.timezone)
        self.index = RunIndex(self.store)
        self.index.numbers()
        if self.has_command:
            self.tokens()
        if self.has_buttons:
            self.keys()

    @property
    def has_command(self) -> bool:
        """Whether there is a slash command."""
        return bool(self.settings.chat.token_file)

    @property
    def has_buttons(self) -> bool:
        """Whether there are buttons and dialogs."""
        return bool(self.settings.hooks.url and self.settings.hooks.secret_file)

    def tokens(self) -> tuple[str, ...]:
        """Return the tokens of the slash command that are good now. Raises ``SettingsError``."""
        path = self.settings.path(self.settings.chat.token_file)
        return read_secret_lines(path, "[chat] token_file")

    def keys(self) -> tuple[str, ...]:
        """Return the keys that are good now, the first of which signs. Raises ``SettingsError``."""
        if not self.has_buttons:
            message = "[hooks] url and secret_file are not set, so there are no buttons."
            raise SettingsError(message, hint="See docs/howto/chat.md.")
        path = self.settings.path(self.settings.hooks.secret_file)
        return read_secret_lines(path, "[hooks] secret_file", shortest=SHORTEST_KEY)

    @property
    def silent_before(self) -> datetime | None:
        """Since when a campaign must have had a cycle, None if it never must."""
        return limit_silence(self.settings, self.project.clock.now())

    def admit(self, person: Person, trigger_id: str, now: datetime) -> Caller:
        """Return who asks, of a request that was made just now and is seen for the first time.

        Raises ``UsageError``.
        """
        nonce = check_trigger(trigger_id, person.id, now)
        if not self.nonces.use(nonce, now + REMEMBERED, now):
            message = "This very request was answered before."
            raise UsageError(message, hint="Nothing was done. Say it again.")
        return Caller(person, self.roster.role_of(person))

    @contextmanager
    def using(self, nonce: str, expires: datetime, now: datetime) -> Iterator[bool]:
        """Give whether a nonce is used for the first time.

        It is new again if the block raises an error of ours: then nothing was done, and the person
        may try again. Whoever is killed in the block has used it.
        """
        is_new = self.nonces.use(nonce, expires, now)
        try:
            yield is_new
        except AutoctrlError:
            if is_new:
                with suppress(StoreError):  # what went wrong first is worth telling
                    self.nonces.give_back(nonce)
            raise

    def request(
        self, caller: Caller, campaign: str, reason: str = "", *, dry_run: bool = False
    ) -> Request:
        """Return what a verb needs to know."""
        actor = Actor(caller.person.signature, VIA)
        return self.project.request(actor, campaign, reason, dry_run=dry_run)


def check_role(caller: Caller, verb: str, least: Role) -> None:
    """Raise ``UsageError`` if somebody may not say a verb."""
    if caller.role >= least:
        return
    person_id = caller.person.id
    if caller.role is Role.NOBODY:
        message = "autoctrl does not know you, so it does nothing for you."
        hint = f"Ask its administrator to add your id, {person_id}, to [chat]."
        raise UsageError(message, hint=hint)
    message = f"You are {_article(caller.role)} here; {verb} takes {_article(least)}."
    raise UsageError(message, hint=f"Nothing was done. Your id is {person_id}.")


def _article(role: Role) -> str:
    return f"{'an' if str(role)[0] in 'aeiou' else 'a'} {role}"
