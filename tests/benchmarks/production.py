"""The figures of the production services: InfluxDB beside SQLite and a plain query, HTCondor beside
its bindings.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from tests.benchmarks.condor_cycle import measure_cycles
from tests.benchmarks.contenders import LUIGI, ask_us, environment
from tests.benchmarks.field import MORE, ROOT, RUNS, filled
from tests.benchmarks.influx import (
    DONE,
    KINDS,
    NAME,
    filled_site,
    footprint,
    forget_older,
    place_of,
)
from tests.benchmarks.influx_idle import import_client
from tests.benchmarks.measuring import Sample
from tests.benchmarks.report import say
from tests.benchmarks.servers import MissingError, started
from tests.benchmarks.transitions import APPENDS
from tests.benchmarks.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.benchmarks.condor_cycle import Pair
    from tests.benchmarks.influx import Site

    Round = dict[str, Sample]

WORKFLOWS = 3
BATCHES = 5
TIMES = {"shared": 3, "spool": 1}  # by mode
POOL = "htcondor"
SERVICES = (NAME, POOL)
LONGEST = 1000
SCAN = (
    f'from(bucket: "{DONE}") |> range(start: 1960-01-01, stop: 2200-01-01)'
    ' |> filter(fn: (r) => r._measurement == "task" and r._field == "status") |> last()'
)
ASK_CONDOR = (
    "import json, sys; from tests.benchmarks.condor import measure;"
    " print(json.dumps(measure(int(sys.argv[1]), sys.argv[2], sys.argv[3])))"
)


def measure_services(
    work: Path, rounds: int, jobs: int, names: Sequence[str] = SERVICES
) -> dict[str, Any]:
    """Return the figures of each service, or why there are none; ``work`` is a folder that may be
    filled.
    """
    measures = {NAME: lambda: _influx(work, rounds), POOL: lambda: _condor(jobs)}
    return {name: or_reason(measures[name]) for name in names}


def or_reason(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return figures, or why there are none: the server is missing, or something has failed."""
    try:
        return measure()
    except MissingError as error:
        return {"missing": str(error)}
    except RuntimeError as error:
        return {"failed": " ".join(str(error).split())}


def answer_of(words: Sequence[str], surroundings: dict[str, str]) -> str:
    """Return what a program of ours prints. Raises ``RuntimeError`` with its last words if it
    fails.
    """
    command = [sys.executable, *words]
    done = subprocess.run(
        command, cwd=ROOT, env=surroundings, check=False, capture_output=True, text=True
    )
    if done.returncode:
        message = (
            f"{' '.join(words)[:LONGEST]} ended with {done.returncode}: "
            f"{done.stderr.strip()[-LONGEST:]}"
        )
        raise RuntimeError(message)
    return done.stdout


def _influx(work: Path, rounds: int) -> dict[str, Any]:
    place, embedded = place_of(), filled(MORE)
    forget_older(place)
    ask_us(embedded, "cycle")
    luigi = prepare_unit(work / "unit")
    with started(NAME, place / "server") as facts:
        site = filled_site(facts, place, KINDS)
        for kind in KINDS:
            site.cycle(kind)
        found = [_round(site, luigi, embedded, number + 1) for number in range(rounds)]
        kept = footprint(site, place, DONE)
        return {
            "rows": summarise(found),
            "requests": {kind: count_requests(site, kind) for kind in KINDS},
            "footprint": {
                "tasks": MORE * WORKFLOWS,
                "series": kept.series,
                "bytes": kept.bytes,
                "sqlite_bytes": sum(
                    path.stat().st_size for path in (embedded / ".autoctrl").glob("state.sqlite*")
                ),
            },
            "transitions": time_transitions(site, work),
        }


def prepare_unit(folder: Path) -> Path:
    """Return a folder in which luigi finds 1000 runs done."""
    LUIGI.prepare(folder)
    for name in LUIGI.folders:
        (folder / name).mkdir()
        for number in range(1, RUNS + 1):
            (folder / name / str(number)).touch()
    LUIGI.run(folder, RUNS)
    return folder


def _round(site: Site, luigi: Path, embedded: Path, number: int) -> Round:
    """Return what luigi takes at both ends, and between them all that is compared."""
    say(f"InfluxDB, round {number}")
    units = [LUIGI.run(luigi, RUNS)]
    found = {kind: site.cycle(kind) for kind in KINDS}
    found |= {"import": import_client(site.folder), "sqlite": ask_us(embedded, "cycle")}
    began = time.perf_counter()
    answer = site.flux(SCAN)
    found["scan"] = Sample(time.perf_counter() - began, 0.0, 0.0)
    if answer.count(",done,") < MORE * WORKFLOWS:
        message = "the scan did not find all tasks"
        raise RuntimeError(message)
    units.append(LUIGI.run(luigi, RUNS))
    return {
        **found,
        "unit": Sample(
            fmean(each.wall_s for each in units), fmean(each.cpu_s for each in units), 0.0
        ),
    }


