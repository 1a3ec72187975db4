"""When people are told, and how often: what each notifier is to be told now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.machine.outbox import (
    MOST_MESSAGES,
    Audience,
    Deed,
    Fate,
    Outbox,
    Post,
    Result,
    intend,
    note,
    outbox_mark,
    plan_posts,
    read_outbox,
)
from autoctrl.model.incident import FAILED, Incident, Remark, Trouble, close, join
from autoctrl.model.severity import Severity
from tests.unit.given import NOW, later

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERYBODY = Audience(lambda _: True)
CAREFUL = Audience(lambda _: True, has_safe_repeat=True)
HOUR = 3600.0
LONG = 10 * HOUR


def incident(name: str = "no pedestal", at: float = 0.0) -> Incident:
    (made,) = join([], "reco", [Trouble(FAILED, "", "1", name)], later(at))
    return made


def deeds(
    outbox: Outbox, incidents: Sequence[Incident], at: float, *, is_last: bool = False
) -> list[Deed]:
    posts = plan_posts(outbox, incidents, EVERYBODY, later(at), is_last=is_last)
    return [post.deed for post in posts]


class Desk:
    """A notifier's outbox, and what becomes of what it is handed over."""

    def __init__(self, audience: Audience = EVERYBODY) -> None:
        self.audience = audience
        self.outbox = Outbox()
        self.told = 0

    def posts(self, at: float, *incidents: Incident, is_last: bool = False) -> list[Post]:
        return plan_posts(self.outbox, incidents, self.audience, later(at), is_last=is_last)

    def hand_over(self, at: float, *incidents: Incident, is_last: bool = False) -> list[Post]:
        """Write down what is due, and go no further, as somebody does who is killed then."""
        posts = self.posts(at, *incidents, is_last=is_last)
        self.outbox = intend(self.outbox, posts, incidents)
        return posts

    def send(self, at: float, *incidents: Incident, fate: Fate = Fate.SEEN) -> list[Deed]:
        """Hand over what is due, all with the same fate; return what was done."""
        posts = self.hand_over(at, *incidents)
        results = []
        for post in posts:
            self.told += 1
            message = f"m{self.told}" if fate is Fate.SEEN else None
            results.append(Result(post, fate, message))
        self.outbox = note(self.outbox, results, later(at))
        return [post.deed for post in posts]


def test_troubles_are_collected_for_a_minute_unless_nobody_waits() -> None:
    """A cycle that is the last one for now tells at its end what it has collected."""
    assert deeds(Outbox(), [incident()], 59) == []
    assert deeds(Outbox(), [incident()], 60) == [Deed.TELL]
    assert deeds(Outbox(), [incident()], 0, is_last=True) == [Deed.TELL]


def test_what_was_over_before_it_was_told_is_never_told() -> None:
    """Nor what people do not want to hear of, until they do."""
    assert deeds(Outbox(), [close(incident(), later(30))], 60) == []
    muted = incident()._replace(muted=Remark("ada", "access", NOW, later(100)))
    assert deeds(Outbox(), [muted], 99) == []
    assert deeds(Outbox(), [muted], 100) == [Deed.TELL]


def test_a_notifier_is_told_what_it_wants() -> None:
    """The oldest first."""
    first, second, third = incident("a", 2), incident("b", 1), incident("c", 3)
    picky = Audience(lambda one: one.gist != "a")
    posts = plan_posts(Outbox(), [first, second, third], picky, later(100))
    assert [post.incident for post in posts] == [second, third]


def test_changes_are_shown_at_most_once_a_minute() -> None:
    """In the message that was told; without a change nothing is said."""
    desk, one = Desk(), incident()
    assert desk.send(60, one) == [Deed.TELL]
    assert desk.posts(90, one) == []
    more = one.changed(units=("1", "2"))
    assert desk.posts(119, more) == []
    (post,) = desk.posts(120, more)
    assert (post.deed, post.message, post.is_again) == (Deed.CHANGE, "m1", False)
    assert desk.send(120, more) == [Deed.CHANGE]
    assert desk.posts(600, more) == []
    assert desk.send(601, close(more, later(600))) == [Deed.CHANGE]


