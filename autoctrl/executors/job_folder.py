"""The files of a job's folder, read and written from the controller's side."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from autoctrl.executors.logs import make_readable
from autoctrl.files import open_plain, write_first
from autoctrl.model.fields import choose_fields
from autoctrl.model.job import FileInfo
from autoctrl.model.status import Failure, JobStatus
from autoctrl.node import wrapper
from autoctrl.ports import JobReport, JobResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOGS = {"stdout": "stdout.log", "stderr": "stderr.log"}
LAST_WORDS = 400
CANNOT_RUN = {126, 127}  # exit codes of a command of which nothing ran


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, empty where none can be read: nothing may be concluded from that."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_spec(folder: Path, spec: Mapping[str, object]) -> bool:
    """Write a job's description, whole or not at all; say whether we were the first."""
    return write_first(folder / wrapper.SPEC, json.dumps(spec).encode(), mode=0o600)


def claim_void(folder: Path, tag: str, status: str, reason: str) -> bool:
    """Claim a job so that it never starts and ends as ``status``; say whether we were first."""
    path = str(folder / wrapper.CLAIM)
    draft = wrapper.open_draft(path)
    content = {"schema": wrapper.SCHEMA, "tag": tag, "void": status, "reason": reason}
    try:
        wrapper.publish(path, content, os.link, draft)
    except FileExistsError:
        return False
    finally:
        os.close(draft[1])
    return True


def is_locked(path: Path) -> bool:
    """Say whether a living process holds the lock of a claim; looking does not disturb it."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def read_own_result(folder: Path) -> JobResult | None:
    """Return the result in a job's folder, None if there is none or it is of another job."""
    result = read_json(folder / wrapper.RESULT)
    if not result or result.get("tag") != read_json(folder / wrapper.SPEC).get("tag"):
        return None
    fields = choose_fields(result["fields"])
    return JobResult(
        exit_code=result["exit_code"],
        signal=result["signal"],
        failure=Failure(result["failure"]) if result["failure"] else None,
        reason=_reason(result, folder, fields.remark),
        host=result["host"],
        starts=result["start"],
        wall_s=result["wall_s"],
        cpu_s=result["cpu_s"],
        peak_memory_mb=result["peak_memory_mb"],
        files=tuple(
            FileInfo(output["name"], output["path"], output["bytes"], f"sha256:{output['sha256']}")
            for output in result["outputs"]
        ),
        fields=fields.values,
        began=_read_time(result.get("started")),
    )


def _read_time(text: object) -> datetime | None:
    """Return the time that a node wrote, None if it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _reason(result: Mapping[str, Any], folder: Path, remark: str) -> str:
    """Return the wrapper's reason, the last words of a job that failed, and what else to remark."""
    reason = str(result["reason"])
    is_unready = result["failure"] == Failure.NODE and result["exit_code"] is not None
    is_faulty = result["failure"] == Failure.USER and result["exit_code"] not in CANNOT_RUN
    if is_faulty or is_unready:
        reason += read_last_words(folder / LOGS["stderr"])
    return "; ".join(filter(None, (reason, remark)))


def report_of_result(result: JobResult, log: str) -> JobReport:
    """Return the report of a job that has ended with this result."""
    status = JobStatus.FAILED if result.failure else JobStatus.DONE
    if result.failure is Failure.REMOVED:
        status = JobStatus.REMOVED
    return JobReport(status, result.reason, result.failure, result.starts, result.host, log)


def read_last_words(path: Path) -> str:
    """Return the last line of a log as the end of a sentence, empty if there is none."""
    try:
        with os.fdopen(open_plain(path.parent, path), "rb") as file:
            file.seek(max(0, file.seek(0, 2) - 4096))
            lines = make_readable(file.read(4096)).split("\n")
    except OSError:
        return ""
    words = [line.strip() for line in lines if line.strip()]
    return f"; it last said: {words[-1][:LAST_WORDS]}" if words else ""


def choose_log(folder: Path) -> str:
    """Return the log that says more about how a job ended: stderr if there is anything in it."""
    errors = folder / LOGS["stderr"]
    return str(errors if errors.exists() and errors.stat().st_size else folder / LOGS["stdout"])
