"""Which settings belong to the administrator of an installation: no ref that is deployed there may
give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.config.declaration import ADMINISTRATOR
from autoctrl.config.layers import kind_of, known_settings, names_in
from autoctrl.config.sections import ATTRIBUTES, settings_of
from autoctrl.errors import SettingsError
from autoctrl.model.secret import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from dataclasses import Field
    from pathlib import Path

    from autoctrl.config.layers import KeyPath, Layer

ADMINISTRATORS_SECTIONS = frozenset(
    {"state", "store", "hints", "hooks", "chat", "web", "jenkins", "notifiers"}
)
EXECUTORS = "executors"


def is_administrators(path: KeyPath, item: Field[Any] | None) -> bool:
    """Say whether a setting belongs to the administrator: by its section, because it names a secret
    or a file that may hold one, because it keeps environments apart, or because it says so.
    """
    if path[0] in ADMINISTRATORS_SECTIONS:
        return True
    if path[:-1] == ATTRIBUTES:
        return False
    return names_secret(path[-1]) or (item is not None and _is_owned(item))


def names_secret(key: str) -> bool:
    """Say whether a setting of this name holds a secret, or the name of a file that may."""
    return is_secret_name(key) or key.endswith(("_file", "_proxy"))


def refuse_foreign(
    given: Sequence[Layer], administrators: Layer, file: Path, environment: str
) -> None:
    """Raise ``SettingsError`` naming everything in ``given`` that belongs to the administrator.

    ``given`` is what a ref and the variables of a process say, the first layer being what the
    others build upon; ``administrators`` is what stands in their ``file`` for this environment.
    """
    foreign = dict.fromkeys(
        origin for layer in given for origin in _list_foreign(layer, given[0], administrators)
    )
    if not foreign:
        return
    belongs = "belong" if len(foreign) > 1 else "belongs"
    message = (
        f"{_enumerate(foreign)} {belongs} to the administrator, because this checkout is deployed."
    )
    hint = (
        f"What counts stands in {file}, [environments.{environment}.settings]. Take it out of the "
        "branch or tag, or out of the variables of the process."
    )
    raise SettingsError(message, hint=hint)


def _list_foreign(layer: Layer, base: Layer, administrators: Layer) -> Iterator[str]:
    """Yield where a layer says what belongs to the administrator."""
    merged = {**base, **layer, **administrators}
    ours = {path: entry for path, entry in merged.items() if path[0] not in ADMINISTRATORS_SECTIONS}
    known = known_settings(ours)
    unnamed = {(EXECUTORS, name, "type") for name in _unnamed_executors(ours, administrators)}
    for path, entry in layer.items():
        if path in unnamed or is_administrators(path, known.get(path)):
            yield entry.origin


def _unnamed_executors(layer: Layer, administrators: Layer) -> Iterator[str]:
    """Yield executors that reach a place which only the administrator may name, and has not."""
    named = names_in(administrators, EXECUTORS)
    for name in names_in(layer, EXECUTORS):
        kind = settings_of(kind_of(layer, EXECUTORS, name))
        if name not in named and any(map(_is_owned, kind.values())):
            yield name


def _is_owned(item: Field[Any]) -> bool:
    return item.metadata["owner"] == ADMINISTRATOR or bool(item.metadata["separate"])


def _enumerate(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
