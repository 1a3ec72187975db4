"""How full the quotas are, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.quota import (
    QUOTA,
    Level,
    QuotaState,
    percent_used,
    read_state,
    remark_on,
    spell_usage,
)
from autoctrl.model.table import NOTHING, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from autoctrl.config import QuotaSettings, Settings
    from autoctrl.model.quota import Usage
    from autoctrl.ports import Store
    from autoctrl.views.spelling import Spelling

UNKNOWN = "unknown"


class QuotaLine(NamedTuple):
    """One quota.

    name       as the settings have it
    type       its kind
    level      ``free``, ``warn`` or ``hold`` by its last answer, ``unknown`` without any
    percent    how full it is, None if nothing limits it or nothing is known
    usage      its last answer, None without any
    answered   when that was, None likewise
    problem    why it did not answer the last question, empty if it did
    warn       percent from which on people are told, 0: never
    hold       percent from which on new jobs wait, 0: never
    workflows  patterns of the workflows that wait, empty for all
    """

    name: str
    type: str
    level: str
    percent: float | None
    usage: Usage | None
    answered: datetime | None
    problem: str
    warn: float
    hold: float
    workflows: str

    @property
    def is_well(self) -> bool:
        """Whether it has answered, and there is room."""
        return self.level == Level.FREE and not self.problem

    @property
    def says(self) -> str:
        """What there is to read of it, in one line."""
        if self.usage is None:
            return self.problem or "it has not answered yet"
        remark = remark_on(self.usage)
        return "; ".join(filter(None, (spell_usage(self.usage), remark, self.problem)))


def list_quotas(store: Store, campaign: str, settings: Settings) -> list[QuotaLine]:
    """Return the quotas of the settings, as the rounds of a campaign know them."""
    if not settings.quotas:
        return []
    marks = {mark.name: mark for mark in store.marks(QUOTA, campaign)}
    states = {name: read_state(marks.get(name)) for name in settings.quotas}
    return describe_quotas(settings.quotas, states)


def describe_quotas(
    sections: Mapping[str, QuotaSettings], states: Mapping[str, QuotaState]
) -> list[QuotaLine]:
    """Return a line for each of these quotas."""
    return [_describe(name, sections[name], state) for name, state in states.items()]


def _describe(name: str, section: QuotaSettings, state: QuotaState) -> QuotaLine:
    percent = None if state.usage is None else percent_used(state.usage)
    return QuotaLine(
        name=name,
        type=section.type,
        level=UNKNOWN if state.usage is None else str(state.level),
        percent=None if percent is None else round(percent, 1),
        usage=state.usage,
        answered=state.answered,
        problem=state.problem,
        warn=section.warn,
        hold=section.hold,
        workflows=section.workflows,
    )


def tabulate_quotas(lines: Iterable[QuotaLine], spelling: Spelling) -> Table:
    """Return a row for each quota."""
    rows = [
        (
            line.name,
            line.level,
            spell_percent(line.percent),
            spell_percent(line.hold or None),
            spelling.time(line.answered) if line.answered else NOTHING,
            line.says,
        )
        for line in lines
    ]
    return Table(("QUOTA", "IS", "USED", "HOLDS AT", "ANSWERED", "SAYS"), rows)


def spell_percent(percent: float | None) -> str:
    """Return ``93 %``, a dash if it is not known."""
    return NOTHING if percent is None else f"{percent:.0f} %"
