"""What a friend module is, and the register of those that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from autoctrl.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class FriendModule(Protocol):
    """Computes branches from the entries of a tree.

    The three names below are plain class attributes in a module.  A branch that starts with ``sc_`` has one value per
    cluster, any other one value per entry.
    """

    @property
    def name(self) -> str:
        """How the module is chosen."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The branches that it reads."""

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches that it gives."""

    def __call__(self, events: Any) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return an array for each of ``branches`` from some entries; None and NaN become the filler."""


Kind = TypeVar("Kind", bound="type[FriendModule]")
_MODULES: dict[str, FriendModule] = {}


def register(kind: Kind) -> Kind:
    """Make an instance of a module's class known under its name; use it as a decorator."""
    module = kind()
    _MODULES[module.name] = module
    return kind


def chosen_modules(names: Iterable[str] | None = None) -> list[FriendModule]:
    """Return the named modules, or all that are known; raises UsageError for an unknown name."""
    if names is None:
        return [_MODULES[name] for name in sorted(_MODULES)]
    modules = []
    for name in names:
        if name not in _MODULES:
            message = f"there is no friend module {name!r}."
            raise UsageError(message, hint=nearest(name, _MODULES))
        modules.append(_MODULES[name])
    return modules
