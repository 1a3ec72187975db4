"""Which addresses only this machine can reach."""

from __future__ import annotations

import pytest

from autoctrl.model.address import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_alone_reaches_its_loopback(host: str) -> None:
    """By name and by every number of it."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "10.1.2.3", "::", "localhost.example.org"])  # noqa: S104 - nothing listens
def test_others_are_reached_from_elsewhere(host: str) -> None:
    """Also what only sounds like it."""
    assert not is_loopback(host)
