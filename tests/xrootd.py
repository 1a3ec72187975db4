"""A real XRootD server for tests, so cheap that no lane is made for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.services import LACKING, Service, running, services

if TYPE_CHECKING:
    from collections.abc import Iterator


class XrootdServer(Service):
    """A server of XRootD that shows a folder."""

    name = "xrootd"

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self.facts["URL"]

    @property
    def data(self) -> Path:
        """The folder that it shows."""
        return Path(self.facts["DATA"])

    @property
    def tools(self) -> Path:
        """The folder of xrdfs."""
        return Path(self.facts["BIN"])


@pytest.fixture(scope="session")
def xrootd(service_folder: Path) -> Iterator[XrootdServer]:
    if os.environ.get("CI"):  # no lane installs it
        done = services("install", "xrootd")
        assert done.returncode in {0, LACKING}, done.stderr
    yield from running(XrootdServer(service_folder / "xrootd"))
