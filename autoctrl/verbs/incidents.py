"""Verbs about incidents: acknowledge, mute, close."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from autoctrl.errors import UsageError
from autoctrl.incidents import find_incident, kept_of, write_with_marks
from autoctrl.model.incident import Remark, close, write_down
from autoctrl.verbs.request import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from autoctrl.model.incident import Incident
    from autoctrl.model.output import MarkRecord
    from autoctrl.verbs.request import Request


def acknowledge(request: Request, text: str) -> Incident:
    """Say that somebody looks after an incident; nobody is reminded of it any more.

    ``text`` is the beginning of its id. Raises ``UsageError`` if it is over.
    """
    return _change(request, text, lambda one: one.changed(acked=_remark(request)))


def mute(request: Request, text: str, span: timedelta | None) -> Incident:
    """Let nobody hear of an incident for so long, or for as long as it lasts; raises likewise."""
    until = None if span is None else request.clock.now() + span
    remark = _remark(request)._replace(until=until)
    return _change(request, text, lambda one: one.changed(muted=remark))


def dismiss(request: Request, text: str) -> Incident:
    """Close an incident although its tasks are in trouble; the next one opens it again.

    Raises likewise.
    """
    return _change(request, text, lambda one: close(one, request.clock.now(), _remark(request)))


def _remark(request: Request) -> Remark:
    return Remark(request.actor.name, request.reason, request.clock.now())


def _change(request: Request, text: str, decide: Callable[[Incident], Incident]) -> Incident:
    """Change an open incident as ``decide`` says, and return it as it is then.

    Nobody is waited for, however long a cycle of the workflow takes.
    """
    name = find_incident(request.store, request.campaign, text).id
    write_with_marks(
        lambda marks: write(request, marks, None), partial(_marks, request, name, decide)
    )
    return find_incident(request.store, request.campaign, name)


def _marks(request: Request, name: str, decide: Callable[[Incident], Incident]) -> list[MarkRecord]:
    """Return the marks that keep an incident as a person changes it."""
    found = find_incident(request.store, request.campaign, name)
    if not found.is_open:
        message = f"Incident {found.id} is over since {found.closed:%Y-%m-%d %H:%M:%S} UTC."
        raise UsageError(message, hint="Nothing needs to be done about it.")
    kept = kept_of(request.store, request.campaign, found.workflow)
    wanted = [decide(one) if one.id == name else one for one in kept.incidents]
    where = (request.campaign, found.workflow)
    marks = write_down(kept.mark, wanted, where, request.clock.now())
    return [mark._replace(actor=request.actor, reason=request.reason) for mark in marks]
