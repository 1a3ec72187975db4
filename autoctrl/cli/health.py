"""The verbs that say what is wrong: doctor asks now, health lists what the cycles have found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import verb
from autoctrl.model.table import Table
from autoctrl.views import list_conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.cli.session import Session
    from autoctrl.model.condition import Condition
    from autoctrl.views import Spelling

NOTHING_WRONG = "Nothing is known to be wrong."


@verb("doctor", has_campaign=False)
def doctor(session: Session) -> int:
    """Ask every configured service whether it works.

    Each that does not gets a hint. Exits with 2 if something does not work.
    """
    from autoctrl.operations.doctor import examine

    findings = examine(session.settings)
    if session.is_json:
        show_json(services=findings)
    else:
        rows = [
            (item.service, "ok" if item.ok else "failed", item.text, item.hint) for item in findings
        ]
        show_table(Table(("SERVICE", "IS", "SAYS", "DO"), rows))
    return 0 if all(item.ok for item in findings) else 2


@verb("health")
def health(session: Session) -> int:
    """List what cannot be done now, or may not: each with its reason and what to do.

    Exits with 1 if there is anything.
    """
    with session.open() as project:
        find_campaign(project.store, session.campaign)
        found = list_conditions(project.store, session.campaign, session.silent_before(project))
        spelling = session.spelling(project)
    if session.is_json:
        show_json(campaign=session.campaign, conditions=found)
    elif found:
        show_conditions(found, spelling)
    else:
        say(NOTHING_WRONG)
    return int(bool(found))


def show_conditions(found: Sequence[Condition], spelling: Spelling) -> None:
    """Print conditions as a table."""
    rows = [
        (one.kind, one.about, spelling.time(one.since), one.reason, one.remedy) for one in found
    ]
    show_table(Table(("KIND", "WHICH", "SINCE", "WHAT", "DO"), rows))
