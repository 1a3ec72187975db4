"""An order: one verb as a program asks for it in JSON, checked, and handed over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl import verbs
from autoctrl.errors import UsageError, nearest
from autoctrl.model.actor import LONGEST_NAME, LONGEST_REASON
from autoctrl.model.duration import parse_duration
from autoctrl.verbs.targets import check_length
from autoctrl.views import to_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.model.outcome import Answer, Outcome
    from autoctrl.verbs import Request

    Deed = Callable[[Request, "Order"], dict[str, Any]]

LONGEST = {
    "workflow": 200,
    "runs": 4000,
    "incident": 64,
    "reason": LONGEST_REASON,
    "name": LONGEST_NAME,
    "campaign": 200,
    "span": 40,
}


class Order(NamedTuple):
    """What a program asks for; each verb takes some of it.

    workflow    the workflow that is meant
    runs        a selection such as ``4500-4510,fill:8222``
    incident    the beginning of an incident's id
    reason      why; kept in the history
    name        who asks, where the server knows nobody's name
    campaign    the campaign, by default the one that the page shows first
    span        for how long, such as ``2h``; for as long as it lasts if empty
    downstream  also every task that consumed an output of them
    stale       every stale task, or those of ``runs``
    dry_run     say what would happen, and write nothing
    """

    workflow: str = ""
    runs: str = ""
    incident: str = ""
    reason: str = ""
    name: str = ""
    campaign: str = ""
    span: str = ""
    downstream: bool = False
    stale: bool = False
    dry_run: bool = False


class ApiVerb(NamedTuple):
    """One verb of the API.

    summary   what it does
    needs     what an order must name, beside the reason
    may_have  what it may name, beside name, campaign and dry_run
    act       does it, and returns the answer
    """

    summary: str
    needs: tuple[str, ...]
    may_have: tuple[str, ...]
    act: Deed

    @property
    def fields(self) -> tuple[str, ...]:
        """All that an order of this verb may name."""
        return (*self.needs, "reason", *self.may_have, *COMMON)


COMMON = ("name", "campaign", "dry_run")


class NotDone(UsageError):
    """A verb that moved no task: each was refused; ``values`` say why."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Say so."""
        refusals = [one["refusal"] for one in values["refused"]]
        super().__init__(refusals[0] if refusals else "No such task.", hint="Nothing was done.")
        self.values = values


def read_order(verb: ApiVerb, body: bytes) -> Order:
    """Return the order that a body holds.

    Raises ``UsageError`` if it is no JSON object, names what the verb does not take, lacks what it
    needs, or has a value of a wrong type or length.
    """
    given = _read_object(body)
    for name, value in given.items():
        if name not in verb.fields:
            message = f"This verb takes no '{name[:40]}'. {nearest(name, verb.fields)}"
            raise UsageError(message)
        _check(name, value)
    for name in (*verb.needs, "reason"):
        if not str(given.get(name, "")).strip():
            raise UsageError(f"{name} is missing." if name not in given else f"{name} is empty.")
    return Order(**given)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        message = "The body is not JSON."
        raise UsageError(message, hint='Write an object such as {"runs": "4521"}.') from error
    if not isinstance(given, dict):
        message = "The body is JSON, but no object."
        raise UsageError(message, hint='Write an object such as {"runs": "4521"}.')
    return given


def _check(name: str, value: object) -> None:
    """Raise ``UsageError`` for a value that a field of an order cannot have."""
    if name not in LONGEST:
        if not isinstance(value, bool):
            message = f"{name} must be true or false."
            raise UsageError(message)
        return
    if not isinstance(value, str):
        message = f"{name} must be a text."
        raise UsageError(message)
    if len(value) > LONGEST[name]:
        message = f"{name} has more than {LONGEST[name]} letters."
        raise UsageError(message)
    if value and not value.isprintable():
        message = f"{name} must be one line without control characters."
        raise UsageError(message)


