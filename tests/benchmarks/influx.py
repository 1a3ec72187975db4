"""Projects of ours whose store is an InfluxDB, filled once and kept; see ``scripts/bench
services``.

``python -m tests.benchmarks.influx PROJECT KIND RUNS`` fills one; the environment says where its
store lies.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import Request, urlopen

from tests.benchmarks.contenders import AUTOCTRL, HERE, OURS, environment
from tests.benchmarks.field import MORE, ROOT, STORES
from tests.benchmarks.measuring import measure
from tests.benchmarks.report import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.compose import Project
    from autoctrl.ports import Record
    from tests.benchmarks.measuring import Sample

NAME = "influxdb2"
DONE, WAITING, FEW = "done", "waiting", "few"
KINDS = (DONE, WAITING, FEW)
WAITING_RUNS = 10
RUNS_AT_ONCE = 1000
PATIENCE_S = 120
STEADY = 8  # equal sizes, one second apart


class Site(NamedTuple):
    """A running server with a project for each of its buckets.

    facts   what ``scripts/services`` said of the server
    folder  where the projects lie
    """

    facts: dict[str, str]
    folder: Path

    def url_of(self, bucket: str, url: str = "") -> str:
        """Return the address of the store in a bucket; ``url`` stands for the server's own."""
        return (
            f"influxdb:{(url or self.facts['URL']).partition(':')[2]}/{self.facts['ORG']}/{bucket}"
        )

    def surroundings(self, kind: str, url: str = "") -> dict[str, str]:
        """Return the environment in which a command of a project runs; ``url`` stands for the
        server's own.
        """
        ours = {
            "AUTOCTRL_STORE_URL": self.url_of(kind, url),
            "AUTOCTRL_STORE_TOKEN": self.facts["TOKEN"],
        }
        return {**environment(self.folder / kind), **ours}

    def cycle(self, kind: str, url: str = "") -> Sample:
        """Measure one cycle of a project."""
        return measure((OURS, "cycle"), self.folder / kind, self.surroundings(kind, url))

    def ask(
        self,
        path: str,
        body: str | None = None,
        kind: str = "application/json",
        method: str | None = None,
    ) -> Any:
        """Send a request of any kind to the server; return its answer as text."""
        headers = {"Authorization": f"Token {self.facts['TOKEN']}", "Content-Type": kind}
        url, data = self.facts["URL"] + path, body.encode() if body else None
        request = Request(url, data, headers, method=method)  # noqa: S310 - our own server
        with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - as above
            return answer.read().decode(errors="replace")

    def flux(self, script: str) -> str:
        """Return the answer to a Flux query, as CSV."""
        answer: str = self.ask(
            f"/api/v2/query?org={self.facts['ORG']}", script, "application/vnd.flux"
        )
        return answer

    def empty_bucket(self, name: str) -> None:
        """Make an empty bucket in which nothing is ever forgotten; one that is there goes away."""
        (org,) = json.loads(self.ask(f"/api/v2/orgs?org={self.facts['ORG']}"))["orgs"]
        for old in json.loads(self.ask("/api/v2/buckets?limit=100"))["buckets"]:
            if old["name"] == name:
                self.ask(f"/api/v2/buckets/{old['id']}", method="DELETE")
        self.ask(
            "/api/v2/buckets", json.dumps({"orgID": org["id"], "name": name, "retentionRules": []})
        )


