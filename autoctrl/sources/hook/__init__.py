"""Runs that somebody tells of by a signed request: ``type = "hook"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, SourceSettings, setting
from autoctrl.model.names import SOURCES

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.ports import Inbox


@dataclass(frozen=True)
class HookSourceSettings(SourceSettings):
    """``[sources.<name>]`` with ``type = "hook"``: runs that `/hooks/source/<name>` is told of."""

    secret_file: str = setting(
        "File with the key by which what is told is signed, 32 characters or more; a second line "
        "holds a second key while keys are changed."
    )


def open_hook(name: str, section: HookSourceSettings, settings: Settings) -> Inbox:
    """Return the source of this table."""
    from autoctrl.sources.hook.source import HookSource
    from autoctrl.sources.hook.spool import Spool

    folder = settings.state_folder / SOURCES / name
    secret_file = settings.path(section.secret_file)
    return HookSource(name, Spool(folder), secret_file, settings.attributes)


ADAPTER = Adapter(HookSourceSettings, open_hook)
