"""The fields of jobs, folders, builds, items of the queue and nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.fakes.jenkins.exporting import Bean
from tests.fakes.jenkins.settings import is_concurrent, is_resumable, parameters_of
from tests.fakes.jenkins.site import NEWEST_BUILDS
from tests.fakes.jenkins.state import FOLDER, MULTIBRANCH, Group, Job, Multibranch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.fakes.jenkins.core import Core
    from tests.fakes.jenkins.state import Build, Cause, Item, Node, QueueItem

WORKFLOW_JOB = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
WORKFLOW_RUN = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
COLORS = {
    "SUCCESS": "blue",
    "UNSTABLE": "yellow",
    "FAILURE": "red",
    "ABORTED": "aborted",
    "NOT_BUILT": "notbuilt",
}
# Fields of some class that the others of a list lack, so that a tree may name them.
KNOWN = {"jobs", "color", "buildable", "builds", "lastBuild", "inQueue", "executable", "cancelled"}
KNOWN |= {"timestamp", "buildableStartMilliseconds"}
LONG_DEFAULT = 86_400.0


def actions_of(causes: Iterable[Cause], parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Return the actions of a build or an item of the queue: why, and with which parameters."""
    told = [
        {"_class": cause.kind, "shortDescription": cause.text}
        | ({"userId": cause.user, "userName": cause.user} if cause.user else {})
        for cause in causes
    ]
    kind = "hudson.model.StringParameterValue"
    values = [{"_class": kind, "name": name, "value": value} for name, value in parameters.items()]
    made: list[dict[str, Any]] = [{"_class": "hudson.model.CauseAction", "causes": told}]
    if values:
        made.append({"_class": "hudson.model.ParametersAction", "parameters": values})
    return made


