"""How much of a quota is used, and what follows from it: a warning, a hold, or nothing. Pure.

No answer is no number: a quota that was silent stands where it stood, and once it has been silent
three times that is said.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import QuotaError
from autoctrl.model.condition import ConditionKind, Verdict
from autoctrl.model.output import MarkRecord
from autoctrl.model.severity import Severity
from autoctrl.model.size import spell_size
from autoctrl.model.succession import following
from autoctrl.model.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

QUOTA = "quota"  # the mark that keeps what is known of one
TOLD_AFTER = 3  # questions without an answer
WHOLE = 100
OFTENEST = timedelta(seconds=60)
AT_LEAST_EVERY = timedelta(hours=1)
LONGEST_PROBLEM = 500
BEYOND = 2**63
LONGEST_NUMBER = 40


class Usage(NamedTuple):
    """What a quota answered.

    used_bytes   what is used
    limit_bytes  what is allowed, None if nothing limits it
    used_files   number of files, None if nobody counts them
    limit_files  number of files that is allowed, None if nothing limits it
    """

    used_bytes: int
    limit_bytes: int | None = None
    used_files: int | None = None
    limit_files: int | None = None

    @property
    def fullest(self) -> Part | None:
        """What is nearest to its limit, bytes or files; None without a limit."""
        parts = [Part(self.used_bytes, self.limit_bytes or 0, is_bytes=True)]
        parts += [Part(self.used_files or 0, self.limit_files or 0, is_bytes=False)]
        return max((part for part in parts if part.limit), key=percent_of, default=None)


def check_usage(usage: Usage | None) -> Usage | None:
    """Return an answer whose numbers are such as a store can keep: whole, from 0 below 2⁶³.

    Raises ``QuotaError``.
    """
    for name, number in usage._asdict().items() if usage is not None else ():
        if number is not None and (type(number) is not int or not 0 <= number < BEYOND):
            said = one_line(repr(number))[:LONGEST_NUMBER]
            message = f"It answered {name} = {said}, which no quota can be."
            raise QuotaError(message)
    return usage


class Part(NamedTuple):
    """What is used and what is allowed, of bytes or of files."""

    used: int
    limit: int
    is_bytes: bool


def percent_of(part: Part) -> float:
    """Return how much is used, in percent of the limit; more than 100 is possible."""
    return WHOLE * part.used / part.limit


def percent_used(usage: Usage) -> float | None:
    """Return how full a quota is, in percent: of bytes or files, whichever is fuller."""
    return None if usage.fullest is None else percent_of(usage.fullest)


class Level(StrEnum):
    """How a quota stands by its last answer."""

    FREE = "free"
    WARN = "warn"
    HOLD = "hold"


class Bounds(NamedTuple):
    """What the settings say of one quota, in percent.

    warn       from when on people are told, 0: never
    hold       from when on new jobs wait, 0: never
    margin     how far below either it must be until that is over
    workflows  patterns of the workflows that wait, all without any
    """

    warn: float
    hold: float
    margin: float
    workflows: tuple[str, ...] = ()

    @property
    def held(self) -> str:
        """Whose jobs wait, in words."""
        return " ".join(self.workflows) or "all workflows"

    def holds(self, workflow: str) -> bool:
        """Say whether a workflow is one of those that wait."""
        patterns = self.workflows or ("*",)
        return bool(self.hold) and any(fnmatchcase(workflow, one) for one in patterns)


def level_of(percent: float | None, bounds: Bounds, before: Level) -> Level:
    """Return how a quota stands, and stood ``before``: what has begun is over only once it is
    ``margin`` below.
    """
    if percent is None:
        return Level.FREE
    if _is_beyond(percent, bounds.hold, bounds.margin, has_begun=before is Level.HOLD):
        return Level.HOLD
    has_begun = before is not Level.FREE
    is_warned = _is_beyond(percent, bounds.warn, bounds.margin, has_begun=has_begun)
    return Level.WARN if is_warned else Level.FREE


def _is_beyond(percent: float, bound: float, margin: float, *, has_begun: bool) -> bool:
    return bool(bound) and percent >= (bound - margin if has_begun else bound)


class QuotaState(NamedTuple):
    """What is known of one quota.

    level       by its last answer
    usage       its last answer, None if it never gave one
    answered    when that was, None likewise
    unanswered  questions since that had no answer, counted to ``TOLD_AFTER``
    problem     why the last question had none, empty if it had one
    """

    level: Level = Level.FREE
    usage: Usage | None = None
    answered: datetime | None = None
    unanswered: int = 0
    problem: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether it has not answered for so long that people are told."""
        return self.unanswered >= TOLD_AFTER


def take_answer(before: QuotaState, usage: Usage, bounds: Bounds, now: datetime) -> QuotaState:
    """Return what is known after an answer."""
    level = level_of(percent_used(usage), bounds, before.level)
    return QuotaState(level, usage, now)