def test_a_change_waits_while_nobody_wants_to_hear() -> None:
    """And is shown when the mute has ended."""
    desk, one = Desk(), incident()
    desk.send(60, one)
    muted = one.changed(muted=Remark("ada", "access", NOW, later(HOUR)))
    assert desk.posts(200, muted) == []
    assert desk.send(HOUR, muted) == [Deed.CHANGE]


def test_an_alarm_that_nobody_acknowledges_is_repeated_every_four_hours() -> None:
    """Below its message; an acknowledged one, one that is over and a lesser one are not."""
    desk, one = Desk(), incident()
    desk.send(60, one)
    assert desk.posts(60 + 4 * HOUR - 1, one) == []
    (post,) = desk.posts(60 + 4 * HOUR, one)
    assert (post.deed, post.message) == (Deed.REPEAT, "m1")
    assert desk.send(60 + 4 * HOUR, one) == [Deed.REPEAT]
    assert desk.outbox.told[one.id].message == "m1"
    assert desk.posts(60 + 8 * HOUR - 1, one) == []
    assert desk.posts(60 + 8 * HOUR, one) != []
    for calm in (
        one._replace(acked=Remark("ada", "I look", NOW)),
        one._replace(closed=later(LONG)),
        one._replace(severity=Severity.WARNING),
        one._replace(muted=Remark("ada", "access", NOW)),
    ):
        assert desk.posts(LONG, calm) == []


def test_what_could_not_be_told_is_told_later_and_later() -> None:
    """A minute, two, four, … at most an hour after the last attempt."""
    desk, one = Desk(), incident()
    at, waits = 60.0, []
    for _ in range(9):
        assert desk.send(at, one, fate=Fate.UNSEEN) == [Deed.TELL]
        before = at
        while not desk.posts(at, one):
            at += 30
        waits.append((at - before) / 60)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert desk.send(at, one) == [Deed.TELL]
    assert desk.outbox.told[one.id].tries == 0


@pytest.mark.parametrize(("audience", "attempts"), [(EVERYBODY, 2), (CAREFUL, 5)])
def test_what_may_have_been_told_is_repeated_once_or_looked_for(
    audience: Audience, attempts: int
) -> None:
    """Whoever is killed leaves the intent; a notifier that finds its own messages may try on."""
    desk, one = Desk(audience), incident()
    found = [desk.hand_over(60 + number * 0.7 * HOUR, one) for number in range(5)]
    assert [bool(posts) for posts in found] == [number < attempts for number in range(5)]
    assert [posts[0].is_again for posts in found if posts] == [False] + [True] * (attempts - 1)
    assert desk.hand_over(60 + 4 * HOUR, one) != [], "nothing is lost for ever"


def test_nobody_knows_is_as_good_as_killed() -> None:
    """It is tried once more after a while, and then left alone."""
    desk, one = Desk(), incident()
    assert desk.send(60, one, fate=Fate.MAYBE) == [Deed.TELL]
    assert desk.posts(119, one) == []
    (post,) = desk.posts(120, one)
    assert post.is_again
    assert desk.send(120, one, fate=Fate.MAYBE) == [Deed.TELL]
    assert desk.posts(119 + 4 * HOUR, one) == []
    assert [post.deed for post in desk.posts(120 + 4 * HOUR, one)] == [Deed.TELL]


def test_a_change_that_was_cut_off_is_made_again() -> None:
    """The same message is changed to the same text: twice is once."""
    desk, one = Desk(), incident()
    desk.send(60, one)
    more = one.changed(units=("1", "2"))
    desk.hand_over(120, more)
    (post,) = desk.posts(180, more)
    assert (post.deed, post.message, post.is_again) == (Deed.CHANGE, "m1", True)


