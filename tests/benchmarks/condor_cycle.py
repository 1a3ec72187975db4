"""Whole cycles over many jobs of an HTCondor pool, beside the bare bindings in a process of their
own.

``python -m tests.benchmarks.condor_cycle submit|poll|remove [DESCRIPTION]`` is the process of the
bindings: it submits the same rows and attributes as a cycle has, or asks for them, and prints the
number of jobs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measuring import Sample

ROOT = Path(__file__).parents[2]
NOBODY = "raw"
KIB_OF_MIB = 1024
POLLS = 3
SETTINGS = """executor = "pool"

[executors.pool]
type = "htcondor"
mode = "shared"
config = "{config}"
requirements = "false"
materialize_above = 1000000
submit_deadline_s = 55
query_deadline_s = 55
"""
HANDLER = """from autoctrl import BatchHandler

handler = BatchHandler(
    "reco",
    "autoctrl-camera reco {run} --output {output}",
    outputs={"output": "reco{run}.root"},
)
"""


class Pair(NamedTuple):
    """One act, by a whole cycle and by the bindings alone.

    ours   wall time of the cycle, seconds
    raw    wall time of the process of the bindings, seconds
    times  how many times as long ours takes
    kib    memory of the cycle's largest process for each job, beyond that of the bindings' process,
           KiB
    """

    ours: float
    raw: float
    times: float
    kib: float


def measure_cycles(folder: Path, config: str, jobs: int) -> dict[str, Pair]:
    """Return what a cycle takes that submits ``jobs`` jobs, and one that polls them; ``folder``
    must be open to all.

    The jobs match no slot, and are removed at the end.
    """
    from tests.benchmarks.contenders import ask_us

    (folder / "workflows" / "reco").mkdir(parents=True)
    (folder / "autoctrl.toml").write_text(SETTINGS.format(config=config))
    (folder / "workflows" / "reco" / "handler.py").write_text(HANDLER)
    ask_us(folder, "cycle")
    empty = ask_us(folder, "cycle"), bindings(folder, config, "poll")
    ask_us(folder, "runs", "add", f"1-{jobs}")
    submitted = ask_us(folder, "cycle")
    description = as_nobodys(folder)
    submits = [submitted], [bindings(folder, config, "submit", str(description))]
    polls = [(ask_us(folder, "cycle"), bindings(folder, config, "poll")) for _ in range(POLLS)]
    check_jobs(folder, jobs)
    bindings(folder, config, "remove")
    ours, raw = (list(samples) for samples in zip(*polls, strict=True))
    return {"submit": pair(*submits, empty, jobs), "poll": pair(ours, raw, empty, jobs)}


def pair(
    ours: Sequence[Sample], raw: Sequence[Sample], empty: tuple[Sample, Sample], jobs: int
) -> Pair:
    """Return the comparison of samples; ``empty`` are a cycle and a poll of the bindings without
    any job.
    """
    beyond = (ours[0].peak_mib - empty[0].peak_mib) - (raw[0].peak_mib - empty[1].peak_mib)
    times = median(one.wall_s / other.wall_s for one, other in zip(ours, raw, strict=True))
    ours_s, raw_s = (median(each.wall_s for each in samples) for samples in (ours, raw))
    return Pair(ours_s, raw_s, times, beyond * KIB_OF_MIB / jobs)


def bindings(folder: Path, config: str, *words: str) -> Sample:
    """Measure a process of the bindings."""
    from tests.benchmarks.contenders import environment
    from tests.benchmarks.measuring import measure

    surroundings = {**environment(folder), "CONDOR_CONFIG": config, "PYTHONPATH": str(ROOT)}
    return measure(
        (sys.executable, "-m", "tests.benchmarks.condor_cycle", *words), folder, surroundings
    )


def as_nobodys(project: Path) -> Path:
    """Return a description that submits what the project has submitted, as jobs of nobody's
    store.
    """
    (made,) = project.glob(".autoctrl/**/batches/*/job.sub")
    text = made.read_text()
    (store,) = {
        line.split('"')[1] for line in text.splitlines() if line.startswith("+AutoctrlStore")
    }
    place = project / "raw.sub"
    place.write_text(text.replace(f'"{store}"', f'"{NOBODY}"'))
    return place


def check_jobs(project: Path, jobs: int) -> None:
    """Raise ``RuntimeError`` unless all runs are processing."""
    import json
    import subprocess

    from tests.benchmarks.contenders import OURS

    command = [str(OURS), "status", "--project", str(project), "--format", "json"]
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    at_work = sum(run["status"] == "processing" for run in shown["runs"])
    if at_work != jobs:
        message = f"{at_work} runs are processing in {project}, not {jobs}"
        raise RuntimeError(message)


def bare(act: str, text: str) -> int:
    """Do with the bindings alone what the executor does; return the number of jobs."""
    import htcondor2

    schedd = htcondor2.Schedd()
    if act == "submit":
        return int(schedd.submit(htcondor2.Submit(text)).num_procs())
    if act == "remove":
        schedd.act(htcondor2.JobAction.Remove, "true", ("measured", 0))
        return 0
    from autoctrl.executors.htcondor.bindings import REASONS, SAMPLE

    return len(schedd.query(f'AutoctrlStore == "{NOBODY}"', [*SAMPLE, *REASONS]))


if __name__ == "__main__":
    print(bare(sys.argv[1], Path(sys.argv[2]).read_text() if sys.argv[2:] else ""))
