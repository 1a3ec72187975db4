"""A quota of EOS: ``type = "eos"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, QuotaSettings, setting
from autoctrl.quotas.answers import read_eos
from autoctrl.quotas.program import run_program

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.model.quota import Usage


@dataclass(frozen=True)
class EosQuotaSettings(QuotaSettings):
    """``[quotas.<name>]`` with ``type = "eos"``, asked by the program ``eos``."""

    path: str = setting("Folder in EOS, as `/eos/experiment/camera/`.")
    server: str = setting(
        "Server that knows, as `root://eos.example.org`; empty leaves it to the program.", ""
    )
    account: str = setting(
        "Whose quota it is, as `gid=1234`; empty: the project's, or the only one.", ""
    )


class EosQuota:
    """What EOS allows at a path: bytes without replicas, and files."""

    def __init__(self, name: str, section: EosQuotaSettings) -> None:
        """Be named as the settings name it."""
        self.name, self._section = name, section

    def ask(self) -> Usage:
        """Return the usage. Raises ``QuotaError``."""
        section = self._section
        server = [section.server] if section.server else []
        words = ["eos", *server, "quota", "ls", "-m", "-p", section.path]
        return read_eos(run_program(words), section.path, section.account)


def open_eos(name: str, section: EosQuotaSettings, settings: Settings) -> EosQuota:
    """Return the quota of this table."""
    del settings
    return EosQuota(name, section)


ADAPTER = Adapter(EosQuotaSettings, open_eos)