def test_a_channel_bears_twenty_messages_an_hour_and_then_a_digest() -> None:
    """One message stands for all further incidents of the hour, changed at most once a minute."""
    desk = Desk()
    many = [incident(f"trouble {letter * 3}", at=number) for number, letter in enumerate(LETTERS)]
    first, rest = many[:MOST_MESSAGES], many[MOST_MESSAGES:]
    assert desk.send(100, *first) == [Deed.TELL] * MOST_MESSAGES
    (post,) = desk.posts(160, *first, *rest[:4])
    assert (post.deed, post.message, post.number) == (Deed.DIGEST, None, 4)
    assert desk.send(160, *first, *rest[:4]) == [Deed.DIGEST]
    assert desk.posts(200, *many) == []
    (post,) = desk.posts(220, *many)
    assert (post.deed, post.message, post.number) == (Deed.DIGEST, "m21", len(rest))
    desk.send(220, *many)
    assert desk.posts(230, *many) == []
    assert desk.posts(3000, *[one.changed(struck=5) for one in rest]) == []
    late = incident("another hour", at=4000)
    assert desk.send(4100, late) == [Deed.TELL]


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def test_a_digest_that_was_cut_off_is_told_again() -> None:
    """Of what is in it nothing is lost."""
    desk = Desk()
    many = [incident(f"trouble {letter * 3}") for letter in LETTERS]
    (*_, post) = desk.hand_over(100, *many)
    assert (post.deed, post.number, post.is_again) == (Deed.DIGEST, 6, False)
    (post,) = [one for one in desk.posts(200, *many) if one.deed is Deed.DIGEST]
    assert (post.number, post.is_again) == (6, True)


def test_an_alarm_in_a_digest_gets_a_message_of_its_own_later() -> None:
    """Where people would be reminded of it, if nobody has acknowledged it."""
    desk = Desk()
    many = [incident(f"trouble {letter * 3}") for letter in LETTERS]
    desk.send(100, *many)
    last = many[-1]
    assert desk.outbox.told[last.id].message is None
    assert desk.posts(99 + 4 * HOUR, last.changed(struck=9)) == []
    assert [post.deed for post in desk.posts(100 + 4 * HOUR, last)] == [Deed.TELL]
    assert desk.posts(100 + 4 * HOUR, last._replace(acked=Remark("ada", "I look", NOW))) == []


def test_a_digest_is_as_severe_as_the_worst_in_it() -> None:
    """Whatever is the oldest."""
    desk = Desk()
    many = [
        incident(f"trouble {letter * 3}", at=number)._replace(severity=Severity.INFO)
        for number, letter in enumerate(LETTERS)
    ]
    many[-1] = many[-1]._replace(severity=Severity.ALARM)
    *_, digest = desk.posts(100, *many)
    assert (digest.deed, digest.incident) == (Deed.DIGEST, many[-1])


def test_what_may_have_been_told_fills_the_channel_too() -> None:
    """A notifier that never answers in time is no reason to flood people."""
    desk = Desk()
    many = [incident(f"trouble {letter * 3}") for letter in LETTERS]
    first = desk.send(100, *many, fate=Fate.MAYBE)
    assert first == [Deed.TELL] * MOST_MESSAGES + [Deed.DIGEST]
    assert desk.posts(110, *many) == []
    assert desk.posts(300, *many) == [], "the hour is full"


def test_a_digest_that_failed_waits_like_everything_else() -> None:
    """A minute, then two."""
    desk = Desk()
    many = [incident(f"trouble {letter * 3}") for letter in LETTERS]
    desk.send(100, *many[:20])
    assert desk.send(100, *many, fate=Fate.UNSEEN) == [Deed.DIGEST]
    assert desk.posts(159, *many) == []
    assert [post.deed for post in desk.posts(160, *many)] == [Deed.DIGEST]


def test_a_clock_that_was_ahead_silences_nobody() -> None:
    """What it has left lies in the future and does not count."""
    desk, year = Desk(), 365 * 24 * HOUR
    early = [incident(f"trouble {letter * 3}", at=year) for letter in LETTERS[:20]]
    desk.send(year + 60, *early)
    late = incident("later", at=100)
    assert [post.deed for post in desk.posts(160, late, *early)] == [Deed.TELL] + [Deed.REPEAT] * 19
    ahead = incident("ahead", at=year)
    assert [post.deed for post in desk.posts(200, ahead, is_last=True)] == [Deed.TELL]


def test_a_message_that_cannot_be_changed_is_told_anew() -> None:
    """After three refusals; before that, a reminder goes first when it is due."""
    desk, one = Desk(), incident()
    desk.send(60, one)
    more, at = one.changed(struck=2), 200.0
    for _ in range(3):
        assert desk.send(at, more, fate=Fate.UNSEEN) == [Deed.CHANGE]
        at += 1000
    assert [post.deed for post in desk.posts(60 + 4 * HOUR, more)] == [Deed.REPEAT]
    assert desk.send(at, more) == [Deed.TELL]
    assert desk.outbox.told[one.id].message == "m5"


