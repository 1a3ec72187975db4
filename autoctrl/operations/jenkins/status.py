"""How our jobs stand in Jenkins, and which of its nodes are offline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import JenkinsError
from autoctrl.operations.jenkins.jobs import Folder, Mirror
from autoctrl.operations.jenkins.server import Server
from autoctrl.operations.jenkins.syncing import list_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.config import Settings
    from autoctrl.operations.jenkins.jobs import Item

FIELDS = (
    "name,buildable,inQueue,queueItem[why],"
    "lastBuild[number,building,timestamp,url],lastCompletedBuild[number,result,timestamp,url]"
)


class JobState(NamedTuple):
    """How a job stands.

    name       full name
    result     of the newest build that has ended: SUCCESS, …; ``missing`` without the job, empty
               without a build
    when       when that build was started, None without one
    now        what is going on: a build that runs, why one waits, that it is disabled
    cron       when it is started, empty if by hand or by a branch alone
    address    page of that build, else of the job
    """

    name: str
    result: str
    when: datetime | None
    now: str
    cron: str
    address: str

    @property
    def is_well(self) -> bool:
        """Whether nobody need look: the newest build was a success, or there is none yet."""
        return self.result in {"", "SUCCESS"}


class OfflineNode(NamedTuple):
    """A node that takes no builds, and why, as far as Jenkins says."""

    name: str
    reason: str


MISSING = "missing"


def list_states(settings: Settings) -> list[JobState]:
    """Return how each of our jobs stands, and each branch of the mirror.

    Raises ``SettingsError`` or ``JenkinsError``.
    """
    server = Server.of(settings)
    wanted = list_wanted(settings)
    folder = settings.jenkins.folder
    listed = {f"{folder}/{job['name']}": job for job in server.list_jobs(folder, FIELDS) or []}
    states: list[JobState] = []
    for item in wanted:
        if isinstance(item, Mirror):
            states += _list_branches(server, item)
        elif not isinstance(item, Folder):
            states.append(read_state(item, listed.get(item.name), server.address(item.name)))
    return states


def _list_branches(server: Server, mirror: Mirror) -> Iterator[JobState]:
    branches = server.list_jobs(mirror.name, FIELDS)
    if branches is None:
        yield read_state(mirror, None, server.address(mirror.name))
    for job in branches or []:
        name = f"{mirror.name}/{job['name']}"
        yield read_state(mirror, job, server.address(name))._replace(name=name)


def read_state(item: Item, job: dict[str, Any] | None, address: str) -> JobState:
    """Return how a job stands by what Jenkins says of it, None if it has none. Pure."""
    cron = getattr(item, "cron", "")
    if job is None:
        return JobState(item.name, MISSING, None, "autoctrl jenkins sync makes it", cron, address)
    ended = job.get("lastCompletedBuild") or {}
    stamp = ended.get("timestamp")
    return JobState(
        item.name,
        str(ended.get("result") or ""),
        None if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC),
        _describe_now(job),
        cron,
        str(ended.get("url") or address),
    )


def _describe_now(job: dict[str, Any]) -> str:
    newest = job.get("lastBuild") or {}
    running = f"#{newest.get('number')} runs" if newest.get("building") else ""
    waits = str((job.get("queueItem") or {}).get("why") or "") if job.get("inQueue") else ""
    disabled = "disabled" if job.get("buildable") is False else ""
    return "; ".join(filter(None, [disabled, running, waits]))


def ping_jenkins(settings: Settings) -> str:
    """Say how many jobs Jenkins has in our folder.

    Raises ``SettingsError``, or ``JenkinsError`` if it does not answer or lacks the folder.
    """
    server, folder = Server.of(settings), settings.jenkins.folder
    listed = server.list_jobs(folder, "name")
    if listed is None:
        message = f"Jenkins at {server.place.url} has no folder {folder} that we may see."
        raise JenkinsError(message, hint="Make it, with all its jobs: autoctrl jenkins sync")
    return f"{len(listed)} jobs in {folder} at {server.place.url}"


def find_offline_nodes(settings: Settings) -> list[OfflineNode]:
    """Return the nodes that are offline: those with the label of our agents, all without one.

    Raises ``SettingsError`` or ``JenkinsError``.
    """
    nodes = Server.of(settings).list_nodes()
    return [read_node(node) for node in nodes if _is_offline(node, settings.jenkins.agent)]


def read_node(node: dict[str, Any]) -> OfflineNode:
    """Return an offline node by what Jenkins says of it. Pure."""
    said = " ".join(str(node.get("offlineCauseReason") or "").split())
    return OfflineNode(str(node.get("displayName", "")), said or "Jenkins does not say why")


def _is_offline(node: dict[str, Any], agent: str) -> bool:
    labels = {label.get("name") for label in node.get("assignedLabels") or []}
    is_ours = not agent or agent in {*labels, node.get("displayName")} or not agent.isidentifier()
    return bool(node.get("offline")) and is_ours
