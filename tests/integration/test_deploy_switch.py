"""The switch: recorded, undone, made by one at a time, and whole in spite of every kill."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from autoctrl.errors import DeploymentError
from autoctrl.operations.deployment import examination
from autoctrl.operations.deployment.checkout import commit_in
from autoctrl.operations.deployment.engine import Engine, read_history
from autoctrl.operations.deployment.sites import open_deployment, site_of
from autoctrl.process import SystemClock
from tests.acceptance.project import environment
from tests.integration.deployed import git
from tests.integration.deploying import (
    PRODUCTION,
    ROOT,
    Installation,
    install,
    leave_out_trials,
    project,
    wish,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 120
MOST_STEPS = 80
STEPS = {"os.rename", "os.symlink", "fcntl.flock", "subprocess.Popen"}
DETAILS = {"os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree"}
WRITES = os.O_WRONLY | os.O_RDWR
SLOW = """
import time
from pathlib import Path

from autoctrl import inline
from autoctrl.locks import Lock


class Held(Lock):
    def reason(self, task, look):
        Path({signs!r}, "begun").touch()
        while not Path({signs!r}, "go").exists():
            time.sleep(0.02)
        return None


@inline("reco", locks=Held())
def work(task):
    return {{"answer": {answer}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Installation:
    """Return an installation of which nothing is deployed yet."""
    return install(tmp_path, PRODUCTION)


def until(holds: Callable[[], Any]) -> Any:
    """Wait until something holds, and return what it says."""
    deadline = time.monotonic() + LIMIT_S
    while not (said := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return said


def commit_of(site: Installation) -> str:
    """Return the commit of the current release, which must be whole."""
    place = site.engine().place
    commit = commit_in(place, site.current.resolve())
    assert git(site.current, "status", "--porcelain") == ""
    assert git(site.current, "rev-parse", "HEAD") == commit
    return commit


def test_a_deployment_from_the_command_line(site: Installation) -> None:
    """It switches and records who, ref, commit, what was before and why; it goes back at once."""
    first = site.tag("prod-1", project())
    second = site.tag("prod-2", project(2.0))
    assert site.deploy("production", "prod-1", "--reason", "first").code == 0
    dry = site.deploy("production", "prod-2", "--dry-run")
    assert "would be switched to refs/tags/prod-2" in dry.out
    assert commit_of(site) == first
    said = json.loads(site.deploy("production", "prod-2", "--format", "json").out)
    assert (said["commit"], said["previous"], said["is_new"]) == (second, first[:12], True)
    assert commit_of(site) == second
    assert "already" in site.deploy("production", "prod-2").out
    assert "prod-1" in site.deploy("production", "--back", "--reason", "it was bad").out
    assert commit_of(site) == first
    rows = [line.split() for line in site.deploy("production", "--list").out.splitlines()[1:]]
    shown = [(row[2], row[-1]) for row in rows]
    assert shown == [
        ("refs/tags/prod-1", "first"),
        ("refs/tags/prod-2", "-"),
        ("refs/tags/prod-1", "bad"),
    ]
    assert "no earlier release" in site.deploy("production", "--back").err
    assert site.call("plan", "--project", str(site.current)).code == 0


def test_what_doctor_finds_wrong_stops_it_unless_it_was_wrong_before(site: Installation) -> None:
    """A source that cannot be read is the ref's fault where it could be read before."""
    blind = project()["autoctrl.toml"].replace("run{run", "no{thing")
    site.tag("prod-1", project())
    site.tag("prod-2", project() | {"autoctrl.toml": blind})
    assert site.deploy("production", "prod-1").code == 0
    refused = site.deploy("production", "prod-2")
    assert refused.code == 2
    assert refused.err.startswith("Doctor says: ")


def test_what_is_current_and_cannot_be_looked_at_hinders_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doctor is asked of what is current only to compare: the ref is judged by itself then."""
    wrong = {"notifier x": "notifier x: silent."}

    def ask_doctor(project: Path) -> dict[str, str]:
        if project.name == "old":
            message = "It cannot be looked at."
            raise DeploymentError(message)
        return wrong

    monkeypatch.setattr(examination, "ask_doctor", ask_doctor)
    assert examination.examine(tmp_path, tmp_path / "old") == ["Doctor says: notifier x: silent."]
    wrong["source raw"] = "source raw: unreadable."
    with pytest.raises(DeploymentError, match="source raw: unreadable"):
        examination.examine(tmp_path, tmp_path / "old")


def test_going_back_goes_further_each_time(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the third to the second to the first; what was deployed since does not count."""
    leave_out_trials(monkeypatch)
    (site.root / "deployment.toml").write_text(
        (site.root / "deployment.toml").read_text().replace("keep = 2", "keep = 5")
    )
    commits = [site.tag(f"prod-{number}", project(float(number))) for number in range(3)]
    for number in range(3):
        site.engine().deploy(f"prod-{number}", wish())
    assert [site.engine().go_back(wish()).commit for _ in range(2)] == commits[1::-1]
    site.engine().deploy("prod-2", wish())
    assert site.engine().go_back(wish()).commit == commits[0]
    with pytest.raises(DeploymentError, match="no earlier release"):
        site.engine().go_back(wish())


def test_old_releases_go_unless_somebody_uses_them(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are kept, one that a process has open, and one at which a campaign is pinned."""
    leave_out_trials(monkeypatch)
    commits = site.tag_many(7)
    held = os.open(site.engine().deploy("prod-0", wish()).folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    site.engine().deploy("prod-1", wish())
    (site.root / "production/releases/mine").mkdir()  # a person's, which is left alone
    site.call("runs", "add", "1", "--project", str(site.current))
    words = ("campaign", "create", "pinned", "--workflows", "reco", "--code", commits[1])
    assert site.call(*words, "--project", str(site.current)).code == 0
    for number in range(2, 6):
        assert site.engine().deploy(f"prod-{number}", wish()).remarks == ()
    names = {path.name for path in (site.root / "production/releases").iterdir() if path.is_dir()}
    assert names == {"mine", *(commits[number][:12] for number in (0, 1, 4, 5))}
    os.close(held)
    site.call("campaign", "close", "pinned", "--project", str(site.current))
    site.engine().deploy("prod-6", wish())
    names = {path.name for path in (site.root / "production/releases").iterdir() if path.is_dir()}
    assert names == {"mine", *(commit[:12] for commit in commits[-2:])}
    assert not list((site.root / "production/trash").iterdir())
    assert len(git(site.root / "repository.git", "worktree", "list").splitlines()) == 3


JOB = """
from autoctrl import BatchHandler

handler = BatchHandler("reco", run_line="{{python}} {{folder}}/job.py {signs}")
"""
SCRIPT = """
import sys, time
from pathlib import Path

signs = Path(sys.argv[1])
(signs / "begun").touch()
while not (signs / "go").exists():
    time.sleep(0.02)
assert Path(__file__).exists()
"""


def test_a_release_stays_while_a_job_of_it_lives(
    site: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A detached job goes on in the folder that it was submitted from."""
    leave_out_trials(monkeypatch)
    of_job = {
        "workflows/reco/handler.py": JOB.format(signs=tmp_path),
        "workflows/reco/job.py": SCRIPT,
    }
    first = site.tag("prod-0", project() | of_job)
    site.engine().deploy("prod-0", wish())
    of_current = ("--project", str(site.current))
    site.call("runs", "add", "1", *of_current)
    try:
        assert site.call("cycle", *of_current, "--workflow", "reco").code == 0
        until((tmp_path / "begun").exists)
        for number in range(1, 5):
            site.tag(f"prod-{number}", project(float(number)) | of_job)
            site.engine().deploy(f"prod-{number}", wish())
        assert (site.root / "production/releases" / first[:12]).is_dir()
    finally:
        (tmp_path / "go").touch()
    status = ("status", *of_current, "--format", "json")
    words = ("cycle", *of_current, "--workflow", "reco")
    until(lambda: site.call(*words).code == 0 and '"done"' in site.call(*status).out)


def test_a_cycle_under_way_keeps_its_folder(
    site: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It goes on with the code it began with, and the next cycle has the new one."""
    leave_out_trials(monkeypatch)

    def slow(answer: int) -> dict[str, str]:
        return project() | {
            "workflows/reco/handler.py": SLOW.format(signs=str(tmp_path), answer=answer)
        }

    site.tag("prod-1", slow(1))
    site.tag("prod-2", slow(2))
    old = site.engine().deploy("prod-1", wish()).folder
    site.call("runs", "add", "1", "--project", str(site.current))
    command = [sys.executable, "-m", "autoctrl.cli", "cycle", "--workflow", "reco"]
    cycle = subprocess.Popen(
        [*command, "--project", str(site.current)],
        env=environment(tmp_path) | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        until((tmp_path / "begun").exists)
        site.engine().deploy("prod-2", wish())
        for number in range(3, 6):
            site.tag(f"prod-{number}", slow(number))
            site.engine().deploy(f"prod-{number}", wish())
        assert old.is_dir()
    finally:
        (tmp_path / "go").touch()
        cycle.communicate(timeout=LIMIT_S)
    assert cycle.returncode == 0
    assert answer_of(site, "prompt") == 1.0


def answer_of(site: Installation, campaign: str) -> float:
    """Return what the code of run 1's task gave."""
    words = ("history", "1", "reco", "--campaign", campaign, "--format", "json")
    told = json.loads(site.call(*words, "--project", str(site.current)).out)
    (text,) = (one["text"] for one in told["steps"] if one["kind"] == "fields")
    return float(text.partition("answer = ")[2])


def test_a_pinned_campaign_goes_on_in_the_release_of_its_code(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a deployment its cycles are made with the code that it wants, and do not wait."""
    leave_out_trials(monkeypatch)
    old = site.tag("prod-1", project(1.0))
    site.engine().deploy("prod-1", wish())
    of_current = ("--project", str(site.current))
    site.call("runs", "add", "1", *of_current)
    pinned = ("--campaign", "pinned")
    words = ("campaign", "create", "pinned", "--workflows", "reco", "--code", old[:12])
    assert site.call(*words, *of_current).code == 0
    site.tag("prod-2", project(2.0))
    site.engine().deploy("prod-2", wish())
    assert "start" in site.call("plan", *of_current, *pinned).out
    assert site.call("cycle", *of_current, *pinned).code == 0
    assert site.call("cycle", *of_current).code == 0
    assert answer_of(site, "pinned") == 1.0
    assert answer_of(site, "prompt") == 2.0


def test_two_at_once_wait_for_one_another(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second says whom it waits for, and goes on when the first is ready."""
    leave_out_trials(monkeypatch)
    site.tag("prod-1", project())
    said: list[str] = []
    lock = site.root / "production/.lock"
    lock.parent.mkdir()
    holder = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)

    def let_go(text: str) -> None:
        said.append(text)
        os.close(holder)

    engine = Engine(site_of(open_deployment(site.root), "production"), SystemClock(), let_go)
    assert engine.deploy("prod-1", wish()).is_new
    assert len(said) == 1
    assert "is deploying in" in said[0]


def kill_at(number: int, steps: set[str], work: Callable[[], object]) -> bool:
    """Do the work in a child that is killed at its step of this number; say whether it was."""
    pid = os.fork()
    if pid == 0:
        _be_killed(number, steps, work)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _be_killed(number: int, steps: set[str], work: Callable[[], object]) -> NoReturn:
    seen = 0

    def hook(event: str, values: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in steps or is_write(event, values):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    with suppress(BaseException):
        sys.addaudithook(hook)
        work()
        code = 0
    os._exit(code)


def is_write(event: str, values: tuple[Any, ...]) -> bool:
    """Say whether a file is opened for writing."""
    if event != "open" or values[0] == os.devnull or isinstance(values[0], int):
        return False
    return bool(values[2] & WRITES)


def kill_points(steps: set[str], deploy: Callable[[int], object]) -> Iterator[int]:
    """Yield the number of each step at which a deployment was killed, until one is not."""
    for number in range(1, MOST_STEPS):
        if not kill_at(number, steps, partial(deploy, number)):
            return
        yield number
    pytest.fail("it never came to its end")


def deploy_tag(site: Installation, number: int) -> None:
    """Deploy one of the tags to production."""
    site.engine().deploy(f"prod-{number}", wish())


def test_a_kill_at_any_step_leaves_the_old_or_the_new_one(
    site: Installation, monkeypatch: pytest.MonkeyPatch, *, is_long: bool
) -> None:
    """After each kill the current release is whole; the next deployment succeeds, recorded."""
    leave_out_trials(monkeypatch)
    steps = STEPS | (DETAILS if is_long else set())
    known = site.tag_many(MOST_STEPS if is_long else MOST_STEPS // 2)
    site.engine().deploy("prod-0", wish())
    killed = 0
    for number in kill_points(steps, partial(deploy_tag, site)):
        killed += 1
        assert commit_of(site) in {known[number], known[number - 1]}
        assert site.engine().deploy(f"prod-{number}", wish()).commit == known[number]
        entries = read_history(site.engine().place)
        assert not [entry for entry in entries if entry.step == "intent"]
        assert entries[-1].commit == known[number]
    assert killed > 15
