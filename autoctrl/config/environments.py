"""What keeps two environments of one project apart."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config.layers import known_settings
from autoctrl.config.settings import FILE_NAME
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autoctrl.config.layers import KeyPath, Layer

STATE = ("state", "folder")
FOLDERS = (STATE, ("outputs", "root"))
_LEADING_SLASHES = re.compile("^/+")


class Kept(NamedTuple):
    """One value that keeps an environment apart.

    name   the setting, dotted
    value  as people read it
    key    as it is compared
    """

    name: str
    value: str
    key: tuple[str, ...]


def check_separation(folder: str, layers: Mapping[str, Layer], file: str = FILE_NAME) -> None:
    """Raise ``SettingsError`` if two environments share something that must keep them apart."""
    seen: dict[tuple[str, ...], tuple[str, str]] = {}
    for name, layer in layers.items():
        for kept in list_kept(layer, folder):
            other, _ = seen.setdefault(kept.key, (name, kept.value))
            if other != name:
                message = (
                    f"{file}: {_environment(other)} and {_environment(name)} have the same "
                    f"{kept.name}, '{kept.value}', so that one would touch what belongs to "
                    "the other."
                )
                raise SettingsError(
                    message, hint=f"Give [environments.{name or other}] one of its own."
                )


def check_nesting(layers: Mapping[str, Layer], file: str) -> None:
    """Raise ``SettingsError`` if what one environment writes lies in a folder of another.

    Every layer gives all ``FOLDERS``, absolute.
    """
    folders = [
        (name, path, os.path.realpath(str(layer[path].value)))
        for name, layer in layers.items()
        for path in FOLDERS
    ]
    for name, layer in layers.items():
        for kept in list_kept(layer, "/"):
            inner = Path(kept.key[-1].removeprefix("sqlite:"))
            for other, path, outer in folders:
                if other != name and inner.is_relative_to(outer):
                    message = (
                        f"{file}: {kept.name} of {_environment(name)}, '{kept.value}', lies in "
                        f"{'.'.join(path)} of {_environment(other)}, '{outer}'."
                    )
                    raise SettingsError(message, hint=f"Give [environments.{name}] another one.")


def list_kept(layer: Layer, folder: str) -> Iterator[Kept]:
    """Yield every value that keeps this environment apart from others.

    The default of the state folder is none: in one project each store keeps its jobs apart in it.
    """
    places: dict[KeyPath, list[str]] = {}
    for path, item in known_settings(layer).items():
        how = item.metadata["separate"]
        value = str(layer[path].value if path in layer else item.default)
        if how == "place":
            places.setdefault(path[:-1], []).append(value)
        elif how and value and (path in layer or path != STATE):
            yield Kept(".".join(path), value, (path[0], path[-1], _comparable(how, value, folder)))
    for table, values in places.items():
        if any(values):
            where = ("place", *map(str.casefold, values))
            yield Kept(".".join(table), " ".join(values), (table[0], *where))


def _environment(name: str) -> str:
    return f"environment '{name}'" if name else "the settings without an environment"


def _comparable(how: str, value: str, folder: str) -> str:
    """Return the value as two environments are compared by it: what leads to one file or to one
    service is equal, however it is written.
    """
    scheme, colon, rest = value.partition(":")
    if how == "url" and colon:
        if scheme == "sqlite" or not rest.startswith("//"):
            return f"{scheme}:{_real(rest, folder)}"
        return value.partition("?")[0].rstrip("/").casefold()
    return _real(value, folder) if how == "path" else value


def _real(path: str, folder: str) -> str:
    """Return the path without links; a URL may begin it with several slashes."""
    return os.path.realpath(Path(folder, _LEADING_SLASHES.sub("/", path)))
