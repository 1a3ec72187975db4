"""The quota of a volume of AFS: ``type = "afs"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, QuotaSettings, setting
from autoctrl.quotas.answers import read_afs
from autoctrl.quotas.program import run_program

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.model.quota import Usage

HINT = "A token that has run out makes a path unreadable; renew it: aklog"


@dataclass(frozen=True)
class AfsQuotaSettings(QuotaSettings):
    """``[quotas.<name>]`` with ``type = "afs"``, asked by the program ``fs``."""

    path: str = setting("Folder in AFS, whose volume is meant.")


class AfsQuota:
    """What AFS allows in the volume of a folder."""

    def __init__(self, name: str, path: str) -> None:
        """Be named as the settings name it."""
        self.name, self._path = name, path

    def ask(self) -> Usage:
        """Return the usage. Raises ``QuotaError``."""
        return read_afs(run_program(["fs", "listquota", "-path", self._path], HINT), self._path)


def open_afs(name: str, section: AfsQuotaSettings, settings: Settings) -> AfsQuota:
    """Return the quota of this table."""
    del settings
    return AfsQuota(name, section.path)


ADAPTER = Adapter(AfsQuotaSettings, open_afs)
