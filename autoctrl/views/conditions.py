"""What the machine cannot do now, or may not: the open conditions of a campaign."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.model.campaign import PROMPT
from autoctrl.model.condition import (
    CONDITION,
    Condition,
    ConditionKind,
    is_known,
    is_open,
    read_condition,
    remedy_for,
)
from autoctrl.model.severity import Severity
from autoctrl.model.text import one_line
from autoctrl.pauses import list_pauses
from autoctrl.process import spell_owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.config import Settings
    from autoctrl.model.condition import Verdict
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Store
    from autoctrl.views.spelling import Spelling

LONGEST_S = 10 * 365 * 86_400


def limit_silence(settings: Settings, now: datetime) -> datetime | None:
    """Return since when a campaign must have had a cycle, None if it never must."""
    return _before(now, settings.cycle.silent_after_s)


def limit_processing(settings: Settings, now: datetime) -> datetime | None:
    """Return since when a task is processing for long, None if it never is."""
    return _before(now, settings.cycle.long_after_s)


def _before(now: datetime, limit_s: float) -> datetime | None:
    return now - timedelta(seconds=min(limit_s, LONGEST_S)) if limit_s else None


def list_conditions(
    store: Store, campaign: str, silent_before: datetime | None = None
) -> tuple[Condition, ...]:
    """Return the open conditions of a campaign, the oldest first.

    Paused workflows are among them, and that its last cycle ended before ``silent_before``, unless
    that is None. What both a round and a watch have found is one.
    """
    found = [*_read_open(store, campaign), *map(_pause, list_pauses(store, campaign))]
    if silent_before is not None:
        found += _find_silence(store, campaign, silent_before)
    by_age = sorted(found, key=lambda one: (one.since, one.kind))
    oldest = {(one.kind, one.about): one for one in reversed(by_age)}
    return tuple(one for one in by_age if one is oldest[one.kind, one.about])


def with_verdict(
    found: Sequence[Condition], verdict: Verdict, since: datetime
) -> tuple[Condition, ...]:
    """Return conditions and what whoever reads them has found wrong itself, unless it is among
    them.
    """
    known = {(one.kind, one.about) for one in found}
    if not verdict.reason or (verdict.kind, verdict.about) in known:
        return tuple(found)
    remedy = remedy_for(verdict.kind, verdict.about)
    own = Condition(verdict.kind, verdict.about, verdict.workflow, verdict.reason, remedy, since)
    return (*found, own)


def _find_silence(store: Store, campaign: str, before: datetime) -> Iterator[Condition]:
    """Yield that nobody makes cycles of a campaign that is not closed and had some.

    This is judged by whoever reads: if nobody makes cycles, nobody writes it down.
    """
    last = store.heartbeats().get(campaign)
    if last is None or last.time >= before or find_campaign(store, campaign).closed:
        return
    remedy = remedy_for(ConditionKind.CYCLES, campaign)
    if campaign != PROMPT:
        remedy += f" --campaign {campaign}; or close it: autoctrl campaign close {campaign}"
    yield Condition(
        kind=ConditionKind.CYCLES,
        about=campaign,
        workflow="",
        reason=f"nobody has made a cycle; the last was made by {spell_owner(last.owner)}",
        remedy=remedy,
        since=last.time,
    )


def _pause(mark: MarkRecord) -> Condition:
    why = f": {one_line(mark.reason)}" if mark.reason else ""
    option = "" if mark.campaign == PROMPT else f" --campaign {mark.campaign}"
    return Condition(
        kind=ConditionKind.PAUSE,
        about=mark.name,
        workflow=mark.name,
        reason=f"paused by {mark.actor.name}{why}",
        remedy=f"{remedy_for(ConditionKind.PAUSE, mark.name)}{option}",
        since=mark.time,
        severity=Severity.INFO,
    )


def conditions_of(conditions: Iterable[Condition], workflow: str) -> Iterator[Condition]:
    """Yield those that concern the tasks of one workflow: its own, and those that concern all."""
    for condition in conditions:
        is_module = condition.kind is ConditionKind.MODULE
        concerned = condition.about if is_module else condition.workflow
        if concerned in {"", workflow}:
            yield condition


def broken_module(store: Store, campaign: str, workflow: str) -> Condition | None:
    """Return the condition of the module that is named as a workflow, None if it can be loaded."""
    modules = (one for one in _read_open(store, campaign) if one.kind is ConditionKind.MODULE)
    return next((one for one in modules if one.about == workflow), None)


def _read_open(store: Store, campaign: str) -> list[Condition]:
    marks = store.marks(CONDITION, campaign)
    return [read_condition(mark) for mark in marks if is_open(mark) and is_known(mark)]


def spell_condition(condition: Condition, spelling: Spelling) -> str:
    """Return a condition as one line: what, since when and why."""
    about = f"{condition.kind} {condition.about}"
    return f"{about}, since {spelling.time(condition.since)}: {condition.reason}"