def test_what_was_cut_off_is_left_where_it_does_not_matter_any_more() -> None:
    """Nobody is told again of what is muted or over, nor reminded of what somebody looks after."""
    desk, one = Desk(), incident()
    desk.hand_over(60, one)
    assert desk.posts(200, one) != []
    assert desk.posts(200, one._replace(muted=Remark("ada", "access", NOW))) == []
    assert desk.posts(200, close(one, later(100))) == []
    desk = Desk()
    desk.send(60, one)
    assert [post.deed for post in desk.hand_over(60 + 4 * HOUR, one)] == [Deed.REPEAT]
    acked = one._replace(acked=Remark("ada", "I look", NOW))
    assert desk.posts(200 + 4 * HOUR, acked) == []


def test_a_reminder_waits_for_room() -> None:
    """New incidents go first, and a reminder is not part of a digest."""
    desk = Desk()
    old = incident("old")
    desk.send(60, old)
    fresh = [incident(f"trouble {letter * 3}", at=4 * HOUR) for letter in LETTERS[:20]]
    assert desk.send(60 + 4 * HOUR, old, *fresh) == [Deed.TELL] * 20
    assert desk.posts(60 + 4 * HOUR + 1, old, *fresh) == []
    assert [post.deed for post in desk.posts(60 + 5 * HOUR, old)] == [Deed.REPEAT]


def test_a_notifier_is_behind_while_something_matters_that_it_could_not_tell() -> None:
    """Not what was over before anybody was told of it."""
    desk, one = Desk(), incident()
    assert not desk.outbox.is_behind([one])
    desk.send(60, one, fate=Fate.UNSEEN)
    assert desk.outbox.is_behind([one])
    assert not desk.outbox.is_behind([close(one, later(70))])
    desk.send(120, one)
    assert not desk.outbox.is_behind([one])
    over = close(one, later(130))
    desk.send(180, over, fate=Fate.UNSEEN)
    assert desk.outbox.is_behind([over])


def test_what_is_not_at_hand_is_forgotten() -> None:
    """An outbox does not grow with the years."""
    desk = Desk()
    desk.send(60, incident("a"), incident("b"))
    kept = incident("c", at=HOUR)
    desk.send(2 * HOUR, kept)
    assert desk.outbox.told.keys() == {kept.id}
    assert len(desk.outbox.recent) == 1


def test_an_outbox_is_kept_as_a_mark() -> None:
    """What was written is read again, with what is under way."""
    desk = Desk()
    first = incident("a")
    desk.send(60, first)
    desk.hand_over(200, first.changed(struck=2))
    mark = outbox_mark(None, desk.outbox, ("prompt", "shift"), NOW)
    assert (mark.kind, mark.campaign, mark.name, mark.sequence) == ("outbox", "prompt", "shift", 1)
    assert read_outbox(mark) == desk.outbox
    assert read_outbox(None) == Outbox()
    after = outbox_mark(mark, Outbox(), ("prompt", "shift"), NOW)
    assert (after.sequence, read_outbox(after)) == (2, Outbox())
    assert after.time - mark.time < timedelta(seconds=1)


def test_three_hundred_failures_are_one_message_and_few_changes() -> None:
    """Ten a round, a round every ten seconds, for five minutes: one message and at most five
    changes.
    """
    desk = Desk()
    incidents: list[Incident] = []
    done: list[Deed] = []
    for number in range(42):
        at = 10.0 * number
        if number < 30:
            failures = [
                Trouble(FAILED, "", str(unit), f"run {unit} has no pedestal")
                for unit in range(10 * number, 10 * number + 10)
            ]
            incidents = join(incidents, "reco", failures, later(at))
        done += desk.send(at, *incidents)
    assert done[0] is Deed.TELL
    assert set(done[1:]) == {Deed.CHANGE}
    assert len(done[1:]) <= 5
    assert incidents[0].struck == 300
    assert desk.outbox.told[incidents[0].id].revision == incidents[0].revision