def summarise(rounds: Sequence[Round]) -> dict[str, dict[str, float]]:
    """Return the medians: seconds and units; of our cycles in InfluxDB what is beyond the import of
    the client.
    """
    found = {}
    for name in rounds[0]:
        imports = [each["import"] if name in KINDS else Sample(0.0, 0.0, 0.0) for each in rounds]
        walls = [
            each[name].wall_s - other.wall_s for each, other in zip(rounds, imports, strict=True)
        ]
        cpus = [each[name].cpu_s - other.cpu_s for each, other in zip(rounds, imports, strict=True)]
        found[name] = {
            "ratio": round(
                median(
                    wall / each["unit"].wall_s for wall, each in zip(walls, rounds, strict=True)
                ),
                4,
            ),
            "wall_s": round(median(walls), 4),
            "cpu_s": round(median(cpus), 4),
        }
    return found


def count_requests(site: Site, kind: str) -> dict[str, int]:
    """Return what one idle cycle sends and is answered; it is the same each time."""
    with Watch(site.facts["URL"]) as watch:
        site.cycle(kind, watch.url)
        seen = list(watch.seen)
    return {
        "all": len(seen),
        "writes": sum(each.is_write for each in seen),
        "connections": len({each.connection for each in seen}),
        "answered_bytes": sum(each.answered for each in seen),
    }


def time_transitions(site: Site, work: Path) -> dict[str, float]:
    """Return the seconds of an append of 1000 transitions in both stores, and the writes that one
    takes.
    """
    say("1000 transitions")
    site.empty_bucket("moves")
    embedded = Path(tempfile.mkdtemp(dir=work)) / "autoctrl.db"
    with Watch(site.facts["URL"]) as watch:
        time_appends(site, site.url_of("moves", watch.url), 1)
        data, writes = (
            sum(each.is_data for each in watch.seen),
            sum(each.is_write for each in watch.seen),
        )
    return {
        "influxdb_s": time_appends(site, site.url_of("moves"), BATCHES),
        "sqlite_s": time_appends(site, f"sqlite:{embedded}", BATCHES),
        "data_writes": data / APPENDS,
        "writes": writes / APPENDS,
    }


def time_appends(site: Site, url: str, batches: int) -> float:
    """Return the seconds of one append of 1000 transitions to the store of this URL."""
    surroundings = {**environment(ROOT), "AUTOCTRL_STORE_TOKEN": site.facts["TOKEN"]}
    return float(answer_of(["-m", "tests.benchmarks.transitions", url, str(batches)], surroundings))


def _condor(jobs: int) -> dict[str, Any]:
    """Return seconds of the calls and of whole cycles, ours and the bindings', and what the memory
    of a job is.
    """
    calls = {
        mode: medians([_calls(mode, jobs) for _ in range(times)]) for mode, times in TIMES.items()
    }
    say(f"HTCondor, whole cycles over {jobs} jobs")
    with _pool() as (folder, config):
        cycles = measure_cycles(folder, config, jobs)
    return {
        "jobs": jobs,
        "calls": calls,
        "cycles": {act: _as_json(each) for act, each in cycles.items()},
    }


@contextmanager
def _pool() -> Iterator[tuple[Path, str]]:
    """Give a folder that is open to all, and the configuration of a pool of its own: one without
    leftovers to clean.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as place:
        folder = Path(place) / "project"
        for made in (Path(place), folder):
            made.mkdir(exist_ok=True)
            made.chmod(0o755)
        with started(POOL, Path(place) / "pool") as facts:
            yield folder, facts["CONDOR_CONFIG"]


def _calls(mode: str, jobs: int) -> dict[str, float]:
    """Return the seconds of the executor's calls and of the bindings' for the same."""
    say(f"HTCondor, {jobs} jobs, {mode}")
    with _pool() as (folder, config):
        words = ["-c", ASK_CONDOR, str(jobs), config, mode]
        answer: dict[str, float] = json.loads(answer_of(words, environment(folder)))
    return {
        **answer,
        **{f"{act}_times": answer[act] / answer[f"raw_{act}"] for act in ("submit", "poll")},
    }


def medians(samples: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the median of each value."""
    return {name: round(median(each[name] for each in samples), 4) for name in samples[0]}


def _as_json(each: Pair) -> dict[str, float]:
    return {name: round(value, 4) for name, value in each._asdict().items()}
