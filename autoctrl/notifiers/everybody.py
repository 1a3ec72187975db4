"""All notifiers of a project, as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import NotifierError
from autoctrl.model.severity import Severity
from autoctrl.notifiers.stderr import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.ports import Message, Notifier


class Listener(NamedTuple):
    """One notifier, the messages that it gets, and a border that its faults do not cross.

    name      as the settings call it
    notifier  who is told
    least     the least severity that is told
    """

    name: str
    notifier: Notifier
    least: Severity = Severity.INFO

    def tell(self, message: Message) -> str | None:
        """Tell it what is severe enough; return the id that it gave, None if it was not told."""
        if not message.severity.is_at_least(self.least):
            return None
        try:
            return self.notifier.tell(message)
        except Exception as error:  # noqa: BLE001 - a package that is not ours may raise anything
            _say_broken(self.name, message, error)
            return None

    def change(self, message_id: str, message: Message) -> bool:
        """Change what it was told; return whether people can see it."""
        try:
            return self.notifier.change(message_id, message)
        except Exception as error:  # noqa: BLE001 - a package that is not ours may raise anything
            _say_broken(self.name, message, error)
            return False

    def ping(self) -> str:
        """Return its line with its name. Raises ``NotifierError``, whatever the notifier raises."""
        try:
            return f"{self.name}: {self.notifier.ping()}"
        except NotifierError as error:
            message = f"{self.name}: {error.message}"
            raise NotifierError(message, hint=error.hint) from error
        except Exception as error:
            message = f"{self.name}: {type(error).__name__}: {error}."
            raise NotifierError(message, hint="Its package is at fault.") from error


class Everybody:
    """Several notifiers that are told together.

    The id of a message holds the ids that they gave, by name.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        """Keep the listeners, in their order."""
        self.listeners = tuple(listeners)

    def tell(self, message: Message) -> str | None:
        """Tell each of them; return None if nobody was told."""
        answers = {listener.name: listener.tell(message) for listener in self.listeners}
        ids = {name: told for name, told in answers.items() if told is not None}
        return json.dumps(ids) if ids else None

    def change(self, message_id: str, message: Message) -> bool:
        """Change the message wherever it was told; return whether anybody can see it."""
        ids: dict[str, str] = json.loads(message_id)
        told = [listener for listener in self.listeners if listener.name in ids]
        answers = [listener.change(ids[listener.name], message) for listener in told]
        return any(answers)

    def ping(self) -> str:
        """Return what each says, in one line. Raises ``NotifierError`` for the first that fails."""
        return "; ".join(listener.ping() for listener in self.listeners)


def _say_broken(name: str, message: Message, error: Exception) -> None:
    say(
        f"{message.severity} {message.title} "
        f"(notifier {name} failed: {type(error).__name__}: {error})"
    )
