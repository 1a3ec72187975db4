"""A small project for the tests of the command line, and the command as a person calls it."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from autoctrl.cli import main
from tests.warm import our_own

LIMIT_S = 250
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

from autoctrl import Output, Where, inline


@inline(
    "plots",
    runs=Where(kind="physics"),
    inputs={"reco": Output("reco")},
    outputs={"plot": "plot.txt"},
)
def draw(task):
    text = task.input("reco").read_text()
    task.output("plot").write_text(text.upper())
    return {"letters": float(len(text))}


if __name__ == "__main__":
    sys.exit(draw())
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


def ask(folder: Path, *words: str, **variables: str) -> Said:
    """Do what `call` does, in this process where that makes no difference: it is ten times faster.

    The verbs that start processes of their own, and wait for them, begin in a warm process.
    """
    if words[:1] == ("serve",):
        return call(folder, *words, **variables)
    if words[:1] in {("cycle",), ("loop",)}:
        return Said(*our_own().call(words, folder, environment(folder) | variables))
    kept, where, threshold = dict(os.environ), Path.cwd(), gc.get_threshold()
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment(folder) | variables)
        with redirect_stdout(out), redirect_stderr(err):
            code = main(words)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        os.chdir(where)
        gc.set_threshold(*threshold)
    return Said(code, *(_text(stream) for stream in (out, err)))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def environment(folder: Path) -> dict[str, str]:
    """Return the plain environment of a person whose home is this folder."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }


def call(folder: Path, *words: str, **variables: str) -> Said:
    """Call ``autoctrl`` in a folder with a plain environment, and wait for it."""
    command = [sys.executable, "-m", "autoctrl.cli", *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder) | variables,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
