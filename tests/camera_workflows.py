"""The camera's own workflows on two small simulated runs, each as its handler declares it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl import Beside, Files, Latest, Output
from autoctrl.handlers.modules import load_module
from autoctrl.testing import try_task
from tests.house.source import ROOT

if TYPE_CHECKING:
    from autoctrl.testing import Tried

PEDESTAL, PHYSICS = 4500, 4501
EVENTS = 4
FILL = 2125
SIMULATE = "autoctrl-camera simulate --runs 4500-4501 --small --pedestal-events 8 --output ."


class Chain:
    """Runs the workflows' jobs in a folder of its own, each once, when its files are wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[tuple[str, int], dict[str, Path]] = {}
        self.call(*SIMULATE.split(), "--events", str(EVENTS), "--fill", str(FILL))

    def try_run(self, workflow: str, run: int) -> Tried:
        """Return what the workflow would do with the run, its inputs found as it declares them."""
        (handler,) = load_module(ROOT / "workflows" / workflow / "handler.py")
        attributes = {"kind": "pedestal" if run == PEDESTAL else "physics", "fill": FILL}
        inputs = {
            name: self.find(resolver, handler.folder, run)
            for name, resolver in handler.inputs.items()
        }
        return try_task(handler, run=run, attributes=attributes, inputs=inputs, events=EVENTS)

    def make(self, workflow: str, run: int) -> dict[str, Path]:
        """Return the outputs of a workflow by name; its only job runs if it has not yet."""
        if (workflow, run) not in self.made:
            (job,) = self.try_run(workflow, run).jobs
            self.call(*job.argv)
            outputs = {name: self.folder / file for name, file in job.outputs.items()}
            assert all(path.stat().st_size for path in outputs.values())
            self.made[workflow, run] = outputs
        return self.made[workflow, run]

    def find(self, resolver: object, beside: Path, run: int) -> str:
        """Return the file that an input stands for."""
        if isinstance(resolver, Files):
            return str(self.folder / resolver.pattern.format(run=run))
        if isinstance(resolver, Beside):
            return str(beside / resolver.pattern)
        if isinstance(resolver, Latest):
            return str(self.make(resolver.workflow, PEDESTAL)["output"])
        if isinstance(resolver, Output):
            return str(self.make(resolver.workflow, run)[resolver.name or "output"])
        return str(beside / "calibrations")

    def call(self, program: str, *words: str) -> None:
        """Run a command that is installed beside this Python."""
        command = [str(Path(sys.executable).with_name(program)), *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
