"""Results of jobs, judged once.

The newest complete start counts; its outputs are checked and put where they belong.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.executors.htcondor.node import OUT
from autoctrl.executors.job_folder import (
    LOGS,
    choose_log,
    read_json,
    read_last_words,
    read_own_result,
    report_of_result,
)
from autoctrl.files import Digest, digest_of, link_or_copy, write_whole
from autoctrl.model.status import Failure, JobStatus
from autoctrl.node import wrapper
from autoctrl.ports import JobReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.executors.htcondor.submit import JobRow
    from autoctrl.ports import JobResult

OUTCOME, NODE_LOG = "outcome.json", "node.log"


def list_starts(folder: Path) -> list[Path]:
    """Return the folders of a job's starts, newest first."""
    try:
        names = [name for name in os.listdir(folder) if name.isdigit()]  # noqa: PTH208 - names only
    except OSError:
        return []
    return [folder / name for name in sorted(names, key=int, reverse=True)]


def find_complete(folder: Path, tag: str) -> Path | None:
    """Return the newest start that left a complete result of this job.

    An earlier start that says it was removed was evicted, and what followed it left nothing: then
    there is none.
    """
    for number, start in enumerate(list_starts(folder)):
        result = read_result(start, tag)
        if result is not None and (number == 0 or result.failure is not Failure.REMOVED):
            return start
    return None


def read_result(start: Path, tag: str) -> JobResult | None:
    """Return the result of one start, None if there is none or it belongs to another job."""
    if read_json(start / wrapper.RESULT).get("tag") != tag:
        return None
    try:
        return read_own_result(start)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None  # a node wrote it, whatever it is


def is_settled(folder: Path) -> bool:
    """Say whether a job's result was judged already."""
    return (folder / OUTCOME).exists()


def settle(folder: Path, row: JobRow, *, travelled: bool) -> None:
    """Judge the result of a job that has ended, and put its outputs into their folder.

    Safe to repeat after a crash. Raises ``OSError`` if the outputs cannot be stored: then nothing
    is judged yet.
    """
    start = find_complete(folder, row.tag)
    problem = ""
    if start is not None:
        for output in read_json(start / wrapper.RESULT)["outputs"]:
            problem = problem or take(start, output, row, travelled=travelled)
    folder.mkdir(exist_ok=True)
    judged = {"start": start.name if start else "", "problem": problem}
    write_whole(folder / OUTCOME, json.dumps(judged).encode())


def take(start: Path, output: Mapping[str, Any], row: JobRow, *, travelled: bool) -> str:
    """Move one output to its folder, never over another file.

    Returns why that may not be, empty if it was done. Raises ``OSError``.
    """
    name = output["name"]
    path = row.outputs.get(name)
    if path is None:
        return f"the result names an output '{name}' that was not asked for"
    source = start / OUT / path
    target = os.path.join(row.folder, path)  # noqa: PTH118 - the folder is kept as it is
    measured = Digest(output["bytes"], output["sha256"])
    label = f"its output '{name}' ({path})"
    if not os.path.lexists(source) and is_same(target, measured):
        return ""
    if not is_file_within(source, start):
        return f"{label} did not come back"
    if not is_intact(source, measured, travelled=travelled):
        sizes = f"{source.stat().st_size} bytes, the node had {measured.bytes}"
        return f"{label} was changed on its way: {sizes}"
    if not put(source, target, measured):
        return f"{label} cannot be stored: {target} exists and is another file"
    source.unlink()
    return ""


def put(source: Path, target: str, measured: Digest) -> bool:
    """Put a file where it belongs, if nothing is there; say whether it is there now."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    return link_or_copy(str(source), target) or is_same(target, measured)


def is_intact(path: Path, measured: Digest, *, travelled: bool) -> bool:
    """Say whether a file is as the node measured it; of one that did not travel, its size."""
    if path.stat().st_size != measured.bytes:
        return False
    return not travelled or digest_of(path, sync=True) == measured


def is_file_within(path: Path, folder: Path) -> bool:
    """Say whether a path is a file that does not lie elsewhere, by whatever link."""
    return str(path.resolve()).startswith(f"{folder.resolve()}/") and path.is_file()


def is_same(path: str, measured: Digest) -> bool:
    """Say whether a file is the one that was measured, and on disk."""
    file = Path(path)
    if not file.is_file() or file.stat().st_size != measured.bytes:
        return False
    return digest_of(file, sync=True) == measured


def read_outcome(folder: Path, row: JobRow) -> JobResult | None:
    """Return the result that counts, its outputs where they belong; None if there is none."""
    judged = read_json(folder / OUTCOME)
    start = folder / judged["start"] if judged.get("start") else find_complete(folder, row.tag)
    result = read_result(start, row.tag) if start is not None else None
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


def report_ended(folder: Path, row: JobRow, host: str = "", started: int = 0) -> JobReport:
    """Return the report of a job whose result was judged."""
    result = read_outcome(folder, row)
    if result is None:
        reason = f"it ended without a result{read_last_words(folder / NODE_LOG)}"
        return JobReport(JobStatus.FAILED, reason, Failure.NODE, started, host, find_log(folder))
    return report_of_result(result, find_log(folder))


def find_log(folder: Path) -> str:
    """Return the log that says most about how a job ended, empty if there is none yet."""
    newest = next(iter(list_starts(folder)), None)
    if newest is not None and (newest / LOGS["stdout"]).exists():
        return choose_log(newest)
    return str(folder / NODE_LOG) if (folder / NODE_LOG).exists() else ""
