"""What the machine cannot do now, or may not: the open conditions of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.campaign import PROMPT
from autoctrl.model.condition import (
    CONDITION,
    Condition,
    ConditionKind,
    is_known,
    is_open,
    one_line,
    read_condition,
    remedy_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Store
    from autoctrl.views.spelling import Spelling


def list_conditions(store: Store, campaign: str) -> tuple[Condition, ...]:
    """Return the open conditions of a campaign, paused workflows among them; the oldest first."""
    found = _read_open(store, campaign)
    paused = [mark for mark in store.marks("pause", campaign) if mark.values.get("paused")]
    return tuple(sorted((*found, *map(_pause, paused)), key=lambda one: (one.since, one.kind)))


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
