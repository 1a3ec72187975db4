"""The room that an XRootD server has: ``type = "xrootd"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, QuotaSettings, setting
from autoctrl.errors import SettingsError
from autoctrl.quotas.answers import read_xrootd
from autoctrl.quotas.program import run_program

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.model.quota import Usage

SCHEMES = ("root://", "roots://", "xroot://", "xroots://")


@dataclass(frozen=True)
class XrootdQuotaSettings(QuotaSettings):
    """``[quotas.<name>]`` with ``type = "xrootd"``, asked by the program ``xrdfs``."""

    url: str = setting("Server and path, as `root://host:1094//data`.")


class XrootdQuota:
    """What an XRootD server says of the space behind a path."""

    def __init__(self, name: str, server: str, path: str) -> None:
        """Be named as the settings name it; ask ``server``, as ``root://host:1094``."""
        self.name, self._server, self._path = name, server, path

    def ask(self) -> Usage:
        """Return the usage. Raises ``QuotaError``."""
        said = run_program(["xrdfs", self._server, "spaceinfo", self._path])
        return read_xrootd(said, self._path)


def open_xrootd(name: str, section: XrootdQuotaSettings, settings: Settings) -> XrootdQuota:
    """Return the quota of this table. Raises ``SettingsError`` if its URL is none."""
    del settings
    scheme, separator, rest = section.url.partition("://")
    host, _, path = rest.partition("/")
    if f"{scheme}{separator}" not in SCHEMES or not host:
        message = f"[quotas.{name}] url = '{section.url}' is not the address of an XRootD server."
        raise SettingsError(message, hint="Write it as in root://host:1094//data.")
    return XrootdQuota(name, f"{scheme}://{host}", f"/{path.strip('/')}")


ADAPTER = Adapter(XrootdQuotaSettings, open_xrootd)
