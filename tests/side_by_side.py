"""Runs all lanes of the tests at once and sums up; ``scripts/test`` calls it.

``python -m tests.side_by_side [PYTEST ARGUMENT...]`` keeps what each lane prints in
``build/tests/LANE.txt`` and its results in ``build/tests/LANE.xml`` (JUnit). Where ``CI`` is set,
a lane begins by installing the servers that it needs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from queue import Empty, Queue
from typing import IO, TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from tests.lanes import LANES, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build/tests"
COVERAGE = ROOT / ".cache/coverage"
NOTHING_SELECTED = 5  # what pytest says then
SLOWEST = 10
SIGN_OF_LIFE_S = 120.0
CLOSING = re.compile(r"(?m)^=+ (.*\d.*) =+$")


class Cost(NamedTuple):
    """How a command ended, and the seconds of processor time of all its processes."""

    code: int
    busy_s: float


class Ended(NamedTuple):
    """A lane that has ended: its exit code, pytest's closing line, its seconds and busy seconds."""

    name: str
    code: int
    closing: str
    took_s: float
    busy_s: float

    @property
    def has_failed(self) -> bool:
        """Whether it did; a lane may be empty where a person narrows the choice down."""
        return self.code not in ({0} if os.environ.get("CI") else {0, NOTHING_SELECTED})


class Case(NamedTuple):
    """A test, the seconds that it took, and the busy seconds of it and its ended processes."""

    took_s: float
    busy_s: float
    name: str


