"""The classes of failure: what is tried again, how often, what counts and what grows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.machine.failures import RULES, Policy, classify, delay, is_repeated, next_attempt
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import JobReport, JobResult
from tests.unit.given import NOW, SPEC, job, result

POLICY = Policy(attempts=3, back_off_s=30, max_back_off_s=100, max_memory_mb=8000)

# class: (again by itself, only once, counts as attempt, grows), as the documentation has it
TABLE = {
    Failure.MEMORY: (True, False, True, "memory"),
    Failure.TIME: (True, True, True, "time"),
    Failure.NODE: (True, False, True, "host"),
    Failure.HELD: (True, True, True, ""),
    Failure.SERVICE: (True, False, False, ""),
    Failure.REMOVED: (False, False, False, ""),
    Failure.USER: (False, False, True, ""),
    Failure.OUTPUT: (False, False, True, ""),
}


@pytest.mark.parametrize("failure", Failure)
def test_each_class_follows_the_table(failure: Failure) -> None:
    """One failure of the class is repeated, counted and answered with more as its row says."""
    again, once, counts, grows = TABLE[failure]
    bad = job(JobStatus.FAILED, failure=failure, peak_memory_mb=100.0)
    assert is_repeated(bad, POLICY, ()) is again
    assert is_repeated(bad._replace(spent=(failure,)), POLICY, ()) is (again and not once)
    following = next_attempt(bad, POLICY, NOW)
    assert following.used == bad.used + counts
    assert (following.spec.memory_mb > SPEC.memory_mb) == (grows == "memory")
    assert (following.spec.time_limit_s > SPEC.time_limit_s) == (grows == "time")
    assert (failure in following.spent) == once


def test_the_table_knows_every_class() -> None:
    """No failure is without a rule."""
    assert set(RULES) == set(Failure) == set(TABLE)


@pytest.mark.parametrize("failure", [one for one, row in TABLE.items() if row[0]])
@pytest.mark.parametrize("used", [1, 2, 3, 4])
def test_attempts_that_count_are_limited(failure: Failure, used: int) -> None:
    """The budget ends what counts and never what does not."""
    counts = TABLE[failure][2]
    assert is_repeated(job(JobStatus.FAILED, failure=failure, used=used), POLICY, ()) is (
        used < 3 or not counts
    )


def test_chosen_exit_codes_are_tried_again_within_the_budget() -> None:
    """retry_exit_codes is for user code alone; another code, a signal, or a missing output is not
    repeated.
    """
    bad = job(JobStatus.FAILED, failure=Failure.USER, exit_code=75)
    assert is_repeated(bad, POLICY, {75})
    assert not is_repeated(bad._replace(used=3), POLICY, {75})
    assert not is_repeated(bad._replace(exit_code=1), POLICY, {75})
    assert not is_repeated(bad._replace(exit_code=None, signal=11), POLICY, {75})
    assert not is_repeated(bad._replace(failure=Failure.OUTPUT), POLICY, {75})
    assert not is_repeated(job(JobStatus.DONE), POLICY, {75})


@pytest.mark.parametrize(
    ("asked", "peak", "wanted"),
    [
        (2000, 100.0, 3072),
        (2000, 2400.0, 3712),
        (2000, None, 3072),
        (6000, 100.0, 8000),
        (9000, 100.0, 9000),
        (1, 0.0, 128),
        (256, 256.0, 384),
    ],
)
def test_memory_grows_by_half_of_the_larger(asked: int, peak: float | None, wanted: int) -> None:
    """Half as much again as asked or measured, rounded up to 128 MB, capped, and never less than
    before.
    """
    spec = SPEC._replace(memory_mb=asked)
    bad = job(JobStatus.FAILED, failure=Failure.MEMORY, spec=spec, peak_memory_mb=peak)
    assert next_attempt(bad, POLICY, NOW).spec == spec._replace(memory_mb=wanted)


def test_time_grows_by_half() -> None:
    """A job that was stopped by its time limit gets half as much again, and nothing else more."""
    bad = job(JobStatus.FAILED, failure=Failure.TIME, spec=SPEC._replace(time_limit_s=3601))
    assert next_attempt(bad, POLICY, NOW).spec == SPEC._replace(time_limit_s=5402)


def test_a_lost_host_is_avoided() -> None:
    """The attempt after a loss prefers another host; the last three are remembered, each once."""
    spec = SPEC._replace(avoid=("a", "b", "c"))
    for host, avoid in (("d", ("b", "c", "d")), ("b", ("a", "b", "c")), ("", ("a", "b", "c"))):
        lost = job(JobStatus.LOST, failure=Failure.NODE, host=host, spec=spec)
        assert next_attempt(lost, POLICY, NOW).spec == spec._replace(avoid=avoid)


def test_the_next_attempt_says_why_it_is_made() -> None:
    """It waits out its back-off, is not asked for yet, and its reason names the attempt before with
    its words.
    """
    bad = job(
        JobStatus.FAILED,
        attempt=2,
        used=2,
        failure=Failure.NODE,
        reason="node on fire",
        late=1,
    )
    following = next_attempt(bad, POLICY, NOW)
    assert (following.attempt, following.status, following.asked) == (3, JobStatus.SUBMITTING, None)
    assert following.reason == "attempt 2 failed (node): node on fire"
    assert following.not_before == NOW + delay(bad, POLICY)
    assert following.late == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 50))
def test_back_off_doubles_within_a_quarter(used: int, attempt: int) -> None:
    """The delay is the doubled base, capped, within ± 25 %, and the same whenever it is
    computed.
    """
    bad = job(JobStatus.FAILED, failure=Failure.NODE, used=used, attempt=attempt)
    base = min(30 * 2 ** (used - 1), 100)
    assert timedelta(seconds=0.75 * base) <= delay(bad, POLICY) < timedelta(seconds=1.25 * base)
    assert delay(bad, POLICY) == delay(bad, POLICY)


def test_jobs_do_not_return_all_at_once() -> None:
    """Jobs that failed together are spread over most of the half of the base that jitter spans."""
    delays = [
        delay(job(JobStatus.FAILED, index, failure=Failure.NODE), POLICY).total_seconds()
        for index in range(50)
    ]
    assert max(delays) - min(delays) > 10


def report(
    status: JobStatus = JobStatus.DONE, reason: str = "", failure: Failure | None = None
) -> JobReport:
    return JobReport(status, reason, failure)


@pytest.mark.parametrize(
    ("said", "end", "problem", "verdict"),
    [
        (report(), result(), "", None),
        (report(JobStatus.FAILED), result(), "", None),
        (report(), result(), "output x has 3 entries", (Failure.OUTPUT, "output x has 3 entries")),
        (report(), None, "", (Failure.NODE, "the job ended without a result")),
        (report(reason="gone"), None, "", (Failure.NODE, "gone")),
        (report(), result(1), "", (Failure.USER, "exit code 1")),
        (report(), result(1, reason="ValueError: x"), "", (Failure.USER, "ValueError: x")),
        (report(), result(None, signal=11), "", (Failure.USER, "signal 11")),
        (
            report(),
            result(0, failure=Failure.OUTPUT, reason="output x is empty"),
            "",
            (Failure.OUTPUT, "output x is empty"),
        ),
        (
            report(),
            result(None, failure=Failure.TIME, reason="too long"),
            "",
            (Failure.TIME, "too long"),
        ),
        (report(JobStatus.LOST), None, "", (Failure.NODE, "the job vanished without a result")),
        (report(JobStatus.LOST, "boot", Failure.HELD), result(), "", (Failure.HELD, "boot")),
        (report(JobStatus.REMOVED), None, "", (Failure.REMOVED, "the job was removed")),
        (report(JobStatus.REMOVED, "by cron", Failure.NODE), None, "", (Failure.NODE, "by cron")),
        (report(JobStatus.FAILED, "", Failure.MEMORY), None, "", (Failure.MEMORY, "memory")),
        (report(JobStatus.DONE, "evicted", Failure.NODE), result(), "", (Failure.NODE, "evicted")),
    ],
)
def test_an_exit_code_alone_is_never_trusted(
    said: JobReport, end: JobResult | None, problem: str, verdict: tuple[Failure, str] | None
) -> None:
    """Only a result with exit 0, without complaint from executor, wrapper or checker, is a
    success.
    """
    assert classify(said, end, problem) == verdict
