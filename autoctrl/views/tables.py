"""Tables of text: the overview, why tasks wait or failed, what failed, incidents. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.table import NOTHING, Table
from autoctrl.views.incidents import spell_state, spell_title
from autoctrl.views.overview import spell_cell
from autoctrl.views.reasons import spell_shared

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from autoctrl.model.incident import Incident
    from autoctrl.views.overview import Overview
    from autoctrl.views.reasons import SharedReason
    from autoctrl.views.spelling import Spelling


def tabulate_overview(seen: Overview) -> Table:
    """Return a row for each run, a column for each workflow."""
    rows = [
        (
            str(row.run),
            row.status,
            *(spell_cell(row.tasks[workflow]) or NOTHING for workflow in seen.workflows),
        )
        for row in seen.runs
    ]
    return Table(("RUN", "STATUS", *seen.workflows), rows)


def tabulate_reasons(reasons: Iterable[SharedReason], spelling: Spelling) -> Table:
    """Return why tasks wait or failed, a row for all that share a reason; perhaps no row."""
    lines = [
        (shared.status, shared.workflow, shared.about, spell_shared(shared, spelling))
        for shared in reasons
    ]
    return Table(("STATUS", "WORKFLOW", "UNITS", "WHY"), lines)


def tabulate_incidents(found: Iterable[Incident], now: datetime, spelling: Spelling) -> Table:
    """Return a row for each incident."""
    rows = [
        (
            one.id,
            one.workflow or NOTHING,
            spell_state(one, now),
            spelling.time(one.opened),
            str(one.struck or NOTHING),
            spell_title(one),
        )
        for one in found
    ]
    return Table(("ID", "WORKFLOW", "IS", "SINCE", "TASKS", "WHAT"), rows)
