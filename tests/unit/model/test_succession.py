"""How one record follows another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from autoctrl.model.actor import CYCLE
from autoctrl.model.run import RunRecord
from autoctrl.model.succession import TICK, following, later

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_successor_is_counted_and_later_even_when_the_clock_was_set_back() -> None:
    """Time never runs backwards within one identity."""
    before = RunRecord(1, {}, False, NOW, CYCLE, 4)  # noqa: FBT003 - a field of the record
    fresh = before._replace(attributes={"fill": 3}, time=NOW - timedelta(hours=1))
    after = following(before, fresh)
    assert (after.attributes, after.time, after.sequence) == ({"fill": 3}, NOW + TICK, 5)
    assert later(NOW + timedelta(hours=1), NOW) == NOW + timedelta(hours=1)


def test_the_first_record_is_taken_as_it_is() -> None:
    """There is nothing that it could follow."""
    first = RunRecord(1, {}, False, NOW, CYCLE)  # noqa: FBT003 - a field of the record
    assert following(None, first) is first
