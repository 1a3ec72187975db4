"""What the machine cannot do now, or may not: the open conditions of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.condition import (
    CONDITION,
    Condition,
    ConditionKind,
    is_open,
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
    found = [read_condition(mark) for mark in store.marks(CONDITION, campaign) if is_open(mark)]
    paused = [mark for mark in store.marks("pause", campaign) if mark.values.get("paused")]
    return tuple(sorted((*found, *map(_pause, paused)), key=lambda one: (one.since, one.kind)))


def _pause(mark: MarkRecord) -> Condition:
    why = f": {mark.reason}" if mark.reason else ""
    return Condition(
        kind=ConditionKind.PAUSE,
        about=mark.name,
        workflow=mark.name,
        reason=f"paused by {mark.actor.name}{why}",
        remedy=remedy_for(ConditionKind.PAUSE, mark.name),
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
    conditions = (
        read_condition(mark) for mark in store.marks(CONDITION, campaign) if is_open(mark)
    )
    modules = (one for one in conditions if one.kind is ConditionKind.MODULE)
    return next((one for one in modules if one.about == workflow), None)


def spell_condition(condition: Condition, spelling: Spelling) -> str:
    """Return a condition as one line: what, since when and why."""
    about = f"{condition.kind} {condition.about}"
    return f"{about}, since {spelling.time(condition.since)}: {condition.reason}"
