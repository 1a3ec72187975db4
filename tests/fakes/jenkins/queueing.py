"""The queue: equal items are one, quiet periods, what blocks an item, and which node is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.jenkins.pages import quoted
from tests.fakes.jenkins.settings import is_concurrent, quiet_seconds
from tests.fakes.jenkins.site import LEFT_SECONDS
from tests.fakes.jenkins.state import Node, QueueItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.fakes.jenkins.core import Core
    from tests.fakes.jenkins.state import Cause, Job


class Queue:
    """Takes items in and says which may start where.

    labels    which label a job needs, by its full name; others run anywhere
    label_of  says which label a job needs that is not among them
    refused   full names of jobs whose items a decision handler of the queue turns away
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.labels: dict[str, str] = {}
        self.label_of: Callable[[Job], str] = lambda _: ""
        self.refused: set[str] = set()

    def add(
        self, job: Job, parameters: dict[str, str], cause: Cause, quiet: float | None = None
    ) -> tuple[QueueItem | None, bool]:
        """Return the item of a wish for a build, and whether it is new; no item if it is refused.

        An equal item that waits takes the wish in. Without ``quiet`` the job's own period holds,
        or else the site's.
        """
        if self.core.is_quieting_down or job.full_name in self.refused:
            return None, False
        if quiet is None:
            own = quiet_seconds(job)
            quiet = self.core.site.quiet_seconds if own is None else own
        due = self.core.now + quiet
        for item in self.core.state.waiting():
            if item.job is job and item.parameters == parameters:
                item.causes.append(cause)
                item.due = min(item.due, due)
                return item, False
        item = QueueItem(self.core.state.next_id, job, parameters, [cause], self.core.now, due)
        self.core.state.next_id += 1
        self.core.state.queue[item.id] = item
        self.look_at(item)
        return item, True

    def leave(self, item: QueueItem, *, is_cancelled: bool = False) -> None:
        """Let an item leave."""
        item.state, item.why = "left", ""
        item.left_at = self.core.now
        item.is_cancelled = is_cancelled

    def forget_old(self) -> None:
        """Forget what left five minutes ago."""
        queue = self.core.state.queue
        for item in list(queue.values()):
            if item.left_at + LEFT_SECONDS <= self.core.now:
                del queue[item.id]

    def look_at(self, item: QueueItem) -> Node | None:
        """Return the node on which an item may start now, or note why it waits."""
        now = self.core.now
        if now < item.due:
            item.state = "waiting"
            item.why = f"In the quiet period. Expires in {item.due - now:.0f} sec"
            return None
        running = item.job.running()
        if running and not is_concurrent(item.job):
            item.state = "blocked"
            item.why = f"Build #{running[-1].number} is already in progress (ETA: N/A)"
            return None
        if item.state != "buildable":
            item.state, item.buildable_since = "buildable", now
        if item.label is None:
            item.label = self.labels.get(item.job.full_name) or self.label_of(item.job)
        node, item.why = self._free_node(item.label)
        return node

    def _free_node(self, label: str) -> tuple[Node | None, str]:
        """Return a node for a label, or why there is none."""
        if self.core.is_quieting_down:
            return None, "Jenkins is about to shut down"
        nodes = list(self.core.state.nodes.values())
        fitting = [node for node in nodes if not label or label in node.all_labels]
        online = [node for node in fitting if not node.is_offline]
        free = [node for node in online if self.core.state.busy(node) < node.executors]
        if free:
            return free[0], ""
        return None, _reason(label, fitting, online)


def _reason(label: str, fitting: list[Node], online: Iterable[Node]) -> str:
    """Say why no node takes an item."""
    names = {node.name for node in fitting}
    if not fitting:
        return f"There are no nodes with the label {quoted(label)}"
    if not any(True for _ in online):
        if len(names) == 1:
            return f"{quoted(names.pop())} is offline"
        return f"All nodes of label {quoted(label)} are offline"
    if not label:
        return "Waiting for next available executor"
    return f"Waiting for next available executor on {quoted(label)}"
