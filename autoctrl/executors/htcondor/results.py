"""Results of jobs, judged once: the newest complete start counts, its outputs are checked and put
where they belong.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from autoctrl.executors.htcondor.node import OUT
from autoctrl.executors.job_folder import LOGS, last_words, log_of, own_result, read
from autoctrl.files import Digest, digest_of, link_or_copy, write_whole
from autoctrl.model.status import Failure, JobStatus
from autoctrl.node import wrapper
from autoctrl.ports import JobReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autoctrl.executors.htcondor.batches import Row
    from autoctrl.ports import JobResult

OUTCOME, NODE_LOG = "outcome.json", "node.log"


def starts(place: Path) -> list[Path]:
    """Return the folders of a job's starts, newest first."""
    try:
        names = [name for name in os.listdir(place) if name.isdigit()]  # noqa: PTH208 - names only
    except OSError:
        return []
    return [place / name for name in sorted(names, key=int, reverse=True)]


def complete(place: Path, tag: str) -> Path | None:
    """Return the newest start that left a complete result of this job.

    An earlier start that says it was removed was evicted, and what followed it left nothing: then
    there is none.
    """
    for number, start in enumerate(starts(place)):
        result = result_in(start, tag)
        if result is not None and (number == 0 or result.failure is not Failure.REMOVED):
            return start
    return None


def result_in(start: Path, tag: str) -> JobResult | None:
    """Return the result of one start, None if there is none or it is no result of this job."""
    if read(start / wrapper.RESULT).get("tag") != tag:
        return None
    try:
        return own_result(start)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None  # a node wrote it; what is no result is none


def is_settled(place: Path) -> bool:
    """Say whether a job's result was judged already."""
    return (place / OUTCOME).exists()


def settle(place: Path, row: Row, *, travelled: bool) -> None:
    """Judge the result of a job that has ended, and put its outputs into their folder.

    Safe to repeat after a crash. Raises ``OSError`` if the outputs cannot be stored: then nothing
    is judged yet.
    """
    start = complete(place, row.tag)
    problem = ""
    if start is not None:
        for output in read(start / wrapper.RESULT)["outputs"]:
            problem = problem or take(start, output, row, travelled=travelled)
    place.mkdir(exist_ok=True)
    judged = {"start": start.name if start else "", "problem": problem}
    write_whole(place / OUTCOME, json.dumps(judged).encode())


def take(start: Path, output: Mapping[str, Any], row: Row, *, travelled: bool) -> str:
    """Move one output to its folder, never over another file; return why that may not be, empty if
    it was done.
    """
    name = output["name"]
    path = row.outputs.get(name)
    if path is None:
        return f"the result names an output '{name}' that was not asked for"
    source, target = start / OUT / path, os.path.join(row.folder, path)  # noqa: PTH118 - the folder is kept as it is
    measured = Digest(output["bytes"], output["sha256"])
    if not os.path.lexists(source) and is_same(target, measured):
        return ""
    if not str(source.resolve()).startswith(f"{start.resolve()}/") or not source.is_file():
        return f"its output '{name}' ({path}) did not come back"
    size = source.stat().st_size
    if size != measured.bytes or (travelled and digest_of(source, sync=True) != measured):
        return (
            f"its output '{name}' ({path}) was changed on its way: {size} bytes, the node had "
            f"{measured.bytes}"
        )
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 - as above
    if not link_or_copy(str(source), target) and not is_same(target, measured):
        return f"its output '{name}' cannot be stored: {target} exists and is another file"
    source.unlink()
    return ""


def is_same(path: str, measured: Digest) -> bool:
    """Say whether a file is the one that was measured."""
    return (
        os.path.isfile(path)  # noqa: PTH113
        and os.path.getsize(path) == measured.bytes  # noqa: PTH202
        and digest_of(path, sync=True) == measured
    )


def outcome(place: Path, row: Row) -> JobResult | None:
    """Return the result that counts, with its outputs' places; None if the job has left none."""
    judged = read(place / OUTCOME)
    start = place / judged["start"] if judged.get("start") else complete(place, row.tag)
    result = result_in(start, row.tag) if start is not None else None
    if result is None:
        return None
    if judged.get("problem"):
        return result._replace(failure=Failure.NODE, reason=judged["problem"], files=())
    files = tuple(
        file._replace(url=os.path.join(row.folder, row.outputs[file.name]))  # noqa: PTH118 - as above
        for file in result.files
        if file.name in row.outputs
    )
    return result._replace(files=files)


def ended(place: Path, row: Row, host: str = "", started: int = 0) -> JobReport:
    """Return the report of a job whose result was judged."""
    result = outcome(place, row)
    if result is None:
        reason = f"it ended without a result{last_words(place / NODE_LOG)}"
        return JobReport(JobStatus.FAILED, reason, Failure.NODE, started, host, log_path(place))
    status = JobStatus.FAILED if result.failure else JobStatus.DONE
    if result.failure is Failure.REMOVED:
        status = JobStatus.REMOVED
    return JobReport(
        status, result.reason, result.failure, result.starts, result.host, log_path(place)
    )


def log_path(place: Path) -> str:
    """Return the log that says most about how a job ended, empty if there is none yet."""
    newest = next(iter(starts(place)), None)
    if newest is not None and (newest / LOGS["stdout"]).exists():
        return log_of(newest)
    return str(place / NODE_LOG) if (place / NODE_LOG).exists() else ""
