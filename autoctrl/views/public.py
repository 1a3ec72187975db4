"""What everybody may know where the page is public: the one list that every face goes by. Pure.

What the list does not name is not known to the public, also what a later version adds. A record is
hidden before anything is made of it, so that no page, answer or number can tell more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from autoctrl.model.actor import CYCLE, Actor
from autoctrl.model.condition import CONDITION, ConditionKind
from autoctrl.model.incident import INCIDENT, INCIDENTS, Incident, Remark
from autoctrl.model.job import JobRecord, JobSpec
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.quality import quality_of
from autoctrl.model.quota import QUOTA, Usage
from autoctrl.model.run import RunRecord
from autoctrl.model.status import Failure
from autoctrl.model.task import InputRef, TaskRecord
from autoctrl.model.workflow import WORKFLOW
from autoctrl.ports import Heartbeat, Lease

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.condition import Condition
    from autoctrl.ports import Record

Known = TypeVar("Known", bound=tuple[Any, ...])

NOTHING: frozenset[str] = frozenset()
PUBLIC: Mapping[type, frozenset[str]] = {
    RunRecord: frozenset({"number", "attributes", "is_closed", "time", "sequence"}),
    TaskRecord: frozenset(
        {
            "key",
            "status",
            "time",
            "members",
            "version",
            "until",
            "sequence",
            "epoch",
            "environment",
            "since",
            "renewals",
            "stopping",
            "is_growing",
        }
    ),
    InputRef: frozenset({"workflow", "unit", "version", "campaign"}),
    JobRecord: frozenset(
        {
            "key",
            "role",
            "attempt",
            "status",
            "time",
            "used",
            "failure",
            "not_before",
            "sequence",
            "epoch",
            "environment",
            "starts",
            "exit_code",
            "signal",
            "wall_s",
            "cpu_s",
            "peak_memory_mb",
            "asked",
            "spent",
            "late",
        }
    ),
    MarkRecord: frozenset({"kind", "campaign", "name", "time", "sequence"}),
    OutputRecord: NOTHING,
    FieldsRecord: NOTHING,
    Lease: frozenset({"name", "epoch", "expires"}),
    Heartbeat: frozenset({"campaign", "time"}),
    Incident: frozenset(
        {
            "id",
            "workflow",
            "kind",
            "severity",
            "opened",
            "units",
            "struck",
            "closed",
            "revision",
            "closings",
        }
    ),
    Remark: frozenset({"time", "until"}),
}
OF_MARKS: Mapping[str, frozenset[str]] = {
    "campaign": frozenset({"parent", "workflows", "runs", "follow", "closed"}),
    WORKFLOW: frozenset(
        {
            "position",
            "digest",
            "pending",
            "newest",
            "ended",
            "group_by",
            "after",
            "late",
            "kept",
        }
    ),
    "pause": frozenset({"paused"}),
    CONDITION: frozenset({"kind", "about", "since", "is_open", "workflow", "finder", "severity"}),
    QUOTA: frozenset({"level", "answered", "unanswered", *Usage._fields}),
    INCIDENTS: frozenset({"incidents"}),
    INCIDENT: frozenset({"incident"}),
}
"""What of the values of a mark everybody may know, by its kind; other marks are not seen at all."""

TOLD = "why is told to those who log in"
SOMEBODY = "somebody"
A_NODE = "a node"
REMARKS = ("acked", "muted", "ended_by")  # what people have said of an incident
CLASS_OF_FAILURE = re.compile(rf"failed \(({'|'.join(Failure)})\)")
NO_SPEC = JobSpec((), {}, {}, {}, memory_mb=0, time_limit_s=0, cpus=0, executor="")


def hide(record: Record) -> Record | None:
    """Return what everybody may know of a record, None if they may not know that there is one."""
    if isinstance(record, TaskRecord):
        inputs = tuple(_kept(ref, name="", url="", bytes=0) for ref in record.inputs)
        return _kept(record, reason=_reason(record), actor=hide_actor(record.actor), inputs=inputs)
    if isinstance(record, JobRecord):
        reason = hide_reason(record.reason)
        return _kept(record, reason=reason, actor=hide_actor(record.actor), spec=NO_SPEC)
    if isinstance(record, RunRecord):
        return _kept(record, actor=hide_actor(record.actor))
    return _hide_mark(record) if isinstance(record, MarkRecord) else None


def _kept(record: Known, **said: object) -> Known:
    """Return a record of which only what is public is left, beside what is ``said`` otherwise."""
    kind: Any = type(record)
    known = {name: it for name, it in kind._asdict(record).items() if name in PUBLIC[kind]}
    hidden: Known = kind(**known, **said)
    return hidden


def _reason(task: TaskRecord) -> str:
    """Return what is said of a task: that its data raise an alarm, but not which."""
    quality = quality_of(task.reason)
    return f"{quality}: {TOLD}" if quality else hide_reason(task.reason)


def hide_reason(reason: str) -> str:
    """Return what everybody may know of a reason: the class of a failure."""
    if not reason:
        return ""
    found = CLASS_OF_FAILURE.search(reason)
    return f"failed ({found[1]}); {TOLD}" if found else TOLD


def hide_actor(actor: Actor) -> Actor:
    """Return who did something as everybody may know it: the machine itself, or somebody."""
    return CYCLE if actor == CYCLE else Actor(SOMEBODY, actor.via)


def _hide_mark(mark: MarkRecord) -> MarkRecord | None:
    known = OF_MARKS.get(mark.kind)
    if known is None:
        return None
    values = {name: value for name, value in mark.values.items() if name in known}
    if mark.kind == INCIDENTS:
        values["incidents"] = [_hide_incident(one) for one in values["incidents"]]
    elif mark.kind == INCIDENT:
        values["incident"] = _hide_incident(values["incident"])
    elif values.get("kind") == ConditionKind.NODE:
        values["about"] = A_NODE
    said = hide_reason(mark.reason)
    return _kept(mark, values=values, actor=hide_actor(mark.actor), reason=said)


def _hide_incident(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what everybody may know of an incident, given as a mark keeps it."""
    kept = {name: value for name, value in values.items() if name in PUBLIC[Incident]}
    remarks = {name: _hide_remark(values.get(name)) for name in REMARKS}
    is_named = values["kind"] in set(ConditionKind) - {ConditionKind.NODE}
    about = values["gist"] if is_named else ""
    said = hide_reason(values["reason"])
    return {**kept, **remarks, "gist": about, "reason": said, "log": ""}


def _hide_remark(remark: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not remark:
        return None
    times = {name: value for name, value in remark.items() if name in PUBLIC[Remark]}
    return {"name": SOMEBODY, "reason": TOLD, **times}


def hide_condition(condition: Condition) -> Condition:
    """Return what everybody may know of a condition: what it is about and since when."""
    return condition._replace(reason=hide_reason(condition.reason))


def hide_lease(lease: Lease) -> Lease:
    """Return what everybody may know of a lease: not who holds it."""
    return _kept(lease, owner=SOMEBODY)


def hide_heartbeat(heartbeat: Heartbeat) -> Heartbeat:
    """Return what everybody may know of a heartbeat: not whose it is."""
    return _kept(heartbeat, owner=SOMEBODY)
