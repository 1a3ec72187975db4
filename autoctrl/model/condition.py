"""Something that the machine cannot do, or may not: on what, since when, why, and what to do.

Whoever looks gives a verdict on each thing that was looked at. A condition opens with the first bad
verdict and is over with the first good one; what nobody looked at stays as it was.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.output import MarkRecord
from autoctrl.model.severity import Severity
from autoctrl.model.succession import following
from autoctrl.model.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONDITION = "condition"
WATCH = "watch"  # who finds conditions besides the rounds
LONGEST_REASON = 2000


class ConditionKind(StrEnum):
    """What a condition is about."""

    SOURCE = "source"
    MODULE = "module"
    EXECUTOR = "executor"
    DISK = "disk"
    PAUSE = "pause"
    CYCLES = "cycles"
    NOTIFIER = "notifier"
    LEASE = "lease"
    SETTINGS = "settings"
    NODE = "node"
    STORE = "store"
    QUOTA = "quota"


REMEDIES: Mapping[ConditionKind, str] = {
    ConditionKind.SOURCE: "What it cannot read is not found until it can: autoctrl discover",
    ConditionKind.MODULE: "Repair it; nothing of it moves until it can be loaded: autoctrl doctor",
    ConditionKind.EXECUTOR: "What it has is left as it is, and asked for again: autoctrl doctor",
    ConditionKind.DISK: "Make room; jobs and records may fail until there is: autoctrl doctor",
    ConditionKind.NOTIFIER: "What it missed is told when it works: autoctrl notify test {about}",
    ConditionKind.PAUSE: "Nothing of it starts until it is resumed: autoctrl resume {about}",
    ConditionKind.CYCLES: "Nothing moves: look at the scheduler, or start one: autoctrl loop",
    ConditionKind.LEASE: "Wait, or end that process; nothing is lost: autoctrl status",
    ConditionKind.SETTINGS: "Repair them, or the handler that is named: autoctrl doctor",
    ConditionKind.NODE: "Bring it back; what runs there alone waits until it is: autoctrl watch",
    ConditionKind.STORE: "Nothing moves and nothing is shown until it answers: autoctrl doctor",
    ConditionKind.QUOTA: "Make room, or ask for more; what waits goes on by itself: autoctrl quota",
}


class Verdict(NamedTuple):
    """How one thing was found by whoever looked at it.

    kind      what it is
    about     which one: name of the source, executor or module, or what lies on the disk
    reason    what is wrong with it, empty if it is well
    workflow  the workflow concerned, empty if it concerns all
    finder    who looks: empty for the rounds, else ``watch``; neither ends what the other has found
    severity  how much it matters if it is bad
    """

    kind: ConditionKind
    about: str
    reason: str = ""
    workflow: str = ""
    finder: str = ""
    severity: Severity = Severity.ALARM

    @property
    def name(self) -> str:
        """Name of its mark."""
        return "/".join(filter(None, (self.finder, self.kind, self.about)))


class Condition(NamedTuple):
    """One open condition.

    kind      what it is about
    about     which one
    workflow  the workflow concerned, empty if it concerns all
    reason    what is wrong
    remedy    what to do
    since     when it was first found
    severity  how much it matters
    """

    kind: ConditionKind
    about: str
    workflow: str
    reason: str
    remedy: str
    since: datetime
    severity: Severity = Severity.ALARM


def judge(
    marks: Iterable[MarkRecord], verdicts: Iterable[Verdict], campaign: str, now: datetime
) -> list[MarkRecord]:
    """Return the marks that open, change or close conditions; ``marks`` are all of the campaign's.

    A reason that differs in plain numbers alone is the same.
    """
    known = {mark.name: mark for mark in marks}
    wanted: dict[str, Verdict] = {}
    for verdict in map(_clean, verdicts):
        if verdict.reason or verdict.name not in wanted:  # of two verdicts the bad one counts
            wanted[verdict.name] = verdict
    changes = (_change(known.get(name), one, campaign, now) for name, one in wanted.items())
    return [change for change in changes if change is not None]


def _clean(verdict: Verdict) -> Verdict:
    """Return a verdict whose texts every store can keep and every face can show in one line."""
    reason = one_line(verdict.reason)
    if len(reason) > LONGEST_REASON:
        reason = f"{reason[:LONGEST_REASON]} …"
    return verdict._replace(about=one_line(verdict.about), reason=reason)


def _says_the_same(reason: str, before: str) -> bool:
    return bool(reason) and _gist(reason) == _gist(before)


def _gist(reason: str) -> list[str]:
    """Return the words of a reason but for plain numbers, which change from round to round."""
    return [word for word in reason.split() if not word.strip("(),;.").isdigit()]


def _change(
    before: MarkRecord | None, verdict: Verdict, campaign: str, now: datetime
) -> MarkRecord | None:
    opened = before if before is not None and is_open(before) else None
    if opened is None and not verdict.reason:
        return None
    if opened is not None and _says_the_same(verdict.reason, opened.reason):
        return None
    values = {
        "kind": str(verdict.kind),
        "about": verdict.about,
        "since": now.isoformat() if opened is None else opened.values["since"],
        "is_open": bool(verdict.reason),
        "workflow": verdict.workflow,
        "finder": verdict.finder,
    }
    if verdict.severity is not Severity.ALARM:
        values["severity"] = str(verdict.severity)
    mark = MarkRecord(CONDITION, campaign, verdict.name, values, now, reason=verdict.reason)
    return following(before, mark)


def is_open(mark: MarkRecord) -> bool:
    """Say whether the condition that a mark is about is still there."""
    return bool(mark.values.get("is_open"))


def is_known(mark: MarkRecord) -> bool:
    """Say whether the kind of a condition is known; a newer version may know more."""
    return mark.values.get("kind") in set(ConditionKind)


def read_condition(mark: MarkRecord) -> Condition:
    """Return the condition that a mark describes."""
    kind = ConditionKind(mark.values["kind"])
    about, since = str(mark.values["about"]), datetime.fromisoformat(mark.values["since"])
    workflow = str(mark.values.get("workflow", ""))
    severity = Severity(mark.values.get("severity", Severity.ALARM))
    return Condition(kind, about, workflow, mark.reason, remedy_for(kind, about), since, severity)


def found_by(mark: MarkRecord) -> str:
    """Return who has found the condition that a mark is about, as a verdict's ``finder``."""
    return str(mark.values.get("finder", ""))


def remedy_for(kind: ConditionKind, about: str) -> str:
    """Return what to do about a condition."""
    return REMEDIES[kind].format(about=about)
