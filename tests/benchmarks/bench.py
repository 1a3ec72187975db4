"""The figures beside other programs, those of the camera and of the production services, in one
run: ``scripts/bench``.

Every time is divided by luigi's time for 1000 runs with nothing to do, measured at both ends of the
same round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from tests.benchmarks.board import measure_boards
from tests.benchmarks.camera import measure_camera
from tests.benchmarks.camera_report import as_camera_table
from tests.benchmarks.contenders import CONTENDERS, LUIGI, PEERS
from tests.benchmarks.desk_report import as_board_table, as_page_table
from tests.benchmarks.field import MORE, ROOT, RUNS, Field
from tests.benchmarks.page import RUNS as PAGE_RUNS
from tests.benchmarks.page import SECONDS, measure_page
from tests.benchmarks.production import SERVICES, measure_services
from tests.benchmarks.production_report import as_services_table
from tests.benchmarks.report import IDLE, IDLE_MANY, IDLE_MORE, as_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.benchmarks.field import Timing
    from tests.benchmarks.measuring import Sample

OUTPUT = ROOT / "build" / "bench"


def main() -> int:
    """Run all rounds, print the tables, write JSON and picture; return 1 if a figure was missed."""
    chosen = parse_arguments()
    result = describe_machine(os.getloadavg()[0])
    work = OUTPUT / f"work-{chosen.part or 'all'}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tables: list[tuple[str, bool]] = []
    if not chosen.part:
        result |= measure_embedded(work, chosen)
        tables.append(as_table(result))
    if chosen.part in {None, "camera"}:
        result["camera"] = measure_camera(work, chosen.rounds)
        tables.append(as_camera_table(result["camera"]))
    if chosen.part in {None, "page"}:
        result["page"] = measure_page(work, chosen.runs, chosen.seconds)
        tables.append(as_page_table(result["page"]))
    if chosen.part in {None, "board"}:
        result["board"] = measure_boards(work)
        tables.append(as_board_table(result["board"]))
    if chosen.part in {None, "services", *SERVICES}:
        names = [chosen.part] if chosen.part in SERVICES else SERVICES
        result["services"] = measure_services(work, chosen.rounds, chosen.jobs, names)
        tables.append(as_services_table(result["services"]))
    write(result, "\n\n".join(text for text, _ in tables), chosen.part or "bench")
    shutil.rmtree(work, ignore_errors=True)
    return 0 if all(is_reached for _, is_reached in tables) else 1


def parse_arguments() -> argparse.Namespace:
    """Return what to measure, and how often."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure the figures beside the peers."
    )
    parts = ("camera", "page", "board", "services", *SERVICES)
    parser.add_argument(
        "part",
        nargs="?",
        choices=parts,
        help="only the camera, the page, the board, the production services, or one of them",
    )
    parser.add_argument("--rounds", type=int, default=7, help="repetitions (default: %(default)s)")
    parser.add_argument(
        "--peer-rounds", type=int, default=2, help="of them with all peers (default: %(default)s)"
    )
    parser.add_argument(
        "--many",
        type=int,
        default=1_000_000,
        help="runs in the largest store (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, default=10_000, help="jobs in the pool (default: %(default)s)"
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=PAGE_RUNS,
        help="runs of the page (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="under load (default: %(default)s)"
    )
    return parser.parse_args()


def measure_embedded(work: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of the embedded store beside the peers."""
    field = Field(work, chosen.many)
    field.prepare()
    rounds = [field.round(n + 1, has_peers=n < chosen.peer_rounds) for n in range(chosen.rounds)]
    return {"many": chosen.many, "rows": summarise(rounds), **count_all(field)}


def write(result: Mapping[str, Any], table: str, name: str) -> None:
    """Print the table and write it beside the JSON, and a picture of the figures of the embedded
    store if there are.
    """
    (OUTPUT / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (OUTPUT / f"{name}.txt").write_text(table + "\n")
    from tests.benchmarks.picture import (
        draw,  # large, and what is measured must not be smaller than this process
    )

    draw(result, OUTPUT / f"{name}.svg")
    print(table)
    say(
        f"written to {OUTPUT.relative_to(ROOT)}: "
        f"{', '.join(sorted(path.name for path in OUTPUT.glob(f'{name}.*')))}"
    )


def describe_machine(load: float) -> dict[str, Any]:
    """Return what the measurement depends on."""
    found = metadata.distributions(
        path=[str(path) for path in PEERS.parent.glob("lib/python*/site-packages")]
    )
    versions = {str(each.metadata["Name"]).lower(): each.version for each in found}
    names = {contender.name: contender.name.lower() for contender in CONTENDERS}
    return {
        "schema": 1,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "peers": {name: versions[key] for name, key in names.items() if key in versions},
    }


def summarise(rounds: Sequence[Sequence[Timing]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return by row and program the medians over the rounds, in units of luigi's idle time in the
    same round.
    """
    gathered: dict[str, dict[str, list[tuple[float, Sample]]]] = {}
    for timings in rounds:
        unit_s = fmean(
            each.sample.wall_s for each in timings if (each.row, each.name) == (IDLE, LUIGI.name)
        )
        for row, name, sample in timings:
            gathered.setdefault(row, {}).setdefault(name, []).append(
                (sample.wall_s / unit_s, sample)
            )
    return {
        row: {name: _medians(samples) for name, samples in by_name.items()}
        for row, by_name in gathered.items()
    }


def _medians(samples: Sequence[tuple[float, Sample]]) -> dict[str, float]:
    return {
        "ratio": round(median(ratio for ratio, _ in samples), 4),
        "wall_s": round(median(sample.wall_s for _, sample in samples), 4),
        "cpu_s": round(median(sample.cpu_s for _, sample in samples), 4),
        "peak_mib": round(max(sample.peak_mib for _, sample in samples), 1),
        "repetitions": len(samples),
    }


def count_all(field: Field) -> dict[str, object]:
    """Return what is counted or timed without the command line: steps by size, costs of the store,
    lines written.
    """
    names = {IDLE: RUNS, IDLE_MORE: MORE, IDLE_MANY: field.many}
    counted = {names[row]: count(folder) for row, folder in field.ours.items()}
    return {
        "steps": {f"{runs:,}": counts["steps"] for runs, counts in counted.items()},
        "append_us": round(min(counts["append_us"] for counts in counted.values()), 2),
        "open_tasks_us": round(min(counts["open_tasks_us"] for counts in counted.values()), 2),
        "lines": {contender.name: contender.lines for contender in CONTENDERS},
    }


def count(folder: Path) -> dict[str, float]:
    """Return what ``counting`` says about a project."""
    command = [sys.executable, "-m", "tests.benchmarks.counting", str(folder)]
    answer: dict[str, float] = json.loads(
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    )
    return answer


if __name__ == "__main__":
    sys.exit(main())
