"""What people read: plain rows made from a store's records, the same for terminal, JSON and web."""

from __future__ import annotations

from autoctrl.views.as_json import plain, spell_time
from autoctrl.views.history import Attempt, Made, Step, attempts, made, spell_hint, steps
from autoctrl.views.outputs import Copy, Published, published
from autoctrl.views.overview import Cell, Overview, Row, overview
from autoctrl.views.reasons import general
from autoctrl.views.runs import RunLine, list_runs
from autoctrl.views.task import Place, Why, find_place, why

__all__ = [
    "Attempt",
    "Cell",
    "Copy",
    "Made",
    "Overview",
    "Place",
    "Published",
    "Row",
    "RunLine",
    "Step",
    "Why",
    "attempts",
    "find_place",
    "general",
    "list_runs",
    "made",
    "overview",
    "plain",
    "published",
    "spell_hint",
    "spell_time",
    "steps",
    "why",
]
