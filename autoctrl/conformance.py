"""What every source and every notifier must keep, as tests: for packages that bring one, too.

A test module derives a class from the contract of its port and gives it a fixture ``subject`` that
opens the adapter and moves the world around it::

    import pytest
    from autoctrl.conformance import NotifierContract


    class TestGong(NotifierContract):
        @pytest.fixture
        def subject(self, tmp_path):
            return GongSubject(tmp_path)
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from autoctrl.errors import NotifierError
from autoctrl.model.severity import Severity
from autoctrl.ports import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.run import Value
    from autoctrl.ports import Notifier, Seen, Source

# The run attributes that a project with the source under test declares.
ATTRIBUTES = {"kind": "str", "events": "int", "start": "time"}
PHYSICS: Mapping[str, Value] = {
    "kind": "physics",
    "events": 25,
    "start": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}
ALARM = Message(
    "prompt/reco/4521",
    Severity.ALARM,
    "run 4521 / reco failed for good",
    "The disk is full.",
    "logs/4521",
)
# All that a notifier must tell which cannot change what it has told.
DONE = ALARM._replace(title="run 4521 / reco is done", revision=2, is_over=True)


class NotifierSubject(Protocol):
    """A notifier under test, and the service behind it."""

    def open(self) -> Notifier:
        """Open one more notifier for the same service, as another process would."""

    def seen(self) -> str:
        """Return all that people can read now."""

    def break_service(self) -> None:
        """Let the service be out of reach from now on."""


class NotifierContract:
    """What every notifier must keep."""

    def test_people_see_what_is_told(self, subject: NotifierSubject) -> None:
        """Title, text and link are there for people to read, and the message has an id."""
        assert isinstance(subject.open().tell(ALARM), str)
        assert all(part in subject.seen() for part in (ALARM.title, ALARM.text, ALARM.link))

    def test_every_severity_is_told(self, subject: NotifierSubject) -> None:
        """A notifier leaves nothing out by itself: the setting ``severity`` filters before it."""
        notifier = subject.open()
        for severity in Severity:
            message = Message(severity, severity, f"this is {severity}")
            assert notifier.tell(message) is not None
            assert message.title in subject.seen()

    def test_any_text_can_be_told(self, subject: NotifierSubject) -> None:
        """Line breaks, any language, bytes that are not text and long text do no harm."""
        notifier = subject.open()
        for text in ("line\nbreak", "Pixel → größer 🔥", "\udc80\x00", "long " * 2000, ""):
            assert notifier.tell(ALARM._replace(text=text)) is not None

    def test_people_see_that_it_is_over(self, subject: NotifierSubject) -> None:
        """A message that is changed because the trouble is over shows its new title."""
        notifier = subject.open()
        told = notifier.tell(ALARM)
        assert told is not None
        assert notifier.change(told, DONE)
        assert DONE.title in subject.seen()

    def test_an_id_outlives_the_process(self, subject: NotifierSubject) -> None:
        """What one process told, another can change."""
        told = subject.open().tell(ALARM)
        assert told is not None
        assert subject.open().change(told, DONE._replace(title="seen by another process"))
        assert "seen by another process" in subject.seen()

    def test_a_broken_service_is_an_answer(self, subject: NotifierSubject) -> None:
        """Nothing is raised while nobody can be told; only ``ping`` says what is wrong."""
        notifier = subject.open()
        told = notifier.tell(ALARM)
        assert told is not None
        subject.break_service()
        assert notifier.tell(ALARM) is None
        assert not notifier.change(told, DONE)
        assert _complaint(notifier)

    def test_what_may_have_been_told_is_told_again(self, subject: NotifierSubject) -> None:
        """After a kill; one that says so lets people see it once."""
        notifier = subject.open()
        told = notifier.tell(ALARM)
        again = subject.open().tell(ALARM._replace(is_again=True))
        assert again is not None
        assert ALARM.title in subject.seen()
        if notifier.has_safe_repeat:
            assert again == told
            assert subject.seen().count(ALARM.title) == 1

    def test_it_says_who_is_told(self, subject: NotifierSubject) -> None:
        """``ping`` returns one line."""
        answer = subject.open().ping()
        assert answer
        assert "\n" not in answer


def _complaint(notifier: Notifier) -> str:
    """Return why a notifier does not work, empty if it does."""
    try:
        notifier.ping()
    except NotifierError as error:
        return error.message
    return ""


class SourceSubject(Protocol):
    """A source under test, with ``ATTRIBUTES`` declared, and the runs behind it."""

    name: str

    def open(self) -> Source:
        """Open the source under its name, as another process would."""

    def put(self, number: int, attributes: Mapping[str, Value], *, is_closed: bool) -> None:
        """Let a run be there, with these attributes and no others."""

    def spoil(self, number: int) -> None:
        """Let what is known of a run be unreadable until it is put again."""

    def lose(self) -> None:
        """Let all runs be out of reach."""


class SourceContract:
    """What every source must keep."""

    def test_no_runs_are_no_problem(self, subject: SourceSubject) -> None:
        """A source that has no runs yet sees none, under the name of its table."""
        source = subject.open()
        assert source.name == subject.name
        assert (list(source.discover()), list(source.problems)) == ([], [])

    def test_runs_are_seen_by_number(self, subject: SourceSubject) -> None:
        """Each once, with values of the declared types."""
        for number in (12, 3, 100):
            subject.put(number, PHYSICS, is_closed=True)
        runs = list(subject.open().discover())
        assert [run.number for run in runs] == [3, 12, 100]
        assert all(_has(run, PHYSICS) and run.is_closed for run in runs)

    def test_what_is_not_known_is_left_out(self, subject: SourceSubject) -> None:
        """An attribute without a value is absent, so that another source may say it."""
        subject.put(7, {"kind": "physics"}, is_closed=True)
        (run,) = subject.open().discover()
        assert _has(run, {"kind": "physics"})
        assert "start" not in run.attributes

    def test_a_run_closes_later(self, subject: SourceSubject) -> None:
        """An open run is seen as open, and as closed once it is."""
        source = subject.open()
        subject.put(7, PHYSICS, is_closed=False)
        assert [run.is_closed for run in source.discover()] == [False]
        subject.put(7, PHYSICS, is_closed=True)
        assert [run.is_closed for run in source.discover()] == [True]

    def test_asking_again_changes_nothing(self, subject: SourceSubject) -> None:
        """The same runs are seen again, by this process and by another."""
        subject.put(7, PHYSICS, is_closed=True)
        source = subject.open()
        first = list(source.discover())
        assert list(source.discover()) == list(subject.open().discover()) == first

    def test_a_new_run_appears(self, subject: SourceSubject) -> None:
        """A source that has been asked before sees what came since."""
        source = subject.open()
        subject.put(1, PHYSICS, is_closed=True)
        assert [run.number for run in source.discover()] == [1]
        subject.put(2, PHYSICS, is_closed=True)
        assert [run.number for run in source.discover()] == [1, 2]

    def test_an_unreadable_run_stops_no_other(self, subject: SourceSubject) -> None:
        """It is left out and named as a problem, until it can be read."""
        source = subject.open()
        for number in (1, 2, 3):
            subject.put(number, PHYSICS, is_closed=True)
        subject.spoil(2)
        assert [run.number for run in source.discover()] == [1, 3]
        assert "2" in " ".join(source.problems)
        subject.put(2, PHYSICS, is_closed=True)
        assert [run.number for run in source.discover()] == [1, 2, 3]
        assert list(source.problems) == []

    def test_lost_runs_are_a_problem_not_an_error(self, subject: SourceSubject) -> None:
        """Nothing is seen and nothing is raised; a sentence says why."""
        source = subject.open()
        subject.put(1, PHYSICS, is_closed=True)
        assert len(list(source.discover())) == 1
        subject.lose()
        assert list(source.discover()) == []
        assert list(source.problems)


def _has(run: Seen, attributes: Mapping[str, Value]) -> bool:
    """Say whether a run has these attributes, each with a value of the very type."""
    found = {name: run.attributes.get(name) for name in attributes}
    types = {name: type(value) for name, value in attributes.items()}
    return found == attributes and {name: type(value) for name, value in found.items()} == types
