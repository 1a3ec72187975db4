"""Every test of a store runs over every store."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from autoctrl.stores import open_store
from tests.contract.stores import STORES, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from autoctrl.ports import Clock, Store

    Opener = Callable[..., Store]


@pytest.fixture(params=STORES)
def subject(request: pytest.FixtureRequest) -> Subject:
    return STORES[request.param]


@pytest.fixture
def url(subject: Subject, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return subject.url(tmp_path, request)


@pytest.fixture
def client(url: str) -> Iterator[Opener]:
    """Open one more client of the same store; all are closed in the end."""
    with ExitStack() as stack:

        def opened(clock: Clock | None = None) -> Store:
            return stack.enter_context(closing(open_store(url, clock=clock)))

        yield opened


@pytest.fixture
def store(client: Opener) -> Store:
    return client()
