"""A small project for the tests of the command line, and the command itself, as a person would call
it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FILES = {
    "autoctrl.toml": """
[runs.attributes]
fill = "int"
kind = "str"
""",
    "workflows/reco/handler.py": """
import sys

from autoctrl import BatchHandler, Where

handler = BatchHandler(
    "reco",
    runs=Where(kind="physics"),
    run_line="{python} {folder}/job.py {run} --output {output}",
    outputs={"output": "reco_run{run:05d}.txt"},
)

if __name__ == "__main__":
    sys.exit(handler())
""",
    "workflows/reco/job.py": """
import sys
from pathlib import Path

run, output = int(sys.argv[1]), Path(sys.argv[3])
print(f"reconstructing run {run}")
if run == 3:
    sys.exit("the detector was off")
output.write_text(f"tracks of run {run}\\n")
""",
    "workflows/plots/handler.py": """
import sys
from pathlib import Path

from autoctrl import After, InlineHandler, Output, Where


def draw(task):
    text = Path(task.inputs["reco"][0]).read_text()
    Path(task.outputs["plot"]).write_text(text.upper())
    return {"letters": float(len(text))}


handler = InlineHandler(
    "plots",
    draw,
    runs=Where(kind="physics"),
    locks=After("reco"),
    inputs={"reco": Output("reco")},
    outputs={"plot": "plot.txt"},
)

if __name__ == "__main__":
    sys.exit(handler())
""",
    "workflows/sums/handler.py": """
import sys

from autoctrl import After, InlineHandler, Where

handler = InlineHandler(
    "sums",
    lambda task: {"runs": float(len(task.members))},
    runs=Where(kind="physics"),
    group_by="fill",
    locks=After("reco"),
)

if __name__ == "__main__":
    sys.exit(handler())
""",
}


class Said(NamedTuple):
    """What one call of the command gave."""

    code: int
    out: str
    err: str


def make_project(folder: Path) -> Path:
    """Write the project's files; its runs are not registered yet."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"))
    return folder


def call(folder: Path, *words: str, **variables: str) -> Said:
    """Call ``autoctrl`` in a folder with a plain environment, and wait for it."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **{name: os.environ[name] for name in ("COVERAGE_PROCESS_START",) if name in os.environ},
        **variables,
    }
    command = [sys.executable, "-m", "autoctrl.cli", *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
