"""What is asked in JSON: the server, items, builds, the queue, nodes, and who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer
from tests.fakes.jenkins.access import may
from tests.fakes.jenkins.beans import KNOWN, Beans
from tests.fakes.jenkins.core import Call, Core, Row
from tests.fakes.jenkins.exporting import Bean, Exporter
from tests.fakes.jenkins.pages import not_found, redirect, refused

if TYPE_CHECKING:
    from tests.fakes.jenkins.triggering import Triggering

SELECTION = frozenset({"tree", "depth"})
TOO_DEEP = 2


class Reading:
    """Answers the requests that end in ``api/json``."""

    def __init__(self, core: Core, triggering: Triggering) -> None:
        self.core = core
        self.triggering = triggering
        self.beans = Beans(core)
        self.exporter = Exporter(core)
        self.exporter.known |= KNOWN
        core.rows += [
            Row("GET", "{group}/api/json", self.item, SELECTION),
            Row("GET", "{item}/{number}/api/json", self.build, SELECTION),
            Row("GET", "/queue/api/json", self.queue, SELECTION),
            Row("GET", "/queue/item/{id}/api/json", self.queue_item, SELECTION),
            # The contract has no rows for these; python-jenkins asks them for its get_nodes(),
            # get_node_info(), get_whoami() and quiet_down(), and they are answered from general
            # knowledge. get_nodes() sends ``GET /computer/api/json?depth=0`` and reads
            # ``computer[displayName, offline]``.
            Row("GET", "/computer/api/json", self.nodes, SELECTION),
            Row("GET", "/computer/{node}/api/json", self.node, SELECTION),
            Row("GET", "/me/api/json", self.whoami, SELECTION),
            Row("POST", "/quietDown", self.quiet_down),
            Row("POST", "/cancelQuietDown", self.quiet_down),
        ]

    def _answer(self, call: Call, bean: Bean) -> Answer:
        depth = call.request.query.get("depth") or "0"
        if "tree" not in call.request.query and int(depth) >= TOO_DEEP and self.core.site.is_large:
            raise refused(500, "java.lang.OutOfMemoryError")
        return Answer.of(self.exporter.export(bean, call.request.query))

    def item(self, call: Call) -> Answer:
        """Tell of an item, or of the server."""
        self._hide(call)
        if call.item.parent is None:
            return self._answer(call, self.beans.root())
        return self._answer(call, self.beans.item(call.item))

    def _hide(self, call: Call) -> None:
        """Let the lists of items show only what one may read."""
        self.beans.is_shown = lambda item: may(call.user, "Item/Read", item.full_name)

    def build(self, call: Call) -> Answer:
        """Tell of a build."""
        return self._answer(call, self.beans.build(self.triggering.build_of(call)))

    def queue(self, call: Call) -> Answer:
        """Tell what waits."""
        shown = [
            self.beans.queue_item(item)
            for item in self.core.state.waiting()
            if may(call.user, "Item/Read", item.job.full_name)
        ]
        fields: dict[str, Any] = {"discoverableItems": list, "items": lambda: shown}
        return self._answer(call, Bean("hudson.model.Queue", fields, ()))

    def queue_item(self, call: Call) -> Answer:
        """Tell of an item of the queue; forgotten five minutes after it left."""
        text = call.params["id"]
        item = self.core.state.queue.get(int(text) if text.isdigit() else -1)
        if item is None or not may(call.user, "Item/Read", item.job.full_name):
            raise not_found()
        return self._answer(call, self.beans.queue_item(item))

    def nodes(self, call: Call) -> Answer:
        """Tell of all nodes."""
        nodes = list(self.core.state.nodes.values())
        fields: dict[str, Any] = {
            "busyExecutors": lambda: sum(self.core.state.busy(node) for node in nodes),
            "computer": lambda: [self.beans.node(node) for node in nodes],
            "displayName": lambda: "Nodes",
            "totalExecutors": lambda: sum(node.executors for node in nodes if not node.is_offline),
        }
        return self._answer(call, Bean("hudson.model.ComputerSet", fields, ()))

    def node(self, call: Call) -> Answer:
        """Tell of a node; the built-in one is called ``(built-in)`` or ``(master)``."""
        name = call.params["node"]
        is_built_in = name in ("(built-in)", "(master)")
        node = self.core.state.nodes.get("Built-In Node" if is_built_in else name)
        if node is None or node.is_built_in != is_built_in:
            raise not_found()
        return self._answer(call, self.beans.node(node))

    def whoami(self, call: Call) -> Answer:
        """Tell who asks."""
        name = call.user.name
        fields: dict[str, Any] = {
            "absoluteUrl": lambda: self.core.absolute(f"/user/{name}"),
            "description": lambda: None,
            "fullName": lambda: name,
            "id": lambda: name,
            "property": list,
        }
        if call.user is self.core.access.anonymous:
            raise not_found()
        return self._answer(call, Bean("hudson.model.User", fields, ()))

    def quiet_down(self, call: Call) -> Answer:
        """Start no more builds, or start them again."""
        self.core.require(call.user, "Overall/Administer")
        self.core.is_quieting_down = call.request.path == "/quietDown"
        return redirect("/")
