"""A small project whose jobs keep a ledger of their own, apart from all that the machine says of
them.
"""

from __future__ import annotations

import fcntl
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PARTS = 2
SETTINGS = """
[runs.attributes]
kind = "str"
[sources.table]
type = "table"
path = "runs.csv"
closed_column = "closed"
[notifiers.log]
type = "log"
path = "alerts.log"
[executors.local]
type = "local"
slots = 3
grace_s = 0.2
submit_deadline_s = 1
[cycle]
lease_s = 60
verb_wait_s = 0
[defaults]
attempts = 200
back_off_s = 0
[workflows.bad]
attempts = 2
"""
# What a job does: a line at its start, its work, a line at its end. A lock of its own finds two
# that overlap; a child that leaves takes the lock along.
JOB = """
import fcntl, os, sys, time
folder, seconds, exit_code, output, *inputs = sys.argv[1:]
tag, start = os.environ["AUTOCTRL_TAG"].partition("/")[2], os.environ["AUTOCTRL_START"]
lock = open(f"{folder}/locks/{tag.rpartition('.')[0].replace('/', '_')}", "w")
def note(word):
    with open(f"{folder}/ledger", "ab", buffering=0) as ledger:
        ledger.write(f"{word} {tag} {start}\\n".encode())
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    note("overlap")
    sys.exit(99)
note("start")
if seconds.endswith("+child") and os.fork() == 0:
    os.setsid()
    time.sleep(600)
    os._exit(0)
time.sleep(float(seconds.partition("+")[0]))
with open(output, "w") as file:
    file.write(tag + "\\n" + "".join(open(name).read() for name in inputs))
note("end")
sys.exit(int(exit_code))
"""
HEAD = """
import sys
from pathlib import Path
from autoctrl import After, BatchHandler, InlineHandler, Output, Where
PROJECT = str(Path(__file__).parents[2])
JOB = [{python!r}, "-I", "-S", PROJECT + "/job.py", PROJECT]
"""
WORKFLOWS = {
    "split": f"""
def parts(task):
    return [[*JOB, "0", "0", "part.txt"] for _ in range({PARTS})]
handler = BatchHandler(
    "split", jobs=parts, runs=Where(kind="good"), outputs={{"part": "part.txt"}},
    merge_line=" ".join(JOB) + " 0 0 {{part}} {{parts}}",
)
""",
    "follow": """
handler = BatchHandler(
    "follow",
    argv=[*JOB, "0", "0", "{copy}", "{part}"], runs=Where(kind="good"), locks=After("split"),
    inputs={"part": Output("split")}, outputs={"copy": "copy.txt"},
)
""",
    "call": """
sys.path.insert(0, {root!r})
from tests.acceptance.exactly_once.laboratory import noted
def function(task):
    output = Path(task.outputs["note"])
    with noted(Path(PROJECT), "/".join(output.parts[-6:-1])):
        output.write_text("note")
    return {{"answer": 42}}
handler = InlineHandler("call", function, runs=Where(kind="good"), outputs={{"note": "note.txt"}})
""",
    "bad": """
handler = BatchHandler(
    "bad", argv=[*JOB, "0", "75", "x"], runs=Where(kind="bad"), retry_exit_codes=[75]
)
""",
    "long": """
def jobs(task):
    return [[*JOB, "0.1+child" if task.members[0] % 5 == 0 else "0.1", "0", "copy.txt"]]
handler = BatchHandler("long", jobs=jobs, runs=Where(kind="long"), outputs={"copy": "copy.txt"})
""",
    "stuck": """
handler = BatchHandler("stuck", argv=[*JOB, "600", "0", "x"], runs=Where(kind="stuck"))
""",
}


class Line(NamedTuple):
    """One line of the ledger: ``start``, ``end`` or ``overlap``, whose, and which start of the
    attempt.
    """

    word: str
    tag: str
    start: int


def make_project(
    folder: Path,
    workflows: Iterable[str] = WORKFLOWS,
    settings: str = SETTINGS,
    python: str = sys.executable,
) -> Path:
    """Write a project with these workflows and no runs; jobs, whoever they run as, are run by
    ``python``.
    """
    root = str(Path(__file__).parents[3])
    (folder / "locks").mkdir(parents=True)
    (folder / "ledger").touch()
    for shared in (folder, folder / "locks", folder / "ledger"):
        shared.chmod(0o777)  # the jobs of a pool run as another user
    (folder / "autoctrl.toml").write_text(settings)
    (folder / "job.py").write_text(JOB)
    for name in workflows:
        text = WORKFLOWS[name].format(root=root) if name == "call" else WORKFLOWS[name]
        (folder / "workflows" / name).mkdir(parents=True)
        (folder / "workflows" / name / "handler.py").write_text(HEAD.format(python=python) + text)
    return folder


def write_runs(folder: Path, kinds: Mapping[int, str]) -> None:
    """Write the run table, whole at once."""
    draft = folder / "runs.draft"
    draft.write_text(
        "run,kind,closed\n" + "".join(f"{run},{kind},yes\n" for run, kind in kinds.items())
    )
    draft.replace(folder / "runs.csv")


@contextmanager
def noted(folder: Path, tag: str) -> Iterator[None]:
    """Keep the ledger for a function that is called: its start, its end, and whether another call
    of it runs.
    """
    with (folder / "locks" / tag.rpartition(".")[0].replace("/", "_")).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _note(folder, "overlap", tag)
            raise
        _note(folder, "start", tag)
        yield
        _note(folder, "end", tag)


def _note(folder: Path, word: str, tag: str) -> None:
    with (folder / "ledger").open("ab", buffering=0) as ledger:
        ledger.write(f"{word} {tag} 1\n".encode())


def read_ledger(folder: Path) -> list[Line]:
    """Return what the jobs wrote, in order."""
    lines = (folder / "ledger").read_text().splitlines()
    return [Line(word, tag, int(start)) for word, tag, start in map(str.split, lines)]
