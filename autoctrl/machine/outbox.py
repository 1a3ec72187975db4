"""What each notifier has been told, and what it is to be told now. Pure.

An outbox is kept as one mark for each notifier. What is about to be sent is written down first, so
that whoever finds it after a kill knows that it may have been told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.output import MarkRecord
from autoctrl.model.severity import Severity
from autoctrl.model.succession import following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.model.incident import Incident

OUTBOX = "outbox"
COLLECT = timedelta(seconds=60)
CHANGE_EVERY = timedelta(seconds=60)
REPEAT_AFTER = timedelta(hours=4)
BUDGET_SPAN = timedelta(hours=1)
MOST_MESSAGES = 20
FIRST_DELAY = timedelta(seconds=60)
LONGEST_DELAY = timedelta(hours=1)
MOST_DOUBLINGS = 6
MOST_TRIES = 2  # of a post that a notifier may have told already
MOST_CHANGES = 3  # that were refused, before a message is given up
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ALL_FURTHER = "digest"  # stands for the incidents of a digest, where else an incident's id stands


class Deed(StrEnum):
    """What a notifier is asked to do.

    TELL    tell an incident
    CHANGE  replace what was told
    REPEAT  remind people of it, below what was told
    DIGEST  tell that there are more incidents than a channel can bear
    """

    TELL = "tell"
    CHANGE = "change"
    REPEAT = "repeat"
    DIGEST = "digest"


class Post(NamedTuple):
    """One thing for one notifier to do.

    deed      what
    incident  what it is about; of a digest, the most severe of those that are new in it
    message   id of the message that is meant, None if there is none yet
    is_again  an earlier attempt may have told it
    others    ids of the incidents that are new in a digest
    number    how many incidents a digest stands for
    """

    deed: Deed
    incident: Incident
    message: str | None = None
    is_again: bool = False
    others: tuple[str, ...] = ()
    number: int = 1

    @property
    def about(self) -> str:
        """What stands for it in the outbox."""
        return ALL_FURTHER if self.deed is Deed.DIGEST else self.incident.id


class Fate(StrEnum):
    """What became of a post.

    SEEN    people can see it
    UNSEEN  nobody was told
    MAYBE   nobody knows
    """

    SEEN = "seen"
    UNSEEN = "unseen"
    MAYBE = "maybe"


class Result(NamedTuple):
    """What became of a post.

    post     the post
    fate     how it ended
    message  id that the notifier gave, None without one
    reason   what went wrong, empty if people can see it
    """

    post: Post
    fate: Fate
    message: str | None = None
    reason: str = ""


class Told(NamedTuple):
    """How one incident stands with one notifier.

    message   id of the message, None if none is known
    revision  the newest revision that people see, 0 if none; of a digest, how many it stands for
    at        when something was last sent or failed
    reminded  when people were last told or reminded
    pending   what is under way, None if nothing is
    tries     how often that was tried in vain, or nobody knows
    """

    message: str | None = None
    revision: int = 0
    at: datetime = NEVER
    reminded: datetime = NEVER
    pending: Deed | None = None
    tries: int = 0

    def is_waiting(self, now: datetime) -> bool:
        """Say whether it is too early to try again what was tried in vain."""
        return self.tries > 0 and now < self.at + _delay(self.tries)


class Outbox(NamedTuple):
    """What one notifier was told.

    told    by incident
    recent  when it was given new messages, within the last hour
    """

    told: Mapping[str, Told] = {}
    recent: tuple[datetime, ...] = ()

    def is_behind(self, incidents: Iterable[Incident]) -> bool:
        """Say whether something could not be told that still matters, or may not have been."""
        matters = (one.id for one in incidents if one.is_open or self._of(one.id).revision)
        return any(self._of(name).tries for name in matters)

    def _of(self, incident: str) -> Told:
        return self.told.get(incident, Told())


class Audience(NamedTuple):
    """Which incidents a notifier is told of.

    wants            whether it is told of an incident
    has_safe_repeat  what it may have been told already it finds by itself
    """

    wants: Callable[[Incident], bool]
    has_safe_repeat: bool = False


def plan_posts(
    outbox: Outbox,
    incidents: Iterable[Incident],
    audience: Audience,
    now: datetime,
    *,
    is_last: bool = False,
) -> list[Post]:
    """Return what a notifier is to be told now, the oldest incident first.

    ``is_last`` says that nobody waits for more to join: what has been collected is told at once.
    """
    outbox = _until(outbox, now)
    wanted = sorted(filter(audience.wants, incidents), key=lambda one: one.opened)
    collect = timedelta(0) if is_last else COLLECT
    plans = [_plan_one(outbox.told.get(one.id), one, audience, now, collect) for one in wanted]
    return _keep_budget([post for post in plans if post is not None], outbox, now)


def _plan_one(
    told: Told | None, incident: Incident, audience: Audience, now: datetime, collect: timedelta
) -> Post | None:
    if incident.is_muted(now):
        return None
    if told is None:
        return _tell(incident) if abs(now - incident.opened) >= collect else None
    if told.is_waiting(now):
        return None
    if told.pending is not None and _still_matters(told.pending, incident):
        post = Post(told.pending, incident, told.message, is_again=True)
        return post if audience.has_safe_repeat or _may_repeat(told, incident, now) else None
    return _follow_up(told, incident, now) if told.revision else _tell(incident)


def _still_matters(deed: Deed, incident: Incident) -> bool:
    """Say whether what was cut off is to be done still: nobody is told of what is over, nor
    reminded of what somebody looks after.
    """
    return deed is Deed.CHANGE or (incident.is_open and (deed is Deed.TELL or not incident.acked))


def _may_repeat(told: Told, incident: Incident, now: datetime) -> bool:
    """Say whether what people may have read already is told again: once, and then only where they
    would be reminded anyway. A change is harmless.
    """
    is_harmless = told.pending is Deed.CHANGE or told.tries < MOST_TRIES
    return is_harmless or now - max(told.at, incident.opened) >= REPEAT_AFTER


def _tell(incident: Incident) -> Post | None:
    return Post(Deed.TELL, incident) if incident.is_open else None


def _follow_up(told: Told, incident: Incident, now: datetime) -> Post | None:
    """Return what follows a message that people can see.

    What is in a digest alone has no message: it gets one of its own where people would be reminded.
    So does one whose message cannot be changed any more.
    """
    is_pressing = incident.is_open and incident.severity is Severity.ALARM and not incident.acked
    if is_pressing and now - told.reminded >= REPEAT_AFTER:
        return Post(Deed.REPEAT if told.message else Deed.TELL, incident, told.message)
    is_behind = told.message is not None and told.revision < incident.revision
    if not is_behind or now - told.at < CHANGE_EVERY:
        return None
    if told.tries >= MOST_CHANGES:
        return _tell(incident)
    return Post(Deed.CHANGE, incident, told.message)


def _delay(tries: int) -> timedelta:
    """Return how long to wait after so many attempts."""
    factor = 1 << min(tries - 1, MOST_DOUBLINGS)
    return min(FIRST_DELAY * factor, LONGEST_DELAY)


def _keep_budget(posts: Sequence[Post], outbox: Outbox, now: datetime) -> list[Post]:
    """Let through as many new messages as a channel bears in an hour; a digest tells of the rest.

    Changes of what was told are no new messages, and a reminder waits for the next hour.
    """
    room = MOST_MESSAGES - sum(now - time < BUDGET_SPAN for time in outbox.recent)
    new = [*_of(Deed.TELL, posts), *_of(Deed.REPEAT, posts)]
    spared = new[max(room, 0) :]
    kept = [post for post in posts if post not in spared]
    untold = [post for post in _of(Deed.TELL, spared) if not post.is_again]
    return [*kept, *_digest(untold, outbox, now)]


def _of(deed: Deed, posts: Iterable[Post]) -> list[Post]:
    return [post for post in posts if post.deed is deed]


def _digest(spared: Sequence[Post], outbox: Outbox, now: datetime) -> list[Post]:
    """Return the message that stands for these: the one of this hour is changed if there is one."""
    if not spared:
        return []
    told = outbox.told.get(ALL_FURTHER, Told())
    if told.is_waiting(now):
        return []
    is_of_this_hour = now - told.reminded < BUDGET_SPAN
    if is_of_this_hour and now - told.at < CHANGE_EVERY:
        return []
    others = tuple(post.incident.id for post in spared)
    number = len(others) + (told.revision if is_of_this_hour else 0)
    message = told.message if is_of_this_hour else None
    worst = max(
        (post.incident for post in spared), key=lambda one: list(Severity).index(one.severity)
    )
    return [Post(Deed.DIGEST, worst, message, told.pending is not None, others, number)]


def intend(outbox: Outbox, posts: Iterable[Post], incidents: Iterable[Incident]) -> Outbox:
    """Return the outbox with these posts under way, without what nobody needs any more."""
    at_hand = {one.id for one in incidents} | {ALL_FURTHER}
    told = {about: one for about, one in outbox.told.items() if about in at_hand}
    for post in posts:
        before = told.get(post.about, Told())
        told[post.about] = before._replace(pending=post.deed, tries=before.tries + 1)
    return outbox._replace(told=told)


def note(outbox: Outbox, results: Iterable[Result], now: datetime) -> Outbox:
    """Return the outbox after what became of its posts."""
    outbox = _until(outbox, now)
    told = dict(outbox.told)
    recent = [time for time in outbox.recent if now - time < BUDGET_SPAN]
    for result in results:
        post = result.post
        told[post.about] = _note_one(told.get(post.about, Told()), result, now)
        if result.fate is not Fate.UNSEEN:
            told.update({other: Told(None, 1, now, now) for other in post.others})
            recent += [now] * (post.deed in {Deed.TELL, Deed.REPEAT})
    return Outbox(told, tuple(recent))


def _until(outbox: Outbox, now: datetime) -> Outbox:
    """Return an outbox without times to come, which a clock that was ahead has left."""
    told = {
        about: one._replace(
            at=one.at if one.at <= now else NEVER,
            reminded=one.reminded if one.reminded <= now else NEVER,
        )
        for about, one in outbox.told.items()
    }
    return Outbox(told, tuple(time for time in outbox.recent if time <= now))


def _note_one(before: Told, result: Result, now: datetime) -> Told:
    post = result.post
    if result.fate is Fate.MAYBE:
        return before._replace(at=now)
    if result.fate is Fate.UNSEEN:
        return before._replace(at=now, pending=None)
    is_change = post.deed is Deed.CHANGE
    return Told(
        message=before.message if post.deed is Deed.REPEAT else result.message or before.message,
        revision=post.number if post.deed is Deed.DIGEST else post.incident.revision,
        at=now,
        reminded=before.reminded if is_change else now,
    )


def read_outbox(mark: MarkRecord | None) -> Outbox:
    """Return the outbox that a mark describes, an empty one without a mark."""
    if mark is None:
        return Outbox()
    told = {about: _read_told(values) for about, values in mark.values["told"].items()}
    return Outbox(told, tuple(mark.values["recent"]))


def _read_told(values: Mapping[str, Any]) -> Told:
    pending = values["pending"]
    return Told(**{**values, "pending": pending and Deed(pending)})


def outbox_mark(
    before: MarkRecord | None, outbox: Outbox, where: tuple[str, str], now: datetime
) -> MarkRecord:
    """Return the mark that keeps an outbox; ``where`` is the campaign and the notifier's name."""
    campaign, name = where
    told = {
        about: {**one._asdict(), "pending": one.pending and str(one.pending)}
        for about, one in outbox.told.items()
    }
    values = {"told": told, "recent": list(outbox.recent)}
    return following(before, MarkRecord(OUTBOX, campaign, name, values, now))
