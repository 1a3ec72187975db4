"""What keeps two environments of one project apart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config.layers import known_settings
from autoctrl.config.settings import FILE_NAME
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.config.layers import Layer


def check_separation(folder: str, layers: Mapping[str, Layer]) -> None:
    """Raise ``SettingsError`` if two environments share something that must keep them apart."""
    seen: dict[tuple[str, str, str], tuple[str, str]] = {}
    for name, layer in layers.items():
        for path, item in known_settings(layer).items():
            how = item.metadata["separate"]
            value = str(layer[path].value if path in layer else item.default)
            if not how or not value:
                continue
            key = (path[0], path[-1], _comparable(how, value, folder))
            other, _ = seen.setdefault(key, (name, value))
            if other != name:
                message = (
                    f"{FILE_NAME}: {_environment(other)} and {_environment(name)} have the same "
                    f"{'.'.join(path)}, '{value}', so that one would touch what belongs to "
                    "the other."
                )
                raise SettingsError(
                    message, hint=f"Give [environments.{name or other}] one of its own."
                )


def _environment(name: str) -> str:
    return f"environment '{name}'" if name else "the settings without an environment"


def _comparable(how: str, value: str, folder: str) -> str:
    """Return the value as two environments are compared by it: paths and paths in URLs made
    absolute.
    """
    scheme, colon, path = value.partition(":")
    if how == "url" and colon and not path.startswith("//"):
        return f"{scheme}:{os.path.normpath(Path(folder, path))}"
    return os.path.normpath(Path(folder, value)) if how == "path" and value else value
