"""When an attempt ran, as its node and the records about it say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.model.job import describe_unfit
from autoctrl.model.status import JobStatus
from autoctrl.model.unit import TaskKey
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
    for wall_s in (-1.0, 1e11, 1e300, float("inf"), float("nan")):
        assert spans(job(JobStatus.DONE, wall_s=wall_s)) is None


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (TaskKey("prompt", "reco", "4521"), ""),
        (TaskKey("prompt", "reco", "k:" + "a" * 253), ""),
        (TaskKey("prompt", "reco", "k:" + "a" * 254), "the group 'k-aaa"),
        (TaskKey("prompt", "reco", "k:" + "é" * 45), "it has 272 bytes, of which 255 are allowed"),
        (TaskKey("c" * 256, "reco", "4521"), "the campaign 'ccc"),
        (TaskKey("prompt", "w" * 256, "4521"), "the workflow 'www"),
    ],
)
def test_what_is_too_long_for_a_folder_is_named(key: TaskKey, says: str) -> None:
    """Campaign, workflow and unit each become a folder, whose bytes count as they are written."""
    assert says in (reason := describe_unfit(key))
    assert bool(says) == bool(reason)
