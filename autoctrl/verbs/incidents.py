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
    return _change(
        request, text, lambda one: one.changed(acked=_remark(request)), lambda one: one.acked
    )


def mute(request: Request, text: str, span: timedelta | None) -> Incident:
    """Let nobody hear of an incident for so long, or for as long as it lasts; raises likewise."""
    until = None if span is None else request.clock.now() + span
    remark = _remark(request)._replace(until=until)
    return _change(request, text, lambda one: one.changed(muted=remark), lambda one: one.muted)


def dismiss(request: Request, text: str) -> Incident:
    """Close an incident although its tasks are in trouble; the next one opens it again.

    Raises likewise.
    """
    return _change(
        request,
        text,
        lambda one: close(one, request.clock.now(), _remark(request)),
        lambda one: one.ended_by,
    )


def _remark(request: Request) -> Remark:
    return Remark(request.actor.name, request.reason, request.clock.now())


def _change(
    request: Request,
    text: str,
    decide: Callable[[Incident], Incident],
    said: Callable[[Incident], Remark | None],
) -> Incident:
    """Change an open incident as ``decide`` says, and return it as it is then; ``said`` returns
    what was said of it in the same way last.

    Nobody is waited for, however long a cycle of the workflow takes.
    """
    found = find_incident(request.store, request.campaign, text)
    last = said(found)
    if last is not None and request.has_written(last.name, last.reason, last.time):
        return found
    write_with_marks(
        lambda marks: write(request, marks, None), partial(_marks, request, found, decide)
    )
    return find_incident(request.store, request.campaign, found.id)


def _marks(
    request: Request, found: Incident, decide: Callable[[Incident], Incident]
) -> list[MarkRecord]:
    """Return the marks that keep an incident, which may have changed since it was found, as a
    person changes it.
    """
    kept = kept_of(request.store, request.campaign, found.workflow)
    current = next((one for one in kept.incidents if one.id == found.id), found)
    if not current.is_open:
        message = f"Incident {current.id} is over since {current.closed:%Y-%m-%d %H:%M:%S} UTC."
        raise UsageError(message, hint="Nothing needs to be done about it.")
    wanted = [decide(one) if one.id == current.id else one for one in kept.incidents]
    where = (request.campaign, found.workflow)
    marks = write_down(kept.mark, wanted, where, request.clock.now())
    return [mark._replace(actor=request.actor, reason=request.reason) for mark in marks]