class Running:
    """Lanes at work, each in a thread that waits for its processes."""

    def __init__(self, words: Sequence[str]) -> None:
        """Start every lane; ``words`` go to pytest."""
        self.ended: Queue[Ended] = Queue()
        self.unfinished = [*LANES]
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._is_stopped = False
        for name in LANES:
            threading.Thread(target=self._run, args=(name, words), daemon=True).start()

    def _run(self, name: str, words: Sequence[str]) -> None:
        """Run a lane from its servers' installation to its end."""
        began = time.monotonic()
        lane = LANES[name]
        servers = (*lane.servers, *lane.tools) if os.environ.get("CI") else ()
        install = [str(ROOT / "scripts/services"), "install", *servers]
        cost = Cost(0, 0.0)
        with text_of(name).open("wb") as output:
            for command in [install] * bool(servers) + [command_of(name, words)]:
                cost = self._call(command, output)
                if cost.code:
                    break
        took_s = time.monotonic() - began
        self.ended.put(Ended(name, cost.code, closing_of(name), took_s, cost.busy_s))

    def _call(self, command: list[str], output: IO[bytes]) -> Cost:
        """Run a command to its end, unless all has been stopped meanwhile."""
        with self._lock:
            if self._is_stopped:
                return Cost(-signal.SIGINT, 0.0)
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            self._processes.append(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Cost(process.returncode, usage.ru_utime + usage.ru_stime)

    def results(self) -> Iterator[Ended]:
        """Yield the lanes as they end, with a sign of life where that takes long."""
        while self.unfinished:
            try:
                one = self.ended.get(timeout=SIGN_OF_LIFE_S)
            except Empty:
                print("still at work:", ", ".join(self.unfinished), flush=True)
                continue
            self.unfinished.remove(one.name)
            yield one

    def stop(self) -> None:
        """Ask every lane to end in good order, with its servers, and wait for it."""
        with self._lock:
            self._is_stopped = True
            for process in self._processes:
                if process.returncode is None:
                    process.send_signal(signal.SIGINT)
        for _ in self.results():
            pass


def text_of(name: str) -> Path:
    """Return the file that holds what a lane printed."""
    return KEPT / f"{name}.txt"


def results_of(name: str) -> Path:
    """Return a lane's JUnit file."""
    return KEPT / f"{name}.xml"


def command_of(name: str, words: Sequence[str]) -> list[str]:
    """Return the command that runs a lane."""
    lane = LANES[name]
    nice = ["nice", "-n", "2"] * lane.is_patient
    measured = ["-m", "coverage", "run", f"--data-file={COVERAGE}.{name}"] * lane.is_measured
    kept = f"--junitxml={results_of(name)}"
    pytest = ["-m", "pytest", "--lane", name, kept, *where(name), *words]
    return [*nice, sys.executable, *measured, *pytest]


def closing_of(name: str) -> str:
    """Return the last line that pytest printed, without its ornaments; what else came last."""
    text = text_of(name).read_text(errors="replace")
    found = CLOSING.findall(text)
    last = text.strip().rpartition("\n")[2]
    return str(found[-1]) if found else last


def cases_of(name: str) -> Iterator[Case]:
    """Yield the tests of a lane; none if it did not get so far."""
    if not results_of(name).exists():
        return
    for case in ET.parse(results_of(name)).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        full = f"{case.get('classname', '')}::{case.get('name', '')}"
        found = case.find("properties/property[@name='busy_s']")
        busy = 0.0 if found is None else float(found.get("value", 0))
        yield Case(float(case.get("time", 0)), busy, full)


def check_coverage() -> Ended:
    """Join what the measured lanes counted and check that every branch was reached."""
    began = time.monotonic()
    lines = []
    code = 0
    for words in (["combine", "--quiet"], ["report"]):
        command = [sys.executable, "-m", "coverage", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        lines += (done.stdout + done.stderr).strip().splitlines()
        code = code or done.returncode
    text_of("coverage").write_text("\n".join(lines) + "\n")
    return Ended("coverage", code, lines[-1] if lines else "", time.monotonic() - began, 0.0)


def show(one: Ended) -> None:
    """Print a line on a lane that has ended."""
    verdict = "FAILED" if one.has_failed else "passed"
    figures = f"{one.took_s:6.0f} s, {one.busy_s:5.0f} s busy"
    print(f"{one.name:9} {verdict}  {figures}  {one.closing}", flush=True)


def sum_up(all_ended: Iterable[Ended]) -> None:
    """Print the failures whole, the slowest tests, and a line for each lane."""
    ended = [*all_ended]
    for one in ended:
        if one.has_failed:
            print(f"\n== {one.name}, of {text_of(one.name).relative_to(ROOT)}")
            print(text_of(one.name).read_text(errors="replace"), flush=True)
    cases = [case for one in ended for case in cases_of(one.name)]
    print(f"\nThe slowest of {len(cases)} tests:")
    for case in sorted(cases, reverse=True)[:SLOWEST]:
        print(f"{case.took_s:7.1f} s, {case.busy_s:5.1f} s busy  {case.name}")
    print()
    for one in ended:
        show(one)
    print(f"\n{total([one.name for one in ended])}")


def total(names: Sequence[str]) -> str:
    """Return how many tests of these lanes passed and did not, by their JUnit files."""
    counts: Counter[str] = Counter()
    for name in names:
        if results_of(name).exists():
            for suite in ET.parse(results_of(name)).iter("testsuite"):  # noqa: S314 - as above
                for word in ("tests", "failures", "errors", "skipped"):
                    counts[word] += int(suite.get(word, 0))
    bad = {word: counts[word] for word in ("failures", "errors", "skipped") if counts[word]}
    passed = counts["tests"] - sum(bad.values())
    said = [f"{passed} passed", *(f"{number} {word}" for word, number in bad.items())]
    return f"== {', '.join(said)} =="


def run(words: Sequence[str]) -> int:
    """Run all lanes and return 0 if none failed; whoever narrows the choice measures nothing."""
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    for old in COVERAGE.parent.glob(f"{COVERAGE.name}*"):
        old.unlink()
    running = Running(words)
    ended = []
    try:
        for one in running.results():
            show(one)
            ended.append(one)
    except BaseException:
        running.stop()
        raise
    if not {*words} - {"--long"}:
        ended.append(check_coverage())
    sum_up(ended)
    return int(any(one.has_failed for one in ended))


def _end(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    sys.exit(run(sys.argv[1:]))
