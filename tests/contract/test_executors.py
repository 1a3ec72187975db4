"""What every executor does, from the submission of jobs to their acknowledgement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import LogWindow
from tests.contract.executors import DATA, EXECUTORS, FIELDS, Subject, Work, checksum_of
from tests.integration.jobs import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.ports import Executor, JobReport

LASTING = [name for name, entry in EXECUTORS.items() if entry.is_lasting]
every = pytest.mark.parametrize("subject", EXECUTORS, indirect=True)
lasting = pytest.mark.parametrize("subject", LASTING, indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return EXECUTORS[request.param].open(tmp_path, request)


def polled(executor: Executor, handles: Sequence[str], *wanted: JobStatus) -> list[JobReport]:
    """Poll until every job has one of these statuses; return the reports in order."""

    def reports() -> list[JobReport]:
        found = executor.poll(handles)
        have = [handle for handle in handles if handle in found and found[handle].status in wanted]
        return [found[handle] for handle in handles] if have == [*handles] else []

    return until(reports, f"{' or '.join(wanted)} of {handles}")


@every
def test_jobs_end_with_results_that_can_be_read(subject: Subject) -> None:
    """Handles come by tag; a job that ended well has its outputs, fields and logs, one that failed
    says why, and all that is still so after it was acknowledged.
    """
    executor = subject.executor
    orders = [subject.order(1, Work.REPORT), subject.order(2, Work.FAIL)]
    handles = executor.submit(orders)
    assert list(handles) == [order.tag for order in orders]
    good, bad = handles.values()
    assert good != bad
    subject.play(orders)
    report, failed = polled(executor, [good, bad], JobStatus.DONE, JobStatus.FAILED)

    result = executor.result(good)
    assert result is not None
    assert (report.status, report.failure, report.starts) == (JobStatus.DONE, None, 1)
    assert (result.exit_code, result.signal, result.failure) == (0, None, None)
    assert (result.host, result.starts) == (report.host, 1)
    assert dict(result.fields) == FIELDS
    (file,) = result.files
    assert (file.name, file.bytes, file.checksum) == ("output", len(DATA), checksum_of(DATA))
    assert file.url == f"{orders[0].folder}/x"
    assert Path(file.url).read_bytes() == DATA

    wrong = executor.result(bad)
    assert wrong is not None
    assert wrong.exit_code not in {0, None}
    assert "bad geometry" in wrong.reason
    assert failed.status is JobStatus.DONE or failed.failure is Failure.USER

    for _ in range(2):
        executor.acknowledge([good, bad])
    assert executor.log(good) == "hello\n"
    assert executor.log(good, "stderr") == subject.stderr
    piece = executor.log_piece(good)
    assert (piece.text, piece.begin, piece.end, piece.size) == ("hello\n", 0, 6, 6)
    assert executor.log_piece(good, "stderr").text == subject.stderr
    assert executor.log_piece(good, window=LogWindow(6)).text == ""
    assert not report.log or Path(report.log).read_text() in {"hello\n", "careful\n"}


@every
def test_submitted_jobs_are_found_by_any_controller(subject: Subject) -> None:
    """Tags that were submitted are found with their handles, before and after a restart; others are
    not.
    """
    executor = subject.executor
    orders = [subject.order(1, Work.REPORT), subject.order(2, Work.FAIL)]
    handles = executor.submit(orders)
    tags = [order.tag for order in orders]
    unknown = subject.order(7, Work.REPORT).tag
    assert executor.find([*tags, unknown]) == handles
    assert subject.reopen().find([*tags, unknown]) == handles
    subject.play(orders)
    polled(executor, [*handles.values()], JobStatus.DONE, JobStatus.FAILED)
    assert executor.find(tags) == handles


@lasting
def test_jobs_can_be_removed_while_they_run_or_wait(subject: Subject) -> None:
    """A job that runs and one that waits both end as removed; removing them again harms nothing."""
    executor = subject.executor
    orders = [subject.order(1, Work.WAIT)]
    (running,) = executor.submit(orders).values()
    subject.play(orders)
    polled(executor, [running], JobStatus.RUNNING)
    # a pool may say that a job runs before it has counted its start
    until(lambda: executor.poll([running])[running].starts == 1, "the first start")
    assert executor.result(running) is None
    (waiting,) = executor.submit([subject.order(2, Work.QUEUE)]).values()
    polled(executor, [waiting], JobStatus.IDLE)
    executor.remove([running, waiting])
    for report in polled(executor, [running, waiting], JobStatus.REMOVED):
        assert report.failure is Failure.REMOVED
    executor.remove([running, waiting])


@every
def test_what_is_not_known_harms_nothing(subject: Subject) -> None:
    """A handle that was never given is lost at most; asking for nothing gives nothing."""
    executor = subject.executor
    assert (executor.submit([]), executor.find([]), executor.poll([])) == ({}, {}, {})
    report = executor.poll([subject.missing]).get(subject.missing)
    assert report is None or report.status is JobStatus.LOST
    assert executor.result(subject.missing) is None
    executor.remove([subject.missing])
    executor.acknowledge([subject.missing])
    assert isinstance(executor.log(subject.missing), str)
    with pytest.raises(UsageError, match="no log 'both'"):
        executor.log(subject.missing, "both")
    assert executor.log_piece(subject.missing).text == executor.log(subject.missing)
    with pytest.raises(UsageError, match="no log 'both'"):
        executor.log_piece(subject.missing, "both")


@every
def test_it_says_what_it_is(subject: Subject) -> None:
    """Ping is one line, the templates are texts by name, and remarks are told once."""
    executor = subject.executor
    assert executor.name
    assert "\n" not in executor.ping()
    described = executor.describe("reco")
    assert all(isinstance(text, str) for pair in described.items() for text in pair)
    assert isinstance(executor.place, str)
    assert list(executor.remarks) == list(executor.remarks) == []
