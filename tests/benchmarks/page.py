"""How quickly the overview is shown to many at once, beside a constant page of the same server.

A store of runs done in ten workflows is served; both pages are asked for 100 times a second beside
2000 connections that only wait. Idle cycles run all the while: what the page costs them is told by
those that run while the constant page is asked for, since the asking itself takes as much then.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from autoctrl.compose import open_project
from autoctrl.machine.cycle import Cycle
from autoctrl.model.campaign import PROMPT
from tests.benchmarks.filled import fill, handlers_of
from tests.benchmarks.multiplied import multiply
from tests.benchmarks.report import say
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RUNS, SECONDS, PER_SECOND, CONNECTIONS, WORKFLOWS, CYCLES = 10_000, 60, 100, 2000, 10, 8
OVERVIEW, CONSTANT = "/campaigns/prompt", "/static/style.css"
IMPORTS = "import autoctrl.web.server, autoctrl.cli.app, autoctrl.stores.sqlite.store"
HANDLER = 'from autoctrl import BatchHandler\nhandler = BatchHandler("{name}", argv=["true"])\n'


class Waits(NamedTuple):
    """How long requests took, seconds, and how many were not answered with 200."""

    seconds: Sequence[float]
    refused: int

    def quantile(self, share: float) -> float:
        """Return what this share of the answers did not exceed, seconds."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]


class Cycles(NamedTuple):
    """Idle cycles, one after the other: seconds of each, and of the processor for all."""

    seconds: Sequence[float]
    cpu_s: float

    @property
    def cpu_each_s(self) -> float:
        """Seconds of the processor that one took."""
        return self.cpu_s / len(self.seconds)


def make_project(folder: Path, runs: int) -> None:
    """Write a project whose runs are done in all workflows."""
    folder.mkdir(parents=True)
    (folder / "autoctrl.toml").touch()
    for number in range(WORKFLOWS):
        name = f"w{number}"
        (folder / "workflows" / name).mkdir(parents=True)
        (folder / "workflows" / name / "handler.py").write_text(HANDLER.format(name=name))
    with open_project(folder) as project:
        fill(project, 1)
    multiply(folder / ".autoctrl" / "state.sqlite", runs)
    with open_project(folder) as project:
        for handler in handlers_of(project):
            Cycle(handler, project.context(PROMPT)).run()


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int]]:
    """Serve the page; yield port and number of the process."""
    words = [sys.executable, "-m", "autoctrl.cli", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found, "the server did not say where it listens"
        try:
            yield urlsplit(found[0]).port or 0, server.pid
        finally:
            server.terminate()


async def ask(port: int, path: str) -> bool:
    """Ask once; say whether the answer was 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read(-1)
    writer.close()
    return answer.startswith(b"HTTP/1.1 200")


async def load(port: int, path: str, seconds: float) -> Waits:
    """Ask at a fixed pace, whether answers come or not."""
    waits: list[float] = []
    refused = 0

    async def one(due: float) -> None:
        nonlocal refused
        await asyncio.sleep(due - time.perf_counter())
        refused += not await ask(port, path)
        waits.append(time.perf_counter() - due)

    begin = time.perf_counter() + 0.1
    dues = [begin + number / PER_SECOND for number in range(int(seconds * PER_SECOND))]
    async with asyncio.TaskGroup() as group:
        for due in dues:
            group.create_task(one(due))
    return Waits(waits, refused)


async def compare(port: int, seconds: float, cycle: Sequence[str | Path]) -> dict[str, Any]:
    """Ask for both pages, half of the constant one before and half after, with cycles beside each;
    return the figures.
    """
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    before, first = await load_beside(port, CONSTANT, seconds / 2, cycle)
    overview, cycles = await load_beside(port, OVERVIEW, seconds, cycle)
    after, last = await load_beside(port, CONSTANT, seconds / 2, cycle)
    for _, writer in idle:
        writer.close()
    constant = Waits([*before.seconds, *after.seconds], before.refused + after.refused)
    control = Cycles([*first.seconds, *last.seconds], first.cpu_s + last.cpu_s)
    return {
        "overview_ms": in_ms(overview),
        "constant_ms": in_ms(constant),
        "refused": overview.refused + constant.refused,
        "ratio": round(overview.quantile(0.99) / constant.quantile(0.99), 2),
        "cycle_s": round(median(cycles.seconds), 3),
        "cycle_beside_constant_s": round(median(control.seconds), 3),
        "slower": round(median(cycles.seconds) / median(control.seconds), 2),
        "slower_cpu": round(cycles.cpu_each_s / control.cpu_each_s, 2),
    }


def in_ms(waits: Waits) -> dict[str, float]:
    """Return how long half of the answers took at most, and 99 of 100, ms."""
    return {f"p{n}": round(waits.quantile(n / 100) * 1000, 1) for n in (50, 99)}


async def load_beside(
    port: int, path: str, seconds: float, cycle: Sequence[str | Path]
) -> tuple[Waits, Cycles]:
    """Ask for a page while cycles are made."""
    async with asyncio.TaskGroup() as group:
        cycles = group.create_task(time_cycles(cycle))
        waits = group.create_task(load(port, path, seconds))
    return waits.result(), cycles.result()


async def time_cycles(words: Sequence[str | Path]) -> Cycles:
    """Make a few cycles, one after the other. No other child may end meanwhile."""
    taken, before = [], resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(CYCLES):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        await process.wait()
        taken.append(time.perf_counter() - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cycles(taken, cpu_s)


def memory_mib(pid: int) -> float:
    """Return the largest resident memory that a process had, MiB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def imports_mib() -> float:
    """Return the memory of a process that has imported what the server does, MiB."""
    code = f"{IMPORTS}; print(open('/proc/self/status').read())"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    found = re.search(r"VmHWM:\s+(\d+)", said.stdout.decode())
    return int(found[1]) / 1024 if found else 0.0


def measure_page(work: Path, runs: int = RUNS, seconds: float = SECONDS) -> dict[str, Any]:
    """Return the figures of the page; ``work`` is a folder that may be filled."""
    folder = work / "page"
    say(f"filling {runs} runs in {WORKFLOWS} workflows")
    make_project(folder, runs)
    cycle = [sys.executable, "-m", "autoctrl.cli", "cycle", "--project", str(folder)]
    alone = asyncio.run(time_cycles(cycle))
    say(f"asking for pages for {2 * seconds:.0f} s")
    with served(folder) as (port, pid):
        found = asyncio.run(compare(port, seconds, cycle))
        used_mib = memory_mib(pid) - imports_mib()
    return {
        "runs": runs,
        "seconds": seconds,
        **found,
        "mib": round(used_mib, 1),
        "cycle_alone_s": round(median(alone.seconds), 3),
        "cycle_alone_cpu_s": round(alone.cpu_each_s, 3),
    }