def take_silence(before: QuotaState, problem: str) -> QuotaState:
    """Return what is known after a question without an answer: what was known, and that."""
    unanswered = min(before.unanswered + 1, TOLD_AFTER)
    return before._replace(unanswered=unanswered, problem=one_line(problem)[:LONGEST_PROBLEM])


def why_held(name: str, bounds: Bounds, state: QuotaState, workflow: str) -> str:
    """Return why new jobs of a workflow wait for a quota, empty if they need not."""
    if state.level is not Level.HOLD or not bounds.holds(workflow):
        return ""
    return f"quota {name} is full; new jobs wait until {_until(bounds)} is used"


def _until(bounds: Bounds) -> str:
    return f"less than {bounds.hold - bounds.margin:g} %"


def judge_quota(name: str, bounds: Bounds, state: QuotaState) -> Verdict:
    """Return a verdict on a quota: whether it holds jobs, is nearly full, or has been silent."""
    silence = f"it has not answered {TOLD_AFTER} times: {state.problem}" if state.is_silent else ""
    sentences = filter(None, (_why_short(bounds, state), silence))
    is_mild = state.level is Level.WARN and not state.is_silent
    severity = Severity.WARNING if is_mild else Severity.ALARM
    return Verdict(ConditionKind.QUOTA, name, "; ".join(sentences), severity=severity)


def _why_short(bounds: Bounds, state: QuotaState) -> str:
    part = None if state.usage is None else state.usage.fullest
    if part is None or state.level is Level.FREE:
        return ""
    used = spell_part(part)
    if state.level is Level.HOLD:
        return f"{used} used: new jobs of {bounds.held} wait until {_until(bounds)} is used"
    if not bounds.hold:
        return f"{used} used"
    return f"{used} used; at {bounds.hold:g} % new jobs of {bounds.held} will wait"


def spell_part(part: Part) -> str:
    """Return ``93 % of 10.0 TB``."""
    limit = spell_size(part.limit) if part.is_bytes else f"{part.limit} files"
    return f"{percent_of(part):.0f} % of {limit}"


def spell_usage(usage: Usage) -> str:
    """Return what is used and what is allowed, in one line."""
    limit = "no limit" if not usage.limit_bytes else f"of {spell_size(usage.limit_bytes)}"
    texts = [f"{spell_size(usage.used_bytes)} {limit}"]
    if usage.used_files is not None:
        most = f" of {usage.limit_files}" if usage.limit_files else ""
        texts.append(f"{usage.used_files}{most} files")
    return ", ".join(texts)


def remark_on(usage: Usage) -> str:
    """Return what is remarkable about an answer: nothing limits it, or it is beyond its limit."""
    percent = percent_used(usage)
    if percent is None:
        return "no limit is set"
    return "more is used than is allowed" if percent > WHOLE else ""


def is_worth_writing(before: MarkRecord | None, state: QuotaState, now: datetime) -> bool:
    """Say whether the store is to remember what is known: at once if the quota stands elsewhere,
    after a minute if a number has moved by a percent, else once an hour.
    """
    if before is None:
        return True
    known = read_state(before)
    if (known.level, known.unanswered) != (state.level, state.unanswered):
        return True
    if state.problem or abs(now - before.time) < OFTENEST:
        return False
    has_moved = _rounded(known.usage) != _rounded(state.usage)
    return has_moved or abs(now - before.time) >= AT_LEAST_EVERY


def _rounded(usage: Usage | None) -> Sequence[object]:
    """Return the numbers of an answer to a percent of the limit, or to three digits."""
    if usage is None:
        return ()
    return (
        usage.limit_bytes,
        usage.limit_files,
        _share(usage.used_bytes, usage.limit_bytes),
        _share(usage.used_files or 0, usage.limit_files),
    )


def _share(used: int, limit: int | None) -> str:
    return f"{WHOLE * used / limit:.0f}" if limit else f"{used:.2e}"


def mark_of(
    before: MarkRecord | None, campaign: str, name: str, state: QuotaState, now: datetime
) -> MarkRecord:
    """Return the mark that keeps what is known of a quota."""
    usage = {} if state.usage is None else state.usage._asdict()
    values = {
        **usage,
        "level": str(state.level),
        "answered": None if state.answered is None else state.answered.isoformat(),
        "unanswered": state.unanswered,
    }
    mark = MarkRecord(QUOTA, campaign, name, values, now, reason=state.problem)
    return following(before, mark)


def read_state(mark: MarkRecord | None) -> QuotaState:
    """Return what a mark keeps of a quota, nothing known without one."""
    if mark is None:
        return QuotaState()
    values = mark.values
    answered = values["answered"]
    return QuotaState(
        level=Level(values["level"]),
        usage=_read_usage(values),
        answered=None if answered is None else datetime.fromisoformat(answered),
        unanswered=int(values["unanswered"]),
        problem=mark.reason,
    )


def _read_usage(values: Mapping[str, object]) -> Usage | None:
    if values.get("used_bytes") is None:
        return None
    numbers = {
        name: None if values.get(name) is None else int(str(values[name])) for name in Usage._fields
    }
    return Usage(**numbers)  # type: ignore[arg-type]  # the first is there, as was looked at above
