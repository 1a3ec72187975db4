"""The fake of Discord with a clock that the test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.fakes.discord.client import WIDE, Client, Hands
from tests.fakes.discord import Discord

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def discord(hands: Hands) -> Iterator[Discord]:
    with Discord(clock=hands, limits=WIDE) as service:
        yield service


@pytest.fixture
def client(discord: Discord) -> Client:
    return Client(discord)
