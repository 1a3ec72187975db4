"""A runner without Groovy: it replays the ``sh`` lines that Groovy once found in a Jenkinsfile.

What depends on the build is kept by the name of its variable, and filled in when a line is
replayed. A Jenkinsfile whose lines depend on what other lines say needs Groovy in each build.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fakes.jenkins import git
from tests.fakes.jenkins.declaring import declared
from tests.fakes.jenkins.groovy_runner import bind, load
from tests.fakes.jenkins.running import Declared, Outcome
from tests.fakes.jenkins.shell import Wish, execute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.fakes.jenkins.groovy_runner import GroovyRunner, Repository
    from tests.fakes.jenkins.running import Run

HOLE = re.compile("\u27e6(\\w+)\u27e7")
# The variables that every build has; a plan names further ones by the parameters.
VARIABLES = (
    *("BUILD_ID", "BUILD_NUMBER", "BUILD_URL", "BUILD_TAG", "BUILD_DISPLAY_NAME", "JOB_NAME"),
    *("JOB_BASE_NAME", "JOB_URL", "JENKINS_URL", "JENKINS_HOME", "NODE_NAME", "NODE_LABELS"),
    *("WORKSPACE", "WORKSPACE_TMP", "BRANCH_NAME", "HOME", "PATH", "CI"),
)
GIT = ("GIT_COMMIT", "GIT_URL", "GIT_BRANCH")
RESULTS = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")


@dataclass(frozen=True)
class PlannedLine:
    """A line of a Jenkinsfile: where it stands, what it needs, and what its failure means."""

    script: str
    environment: Mapping[str, str]
    bound: Mapping[str, Mapping[str, str]]
    directory: str
    stage: str
    post: str
    guards: tuple[Mapping[str, Any], ...] = ()
    returns: bool = False


@dataclass
class Plan:
    """The lines of a Jenkinsfile in order, those of every condition of ``post``, and what it
    declares.
    """

    declares: Declared = field(default_factory=Declared)
    agent: str = ""
    options: tuple[str, ...] = ()
    lines: list[PlannedLine] = field(default_factory=list)

    @property
    def checks_out(self) -> bool:
        """Whether the files of the repository are fetched before the first line."""
        return "skipDefaultCheckout" not in self.options


def hole(name: str) -> str:
    """Return what stands for a variable until its value is known."""
    return f"\u27e6{name}\u27e7"


def plan(groovy: GroovyRunner, jenkinsfile: str, parameters: Iterable[str] = ()) -> Plan:
    """Let Groovy walk through a Jenkinsfile without running anything; ValueError if it is wrong."""
    made = Plan()

    def answer(message: dict[str, Any]) -> dict[str, Any] | None:
        match message["do"]:
            case "declare":
                made.declares = declared(message)
                made.agent = message["agent"]
                made.options = tuple(one["name"] for one in message["options"])
                return None
            case "log":
                return None
            case "sh":
                made.lines.append(_line_of(message))
                return {"status": 0, "output": ""}
            case "credential":
                return {"value": hole("CREDENTIAL")}
            case "checkout":
                return {"env": {name: hole(name) for name in GIT}}
        return {"found": 1, "failed": 0}

    names = [*VARIABLES, *parameters]
    order = {
        "jenkinsfile": jenkinsfile,
        "environment": {name: hole(name) for name in names},
        "parameters": {name: hole(name) for name in parameters},
        "previous": None,
        "workspace": hole("WORKSPACE"),
        "plan": True,
        "scm": True,
    }
    end = groovy.pool.run(order, answer)
    if end["wrong"] or end["unknown"]:
        raise ValueError(end["wrong"] or end["unknown"])
    return made


def problem_of(groovy: GroovyRunner, jenkinsfile: str) -> str:
    """Say what is wrong with a Jenkinsfile, or nothing."""
    try:
        plan(groovy, jenkinsfile)
    except ValueError as error:
        return str(error)
    return ""


def _line_of(message: Mapping[str, Any]) -> PlannedLine:
    return PlannedLine(
        message["script"],
        message["env"],
        message["bound"],
        message["directory"],
        message["stage"],
        message["post"],
        tuple(message["guards"]),
        message["returns"],
    )


def worse(one: str, other: str) -> str:
    """Return the worse of two results."""
    return max(one, other, key=RESULTS.index)


def fits(condition: str, result: str, previous: str | None) -> bool:
    """Say whether a condition of ``post`` holds."""
    failing = ("FAILURE", "UNSTABLE", "ABORTED")
    return {
        "always": True,
        "cleanup": True,
        "changed": previous is None or previous != result,
        "fixed": result == "SUCCESS" and previous in failing[:2],
        "regression": previous == "SUCCESS" and result in failing,
        "unsuccessful": result != "SUCCESS",
        "notBuilt": result == "NOT_BUILT",
    }.get(condition, condition.upper() == result)


@dataclass
class Replay:
    """One build: what it has come to."""

    run: Run
    variables: dict[str, str]
    result: str = "SUCCESS"
    stages: dict[str, str] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)  # blocks of catchError that failed
    broken: set[tuple[str, str]] = field(default_factory=set)  # conditions of post that failed
    has_told_abort: bool = False
    is_stopped: bool = False  # by a failure that nothing caught

    def fill(self, text: str) -> str:
        """Put the values of variables where they belong."""
        return HOLE.sub(lambda found: self.variables.get(found[1], ""), text)

    def wants(self, line: PlannedLine) -> bool:
        """Say whether a line is reached."""
        if any(guard["id"] in self.given_up for guard in line.guards):
            return False
        if not line.post:
            return not self.is_stopped
        if (line.stage, line.post) in self.broken:
            return False
        result = self.stages.get(line.stage) if line.stage else self.result
        return result is not None and fits(line.post, result, self.run.previous)

    def replay(self, line: PlannedLine) -> None:
        """Run a line and draw the conclusions."""
        if not line.post:
            self.stages.setdefault(line.stage, "SUCCESS")
        secrets = bind(self.run, line.bound, self.run.workspace)
        post = f" (post: {line.post})" if line.post else ""
        environment = {name: self.fill(text) for name, text in line.environment.items()}
        wish = Wish(
            self.fill(line.script),
            {**environment, **secrets},
            Path(self.fill(line.directory)),
            stage=f"{line.stage}{post}".strip(),
            can_abort=not self.has_told_abort,
        )
        done = execute(self.run, wish)
        if done.stopped:
            self.has_told_abort = True
            self._fail(line, "ABORTED")
        elif done.status and not line.returns:
            self.run.write(f"ERROR: script returned exit code {done.status}\n")
            self._fail(line, "FAILURE")

    def _fail(self, line: PlannedLine, result: str) -> None:
        """Note a failure: caught by a guard, or the end of its stage or condition."""
        if line.guards and result != "ABORTED":
            guard = line.guards[-1]
            self.given_up.add(guard["id"])
            result = guard["build"]
        elif line.post:
            self.broken.add((line.stage, line.post))
        else:
            self.is_stopped = True
        self.result = worse(self.result, result)
        before = self.stages.get(line.stage, "SUCCESS")
        self.stages[line.stage] = worse(before, result)


class ShellRunner:
    """Replays a plan in each build.

    seconds  how long a build takes on the fake's clock
    """

    def __init__(self, made: Plan, seconds: float = 0.0) -> None:
        self.plan = made
        self.seconds = seconds

    def __call__(self, run: Run) -> Outcome:
        """Run a build."""
        try:
            _, repository = load(run)
            replay = Replay(run, {**run.environment, **self._check_out(run, repository)})
        except git.GitError as error:
            return Outcome("FAILURE", f"ERROR: {error}\n", self.seconds)
        run.declare(self.plan.declares)
        for line in self.plan.lines:
            if replay.wants(line):
                replay.replay(line)
        return Outcome(replay.result, "", self.seconds)

    def _check_out(self, run: Run, repository: Repository | None) -> dict[str, str]:
        if repository is None or not self.plan.checks_out:
            return {}
        return repository.check_out(run.workspace)
