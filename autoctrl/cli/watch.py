"""The verb that a scheduler starts, so that people are told although nobody makes cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.cli.health import NOTHING_WRONG, show_conditions
from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import verb

if TYPE_CHECKING:
    from autoctrl.cli.session import Session


@verb("watch")
def watch(session: Session) -> int:
    """Look once whether all is well, and tell people what is due.

    Looks at services, modules, disks, leases, at the nodes of Jenkins, and whether cycles are made.
    Exits with 1 if something is wrong or a task is in trouble, with 2 if it could not look.
    """
    from autoctrl.operations.watch import watch as look
    from autoctrl.process import SystemClock
    from autoctrl.views import Spelling
    from autoctrl.views.tables import tabulate_incidents

    settings = session.settings()
    found = look(settings, session.campaign)
    if session.is_json:
        show_json(campaign=session.campaign, conditions=found.conditions, incidents=found.incidents)
    else:
        spelling = Spelling(settings.project.timezone)
        if found.conditions:
            show_conditions(found.conditions, spelling)
        if found.alarms:
            show_table(tabulate_incidents(found.alarms, SystemClock().now(), spelling))
        if not (found.conditions or found.alarms):
            say(NOTHING_WRONG)
    return int(bool(found.conditions or found.alarms))
