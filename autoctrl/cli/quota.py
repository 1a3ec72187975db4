"""The verb quota: asks how much room is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import verb
from autoctrl.model.quota import QUOTA
from autoctrl.model.size import spell_size
from autoctrl.model.table import NOTHING, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.cli.session import Session
    from autoctrl.compose import Project
    from autoctrl.machine.disks import Disk
    from autoctrl.views import Spelling
    from autoctrl.views.quotas import QuotaLine

NO_QUOTAS = "There is no quota in the settings. Declare one: [quotas.scratch] type = 'local'"


@verb("quota")
def quota(session: Session) -> int:
    """Ask every quota and disk how much room is left.

    Nothing is written down. Exits with 1 if one is nearly full or does not answer.
    """
    from autoctrl.machine.disks import list_disks

    with session.open() as project:
        find_campaign(project.store, session.campaign)
        disks = list(list_disks(project.settings))
        quotas = ask_quotas(project, session.campaign)
        spelling = session.spelling(project)
    if session.is_json:
        show_json(campaign=session.campaign, disks=_describe(disks), quotas=quotas)
    else:
        show_room(disks, quotas, spelling)
    is_well = not any(disk.short or disk.problem for disk in disks)
    return int(not is_well or not all(line.is_well for line in quotas))


def ask_quotas(project: Project, campaign: str) -> list[QuotaLine]:
    """Return how full the quotas are now; each has 20 s to answer."""
    from autoctrl.machine.quotas import ask_once
    from autoctrl.views.quotas import describe_quotas

    marks = project.store.marks(QUOTA, campaign)
    settings = project.settings
    found = ask_once(settings, project.quotas(), marks, project.clock.now())
    now = {name: state._replace(problem=problem) for name, (state, problem) in found.items()}
    return describe_quotas(settings.quotas, now)


def _describe(disks: Sequence[Disk]) -> list[dict[str, object]]:
    return [{**disk._asdict(), "folder": str(disk.folder)} for disk in disks]


def _spell_state(disk: Disk) -> str:
    if disk.problem:
        return "silent"
    return "short" if disk.short else "ok"


def show_room(disks: Sequence[Disk], quotas: Sequence[QuotaLine], spelling: Spelling) -> None:
    """Print disks and quotas, a table of each."""
    from autoctrl.views.quotas import tabulate_quotas

    rows = [
        (
            disk.what,
            _spell_state(disk),
            NOTHING if disk.free is None else spell_size(disk.free),
            str(disk.folder),
        )
        for disk in disks
    ]
    show_table(Table(("DISK OF", "IS", "LEFT", "WHERE"), rows))
    say()
    if quotas:
        show_table(tabulate_quotas(quotas, spelling))
    else:
        say(NO_QUOTAS)