def place_of(runs: int = MORE) -> Path:
    """Return the folder of the filled server; another one when the way of writing has changed."""
    influx = ROOT / "autoctrl" / "stores" / "influx"
    makers = [influx / name for name in ("points.py", "append.py", "overview.py")]
    makers += [Path(__file__).with_name("filled.py"), *(HERE / name for name in AUTOCTRL.files)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()[:8]
    return STORES / f"influx-{runs}-{digest}"


def forget_older(place: Path) -> None:
    """Remove filled servers of earlier ways of writing."""
    for old in STORES.glob(f"{place.name.rpartition('-')[0]}-*"):
        if old != place:
            shutil.rmtree(old)


def filled_site(facts: dict[str, str], place: Path, kinds: Iterable[str], runs: int = MORE) -> Site:
    """Return the projects on a server that was started for ``place``, filling those of the kinds
    that are not.
    """
    site = Site(facts, place / "projects")
    for kind in kinds:
        complete = place / f"complete-{kind}"
        if complete.exists():
            continue
        say(f"writing an InfluxDB store, kind {kind}; it is kept in .cache/bench")
        site.empty_bucket(kind)
        AUTOCTRL.prepare(site.folder / kind)
        words = [
            sys.executable,
            "-m",
            "tests.benchmarks.influx",
            str(site.folder / kind),
            kind,
            str(runs),
        ]
        subprocess.run(words, cwd=ROOT, env=site.surroundings(kind), check=True)
        site.cycle(kind)
        complete.touch()
    return site


class Footprint(NamedTuple):
    """What a bucket keeps, by the server's own figures.

    series  cardinality
    bytes   that it occupies on the disk, with all that was in memory only written there
    """

    series: int
    bytes: int


def footprint(site: Site, place: Path, kind: str) -> Footprint:
    """Return what a project's bucket keeps; ``place`` is the server's folder."""
    script = (
        f'import "influxdata/influxdb"\ninfluxdb.cardinality(bucket: "{kind}", start: '
        "1960-01-01, stop: 2200-01-01)"
    )
    header, row = list(csv.reader(site.flux(script).split()))[-2:]
    buckets = json.loads(site.ask("/api/v2/buckets?limit=100"))["buckets"]
    (bucket,) = [each["id"] for each in buckets if each["name"] == kind]
    engine = place / "server" / "engine"
    for shard in (engine / "data" / bucket / "autogen").iterdir():
        if shard.name.isdigit():
            site.ask(
                f"/api/v2/backup/shards/{shard.name}"
            )  # makes the server write down what is in its cache
    return Footprint(
        int(row[header.index("_value")]),
        settled_bytes([engine / "data" / bucket, engine / "wal" / bucket]),
    )


def settled_bytes(folders: Iterable[Path]) -> int:
    """Return the bytes of all files below folders once they have not changed for a while: the
    server compacts them.
    """
    chosen = list(folders)
    seen: list[int] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(seen) < STEADY or len(set(seen[-STEADY:])) > 1:
        if time.monotonic() > deadline:
            message = f"The size of {chosen[0]} does not settle."
            raise RuntimeError(message)
        time.sleep(1)
        listed = subprocess.run(
            ["du", "-sB1", *chosen], capture_output=True, text=True, check=False
        ).stdout
        seen.append(sum(int(line.split()[0]) for line in listed.splitlines()))
    return seen[-1]


def wait_for_ever(project: Project, runs: int) -> None:
    """Write runs whose first workflow was skipped, so that the two others wait, and let the cycles
    say why.
    """
    from autoctrl.machine.cycle import Cycle
    from autoctrl.model.actor import CYCLE
    from autoctrl.model.campaign import PROMPT
    from autoctrl.model.run import RunRecord
    from autoctrl.model.status import TaskStatus
    from autoctrl.model.task import new_task
    from autoctrl.model.unit import TaskKey, run_unit
    from tests.benchmarks.filled import handlers_of

    now, handlers = project.clock.now(), handlers_of(project)
    records: list[Record] = []
    for number in range(1, runs + 1):
        records.append(RunRecord(number, {}, is_closed=True, time=now, actor=CYCLE))
        tasks = [
            new_task(TaskKey(PROMPT, each.workflow, run_unit(number)), (number,), now)
            for each in handlers
        ]
        records += [*tasks, tasks[0].moved(TaskStatus.SKIPPED, now)]
    project.store.append(records)
    for handler in handlers:
        Cycle(handler, project.context(PROMPT)).run()


def main() -> None:
    """Fill the project named on the command line."""
    from autoctrl.compose import open_project
    from tests.benchmarks.filled import fill

    folder, kind, runs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with open_project(folder) as project:
        if kind != DONE:
            wait_for_ever(project, WAITING_RUNS)
        if kind != FEW:
            since = 1 if kind == DONE else WAITING_RUNS + 1
            fill(project, runs + since - 1, since=since, batch=RUNS_AT_ONCE)


if __name__ == "__main__":
    main()
