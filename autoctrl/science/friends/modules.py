"""What a friend module is, and the register of those that are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from autoctrl.errors import UsageError, nearest
from autoctrl.science.friends.parameters import Numbers
from autoctrl.science.rootio import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

COUNTER = "nSc"
NAME = re.compile(r"[A-Za-z_]\w*\Z")
LISTS = ("needs", "branches", "parameters")


class Described(Protocol):
    """What every friend module says about itself, as plain class attributes."""

    @property
    def name(self) -> str:
        """How the module is chosen."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The branches that it reads."""

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches that it gives: ``sc_…`` with a value per cluster, others per entry."""


class PlainModule(Described, Protocol):
    """Computes branches from the entries of a tree."""

    def __call__(self, events: Any) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return an array for each branch from some entries of one run.

        None and NaN become the filler.
        """


class CalibratedModule(Described, Protocol):
    """Computes branches from the entries of a tree and from parameters that depend on the run."""

    @property
    def parameters(self) -> tuple[str, ...] | Mapping[str, Numbers]:
        """The parameters that the calibration must have for it: names, or what each must be by
        name.
        """

    def __call__(self, events: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return an array for each branch, with the parameters that hold for the entries' run."""


FriendModule = PlainModule | CalibratedModule
Kind = TypeVar("Kind", bound="type[FriendModule]")
_MODULES: dict[str, FriendModule] = {}


def register(kind: Kind) -> Kind:
    """Make an instance of a module's class known under its name; use it as a decorator.

    Raises UsageError when its attributes make no sense, or when the name is taken by another
    module.
    """
    module = kind()
    check_module(module)
    if module.name in _MODULES:
        sources = f"of {source_of(_MODULES[module.name])} and of {source_of(module)}"
        message = f"there are two friend modules {module.name}: {sources}."
        raise UsageError(message, hint="Give one of them another name.")
    _MODULES[module.name] = module
    return kind


def check_module(module: FriendModule) -> None:
    """Raise UsageError when what a module says about itself makes no sense."""
    name = getattr(module, "name", None)
    called = name if isinstance(name, str) else type(module).__name__
    where = f"friend module {called} of {source_of(module)}"
    if not _is_name(name):
        message = f"{where} has no name made of letters, digits and underscores."
        raise UsageError(message, hint='Write name = "depth" into the class.')
    for attribute in LISTS:
        words = getattr(module, attribute, () if attribute == "parameters" else None)
        if not _are_names(words) and not (attribute == "parameters" and _are_numbers(words)):
            message = f"{where}: {attribute} is {words!r}, not a tuple of names."
            hint = f'Write {attribute} = ("sc_z",) into the class; the comma makes the tuple.'
            raise UsageError(message, hint=hint)
    _check_branches(module, where)


def _check_branches(module: FriendModule, where: str) -> None:
    taken = {*KEYS, COUNTER} & set(module.branches)
    if taken or not module.branches:
        given = f"the branch {min(taken)}, which is a key" if taken else "no branch"
        message = f"{where} gives {given}."
        raise UsageError(message, hint="Name the branches that it computes in branches.")


def _is_name(word: object) -> bool:
    return isinstance(word, str) and NAME.match(word) is not None


def _are_names(words: object) -> bool:
    return isinstance(words, tuple | list) and all(map(_is_name, words))


def _are_numbers(words: object) -> bool:
    """Say whether parameters are described, each by its name."""
    if not isinstance(words, Mapping):
        return False
    return _are_names(tuple(words)) and all(isinstance(kind, Numbers) for kind in words.values())


def source_of(module: FriendModule) -> str:
    """Return the file that a module's code is in, as it was named when it was loaded."""
    code = getattr(type(module).__call__, "__code__", None)
    return str(getattr(code, "co_filename", type(module).__module__))


def is_calibrated(module: FriendModule) -> bool:
    """Say whether a module wants parameters."""
    return bool(getattr(module, "parameters", ()))


def chosen_modules(names: Iterable[str] | None = None) -> list[FriendModule]:
    """Return the named modules, or all; raises UsageError for a name unknown or given twice."""
    if names is None:
        return [_MODULES[name] for name in sorted(_MODULES)]
    modules: list[FriendModule] = []
    for name in names:
        if name not in _MODULES:
            message = f"there is no friend module {name!r}."
            raise UsageError(message, hint=nearest(name, _MODULES))
        if _MODULES[name] in modules:
            message = f"the friend module {name} is named twice."
            raise UsageError(message)
        modules.append(_MODULES[name])
    return modules