class Beans:
    """Makes the beans of a server."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.is_shown: Callable[[Item], bool] = lambda _: True  # to whoever asks

    def _children(self, group: Group) -> list[Bean]:
        return [self.item(one) for _, one in sorted(group.children.items()) if self.is_shown(one)]

    def item(self, item: Item) -> Bean:
        """Return the bean of a job, a folder or a project."""
        if isinstance(item, Job):
            return self.job(item)
        assert isinstance(item, Group)
        return self.group(item)

    def _item_fields(self, item: Item) -> dict[str, Callable[[], Any]]:
        display = item.config.findtext("displayName")
        return {
            "actions": lambda: [{}],
            "description": lambda: item.config.findtext("description"),
            "displayName": lambda: display or item.name,
            "displayNameOrNull": lambda: display,
            "fullDisplayName": lambda: item.full_name.replace("/", " » "),
            "fullName": lambda: item.full_name,
            "name": lambda: item.name,
            "url": lambda: self.core.absolute(item.path),
        }

    def group(self, group: Group) -> Bean:
        """Return the bean of a folder or a multibranch project."""
        kind = MULTIBRANCH if isinstance(group, Multibranch) else FOLDER
        fields = self._item_fields(group) | {
            "healthReport": list,
            "jobs": lambda: self._children(group),
            "primaryView": lambda: {"name": "All", "url": self.core.absolute(group.path)},
            "views": lambda: self.views(group),
        }
        if isinstance(group, Multibranch):
            fields["sources"] = lambda: [{}]
        return Bean(kind, fields, ("name", "url"))

    def views(self, group: Group) -> list[dict[str, Any]]:
        """Return the views of a group in brief."""
        names = ["all" if group.parent is None else "All", *sorted(group.views)]
        address = self.core.absolute(f"{group.path}view/")
        return [{"name": name, "url": f"{address}{name}/"} for name in names]

    def root(self) -> Bean:
        """Return the bean of the server."""
        root = self.core.state.root
        fields: dict[str, Callable[[], Any]] = {
            "assignedLabels": lambda: [{"name": "built-in"}],
            "description": lambda: None,
            "jobs": lambda: self._children(root),
            "mode": lambda: "NORMAL",
            "nodeDescription": lambda: "the Jenkins controller's built-in node",
            "nodeName": lambda: "",
            "numExecutors": lambda: self.core.state.nodes["Built-In Node"].executors,
            "primaryView": lambda: self.views(root)[0],
            "quietDownReason": lambda: None,
            "quietingDown": lambda: self.core.is_quieting_down,
            "slaveAgentPort": lambda: -1,
            "url": lambda: self.core.absolute("/"),
            "useCrumbs": lambda: self.core.site.is_csrf_on,
            "useSecurity": lambda: True,
            "views": lambda: self.views(root),
        }
        return Bean("hudson.model.Hudson", fields, ())

    def job(self, job: Job) -> Bean:
        """Return the bean of a pipeline."""
        newest = sorted(job.builds.values(), key=lambda build: -build.number)
        ended = [build for build in newest if not build.is_running]
        fields = self._item_fields(job) | {
            "allBuilds": lambda: [self.build(build) for build in newest],
            "buildable": lambda: job.is_buildable,
            "builds": lambda: [self.build(build) for build in newest[:NEWEST_BUILDS]],
            "color": lambda: color_of(job),
            "concurrentBuild": lambda: is_concurrent(job),
            "disabled": lambda: job.is_disabled,
            "firstBuild": lambda: self._first(reversed(newest)),
            "healthReport": list,
            "inQueue": lambda: self._queued(job) is not None,
            "keepDependencies": lambda: False,
            "lastBuild": lambda: self._first(newest),
            "lastCompletedBuild": lambda: self._first(ended),
            "nextBuildNumber": lambda: job.next_number,
            "property": lambda: properties_of(job),
            "queueItem": lambda: self._queued(job),
            "resumeBlocked": lambda: not is_resumable(job),
        }
        lasts = {
            "lastFailedBuild": ("FAILURE",),
            "lastStableBuild": ("SUCCESS",),
            "lastSuccessfulBuild": ("SUCCESS", "UNSTABLE"),
            "lastUnstableBuild": ("UNSTABLE",),
            "lastUnsuccessfulBuild": ("UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT"),
        }
        for name, results in lasts.items():
            found = [build for build in ended if build.result in results]
            fields[name] = lambda found=found: self._first(found)  # type: ignore[misc]
        return Bean(WORKFLOW_JOB, fields, ("name", "url", "color"), frozenset({"allBuilds"}))

    def _first(self, builds: Iterable[Build]) -> Bean | None:
        build = next(iter(builds), None)
        return None if build is None else self.build(build)

    def _queued(self, job: Job) -> Bean | None:
        waiting = [item for item in self.core.state.waiting() if item.job is job]
        return self.queue_item(waiting[0]) if waiting else None

    def build(self, build: Build) -> Bean:
        """Return the bean of a build."""
        around = build.job.builds
        fields: dict[str, Callable[[], Any]] = {
            "actions": lambda: actions_of(build.causes, build.parameters),
            "artifacts": lambda: [{"relativePath": name} for name in build.artifacts],
            "building": lambda: build.is_running,
            "changeSets": list,
            "culprits": list,
            "description": lambda: build.description,
            "displayName": lambda: f"#{build.number}",
            "duration": lambda: duration_ms(build),
            "estimatedDuration": lambda: estimated_ms(build.job),
            "executor": lambda: {} if build.is_running else None,
            "fullDisplayName": lambda: f"{build.job.full_name} #{build.number}",
            "id": lambda: str(build.number),
            "inProgress": lambda: build.is_running,
            "keepLog": lambda: build.keep_log,
            "nextBuild": lambda: self._neighbour(around.get(build.number + 1)),
            "number": lambda: build.number,
            "previousBuild": lambda: self._neighbour(around.get(build.number - 1)),
            "queueId": lambda: build.queue_id,
            "result": lambda: build.result,
            "timestamp": lambda: int(build.started * 1000),
            "url": lambda: self.core.absolute(build.path),
        }
        return Bean(WORKFLOW_RUN, fields, ("number", "url"))

    def _neighbour(self, build: Build | None) -> dict[str, Any] | None:
        if build is None:
            return None
        return {"number": build.number, "url": self.core.absolute(build.path)}

    def queue_item(self, item: QueueItem) -> Bean:
        """Return the bean of something that waits, or left the queue."""
        kind = f"{item.state.capitalize()}Item"
        task = {
            "_class": WORKFLOW_JOB,
            "name": item.job.name,
            "url": self.core.absolute(item.job.path),
            "color": color_of(item.job),
        }
        fields: dict[str, Callable[[], Any]] = {
            "actions": lambda: actions_of(item.causes, item.parameters),
            "blocked": lambda: item.state == "blocked",
            "buildable": lambda: item.state == "buildable",
            "id": lambda: item.id,
            "inQueueSince": lambda: int(item.since * 1000),
            "params": lambda: "".join(f"\n{key}={one}" for key, one in item.parameters.items()),
            "stuck": lambda: self._is_stuck(item),
            "task": lambda: task,
            "url": lambda: f"queue/item/{item.id}/",
            "why": lambda: item.why or None,
        }
        if item.state == "waiting":
            fields["timestamp"] = lambda: int(item.due * 1000)
        if item.state == "buildable":
            fields["buildableStartMilliseconds"] = lambda: int(item.buildable_since * 1000)
            fields["pending"] = lambda: False
        if item.state == "left":
            fields["cancelled"] = lambda: item.is_cancelled
            build = item.build
            fields["executable"] = lambda: self._executable(build)
        return Bean(f"hudson.model.Queue${kind}", fields, (), is_inline=True)

    def _executable(self, build: Build | None) -> dict[str, Any] | None:
        if build is None:
            return None
        return {
            "_class": WORKFLOW_RUN,
            "number": build.number,
            "url": self.core.absolute(build.path),
        }

    def _is_stuck(self, item: QueueItem) -> bool:
        """Say whether something waits for a node ten times longer than a build takes."""
        if item.state != "buildable":
            return False
        usual = estimate(item.job)
        limit = LONG_DEFAULT if usual < 0 else max(usual, 60) * 10
        return self.core.now - item.buildable_since > limit

    def node(self, node: Node) -> Bean:
        """Return the bean of a node, from general knowledge: the contract has no row for nodes."""
        cause = {"_class": "hudson.slaves.OfflineCause", "description": node.offline_reason}
        running = [one for one in self.core.state.builds if one.is_running and one.node is node]
        builds = [*running, *([None] * (node.executors - len(running)))]
        fields: dict[str, Callable[[], Any]] = {
            "actions": list,
            "assignedLabels": lambda: [{"name": name} for name in sorted(node.all_labels)],
            "description": lambda: "",
            "displayName": lambda: node.name,
            "executors": lambda: [
                {"currentExecutable": self._executable(one), "number": place, "idle": one is None}
                for place, one in enumerate(builds)
            ],
            "icon": lambda: f"symbol-computer{'-offline' if node.is_offline else ''}",
            "idle": lambda: not running,
            "jnlpAgent": lambda: False,
            "launchSupported": lambda: not node.is_built_in,
            "manualLaunchAllowed": lambda: True,
            "monitorData": dict,
            "numExecutors": lambda: node.executors,
            "offline": lambda: node.is_offline,
            "offlineCause": lambda: cause if node.is_offline else None,
            "offlineCauseReason": lambda: node.offline_reason,
            "oneOffExecutors": list,
            "temporarilyOffline": lambda: node.is_taken_offline,
        }
        kind = "hudson.model.Hudson$MasterComputer"
        return Bean(
            kind if node.is_built_in else "hudson.slaves.SlaveComputer", fields, (), is_inline=True
        )


def properties_of(job: Job) -> list[dict[str, Any]]:
    """Return the properties of a job as they are exported."""
    shown: list[dict[str, Any]] = []
    for found in job.config.findall("properties/*"):
        one: dict[str, Any] = {"_class": found.tag}
        if found.find("parameterDefinitions") is not None:
            one["parameterDefinitions"] = [
                {
                    "_class": parameter.kind,
                    "name": parameter.name,
                    "type": parameter.kind.rpartition(".")[2],
                    "defaultParameterValue": {"name": parameter.name, "value": parameter.default},
                    "choices": list(parameter.choices),
                }
                for parameter in parameters_of(job)
            ]
        shown.append(one)
    return shown


def color_of(job: Job) -> str:
    """Return the colour of the ball: the last result, moving while a build runs."""
    ended = [build for build in job.builds.values() if not build.is_running]
    last = max(ended, key=lambda build: build.number, default=None)
    color = "notbuilt" if last is None else COLORS[last.result or ""]
    if not job.is_buildable:
        color = "disabled"
    return f"{color}_anime" if job.running() else color


def duration_ms(build: Build) -> int:
    """Return how long a build took, 0 while it runs."""
    if build.ended is None:
        return 0
    return max(1, int((build.ended - build.started) * 1000))


def estimated_ms(job: Job) -> int:
    """Return how long a build usually takes in milliseconds, or -1."""
    usual = estimate(job)
    return -1 if usual < 0 else int(usual * 1000)


def estimate(job: Job) -> float:
    """Return how long a build usually takes, in seconds; -1 if that is not known."""
    ended = [build for build in job.builds.values() if build.ended is not None]
    times = [(build.ended or math.nan) - build.started for build in ended]
    return sum(times[-3:]) / len(times[-3:]) if times else -1.0
