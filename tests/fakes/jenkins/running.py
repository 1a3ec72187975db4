"""What a build does: whoever uses the fake gives a runner, a callable that gets a ``Run``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from tests.fakes.jenkins.settings import Source
    from tests.fakes.jenkins.state import Credential

    Runner = Callable[["Run"], "Outcome"]  # what a build does


@dataclass(frozen=True)
class ShellLine:
    """A line that ``sh`` ran: where, with which environment, and what came of it."""

    script: str
    environment: Mapping[str, str]
    stage: str = ""
    status: int = 0
    output: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a build.

    result   SUCCESS, UNSTABLE, FAILURE, NOT_BUILT or ABORTED
    console  what is added to the console
    seconds  how long it takes on the fake's clock; ``math.inf`` until somebody stops it
    """

    result: str = "SUCCESS"
    console: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Declared:
    """What a Jenkinsfile declares of its job: properties, each as an element of a config.xml."""

    properties: tuple[Element, ...] = ()


@dataclass
class Run:
    """A build as its runner sees it.

    job            the full name of the job
    number         the number of the build
    environment    the variables of the build: BUILD_ID, JOB_NAME, the parameters, …
    parameters     the parameters alone
    workspace      the directory on the node
    source         where the Jenkinsfile is
    previous       the result of the build before, if there was one
    aborted        set when somebody stops the build
    write          adds to the console, secrets masked
    declare        gives the job the properties that its Jenkinsfile declares
    record         keeps a line that was run
    credential     returns a secret that the job may use; KeyError if there is none
    archive        keeps the names of artifacts, or of reports of tests
    soft_kill_seconds  how long a process has between SIGTERM and SIGKILL
    """

    job: str
    number: int
    environment: dict[str, str]
    parameters: dict[str, str]
    workspace: Path
    source: Source | None
    previous: str | None
    aborted: threading.Event
    write: Callable[[str], None]
    declare: Callable[[Declared], None]
    record: Callable[[ShellLine], None]
    credential: Callable[[str], Credential]
    archive: Callable[[str, list[str]], None]
    soft_kill_seconds: float = 5.0
    secrets: set[str] = field(default_factory=set)

    @property
    def cookie(self) -> str:
        """What marks the processes of this build."""
        return self.environment["JENKINS_NODE_COOKIE"]


def succeed(run: Run) -> Outcome:
    """Do nothing, with success."""
    del run
    return Outcome()
