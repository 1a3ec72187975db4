"""The bucket for hints that the settings name: how jobs find it, and what they left there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import SettingsError
from autoctrl.node import hint

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Hint


def job_variables(settings: Settings) -> dict[str, str]:
    """Return the variables by which a job finds the bucket; none if the settings name no bucket.

    Raises ``SettingsError`` without the file of its token.
    """
    if not settings.hints.url:
        return {}
    file = settings.path(settings.hints.token_file)
    if not file.is_file():  # it travels with the jobs, and a folder would as well
        message = f"The token for hints, which travels with the jobs, is not a file: {file}."
        raise SettingsError(
            message, hint="Name one: [hints] token_file = 'PATH'; or leave out [hints] url."
        )
    return {hint.URL: settings.hints.url, hint.TOKEN_FILE: str(file)}


def read_hints(settings: Settings, store_id: str, task: TaskKey) -> list[Hint]:
    """Return the newest hint of every attempt of a task of the store ``store_id``.

    Raises ``SettingsError`` for a wrong URL, ``StoreError`` if the bucket cannot be read.
    """
    from autoctrl.stores.influx import hints

    return hints.read_hints(_url(settings), store_id, task)


def ping_hints(settings: Settings) -> str:
    """Return one line about the bucket; raises as ``read_hints`` if jobs could not write it."""
    from autoctrl.stores.influx import hints

    return hints.ping_hints(_url(settings))


def _url(settings: Settings) -> str:
    from autoctrl.stores.influx.address import with_token_file

    return with_token_file(settings.hints.url, settings.folder, settings.hints.token_file)