def _about_tasks(act: Callable[[Request, Order], Outcome]) -> Deed:
    """Make what moves tasks a deed of the API. Raises ``NotDone`` if no task was moved."""

    def do(request: Request, order: Order) -> dict[str, Any]:
        check_length(order.runs) if order.runs else None
        outcome = act(request, order)
        values = {
            "verb": outcome.verb,
            "campaign": request.campaign,
            "reason": request.reason,
            "dry_run": request.dry_run,
            "done": [_plain(answer) for answer in outcome.done],
            "refused": [
                {**_plain(answer), "refusal": answer.refusal} for answer in outcome.refused
            ],
        }
        if not outcome.done and (outcome.refused or not order.stale):
            raise NotDone(values)
        return values

    return do


def _plain(answer: Answer) -> dict[str, Any]:
    values: dict[str, Any] = to_plain(answer)
    del values["refusal"]
    return values


def _about_pause(act: Callable[[Request, str], bool], *, is_paused: bool) -> Deed:
    def do(request: Request, order: Order) -> dict[str, Any]:
        is_changed = act(request, order.workflow)
        return {
            "campaign": request.campaign,
            "workflow": order.workflow,
            "paused": is_paused,
            "changed": is_changed,
            "dry_run": request.dry_run,
        }

    return do


def _about_incident(act: Callable[[Request, Order], Any]) -> Deed:
    def do(request: Request, order: Order) -> dict[str, Any]:
        incident = to_plain(act(request, order))
        return {"campaign": request.campaign, "incident": incident, "dry_run": request.dry_run}

    return do


def _reprocess(request: Request, order: Order) -> Outcome:
    if order.stale:
        if order.downstream:
            message = "stale takes no downstream."
            hint = "What lies downstream becomes stale when the new version is done."
            raise UsageError(message, hint=hint)
        return verbs.reprocess_stale(request, order.workflow, order.runs or None)
    if not order.runs:
        message = "reprocess needs runs, or stale."
        raise UsageError(message)
    return verbs.reprocess(request, order.runs, order.workflow, downstream=order.downstream)


def _mute(request: Request, order: Order) -> Any:  # noqa: ANN401 - an incident, made plain
    span = timedelta(seconds=parse_duration(order.span)) if order.span else None
    return verbs.mute(request, order.incident, span)


TASKS = ("workflow", "runs")
VERBS: Mapping[str, ApiVerb] = {
    "retry": ApiVerb(
        "Try failed and skipped tasks again.",
        TASKS,
        (),
        _about_tasks(lambda request, order: verbs.retry(request, order.runs, order.workflow)),
    ),
    "reprocess": ApiVerb(
        "Send tasks through their workflow again, as the next version.",
        ("workflow",),
        ("runs", "downstream", "stale"),
        _about_tasks(_reprocess),
    ),
    "skip": ApiVerb(
        "Take new and failed tasks out of the processing.",
        TASKS,
        (),
        _about_tasks(lambda request, order: verbs.skip(request, order.runs, order.workflow)),
    ),
    "fail": ApiVerb(
        "End processing tasks; each fails when its jobs are gone.",
        TASKS,
        (),
        _about_tasks(lambda request, order: verbs.fail(request, order.runs, order.workflow)),
    ),
    "complete": ApiVerb(
        "Declare new and failed tasks done by hand, without files.",
        TASKS,
        (),
        _about_tasks(
            lambda request, order: verbs.complete(request, order.runs, order.workflow, ())
        ),
    ),
    "pause": ApiVerb(
        "Submit nothing more for a workflow.",
        ("workflow",),
        (),
        _about_pause(verbs.pause, is_paused=True),
    ),
    "resume": ApiVerb(
        "Let a paused workflow submit again.",
        ("workflow",),
        (),
        _about_pause(verbs.resume, is_paused=False),
    ),
    "ack": ApiVerb(
        "Say that somebody looks after an incident.",
        ("incident",),
        (),
        _about_incident(lambda request, order: verbs.acknowledge(request, order.incident)),
    ),
    "mute": ApiVerb(
        "Let nobody hear of an incident for a while, or until it is over.",
        ("incident",),
        ("span",),
        _about_incident(_mute),
    ),
    "close": ApiVerb(
        "Close an incident although its tasks are in trouble.",
        ("incident",),
        (),
        _about_incident(lambda request, order: verbs.dismiss(request, order.incident)),
    ),
}
