"""What a module's process is asked to do, and how its answers travel: as plain values in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.machine.cycle import Cycle
from autoctrl.machine.summary import Move, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.context import Context
    from autoctrl.machine.situation import Action

CYCLE, PLAN = "cycle", "plan"


class Planned(NamedTuple):
    """One action that a cycle would take, or a reason to wait.

    workflow  the workflow
    unit      the unit
    action    kind of action
    text      what would happen, or why it waits
    moves     something would be written or started
    """

    workflow: str
    unit: str
    action: str
    text: str
    moves: bool


class Forecast(NamedTuple):
    """What the next round would do.

    planned   every task that would move or wait
    problems  sentences about what could not be found out
    """

    planned: list[Planned]
    problems: list[str]


def answer_request(
    handler: Handler, request: Mapping[str, Any], context: Context, alive: Callable[[], None]
) -> dict[str, Any]:
    """Do what a request says, in the process of the handler's module."""
    cycle = Cycle(handler, context, alive)
    if request["do"] == CYCLE:
        return cycle.run()._asdict()
    prospect = cycle.look_ahead()
    rows = [_planned_row(handler.workflow, action) for action in prospect.actions]
    return {"planned": rows, "problems": prospect.problems}


def _planned_row(workflow: str, action: Action) -> Planned:
    moves = bool(action.records or action.submit)
    return Planned(workflow, action.task.unit, action.kind, action.text, moves)


def read_summary(workflow: str, answer: Mapping[str, Any]) -> Summary:
    """Return the summary that the answer to ``cycle`` holds; an error alone is one, too."""
    if set(answer) == {"error"}:
        return Summary(workflow, error=answer["error"])
    moves = tuple(Move(*row) for row in answer["moves"])
    tuples = {name: tuple(answer[name]) for name in ("open", "hosts")}
    return Summary(**{**answer, **tuples, "moves": moves})


def read_forecast(answers: Mapping[str, Mapping[str, Any]]) -> Forecast:
    """Return what the answers to ``plan`` say, by workflow."""
    planned: list[Planned] = []
    problems: list[str] = []
    for workflow, answer in answers.items():
        if answer.get("error"):
            problems.append(f"{workflow}: {answer['error']}")
        planned += [Planned(*row) for row in _rows(answer)]
        problems += answer.get("problems", ())
    return Forecast(planned, problems)


def _rows(answer: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    rows: Sequence[Sequence[Any]] = answer.get("planned", ())
    return rows
