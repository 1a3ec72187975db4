"""Where the paths of the settings lie: the state folder, the store in it, what an administrator's
file names.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from autoctrl.config.environments import FOLDERS, STATE
from autoctrl.config.layers import Entry, known_settings
from autoctrl.config.ownership import is_administrators
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from dataclasses import Field
    from pathlib import Path

    from autoctrl.config.layers import KeyPath, Layer

STORE = ("store", "url")
IN_STATE = "{state}"


def expand_store(layer: Layer) -> Layer:
    """Return the layer with the store's URL written out: ``{state}`` becomes the state folder."""
    known = known_settings(layer)
    state, url = (_value(layer, path, known[path]) for path in (STATE, STORE))
    if not isinstance(url, str) or IN_STATE not in url or not isinstance(state, str):
        return layer
    origin = layer[STORE].origin if STORE in layer else "built in"
    return {**layer, STORE: Entry(url.replace(IN_STATE, state.rstrip("/")), origin)}


def place(layer: Layer, folder: Path) -> Layer:
    """Return a checked layer of the administrator's file with its paths made absolute.

    Relative ones count from ``folder``, for the checkouts come and go; the state folder and the
    root of the outputs are said, if only by their defaults. Raises ``SettingsError`` for a path
    that means another one for each user.
    """
    known = known_settings(layer)
    whole = dict(layer)
    for path in FOLDERS:
        whole.setdefault(path, Entry(known[path].default, "built in"))
    placed = {
        path: entry._replace(value=_absolute(path, known.get(path), entry, folder))
        for path, entry in whole.items()
    }
    return _place_store(expand_store(placed), folder)


def _absolute(path: KeyPath, item: Field[Any] | None, entry: Entry, folder: Path) -> Any:  # noqa: ANN401 - a setting of every type
    """Return an entry's value, made absolute if it is a path that the administrator gives."""
    value = entry.value
    if item is None or not value or not is_administrators(path, item):
        return value
    is_path = item.metadata["is_path"] or path[-1].endswith("_file")
    return _join(folder, value, entry.origin) if is_path else value


def _place_store(layer: Layer, folder: Path) -> Layer:
    entry = layer[STORE]
    scheme, _, path = entry.value.partition(":")
    if scheme != "sqlite" or not path:
        return layer
    placed = _join(folder, path, entry.origin)
    return {**layer, STORE: entry._replace(value=f"{scheme}:{placed}")}


def _join(folder: Path, path: str, origin: str) -> str:
    if path.startswith("~"):
        message = f"{origin} = '{path}' is another folder for each user of the operating system."
        raise SettingsError(message, hint="Write the path from / on.")
    return os.path.normpath(folder / path)


def _value(layer: Layer, path: KeyPath, item: Field[Any]) -> Any:  # noqa: ANN401 - a setting of every type
    return layer[path].value if path in layer else item.default
