"""The camera's project as Jenkins runs it from a repository, and what became of it.

A cycle can be *held* in its middle, and each job of the camera notes by itself that it starts and
ends.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.job import JobRecord, attempt_path
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.node.wrapper import RESULT, SPEC
from tests.acceptance.camera import succeed
from tests.acceptance.exactly_once.judge import check_at_any_time, find
from tests.acceptance.exactly_once.laboratory import read_ledger
from tests.acceptance.project import LIMIT_S
from tests.fakes.jenkins import Jenkins
from tests.fakes.jenkins.git import git
from tests.integration.jobs import until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.fakes.jenkins import Build, Node

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
CHAIN = ("camera-pedestal", "camera-reco", "camera-friends", "camera-dq", "camera-trend")
SMALL = "--events 3 --pedestal-events 4 --size 144 --spots 2"
LONG_AGO = (1e9, 1e9)
# Jenkins takes H from the names of the jobs. In this folder no two of them begin in one minute, and
# those at the end of the chain begin before those at its beginning.
FOLDER = "tpc"
JENKINS = """
[state]
folder = "{folder}/state"

[jenkins]
url = "{url}"
user = "robot"
token_file = "{folder}/token"
repository = "file://{folder}"
folder = "{name}"
cron = "H/5 * * * *"

[workflows.camera-dq]
cron = "H/10 * * * *"

[workflows.camera-trend]
cron = "H/10 * * * *"
"""
# What each Python of a node runs first. Where the cycle of a build starts jobs, it stops at the
# moment that the file below ``hold`` with its workflow's name says, until that file is gone. A job
# of the camera notes when it starts and ends.
BEFORE, AFTER = "before", "after"
NODE = """
import atexit, os, sys, time
from pathlib import Path

here, words, spawn = Path(__file__).parent, sys.orig_argv, os.posix_spawn
name = words[words.index("--workflow") + 1] if "--workflow" in words else "nothing"
wish = here / "hold" / name


def hold(moment):
    if "BUILD_ID" in os.environ and wish.exists() and wish.read_text() == moment:
        (here / "held" / name).touch()
        while wish.exists():
            time.sleep(0.02)


def start(*given, **named):
    hold("before")
    pid = spawn(*given, **named)
    hold("after")
    return pid


def note(word):
    tag, start = os.environ["AUTOCTRL_TAG"].partition("/")[2], os.environ["AUTOCTRL_START"]
    with (here / "ledger").open("ab", buffering=0) as ledger:
        ledger.write(f"{word} {tag} {start}\\n".encode())


os.posix_spawn = start
if "AUTOCTRL_TAG" in os.environ and any(word.endswith("/autoctrl-camera") for word in words):
    note("start")
    atexit.register(note, "end")
"""


class Site(NamedTuple):
    """A Jenkins with two nodes, and the folder of the project, which is its repository, too.

    Raw runs, outputs, records and jobs lie in the folder; builds work in checkouts elsewhere.
    """

    server: Jenkins
    folder: Path

    @property
    def node(self) -> Node:
        """The node that is asked first."""
        return self.server.state.nodes["pit-1"]

    def simulate(self, *lines: str) -> None:
        """Let raw runs appear that nobody has changed for long."""
        for line in lines:
            succeed(self.folder, f"simulate {line} {SMALL} --output raw")
        for path in (self.folder / "raw").iterdir():
            os.utime(path, LONG_AGO)

    @contextmanager
    def holding(self, workflow: str, moment: str) -> Iterator[Build]:
        """Let five minutes pass, in which a build of a workflow stops in the middle of its cycle;
        at the end of the block it goes on, if it still runs.
        """
        wish, sign = self.folder / "hold" / workflow, self.folder / "held" / workflow
        wish.write_text(moment)
        for _ in range(5):
            self.server.tick(60, wait_s=0)
            until(lambda: len(self.running()) == sign.exists(), f"{workflow}: {moment}")
        (build,) = self.running()
        yield build
        wish.unlink()
        self.server.wait_for(build, LIMIT_S)
        sign.unlink()

    def running(self) -> list[Build]:
        """Return the builds that run."""
        return [build for build in self.server.builds if build.is_running]

    def wait_for_jobs(self) -> None:
        """Wait until every job that was submitted has ended."""
        jobs = self.folder / "state/jobs"
        until(lambda: len([*jobs.rglob(SPEC)]) == len([*jobs.rglob(RESULT)]), "the end of all jobs")

    def statuses(self) -> dict[str, str]:
        """Return how each task stands, by workflow and unit."""
        return {f"{one.key.workflow}/{one.key.unit}": one.status for one in find(self.folder).tasks}

    def check_once(self, units: Collection[str]) -> None:
        """Check that these units are done, ``workflow/unit``, each by one job that ran once."""
        check_at_any_time(self.folder)
        assert self.statuses() == dict.fromkeys(units, TaskStatus.DONE)
        jobs = [one for one in find(self.folder).records if isinstance(one, JobRecord)]
        ended = {attempt_path(one): one.status for one in jobs if one.is_final}
        assert [*ended.values()] == [JobStatus.DONE] * len(units)
        assert {attempt_path(one) for one in jobs} == {*ended}
        noted = Counter((line.word, line.tag, line.start) for line in read_ledger(self.folder))
        assert noted == Counter((word, tag, 1) for word in ("start", "end") for tag in ended)


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """Commit the camera's project as it is here, and start a Jenkins with two nodes for it."""
    with Jenkins() as server:
        for name in ("raw", "hold", "held"):
            (folder / name).mkdir()
        (folder / "token").write_text(server.add_user("robot").token)
        (folder / "sitecustomize.py").write_text(NODE)
        (folder / "autoctrl.toml").write_text(settings(folder, server.url))
        left_out = shutil.ignore_patterns("*test*", "__pycache__")
        shutil.copytree(ROOT / "workflows", folder / "workflows", ignore=left_out)
        git("init", "-q", "-b", "main", str(folder))
        git("add", "autoctrl.toml", "workflows", cwd=folder)
        git(*AUTHOR, "commit", "-q", "-m", "Process the camera's runs", cwd=folder)
        for name in ("pit-1", "pit-2"):
            server.add_node(name, ["autoctrl"], environment=node_environment(folder))
        server.read_labels()
        yield Site(server, folder)


def settings(folder: Path, url: str) -> str:
    """Return the camera's settings with every place outside of the checkouts."""
    text = (ROOT / "autoctrl.toml").read_text()
    for place in ("raw", "outputs", "raw/runs.csv"):
        assert f'= "{place}"' in text
        text = text.replace(f'= "{place}"', f'= "{folder}/{place}"')
    return text + JENKINS.format(folder=folder, url=url, name=FOLDER)


def node_environment(folder: Path) -> dict[str, str]:
    """Return what processes find on a node, and whoever works by hand there."""
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": f"{folder}:{ROOT}"}
