"""Reads files of settings: the project's and the administrator's."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def read_text(file: Path) -> str:
    """Return the text of a file. Raises ``SettingsError`` if it is not there or no text."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        message = f"{file} does not exist, so {file.parent} is not an autoctrl project."
        raise SettingsError(message, hint=f"Make one with: autoctrl init {file.parent}") from error
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}."
        raise SettingsError(message) from error


def parse_toml(text: str, file: Path) -> dict[str, Any]:
    """Return the tables of a text that stands in ``file``. Raises ``SettingsError``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{file} is not valid TOML: {error}."
        raise SettingsError(
            message, hint="Texts need quotes, and every [section] its brackets."
        ) from error
