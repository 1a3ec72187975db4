"""The room on a disk or a mounted file system: ``type = "local"``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, QuotaSettings, setting
from autoctrl.errors import QuotaError
from autoctrl.model.quota import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.config import Settings


@dataclass(frozen=True)
class LocalQuotaSettings(QuotaSettings):
    """``[quotas.<name>]`` with ``type = "local"``: a disk."""

    path: str = setting("Folder on it; a relative path counts from the project's.", is_path=True)


class LocalQuota:
    """The disk that a folder lies on, as much of it as this user may fill."""

    def __init__(self, name: str, folder: Path) -> None:
        """Be named as the settings name it."""
        self.name, self._folder = name, folder

    def ask(self) -> Usage:
        """Return bytes and inodes. Raises ``QuotaError``."""
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            message = f"The disk of {self._folder} cannot be looked at: {error.strerror}."
            raise QuotaError(message, hint="See whether it is mounted.") from error
        used = disk.f_blocks - disk.f_bfree
        files = disk.f_files - disk.f_ffree
        return Usage(
            used_bytes=used * disk.f_frsize,
            limit_bytes=(used + disk.f_bavail) * disk.f_frsize or None,
            used_files=files if disk.f_files else None,
            limit_files=files + disk.f_favail if disk.f_files else None,
        )


def open_local(name: str, section: LocalQuotaSettings, settings: Settings) -> LocalQuota:
    """Return the quota of this table."""
    return LocalQuota(name, settings.path(section.path))


ADAPTER = Adapter(LocalQuotaSettings, open_local)
