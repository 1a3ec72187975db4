"""What the HTCondor executor adds to the bindings, with the same rows and attributes on one idle
pool.

    python -m tests.benchmarks.condor CONDOR_CONFIG [JOBS]

The pool must not start the jobs: they ask for more cores than it has.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from autoctrl.executors.htcondor.executor import HTCondorExecutor
from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings
from autoctrl.executors.htcondor.submit import COLUMNS, SEPARATOR
from autoctrl.model.job import JobSpec
from autoctrl.ports import JobOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MORE_THAN_IT_HAS = 4096
POLLS = 7


def measure(
    jobs: int, config: str, mode: str = "shared", *, is_late: bool = False
) -> dict[str, float]:
    """Submit and poll ``jobs`` jobs with the executor, then with the bindings; return seconds and
    bytes per job.
    """
    os.environ["CONDOR_CONFIG"] = config
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        limit = 1 if is_late else jobs + 1
        settings = HTCondorExecutorSettings(
            type="htcondor",
            config=config,
            mode=mode,
            materialize_above=limit,
            submit_deadline_s=300.0,
            query_deadline_s=300.0,
        )
        executor = HTCondorExecutor("bench", Path(folder) / "jobs", "bench", settings)
        orders = [order(number, folder) for number in range(jobs)]
        executor.ping()  # its process has started
        found = {"submit": timed(lambda: executor.submit(orders))}
        handles = list(executor.find(order.tag for order in orders).values())
        assert len(handles) == jobs
        found |= memory(executor, handles)
        (text,) = (Path(folder) / "jobs/bench/batches").glob("*/job.sub")
        found |= raw(text.read_text(), jobs, mode, executor.place, lambda: executor.poll(handles))
        executor.remove(handles)
        executor.close()
    return found


def order(number: int, folder: str) -> JobOrder:
    """Return an order like those of a split reconstruction."""
    raw_file = f"{folder}/run{number:05d}.mid.gz"
    argv = ("autoctrl-camera", "reco", raw_file, "--events", f"0:{number}", "--output", "reco.root")
    spec = JobSpec(argv, {"output": "reco.root"}, {}, {}, 2000, 3600, MORE_THAN_IT_HAS, "bench")
    return JobOrder(
        f"bench/prompt/reco/{number}/v1/0.1", spec, f"{folder}/outputs/prompt/reco/{number}/v1/0.1"
    )


def timed(act: Any) -> float:
    """Return how long a call takes, seconds."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def memory(executor: HTCondorExecutor, handles: list[str]) -> dict[str, float]:
    """Return what a poll needs at its peak and keeps, bytes per job."""
    tracemalloc.start()
    reports = executor.poll(handles)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(reports) == len(handles)
    return {"poll_peak_bytes": peak / len(handles), "poll_kept_bytes": kept / len(handles)}


def raw(
    text: str, jobs: int, mode: str, place: str, poll: Callable[[], object]
) -> dict[str, float]:
    """Submit and query the same rows and attributes with nothing but the bindings, as their manual
    has it.

    Each query stands beside our ``poll``.
    """
    import htcondor2

    from autoctrl.executors.htcondor.bindings import REASONS, SAMPLE

    ad = htcondor2.Collector().locate(htcondor2.DaemonType.Schedd, place)
    schedd = htcondor2.Schedd(ad)
    body, _, queue = text.replace('"bench"', '"raw"').rpartition("queue ")
    items = Path(queue.rpartition(" from ")[2].strip()).read_text()
    description = htcondor2.Submit(body)

    def rows() -> Iterator[dict[str, str]]:
        used = [name for name in COLUMNS if name != "folder"]
        for line in items.splitlines():
            yield dict(zip(used, line.split(SEPARATOR), strict=False))

    def submit() -> None:
        result = schedd.submit(description, spool=mode == "spool", itemdata=rows())
        if mode == "spool":
            schedd.spool(result)

    names = [*SAMPLE, *REASONS]
    found = {"raw_submit": timed(submit)}
    polls = [
        (timed(poll), timed(lambda: schedd.query('AutoctrlStore == "raw"', names)))
        for _ in range(POLLS)
    ]
    found["poll"], found["raw_poll"] = (median(times) for times in zip(*polls, strict=True))
    schedd.act(htcondor2.JobAction.Remove, 'AutoctrlStore == "raw"', ("measured", 0))
    return {**found, "jobs": float(jobs)}


if __name__ == "__main__":
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    for way in ({"mode": "shared"}, {"mode": "shared", "is_late": True}, {"mode": "spool"}):
        figures = measure(chosen, sys.argv[1], **way)
        print(json.dumps({**way, **{name: round(value, 3) for name, value in figures.items()}}))
