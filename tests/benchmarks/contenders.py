"""The programs side by side: how each is given the three chained workflows, and how it is run."""

from __future__ import annotations

import os
import shutil
import sys
import tokenize
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.measuring import Sample, measure

HERE = Path(__file__).parent / "peers"
PEERS = Path(__file__).parents[2] / ".cache" / "bench-venv" / "bin"
OURS = Path(sys.executable).parent / "autoctrl"


class Contender(NamedTuple):
    """One program.

    name     its name
    files    what its user writes for the chain, below ``peers/``
    command  how it is run; ``{runs}`` is the number of runs
    folders  where it leaves one file per run, none if it keeps its results otherwise
    """

    name: str
    files: tuple[str, ...]
    command: tuple[str | Path, ...]
    folders: tuple[str, ...] = ()

    def prepare(self, folder: Path) -> Path:
        """Make ``folder`` anew with the files that the program's user writes."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in self.files:
            place = folder / name.removeprefix("autoctrl/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HERE / name, place)
        return folder

    def run(self, folder: Path, runs: int) -> Sample:
        """Let it process runs 1 to ``runs`` and measure it. Raises ``RuntimeError`` if it did
        not.
        """
        words = [str(word).replace("{runs}", str(runs)) for word in self.command]
        sample = measure(words, folder, environment(folder))
        for name in self.folders:
            there = len(list((folder / name).iterdir()))
            if there != runs:
                message = f"{self.name} left {there} files in {name}, not {runs}"
                raise RuntimeError(message)
        return sample

    @property
    def lines(self) -> int:
        """Number of lines of code that its user writes: no blank line, no comment."""
        return sum(code_lines(HERE / name) for name in self.files)


LUIGI = Contender(
    "luigi",
    ("luigi_chain.py",),
    (
        *(PEERS / "luigi", "--module", "luigi_chain", "Chain", "--runs", "{runs}"),
        *("--local-scheduler", "--no-lock", "--log-level", "WARNING"),
    ),
    ("First", "Second", "Third"),
)
SNAKEMAKE = Contender(
    "Snakemake",
    ("Snakefile",),
    (
        PEERS / "snakemake",
        "--cores",
        "2",
        "--scheduler",
        "greedy",
        "--quiet",
        "all",
        "--config",
        "runs={runs}",
    ),
    ("first", "second", "third"),
)
PARSL = Contender("Parsl", ("parsl_chain.py",), (PEERS / "python", "parsl_chain.py", "{runs}"))
AUTOCTRL = Contender(
    "autoctrl",
    ("autoctrl/autoctrl.toml", "autoctrl/workflows/chain/handler.py"),
    (OURS, "loop", "--until-idle"),
)
CONTENDERS = (AUTOCTRL, LUIGI, SNAKEMAKE, PARSL)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which a program runs: only what it needs, its caches below
    ``folder``.
    """
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "HOME") if name in os.environ
    }
    return {**kept, "PYTHONPATH": ".", "XDG_CACHE_HOME": str(folder / ".cache")}


def ask_us(folder: Path, *words: str) -> Sample:
    """Run one verb of ours and measure it."""
    return measure((OURS, *words), folder, environment(folder))


def code_lines(path: Path) -> int:
    """Return the number of lines of a file that are neither blank nor only a comment."""
    with tokenize.open(path) as file:
        return sum(bool(line.strip()) and not line.strip().startswith("#") for line in file)
