"""What everybody should see beside a curve, as points for Grafana; pure.

A deployment, an incident, a pause, a reprocessing, the beginning of a campaign. An incident's point
lies where it was opened, so that what becomes of it replaces what was said before.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.incident import INCIDENTS, read_incidents
from autoctrl.model.names import RELEASE
from autoctrl.model.output import MarkRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.stores.influx.points import NS_PER_US, line, readable_fields
from autoctrl.stores.rows import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.actor import Actor
    from autoctrl.model.incident import Incident
    from autoctrl.stores.influx.points import Entry

OCCASION = "occasion"
US_PER_MS = 1000
PARTS = 1000  # so many points fit into one µs


class Occasion(NamedTuple):
    """One thing that happened.

    campaign  in which
    kind      ``deployment``, ``incident``, ``pause``, ``reprocess``, ``campaign``
    text      one sentence
    time_ns   when, ns since 1970
    ended_ms  when it was over, ms since 1970; None if it goes on, or took no time
    """

    campaign: str
    kind: str
    text: str
    time_ns: int
    ended_ms: int | None = None


def occasion_lines(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the points of what everybody should see of new records."""
    for one in find_occasions(entries):
        fields: dict[str, object] = {"text": one.text, "ended_ms": one.ended_ms}
        tags = {"campaign": one.campaign, "kind": one.kind}
        yield line(OCCASION, tags, readable_fields(fields), one.time_ns)


def find_occasions(entries: Sequence[Entry]) -> Iterator[Occasion]:
    """Yield what everybody should see of new records; of a task nothing but its reprocessing."""
    again: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        record = entry.record
        if isinstance(record, MarkRecord) and record.kind in SAID:
            yield from SAID[record.kind](record, entry.position * NS_PER_US)
        elif isinstance(record, TaskRecord) and is_reprocessed(record):
            again[record.key.campaign, record.key.workflow].append(entry)
    for (campaign, workflow), listed in again.items():
        first = listed[0]
        tasks = f"{len(listed)} tasks" if len(listed) > 1 else f"unit {first.record.key.unit}"
        text = f"{workflow}: {tasks} reprocessed {_by(first.record.actor, first.record.reason)}"
        yield Occasion(campaign, "reprocess", text, first.position * NS_PER_US)


def is_reprocessed(task: TaskRecord) -> bool:
    """Whether a record begins a further version; a retry renews the budget and no version."""
    begins = task.status is TaskStatus.NEW and task.since == task.time
    return begins and task.version > 1 and not task.renewals


def _by(actor: Actor, reason: str) -> str:
    return f"by {actor.name}: {reason}" if reason else f"by {actor.name}"


def _of_campaign(mark: MarkRecord, time_ns: int) -> Iterator[Occasion]:
    if mark.sequence == 1:
        yield Occasion(mark.name, "campaign", f"campaign {mark.name} begins", time_ns)


def _of_pause(mark: MarkRecord, time_ns: int) -> Iterator[Occasion]:
    done = "paused" if mark.values.get("paused") else "resumed"
    text = f"{mark.name or 'everything'} {done} {_by(mark.actor, mark.reason)}"
    yield Occasion(mark.campaign, "pause", text, time_ns)


def _of_release(mark: MarkRecord, time_ns: int) -> Iterator[Occasion]:
    text = f"release {mark.values.get('commit', '')} makes cycles"
    yield Occasion(mark.campaign, "deployment", text, time_ns)


def _of_incidents(mark: MarkRecord, time_ns: int) -> Iterator[Occasion]:
    """Yield every incident at hand; each has a place of its own, at which it is written again."""
    del time_ns
    try:
        incidents = read_incidents(mark)
    except (KeyError, TypeError, ValueError):
        return  # a newer version has written it
    for incident in incidents:
        place_ns = micros(incident.opened) * NS_PER_US + int(incident.id, 16) % PARTS
        ended_ms = None if incident.closed is None else micros(incident.closed) // US_PER_MS
        yield Occasion(mark.campaign, "incident", _spell(incident), place_ns, ended_ms)


def _spell(incident: Incident) -> str:
    about = f"{incident.workflow} {incident.kind}" if incident.workflow else incident.kind
    return f"{about}: {incident.reason}"


SAID: Mapping[str, Callable[[MarkRecord, int], Iterable[Occasion]]] = {
    "campaign": _of_campaign,
    "pause": _of_pause,
    RELEASE: _of_release,
    INCIDENTS: _of_incidents,
}
