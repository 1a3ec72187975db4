"""What moves when the clock does: timers, the queue, builds that start and end."""

from __future__ import annotations

import math
import os
import threading
import time
import traceback
import uuid
from typing import TYPE_CHECKING

from tests.fakes.jenkins import killer
from tests.fakes.jenkins.configs import drop_property, set_property
from tests.fakes.jenkins.queueing import Queue
from tests.fakes.jenkins.running import Outcome, Run, succeed
from tests.fakes.jenkins.settings import (
    aborts_previous,
    is_resumable,
    kept,
    source_of,
    timetables_of,
    values_of,
)
from tests.fakes.jenkins.state import Build, Cause, Group, Job, Node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fakes.jenkins.core import Core
    from tests.fakes.jenkins.running import Declared, Runner, ShellLine
    from tests.fakes.jenkins.state import Credential, Item, QueueItem

MINUTE = 60.0
DAY = 86_400.0
TIMER_CAUSE = "hudson.triggers.TimerTrigger$TimerTriggerCause"
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class Engine:
    """Moves the clock, and everything that hangs on it.

    runner     what every build does, unless ``runners`` has one for its job's full name
    on_minute  called at each full minute, beside the timers of jobs
    """

    def __init__(self, core: Core, home: Callable[[], Path]) -> None:
        self.core = core
        self.home = home
        self.queue = Queue(core)
        self.runner: Runner = succeed
        self.runners: dict[str, Runner] = {}
        self.on_minute: Callable[[float], None] = lambda _: None

    # The clock.

    def tick(self, seconds: float, wait_s: float, *, is_up: bool) -> None:
        """Move the clock, stopping wherever something is due; wait for runners after each step.

        While the server is down no timer fires and nothing leaves the queue.
        """
        end = self.core.now + seconds
        self.settle(wait_s, is_up=is_up)
        while self.core.now < end:
            with self.core.lock:
                self.core.now = min(end, self._next_moment())
                if is_up and self.core.now % MINUTE == 0:
                    self._fire_timers()
            self.settle(wait_s, is_up=is_up)

    def _next_moment(self) -> float:
        """Return when something happens next: a full minute, a quiet period's or a build's end."""
        now = self.core.now
        moments = [now - now % MINUTE + MINUTE]
        moments += [item.due for item in self.core.state.waiting() if item.due > now]
        builds = self.core.state.builds
        moments += [one.ends_at for one in builds if one.is_running and one.ends_at > now]
        return min(moments)

    def _fire_timers(self) -> None:
        """Let the jobs begin whose time it is; the wish folds into one that waits."""
        for job in self.core.state.jobs():
            if job.is_buildable and any(one.matches(self.core.now) for one in timetables_of(job)):
                cause = Cause(TIMER_CAUSE, "Started by timer")
                self.queue.add(job, values_of(job, {}), cause, 0)
        self.on_minute(self.core.now)

    def settle(self, wait_s: float, *, is_up: bool = True) -> None:
        """End builds that are due and start what may start, until nothing changes any more."""
        while True:
            with self.core.lock:
                has_changed = self._end_due()
                if is_up:
                    has_changed |= self._start_all()
                    self.queue.forget_old()
            self._join(wait_s)
            if not has_changed:
                return

    def _end_due(self) -> bool:
        due = [
            build
            for build in self.core.state.builds
            if build.is_running and build.ends_at <= self.core.now
        ]
        for build in due:
            self.end(build, build.intended)
        return bool(due)

    def _join(self, wait_s: float) -> None:
        """Wait for the runners that are at work, but not longer than this."""
        deadline = time.monotonic() + wait_s
        for build in [one for one in self.core.state.builds if one.is_running and one.thread]:
            assert build.thread is not None
            build.thread.join(max(0.0, deadline - time.monotonic()))
            if wait_s and build.thread.is_alive():
                message = f"{build.job.full_name} #{build.number} still runs after {wait_s} s"
                raise AssertionError(message)

    def _start_all(self) -> bool:
        has_changed = False
        for item in self.core.state.waiting():
            node = self.queue.look_at(item)
            if node is not None:
                self._start(item, node)
                has_changed = True
            elif item.state == "blocked" and aborts_previous(item.job):
                for build in item.job.running():
                    has_changed |= not build.aborted.is_set()
                    self.stop(build, "a newer build")
        return has_changed

    # Builds.

    def _start(self, item: QueueItem, node: Node) -> None:
        """Start a build; its runner works in a thread, without the lock of the server."""
        job = item.job
        ended = [build for build in job.builds.values() if not build.is_running]
        build = Build(
            job, job.next_number, item.id, item.parameters, item.causes, node, self.core.now
        )
        build.previous_result = max(ended, key=lambda one: one.number).result if ended else None
        job.next_number += 1
        job.builds[build.number] = build
        self.core.state.builds.append(build)
        item.build = build
        self.queue.leave(item)
        build.console = "".join(f"{cause.text}\n" for cause in item.causes)
        build.run = self._run_of(build)
        runner = self.runners.get(job.full_name, self.runner)
        build.thread = threading.Thread(target=self._work, args=(build, runner), daemon=True)
        build.thread.start()

    def _run_of(self, build: Build) -> Run:
        job = build.job
        workspace = self.home() / "workspace" / job.full_name.replace("%2F", "_")
        others = [one for one in job.running() if one is not build]
        if others:
            workspace = workspace.with_name(f"{workspace.name}@{len(others) + 1}")
        workspace.mkdir(parents=True, exist_ok=True)

        def write(text: str) -> None:
            self._write(build, text)

        def record(line: ShellLine) -> None:
            with self.core.changed:
                build.lines.append(line)
                self.core.changed.notify_all()

        def archive(kind: str, names: list[str]) -> None:
            (build.artifacts if kind == "artifacts" else build.reports).extend(names)

        return Run(
            job.full_name,
            build.number,
            self._environment(build, workspace),
            build.parameters,
            workspace,
            source_of(job),
            build.previous_result,
            build.aborted,
            write,
            lambda declared: self._declare(job, declared),
            record,
            lambda name: self._credential(job, name),
            archive,
            self.core.site.soft_kill_seconds,
        )

    def _environment(self, build: Build, workspace: Path) -> dict[str, str]:
        """Return the variables of a build: the node's, the server's, the parameters."""
        job, number, node = build.job, str(build.number), build.node
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        variables = {
            "BUILD_DISPLAY_NAME": f"#{number}",
            "BUILD_ID": number,
            "BUILD_NUMBER": number,
            "BUILD_TAG": f"jenkins-{job.full_name.replace('/', '-')}-{number}",
            "BUILD_URL": self.core.absolute(build.path),
            "CI": "true",
            "JENKINS_HOME": str(self.home()),
            "JENKINS_NODE_COOKIE": str(uuid.uuid4()),
            "JENKINS_URL": self.core.absolute("/"),
            "JOB_BASE_NAME": job.name,
            "JOB_NAME": job.full_name,
            "JOB_URL": self.core.absolute(job.path),
            "NODE_LABELS": " ".join(sorted(node.all_labels)),
            "NODE_NAME": "built-in" if node.is_built_in else node.name,
            "WORKSPACE": str(workspace),
            "WORKSPACE_TMP": f"{workspace}@tmp",
        }
        if job.branch:
            variables["BRANCH_NAME"] = job.branch
        return inherited | node.environment | variables | build.parameters

    def _work(self, build: Build, runner: Runner) -> None:
        """Let a runner work; whatever it raises fails the test."""
        assert build.run is not None
        try:
            outcome = runner(build.run)
        except Exception:  # noqa: BLE001 - the runner is the test's own
            outcome = Outcome("FAILURE", traceback.format_exc())
            self.core.violate(f"the runner of {build.job.full_name} failed: {outcome.console}")
        if build.lines:
            killer.kill(build.run.cookie, build.run.soft_kill_seconds)
        with self.core.changed:
            self._write(build, outcome.console)
            build.has_returned = True
            build.intended = outcome.result
            build.ends_at = build.started + outcome.seconds
            if build.is_running and build.aborted.is_set():
                self.end(build, "ABORTED")
            elif build.is_running and build.ends_at <= self.core.now:
                self.end(build, outcome.result)
            self.core.changed.notify_all()

    def _write(self, build: Build, text: str) -> None:
        """Add to a console; a secret in it that the build has bound is masked, others violate."""
        bound = build.run.secrets if build.run else set()
        for secret in sorted(bound, key=len, reverse=True):
            text = text.replace(secret, "****")
        with self.core.lock:
            self.core.check_text(text, f"the console of {build.job.full_name} #{build.number}")
            build.console += text

    def _declare(self, job: Job, declared: Declared) -> None:
        """Make what a Jenkinsfile declares the job's own; drop what an earlier one declared."""
        with self.core.lock:
            names = {one.tag for one in declared.properties}
            for name in sorted(job.declared - names):
                drop_property(job.config, name)
            for one in declared.properties:
                set_property(job.config, one)
            job.declared = names

    def _credential(self, job: Job, name: str) -> Credential:
        """Return a secret of the job's folders or of the server, the nearest one."""
        group: Group | None = job.parent
        while group is not None:
            if name in group.credentials:
                return group.credentials[name]
            group = group.parent
        raise KeyError(name)

    def stop(self, build: Build, who: str) -> None:
        """Abort a build: its runner is told, and one that has returned ends at once."""
        if not build.is_running:
            return
        build.is_stopped_by = build.is_stopped_by or who
        if not build.aborted.is_set():
            self._write(build, f"Aborted by {who}\n")
        build.aborted.set()
        if build.has_returned:
            self.end(build, "ABORTED")

    def end(self, build: Build, result: str) -> None:
        """End a build, and delete old ones as the job says."""
        build.result = result
        build.ended = self.core.now
        build.ends_at = math.inf
        build.console += f"Finished: {result}\n"
        self._rotate(build.job)

    def _rotate(self, job: Job) -> None:
        """Delete old builds; the last good ones and those that are kept stay."""
        newest = sorted(job.builds.values(), key=lambda build: -build.number)
        number, days = kept(job, "numToKeep"), kept(job, "daysToKeep")
        good = [one for one in newest if one.result in ("SUCCESS", "UNSTABLE")][:1]
        good += [one for one in newest if one.result == "SUCCESS"][:1]
        for place, build in enumerate(newest):
            is_old = days >= 0 and build.started < self.core.now - days * DAY
            is_surplus = 0 <= number <= place
            is_spared = build.is_running or build in good or build.keep_log
            if (is_old or is_surplus) and not is_spared:
                del job.builds[build.number]

    def forget(self, item: Item) -> None:
        """Cancel what waits and stop what runs of an item that is deleted."""
        gone = {item, *(item.walk() if isinstance(item, Group) else ())}
        for waiting in self.core.state.waiting():
            if waiting.job in gone:
                self.queue.leave(waiting, is_cancelled=True)
        for job in [one for one in gone if isinstance(one, Job)]:
            for build in job.running():
                self.stop(build, "the deletion of the job")

    def interrupt(self) -> list[Build]:
        """Stop the builds that do not survive a restart, and return them."""
        doomed = [
            build
            for build in self.core.state.builds
            if build.is_running and not is_resumable(build.job)
        ]
        for build in doomed:
            text = "Failing build: shutting down controller and build is marked to not resume\n"
            self._write(build, text)
            self.stop(build, "the restart")
        return doomed
