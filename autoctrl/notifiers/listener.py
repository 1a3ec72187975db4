"""One notifier of a project, and what it wants to hear."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import NotifierError
from autoctrl.model.condition import ConditionKind
from autoctrl.model.severity import Severity

if TYPE_CHECKING:
    from autoctrl.model.incident import Incident
    from autoctrl.ports import Notifier


class Listener(NamedTuple):
    """One notifier, and the incidents that it is told of.

    name       as the settings call it
    notifier   who is told
    least      the least severity that is told
    workflows  patterns of the workflows that are told of; none means all
    """

    name: str
    notifier: Notifier
    least: Severity = Severity.INFO
    workflows: tuple[str, ...] = ()

    @property
    def has_safe_repeat(self) -> bool:
        """Whether people see a message once that it is told twice; one that does not say cannot."""
        return bool(getattr(self.notifier, "has_safe_repeat", False))

    def wants(self, incident: Incident) -> bool:
        """Say whether it is told of an incident: of its own silence only the others can be told."""
        is_own = incident.kind == ConditionKind.NOTIFIER and incident.gist == self.name
        is_chosen = not (self.workflows and incident.workflow) or any(
            fnmatch(incident.workflow, pattern) for pattern in self.workflows
        )
        return not is_own and is_chosen and incident.severity.is_at_least(self.least)

    def ping(self) -> str:
        """Return what it says of itself. Raises ``NotifierError``, whatever it raises."""
        try:
            return self.notifier.ping()
        except NotifierError:
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}."
            raise NotifierError(message, hint="Its package is at fault.") from error
