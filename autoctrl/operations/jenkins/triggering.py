"""Starts builds of our jobs, and follows one to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import JenkinsError, UsageError, nearest
from autoctrl.operations.jenkins.jobs import Job
from autoctrl.operations.jenkins.server import Server
from autoctrl.operations.jenkins.syncing import list_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from autoctrl.config import Settings

SUCCESS = "SUCCESS"
CANCELLED = "CANCELLED"
ASK_EVERY_S = 3.0
PATIENCE_S = 300.0
BUILDS = "builds[number,queueId]"


class Triggered(NamedTuple):
    """A build that was asked for.

    name       full name of the job
    queue_id   number of its item in the queue of Jenkins
    address    page of the job
    is_folded  an equal one waited already, and this request joined it
    """

    name: str
    queue_id: int
    address: str
    is_folded: bool


class Built(NamedTuple):
    """What became of a build.

    result   SUCCESS, UNSTABLE, FAILURE, ABORTED or NOT_BUILT; CANCELLED while it waited
    address  page of the build, of the job if there was none
    """

    result: str
    address: str


def trigger_job(settings: Settings, job: str, parameters: Mapping[str, str]) -> Triggered:
    """Ask for a build of one of our jobs, by its name in the folder: ``discover``, ``deploy``.

    ``parameters`` are data for the build; Jenkins keeps and shows them. Raises ``UsageError`` for a
    job or a parameter that is not in the table, ``SettingsError`` or ``JenkinsError``.
    """
    found = find_job(settings, job)
    given = complete_parameters(found, parameters)
    server = Server.of(settings)
    return start(server, found.name, given)


def start(server: Server, name: str, parameters: Mapping[str, str]) -> Triggered:
    """Ask for a build of a job by its full name. Raises ``JenkinsError``."""
    waiting = None if parameters else _find_waiting(server, name)
    queued = server.start_build(name, parameters)
    is_folded = queued.is_folded or queued.queue_id == waiting
    return Triggered(name, queued.queue_id, server.address(name), is_folded)


def find_job(settings: Settings, name: str) -> Job:
    """Return the job of this name from the table. Raises ``UsageError`` if there is none."""
    jobs = {
        item.name.rpartition("/")[2]: item
        for item in list_wanted(settings)
        if isinstance(item, Job)
    }
    if name not in jobs:
        message = f"There is no job '{name}' for this project in Jenkins."
        raise UsageError(message, hint=nearest(name, jobs))
    return jobs[name]


def complete_parameters(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Return all parameters of a build: those given, and the defaults of the others.

    Raises ``UsageError`` for one that the job does not declare, which Jenkins would ignore, for one
    that is missing, and for a text with control characters.
    """
    declared = {parameter.name: parameter for parameter in job.parameters}
    for name, text in given.items():
        if name not in declared:
            message = f"Job {job.name} has no parameter '{name}'."
            raise UsageError(message, hint=nearest(name, declared))
        if not text.isprintable():
            message = f"Parameter {name} of {job.name} has a character that cannot be printed."
            raise UsageError(message, hint="Write it on one line.")
    complete = {name: given.get(name, one.default) for name, one in declared.items()}
    missing = [name for name, one in declared.items() if one.is_needed and not complete[name]]
    if missing:
        message = f"Job {job.name} needs the parameter {missing[0]}."
        raise UsageError(message, hint=f"{declared[missing[0]].explanation}")
    return complete


def follow_build(
    settings: Settings, triggered: Triggered, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[str | Built]:
    """Yield what a build waits for or does, whenever that is new, and in the end what became of it.

    A Jenkins that restarts meanwhile is waited for. Raises ``JenkinsError`` if it is silent for
    five minutes.
    """
    step = _Steps(Server.of(settings), triggered)
    silent_s, told = 0.0, ""
    while True:
        try:
            news, silent_s = step.look(), 0.0
        except JenkinsError as error:
            silent_s += ASK_EVERY_S
            if not error.is_passing or silent_s > PATIENCE_S:
                raise
            news = error.message
        if news != told:
            yield news
        if isinstance(news, Built):
            return
        told = news
        pause(ASK_EVERY_S)


def await_build(
    settings: Settings, triggered: Triggered, tell: Callable[[str], object] = lambda _: None
) -> Built:
    """Return what became of a build once it has ended; ``tell`` gets what ``follow_build`` yields
    until then.

    Raises ``JenkinsError`` as that does.
    """
    for news in follow_build(settings, triggered):
        if isinstance(news, Built):
            return news
        tell(news)
    raise AssertionError  # a build that is followed ends, or an error is raised


class _Steps:
    """Where a build is: in the queue first, then known by its number."""

    def __init__(self, server: Server, triggered: Triggered) -> None:
        self._server, self._name, self._triggered = server, triggered.name, triggered
        self._number: int | None = None

    def look(self) -> str | Built:
        """Return what the build waits for or does, or what became of it."""
        if self._number is None:
            waits = self._look_at_queue()
            if waits:
                return waits
        build = self._server.read_build(self._name, self._number or 0)
        address = str(build.get("url") or self._triggered.address)
        if build.get("building") or not build.get("result"):
            return f"#{self._number} runs: {address}"
        return Built(str(build["result"]), address)

    def _look_at_queue(self) -> str | Built | None:
        item = self._server.find_queued(self._triggered.queue_id)
        if item is None:
            self._number = self._find_by_queue_id()
            return None
        if item.get("cancelled"):
            return Built(CANCELLED, self._triggered.address)
        executable: dict[str, Any] = item.get("executable") or {}
        if "number" not in executable:
            return str(item.get("why") or "It leaves the queue.")
        self._number = int(executable["number"])
        return None

    def _find_by_queue_id(self) -> int:
        """Return the number of a build whose item the queue has forgotten."""
        builds = self._server.read_item(self._name, BUILDS).get("builds") or []
        for build in builds:
            if build.get("queueId") == self._triggered.queue_id:
                return int(build["number"])
        message = (
            f"Jenkins has forgotten item {self._triggered.queue_id} of its queue, and no build"
        )
        message += f" of {self._name} came from it."
        raise JenkinsError(message, hint=f"Look at {self._triggered.address}")


def _find_waiting(server: Server, name: str) -> int | None:
    """Return the number of the queue's item of a job, None if it has none."""
    item = server.read_item(name, "queueItem[id]").get("queueItem") or {}
    return item.get("id")
