"""Handlers as a module declares them, and the jobs that they list for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.handler import Handler, Resources
from autoctrl.handlers.inputs import Files
from autoctrl.model.task import InputRef
from tests.unit.given import run, view

if TYPE_CHECKING:
    from autoctrl.locks import Wait
    from autoctrl.model.job import JobSpec


RESOURCES = Resources("cern", 1500, 600, 2)
RAW = Files("run{run:05d}.gz")


def batch(line: str | None = "tool", **declaration: Any) -> BatchHandler:
    return BatchHandler("reco", line, **declaration)


def specs(
    handler: Handler, *refs: InputRef, is_closed: bool = True, unit: Any = None, **facts: Any
) -> list[JobSpec] | Wait:
    """Return what the handler lists for run 7, or for the task given."""
    seen = unit or view(7, runs={7: run(7, **facts)})
    inputs = {ref.name: (ref.url,) for ref in refs}
    return handler.specs(seen._replace(inputs=inputs), RESOURCES, refs, is_closed=is_closed)


def raw(events: int | None) -> InputRef:
    return InputRef("raw", "/raw", 7, events=events)
