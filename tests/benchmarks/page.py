"""How quickly the overview is shown to many at once, beside a constant page of the same server.

``python -m tests.benchmarks.page [RUNS] [SECONDS]`` fills a store with runs done in ten workflows,
serves it, asks for both pages 100 times a second beside 2000 connections that only wait, and prints
the figures. Exits with 1 if one was missed.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from autoctrl.compose import open_project
from tests.benchmarks.filled import fill
from tests.benchmarks.report import say
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RUNS, SECONDS, PER_SECOND, CONNECTIONS, WORKFLOWS, CYCLES = 10_000, 60, 100, 2000, 10, 5
OVERVIEW, CONSTANT = "/campaigns/prompt", "/static/style.css"
MOST_RATIO, MOST_MIB, MOST_SLOWER = 3.0, 150.0, 1.1
IMPORTS = "import autoctrl.web.server, autoctrl.cli.app, autoctrl.stores.sqlite.store"
HANDLER = 'from autoctrl import BatchHandler\nhandler = BatchHandler("{name}", argv=["true"])\n'


class Waits(NamedTuple):
    """How long requests took, seconds, and how many were not answered with 200."""

    seconds: Sequence[float]
    refused: int

    def quantile(self, share: float) -> float:
        """Return what this share of the answers did not exceed, seconds."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]


def make_project(folder: Path, runs: int) -> None:
    """Write a project whose runs are done in all workflows."""
    (folder / "autoctrl.toml").touch()
    for number in range(WORKFLOWS):
        name = f"w{number}"
        (folder / "workflows" / name).mkdir(parents=True)
        (folder / "workflows" / name / "handler.py").write_text(HANDLER.format(name=name))
    with open_project(folder) as project:
        fill(project, runs)


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


async def compare(port: int, seconds: float, beside: Sequence[str | Path]) -> dict[str, Waits]:
    """Ask for both pages, half of the constant one before and half after; ``beside`` is a command
    that runs all the while that the overview is asked for.
    """
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    before = await load(port, CONSTANT, seconds / 2)
    timing = asyncio.create_task(time_cycles(beside))
    overview = await load(port, OVERVIEW, seconds)
    cycles = await timing
    after = await load(port, CONSTANT, seconds / 2)
    for _, writer in idle:
        writer.close()
    constant = Waits([*before.seconds, *after.seconds], before.refused + after.refused)
    return {"constant": constant, "overview": overview, "cycles": Waits(cycles, 0)}


async def time_cycles(words: Sequence[str | Path]) -> list[float]:
    """Return how long a few cycles take, one after the other, seconds each."""
    taken = []
    for _ in range(CYCLES):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        await process.wait()
        taken.append(time.perf_counter() - began)
    return taken


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


def main() -> int:
    """Print a line for each figure; return 1 if one was missed."""
    runs, seconds, *_ = [*map(int, sys.argv[1:]), *(RUNS, SECONDS)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"filling {runs} runs in {WORKFLOWS} workflows")
        make_project(folder, runs)
        cycle = [sys.executable, "-m", "autoctrl.cli", "cycle", "--project", str(folder)]
        alone = asyncio.run(time_cycles(cycle))
        with served(folder) as (port, pid):
            found = asyncio.run(compare(port, seconds, cycle))
            used_mib = memory_mib(pid) - imports_mib()
    for name, waits in found.items():
        middle, most = waits.quantile(0.5) * 1000, waits.quantile(0.99) * 1000
        print(f"{name:9} p50 {middle:8.1f} ms, p99 {most:8.1f} ms, not 200: {waits.refused}")
    ratio = found["overview"].quantile(0.99) / found["constant"].quantile(0.99)
    slower = median(found["cycles"].seconds) / median(alone)
    print(f"p99 of the overview / of a constant page: {ratio:.2f} (at most {MOST_RATIO})")
    print(f"memory beyond imports: {used_mib:.0f} MiB (at most {MOST_MIB:.0f})")
    print(f"a cycle beside it / alone: {slower:.2f} (at most {MOST_SLOWER})")
    is_reached = ratio <= MOST_RATIO and used_mib <= MOST_MIB and slower <= MOST_SLOWER
    return 0 if is_reached and not found["overview"].refused else 1


if __name__ == "__main__":
    sys.exit(main())
