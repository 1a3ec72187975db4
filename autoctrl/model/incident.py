"""What people are told: one incident for one trouble, however many tasks it has struck. Pure.

An incident opens when a task has failed for good, when a done version raises an alarm, or when a
condition begins. Troubles of one workflow that say the same, apart from figures, run numbers and
paths, are one incident. It is over when none of its tasks is in trouble any more; the same trouble
within an hour opens the same incident again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.condition import ConditionKind
from autoctrl.model.gist import gist_of
from autoctrl.model.output import MarkRecord
from autoctrl.model.quality import ALARM, quality_of
from autoctrl.model.severity import Severity
from autoctrl.model.status import TaskStatus
from autoctrl.model.succession import following
from autoctrl.model.text import one_line
from autoctrl.model.unit import format_runs, is_group, parse_runs, run_unit, unit_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from autoctrl.model.condition import Condition
    from autoctrl.model.task import TaskRecord

INCIDENTS = "incidents"  # the mark that keeps what is open, and what was until lately
INCIDENT = "incident"  # the mark of one that is over
FAILED = "failed"
ID_DIGITS = 12  # the first few suffice to say which is meant
SAME_WITHIN = timedelta(hours=1)
AT_HAND_FOR = timedelta(hours=24)
MUTED_FOR = timedelta(hours=2)  # what people are offered below a message


class Trouble(NamedTuple):
    """What is wrong with one task, or with something that is not a task.

    kind      ``failed``, ``alarm``, or the kind of a condition
    about     name of the condition's source, module, …; empty for a task
    unit      the task's unit, empty for a condition
    reason    why, in one line
    log       where the log lies, empty if there is none
    severity  how much it matters
    """

    kind: str
    about: str
    unit: str
    reason: str
    log: str = ""
    severity: Severity = Severity.ALARM

    @property
    def gist(self) -> str:
        """The reason without figures, run numbers and paths; of a condition, what it is about."""
        return self.about or gist_of(self.reason)


class Remark(NamedTuple):
    """What a person said about an incident.

    name    who
    reason  why
    time    when
    until   how long it holds, None for ever
    """

    name: str
    reason: str
    time: datetime
    until: datetime | None = None


class Incident(NamedTuple):
    """One trouble.

    id        hexadecimal digits
    workflow  whose, empty for what concerns all
    kind      as ``Trouble`` has it
    gist      likewise: kind and gist say which trouble it is
    severity  how much it matters
    reason    the first task's reason, whole
    log       the first task's log
    opened    when it began
    units     units that are in trouble now, in order
    struck    how often a task has met it so far
    closed    when it was over, None while it is open
    acked     who looks after it, None if nobody said so
    muted     who does not want to hear of it, and until when
    ended_by  the person who closed it, None if it was over by itself
    revision  raised by each change that people should see
    closings  how often it has been over
    """

    id: str
    workflow: str
    kind: str
    gist: str
    severity: Severity
    reason: str
    log: str
    opened: datetime
    units: tuple[str, ...] = ()
    struck: int = 0
    closed: datetime | None = None
    acked: Remark | None = None
    muted: Remark | None = None
    ended_by: Remark | None = None
    revision: int = 1
    closings: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.closed is None

    @property
    def is_of_tasks(self) -> bool:
        """Whether it is about tasks, not about a condition."""
        return self.kind in {FAILED, ALARM}

    @property
    def digest(self) -> str:
        """Which tasks it is about: another one once tasks have joined, met it again, or left."""
        text = "\0".join([self.id, str(self.struck), str(self.closings), *self.units])
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def is_muted(self, now: datetime) -> bool:
        """Say whether people do not want to hear of it now."""
        return self.muted is not None and (self.muted.until is None or now < self.muted.until)

    def changed(self, **changes: Any) -> Incident:  # noqa: ANN401 - fields differ in type
        """Return it with these changes, as one that people should see."""
        return self._replace(**changes, revision=self.revision + 1)


def trouble_of(task: TaskRecord) -> Trouble | None:
    """Return what is wrong with a task: it failed for good, or its data raise an alarm."""
    if task.status is TaskStatus.FAILED:
        return Trouble(FAILED, "", task.key.unit, one_line(task.reason), task.log)
    if task.status is TaskStatus.DONE and quality_of(task.reason) == ALARM:
        return Trouble(ALARM, "", task.key.unit, one_line(task.reason), task.log)
    return None


def trouble_with(condition: Condition) -> Trouble:
    """Return a condition as what people are told of; what a person did is only good to know."""
    is_wanted = condition.kind is ConditionKind.PAUSE
    severity = Severity.INFO if is_wanted else condition.severity
    return Trouble(str(condition.kind), condition.about, "", condition.reason, severity=severity)


def join(
    incidents: Iterable[Incident], workflow: str, troubles: Sequence[Trouble], now: datetime
) -> list[Incident]:
    """Return the incidents of a workflow after these troubles: each joins its own, or opens one."""
    found = {one.id: one for one in incidents}
    known = {(one.kind, one.gist): one for one in found.values() if is_same(one, now)}
    struck: dict[tuple[str, str], list[Trouble]] = {}
    for trouble in troubles:
        struck.setdefault((trouble.kind, trouble.gist), []).append(trouble)
    for identity, mine in struck.items():
        before = known.get(identity)
        after = _open_incident(workflow, mine, now) if before is None else _strike(before, mine)
        found[after.id] = _weigh(after, mine[0])
    return list(found.values())


def _open_incident(workflow: str, troubles: Sequence[Trouble], now: datetime) -> Incident:
    first = troubles[0]
    units = _units_of(troubles)
    text = f"{workflow}\0{first.kind}\0{first.gist}\0{now.isoformat()}"
    return Incident(
        id=hashlib.blake2b(text.encode()).hexdigest()[:ID_DIGITS],
        workflow=workflow,
        kind=first.kind,
        gist=first.gist,
        severity=first.severity,
        reason=first.reason,
        log=first.log,
        opened=now,
        units=units,
        struck=len(units),
    )


def _strike(incident: Incident, troubles: Sequence[Trouble]) -> Incident:
    """Return an incident after more of the same; a condition that goes on changes nothing."""
    struck = _units_of(troubles)
    if incident.is_open and not struck:
        return incident
    units = sorted({*incident.units, *struck}, key=unit_order)
    return incident.changed(
        units=tuple(units),
        struck=incident.struck + len(struck),
        closed=None,
        ended_by=None,
        acked=incident.acked if incident.is_open else None,
    )


def _weigh(incident: Incident, trouble: Trouble) -> Incident:
    """Return the incident of a condition as one that matters as much as that does now."""
    if not trouble.about or incident.severity is trouble.severity:
        return incident
    return incident.changed(severity=trouble.severity, reason=trouble.reason)


def _units_of(troubles: Iterable[Trouble]) -> tuple[str, ...]:
    return tuple(sorted({one.unit for one in troubles if one.unit}, key=unit_order))


def settle(
    incidents: Iterable[Incident], troubles: Iterable[Trouble], now: datetime
) -> list[Incident]:
    """Return incidents of tasks after a look at their tasks: these troubles are there still."""
    present = {(trouble.kind, trouble.gist, trouble.unit) for trouble in troubles}
    return [_settle_one(one, present, now) for one in incidents]


def _settle_one(
    incident: Incident, present: Collection[tuple[str, str, str]], now: datetime
) -> Incident:
    if not (incident.is_open and incident.is_of_tasks):
        return incident
    units = tuple(
        unit for unit in incident.units if (incident.kind, incident.gist, unit) in present
    )
    return _left_with(incident, units, now)


def relieve(
    incidents: Iterable[Incident], troubles: Iterable[Trouble], now: datetime
) -> list[Incident]:
    """Return incidents of tasks after these troubles are no more."""
    gone: dict[tuple[str, str], set[str]] = {}
    for trouble in troubles:
        gone.setdefault((trouble.kind, trouble.gist), set()).add(trouble.unit)
    return [_relieve_one(one, gone.get((one.kind, one.gist), ()), now) for one in incidents]


def _relieve_one(incident: Incident, gone: Collection[str], now: datetime) -> Incident:
    if not (gone and incident.is_open):
        return incident
    units = tuple(unit for unit in incident.units if unit not in gone)
    return _left_with(incident, units, now)


def _left_with(incident: Incident, units: tuple[str, ...], now: datetime) -> Incident:
    """Return an incident of which these units are left; without any it is over."""
    if not units:
        return close(incident, now)
    return incident if units == incident.units else incident.changed(units=units)


def close(incident: Incident, now: datetime, by: Remark | None = None) -> Incident:
    """Return an incident that is over, by itself or because a person says so."""
    return incident.changed(
        units=(), closed=now, ended_by=by, closings=incident.closings + 1, muted=None
    )


def match(
    incidents: Iterable[Incident], conditions: Iterable[Condition], now: datetime
) -> list[Incident]:
    """Return the incidents of conditions: one for each that is there, over with those that are
    gone.

    One that a person closed stays closed for as long as its condition lasts.
    """
    troubles = {(one.kind, one.gist): one for one in map(trouble_with, conditions)}
    kept = [_match_one(one, (one.kind, one.gist) in troubles, now) for one in incidents]
    dismissed = {(one.kind, one.gist) for one in kept if one.ended_by is not None}
    wanted = [trouble for key, trouble in troubles.items() if key not in dismissed]
    return join(kept, "", wanted, now)


def _match_one(incident: Incident, is_present: bool, now: datetime) -> Incident:  # noqa: FBT001 - read aloud: match one, present or not
    if is_present:
        return incident
    return close(incident, now) if incident.is_open else incident._replace(ended_by=None)


def is_same(incident: Incident, now: datetime) -> bool:
    """Say whether the same trouble is the same incident: it is open, or was within the hour."""
    return _is_young(incident, now, SAME_WITHIN)


def is_at_hand(incident: Incident, now: datetime) -> bool:
    """Say whether an incident is still kept at hand, so that people can be told that it is over."""
    return _is_young(incident, now, AT_HAND_FOR)


def _is_young(incident: Incident, now: datetime, limit: timedelta) -> bool:
    """Say whether an incident is open or was so lately, or a person closed it while its condition
    lasts.
    """
    if incident.closed is None or now - incident.closed <= limit:
        return True
    return incident.ended_by is not None and not incident.is_of_tasks


def write_down(
    before: MarkRecord | None, incidents: Iterable[Incident], where: tuple[str, str], now: datetime
) -> list[MarkRecord]:
    """Return the marks that keep these incidents: one for what is at hand, and one for each that
    has become over. What has been over for long is left out; nothing is returned where nothing has
    changed.

    where  the campaign, and the workflow or nothing
    """
    campaign, workflow = where
    known = {one.id: one for one in read_incidents(before)}
    at_hand = [one for one in incidents if is_at_hand(one, now)]
    if [*known.values()] == at_hand:
        return []
    ended = [one for one in at_hand if not one.is_open and _has_ended(one, known.get(one.id))]
    values = {"incidents": [_values_of(one) for one in at_hand]}
    mark = MarkRecord(INCIDENTS, campaign, workflow, values, now)
    return [following(before, mark), *(_closing(one, campaign) for one in ended)]


def _has_ended(incident: Incident, before: Incident | None) -> bool:
    return before is None or before.closings != incident.closings


def _closing(incident: Incident, campaign: str) -> MarkRecord:
    values = {"incident": _values_of(incident)}
    when = incident.closed or incident.opened
    return MarkRecord(INCIDENT, campaign, incident.id, values, when, sequence=incident.closings)


def _values_of(incident: Incident) -> dict[str, Any]:
    remarks = {
        name: remark._asdict()
        for name, remark in incident._asdict().items()
        if isinstance(remark, Remark)
    }
    packed = {"severity": str(incident.severity), "units": _pack(incident.units)}
    return {**incident._asdict(), **packed, **remarks}


def _pack(units: Iterable[str]) -> list[str]:
    """Return units in order the short way: ``1-300`` for runs, groups as they are."""
    listed = list(units)
    runs = format_runs([int(unit) for unit in listed if not is_group(unit)])
    return [*([runs] if runs else []), *filter(is_group, listed)]


def _unpack(packed: Iterable[str]) -> tuple[str, ...]:
    units: list[str] = []
    for text in packed:
        units += [text] if is_group(text) else map(run_unit, parse_runs(text))
    return tuple(sorted(units, key=unit_order))


def read_incidents(mark: MarkRecord | None) -> list[Incident]:
    """Return the incidents that a mark keeps at hand, none without a mark."""
    return [] if mark is None else [_read_values(each) for each in mark.values["incidents"]]


def read_closed(mark: MarkRecord) -> Incident:
    """Return the incident that a mark of kind ``incident`` describes."""
    return _read_values(mark.values["incident"])


def _read_values(values: Mapping[str, Any]) -> Incident:
    remarks = {
        name: values[name] and Remark(**values[name]) for name in ("acked", "muted", "ended_by")
    }
    known = {name: values[name] for name in Incident._fields if name in values}
    known |= {
        "severity": Severity(values["severity"]),
        "units": _unpack(values["units"]),
        **remarks,
    }
    return Incident(**known)
