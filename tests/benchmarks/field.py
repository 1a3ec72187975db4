"""The projects in which the programs run, and the rows that are measured in them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.contenders import (
    AUTOCTRL,
    CONTENDERS,
    HERE,
    LUIGI,
    OURS,
    PARSL,
    SNAKEMAKE,
    ask_us,
)
from tests.benchmarks.report import FRESH, IDLE, IDLE_MANY, IDLE_MORE, START, say

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Contender
    from tests.benchmarks.measuring import Sample

ROOT = Path(__file__).parents[2]
STORES = ROOT / ".cache" / "bench"
RUNS, MORE, FEW = 1000, 10_000, 10
ADDING = "adding"


class Timing(NamedTuple):
    """One measurement in one round.

    row     the row of the table
    name    name of the program
    sample  what was measured
    """

    row: str
    name: str
    sample: Sample


class Field:
    """The folders of all programs below one: ``done`` has 1000 runs done, ``growing`` ever more,
    ``start`` is new.
    """

    def __init__(self, folder: Path, many: int) -> None:
        """Keep everything below ``folder``; ``many`` is the number of runs of the largest
        project.
        """
        self.folder, self.many = folder, many
        self.ours = {
            IDLE: self.place("done", AUTOCTRL),
            IDLE_MORE: filled(MORE),
            IDLE_MANY: filled(many),
        }

    def place(self, kind: str, contender: Contender) -> Path:
        """Return the folder of this kind of one program."""
        return self.folder / kind / contender.name

    def prepare(self) -> None:
        """Let every program process 1000 runs, which warms it up, and make the large projects."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for contender in CONTENDERS:
            say(f"warm-up: {contender.name}, {RUNS} runs from nothing")
            done = contender.prepare(self.place("done", contender))
            if contender is AUTOCTRL:
                ask_us(done, "runs", "add", f"1-{RUNS}")
            contender.run(done, RUNS)
            shutil.copytree(done, self.place("growing", contender))
        ask_us(
            self.place("growing", AUTOCTRL), "cycle"
        )  # a copied store takes a new identity when it is opened
        for folder in self.ours.values():
            ask_us(folder, "cycle")
        more = LUIGI.prepare(self.place("more", LUIGI))
        for name in LUIGI.folders:
            (more / name).mkdir()
            for number in range(1, MORE + 1):
                (more / name / str(number)).touch()

    def round(self, number: int, *, has_peers: bool) -> list[Timing]:
        """Measure every row once; ``has_peers`` includes what takes the peers long."""
        say(f"round {number}{', with all peers' if has_peers else ''}")
        timings = [self.idle(LUIGI)]
        timings += [
            Timing(row, AUTOCTRL.name, ask_us(folder, "cycle")) for row, folder in self.ours.items()
        ]
        timings.append(Timing(IDLE_MORE, LUIGI.name, LUIGI.run(self.place("more", LUIGI), MORE)))
        timings += [self.add(number), self.grow(number, LUIGI), *self.start(AUTOCTRL)]
        for contender in (SNAKEMAKE, PARSL) if has_peers else ():
            timings += [self.idle(contender), self.grow(number, contender), *self.start(contender)]
        if has_peers:
            timings += self.start(LUIGI)
        return [*timings, self.idle(LUIGI)]

    def idle(self, contender: Contender) -> Timing:
        """Measure a program that has nothing to do."""
        return Timing(IDLE, contender.name, contender.run(self.place("done", contender), RUNS))

    def add(self, number: int) -> Timing:
        """Add ten runs to ours, which peers find in their definition, and measure the cycle that
        processes them.
        """
        folder, last = self.place("growing", AUTOCTRL), RUNS + FEW * number
        ask_us(folder, "runs", "add", f"{last - FEW + 1}-{last}")
        sample = ask_us(folder, "cycle")
        check_done(folder, last)
        return Timing(FRESH, AUTOCTRL.name, sample)

    def grow(self, number: int, contender: Contender) -> Timing:
        """Measure a peer that has ten more runs than in the round before."""
        sample = contender.run(self.place("growing", contender), RUNS + FEW * number)
        return Timing(FRESH, contender.name, sample)

    def start(self, contender: Contender) -> list[Timing]:
        """Measure a program from nothing."""
        folder = contender.prepare(self.place("start", contender))
        if contender is not AUTOCTRL:
            return [Timing(START, contender.name, contender.run(folder, RUNS))]
        added = ask_us(folder, "runs", "add", f"1-{RUNS}")
        sample = contender.run(folder, RUNS)
        check_done(folder, RUNS)
        return [Timing(ADDING, contender.name, added), Timing(START, contender.name, sample)]


def filled(runs: int) -> Path:
    """Return a project of ours with ``runs`` runs that are done; kept until what it is made by
    changes.
    """
    makers = [
        *sorted((ROOT / "autoctrl" / "stores" / "sqlite").glob("schema_*.sql")),
        Path(__file__).with_name("filled.py"),
    ]
    makers += [HERE / name for name in AUTOCTRL.files]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()[:8]
    folder = STORES / f"{runs}-{digest}"
    if not (folder / "complete").exists():
        for old in STORES.glob(f"{runs}-*"):
            shutil.rmtree(old)
        say(
            f"writing a store with {runs} runs, done in three workflows; it is kept in .cache/bench"
        )
        AUTOCTRL.prepare(folder)
        command = [sys.executable, "-m", "tests.benchmarks.filled", str(folder), str(runs)]
        subprocess.run(command, cwd=ROOT, check=True)
        (folder / "complete").touch()
    return folder


def check_done(folder: Path, runs: int) -> None:
    """Raise ``RuntimeError`` unless exactly ``runs`` runs are done in all workflows."""
    command = [str(OURS), "status", "--project", str(folder), "--format", "json"]
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    done = sum(run["status"] == "done" for run in shown["runs"])
    if done != runs:
        message = f"{done} runs are done in {folder}, not {runs}"
        raise RuntimeError(message)
