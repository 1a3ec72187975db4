"""What came of an operator's verb, task by task."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from autoctrl.model.status import TaskStatus


class Answer(NamedTuple):
    """What a verb did, or would do, to one task; or why it refused.

    workflow  the task's workflow
    unit      the task's unit
    runs      the unit's runs
    before    where it stood, None if there is no such task
    after     where it stands now, None if refused
    version   the version it has now
    refusal   why nothing was done, empty if something was
    sequence  the task's record that was decided about, 0 if there is none
    """

    workflow: str
    unit: str
    runs: tuple[int, ...]
    before: TaskStatus | None
    after: TaskStatus | None
    version: int
    refusal: str = ""
    sequence: int = 0


class Outcome(NamedTuple):
    """What came of one verb.

    verb     its name
    answers  one per task, in the order in which they were asked for
    """

    verb: str
    answers: tuple[Answer, ...]

    @property
    def done(self) -> tuple[Answer, ...]:
        """Answers about tasks that were moved."""
        return tuple(answer for answer in self.answers if not answer.refusal)

    @property
    def refused(self) -> tuple[Answer, ...]:
        """Answers about tasks that were left alone."""
        return tuple(answer for answer in self.answers if answer.refusal)
