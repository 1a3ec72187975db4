"""Builds that are asked for, the queue, and what is told of builds."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer
from tests.fakes.jenkins.access import may
from tests.fakes.jenkins.core import Call, Core, Row
from tests.fakes.jenkins.items import only_post
from tests.fakes.jenkins.pages import not_found, page, redirect, refused
from tests.fakes.jenkins.settings import auth_token, parameters_of, values_of
from tests.fakes.jenkins.state import Build, Cause, Job, Multibranch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.jenkins.engine import Engine
    from tests.fakes.jenkins.state import QueueItem

DELAY = re.compile(r"(\d+)(sec)?")
NO_PIPELINE = "Jenkinsfile content did not contain the 'pipeline' step"
OWN_FIELDS = frozenset({"token", "delay", "cause", "Jenkins-Crumb", "json"})


class Triggering:
    """Answers the requests about builds and the queue."""

    def __init__(self, core: Core, engine: Engine) -> None:
        self.core = core
        self.engine = engine
        self.index: Callable[[Multibranch], None] = lambda _: None
        self.validator: Callable[[str], str] = lambda text: (
            "" if "pipeline" in text else NO_PIPELINE
        )
        own = frozenset({"token", "delay"})
        core.rows += [
            Row("POST", "{item}/build", self.build, own),
            Row("GET", "{item}/build", only_post, None),
            Row("POST", "{item}/buildWithParameters", self.build_with_parameters, None),
            Row("GET", "{item}/buildWithParameters", only_post, None),
            Row("POST", "/pipeline-model-converter/validateJenkinsfile", self.validate),
            Row("POST", "/queue/cancelItem", self.cancel, frozenset({"id"})),
            Row("GET", "/queue/item/{id}/", self.show_item),
            Row("POST", "{item}/{number}/stop", self.stop),
            Row("GET", "{item}/{number}/", self.show_build),
            Row("GET", "{item}/{number}/consoleText", self.console),
            Row(
                "GET",
                "{item}/{number}/logText/progressiveText",
                self.progress,
                frozenset({"start"}),
            ),
        ]

    def build(self, call: Call) -> Answer:
        """Ask for a build without parameters, or for the branches of a repository."""
        if isinstance(call.item, Multibranch):
            return self._index(call, call.item)
        job = self._job_of(call)
        cause = self._cause(call, job)
        if parameters_of(job):
            raise refused(400, "This page expects a form submission")
        item, _ = self.engine.queue.add(job, {}, cause, self._quiet(call))
        return self._queued(item)

    def _index(self, call: Call, project: Multibranch) -> Answer:
        self.core.require(call.user, "Item/Build", project)
        if not project.is_buildable:
            raise refused(500, f"{project.full_name} is not buildable")
        self.index(project)
        return redirect(call.request.header("Referer") or ".")

    def build_with_parameters(self, call: Call) -> Answer:
        """Ask for a build with parameters; what is not declared is ignored."""
        job = self._job_of(call)
        cause = self._cause(call, job)
        if not parameters_of(job):
            raise refused(400, f"{job.full_name} is not parameterized")
        given = {**call.form, **call.request.query}
        values = values_of(job, {name: given[name] for name in given.keys() - OWN_FIELDS})
        item, is_new = self.engine.queue.add(job, values, cause, self._quiet(call))
        return self._queued(item, 201 if is_new else 303)

    def _job_of(self, call: Call) -> Job:
        if not isinstance(call.item, Job):
            raise not_found()
        return call.item

    def _cause(self, call: Call, job: Job) -> Cause:
        """Return why a build is asked for; 403 without the right, or the right token."""
        token = call.value("token")
        if token is not None and auth_token(job):
            if not hmac.compare_digest(token.encode(), auth_token(job).encode()):
                raise refused(403, "Invalid token provided.")
            kind = "hudson.model.Cause$RemoteCause"
            cause = Cause(kind, "Started by remote host 127.0.0.1")
        else:
            if token is not None:
                raise refused(403, "Invalid token provided.")
            self.core.require(call.user, "Item/Build", job)
            text = f"Started by user {call.user.name}"
            cause = Cause("hudson.model.Cause$UserIdCause", text, call.user.name)
        if not job.is_buildable:
            raise refused(409, f"{job.full_name} is not buildable")
        return cause

    def _quiet(self, call: Call) -> float | None:
        """Return the quiet period that was asked for, in seconds."""
        delay = call.value("delay")
        if delay is None:
            return None
        found = DELAY.fullmatch(delay)
        if found is None:
            self.core.violate(f"{call.request.line}: a delay of {delay!r} is unknown")
            raise refused(400, f"delay {delay}")
        return float(found[1])

    def _queued(self, item: QueueItem | None, status: int = 201) -> Answer:
        """Return the address of an item; back to the job without one."""
        if item is None:
            return redirect(".")
        return redirect(self.core.absolute(f"/queue/item/{item.id}/"), status)

    def cancel(self, call: Call) -> Answer:
        """Take an item out of the queue."""
        text = call.value("id") or ""
        item = self.core.state.queue.get(int(text) if text.isdigit() else -1)
        if item is None or item.state == "left":
            raise not_found()
        if not may(call.user, "Item/Cancel", item.job.full_name):
            raise refused(422, "You are not allowed to cancel this item")
        self.engine.queue.leave(item, is_cancelled=True)
        return Answer(204)

    def show_item(self, call: Call) -> Answer:
        """Show the page of an item, where a client lands that follows 303."""
        if not call.params["id"].isdigit() or int(call.params["id"]) not in self.core.state.queue:
            raise not_found()
        return page(f"Queue item {call.params['id']}")

    def validate(self, call: Call) -> Answer:
        """Say what is wrong with a Jenkinsfile."""
        text = call.form.get("jenkinsfile")
        if text is None:
            self.core.violate(f"{call.request.line}: the form has no jenkinsfile")
            raise refused(400, "jenkinsfile")
        problem = self.validator(text)
        data: dict[str, Any] = {"result": "failure" if problem else "success"}
        if problem:
            data["errors"] = [{"error": [problem]}]
        return Answer.of({"status": "ok", "data": data})

    def build_of(self, call: Call) -> Build:
        """Return the build of a request; 404 if it is not there, or was deleted."""
        job = self._job_of(call)
        build = job.builds.get(int(call.params["number"]))
        if build is None:
            raise not_found()
        return build

    def stop(self, call: Call) -> Answer:
        """Abort a build."""
        build = self.build_of(call)
        self.core.require(call.user, "Item/Cancel", build.job)
        self.engine.stop(build, call.user.name)
        return redirect(build.path)

    def show_build(self, call: Call) -> Answer:
        """Show the page of a build."""
        build = self.build_of(call)
        return page(f"{build.job.full_name} #{build.number}")

    def console(self, call: Call) -> Answer:
        """Show a whole console."""
        return Answer(200, self.build_of(call).console.encode(), "text/plain;charset=utf-8")

    def progress(self, call: Call) -> Answer:
        """Show a console from a place on, and whether more may come."""
        build = self.build_of(call)
        text = build.console.encode()
        start = call.value("start") or "0"
        if not start.isdigit():
            self.core.violate(f"{call.request.line}: a start of {start!r} is unknown")
        begin = int(start) if start.isdigit() and int(start) <= len(text) else 0
        headers = (("X-Text-Size", str(len(text))),)
        if build.is_running:
            headers += (("X-More-Data", "true"),)  # type: ignore[assignment]
        return Answer(200, text[begin:], "text/plain;charset=utf-8", headers)
