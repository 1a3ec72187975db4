"""What an idle cycle costs in an InfluxDB store, and each request that it sends.

    python -m tests.benchmarks.influx_idle [--rounds N] [--kind done|waiting|few] [--runs N]

``done`` has 10,000 runs done in three workflows, ``waiting`` the same after 20 tasks that wait
since before, ``few`` those 20. Prints medians in seconds, also by processor, which other work
disturbs less, and a list of requests; each process that speaks to the server has a connection of
its own.
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.contenders import OURS, ask_us, environment
from tests.benchmarks.field import MORE, filled
from tests.benchmarks.influx import DONE, KINDS, NAME, filled_site, forget_older, place_of
from tests.benchmarks.measuring import measure
from tests.benchmarks.servers import started
from tests.benchmarks.watching import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.influx import Site
    from tests.benchmarks.measuring import Sample

IMPORT = "import influxdb_client.client.influxdb_client"


def import_client(folder: Path) -> Sample:
    """Measure a process that only imports the client."""
    return measure((sys.executable, "-c", IMPORT), folder, environment(folder))


def show(title: str, samples: list[Sample]) -> float:
    """Print the medians of a few measurements; return the wall time."""
    wall_s = median(sample.wall_s for sample in samples)
    cpu_s = median(sample.cpu_s for sample in samples)
    print(
        f"{title:<52}{wall_s:8.3f} s{cpu_s:8.3f} s by "
        f"processor{max(each.peak_mib for each in samples):6.0f} MiB"
    )
    return wall_s


def show_requests(site: Site, kind: str) -> None:
    """Print every request of one cycle."""
    with Watch(site.facts["URL"]) as watch:
        site.cycle(kind, watch.url)
        seen = sorted(watch.seen, key=lambda each: each.began_s)
    writes = sum(each.is_write for each in seen)
    together_s = sum(each.took_s for each in seen)
    connections = len({each.connection for each in seen})
    print(
        f"{len(seen)} requests, {writes} of them writes, on {connections} connections, "
        f"{together_s:.3f} s together"
    )
    for each in seen:
        print(
            f"  {each.began_s:7.3f} s  connection "
            f"{each.connection}{each.took_s * 1000:8.1f} ms  {each.what}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="influx_idle", description="An idle cycle in an InfluxDB store."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=KINDS, default=DONE)
    parser.add_argument("--runs", type=int, default=MORE)
    chosen = parser.parse_args()
    place = place_of(chosen.runs)
    forget_older(place)
    with started(NAME, place / "server") as facts:
        site = filled_site(facts, place, [chosen.kind], chosen.runs)
        embedded = filled(chosen.runs)
        ask_us(embedded, "cycle")
        site.cycle(chosen.kind)
        rounds = [
            (
                site.cycle(chosen.kind),
                import_client(place),
                ask_us(embedded, "cycle"),
                measure((OURS, "--help"), place, environment(place)),
            )
            for _ in range(chosen.rounds)
        ]
        whole, imports, beside, nothing = (list(samples) for samples in zip(*rounds, strict=True))
        show(f"{OURS.name} cycle, InfluxDB, {chosen.kind}", whole)
        show("a process that only imports influxdb_client", imports)
        show(f"{OURS.name} cycle, SQLite", beside)
        show(f"{OURS.name} --help", nothing)
        beyond = median(a.wall_s - b.wall_s for a, b in zip(whole, imports, strict=True))
        print(
            f"beyond the import: {beyond:.3f} s, by processor "
            f"{median(a.cpu_s - b.cpu_s for a, b in zip(whole, imports, strict=True)):.3f} s"
        )
        show_requests(site, chosen.kind)


if __name__ == "__main__":
    main()
