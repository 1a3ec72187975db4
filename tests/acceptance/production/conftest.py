"""Both servers of the production form, and the judge that explains what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.production.pair import Pair

if TYPE_CHECKING:
    from tests.services import Influx, Pool

pytest.register_assert_rewrite("tests.acceptance.exactly_once.judge")


@pytest.fixture(scope="session")
def pair(influxdb2: Influx, htcondor: Pool) -> Pair:
    return Pair(influxdb2, htcondor)
