"""When an attempt ran, as its node and the records about it say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.model.status import JobStatus
from tests.unit.given import job, later

if TYPE_CHECKING:
    from autoctrl.model.job import JobRecord


def spans(record: JobRecord) -> tuple[float, float] | None:
    if record.ran is None:
        return None
    return tuple((moment - later(0)).total_seconds() for moment in record.ran)  # type: ignore[return-value] # there are two


@pytest.mark.parametrize(
    ("began_s", "asked_s", "ran"),
    [
        (40, 30, (40, 50)),
        (None, 30, (90, 100)),
        (20, 30, (30, 40)),
        (200, 30, (90, 100)),
        (None, 95, (90, 100)),
        (40, None, (40, 50)),
        (None, None, (90, 100)),
    ],
)
def test_a_node_whose_clock_is_wrong_is_kept_in_bounds(
    began_s: float | None, asked_s: float | None, ran: tuple[float, float]
) -> None:
    """A job begins after it was submitted, and has ended before that was seen."""
    began, asked = (None if s is None else later(s) for s in (began_s, asked_s))
    record = job(JobStatus.DONE, time=later(100), wall_s=10.0, began=began, asked=asked)
    assert spans(record) == ran


def test_what_is_not_over_or_was_not_measured_did_not_run_yet() -> None:
    """A running job, and one of which no result came."""
    assert spans(job(JobStatus.RUNNING, began=later(1), wall_s=1.0)) is None
    assert spans(job(JobStatus.LOST, began=later(1))) is None
