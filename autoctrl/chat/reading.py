"""What can be read in the chat: status, why, failed, incidents, quota, help."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from autoctrl.campaigns import find_campaign
from autoctrl.chat.grammar import list_help
from autoctrl.chat.replies import Reply, say
from autoctrl.errors import UsageError
from autoctrl.incidents import find_incident, list_incidents
from autoctrl.machine.disks import list_disks
from autoctrl.model.campaign import PROMPT
from autoctrl.model.table import Table, plain_lines
from autoctrl.verbs.targets import check_length
from autoctrl.views import (
    explain,
    read_overview,
    shared_reasons,
    spell_condition,
    spell_explanation,
    spell_size,
)
from autoctrl.views.failures import list_failed
from autoctrl.views.filter import FilterText
from autoctrl.views.incidents import list_incident_facts
from autoctrl.views.quotas import list_quotas, tabulate_quotas
from autoctrl.views.runs import runs_of_campaign, select_runs
from autoctrl.views.spelling import count
from autoctrl.views.tables import tabulate_incidents, tabulate_overview, tabulate_reasons
from autoctrl.views.totals import read_everything, urgent_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.chat.desk import Caller, Desk
    from autoctrl.chat.grammar import Asked
    from autoctrl.machine.disks import Disk
    from autoctrl.model.incident import Incident
    from autoctrl.model.task import TaskRecord
    from autoctrl.views import Overview

NEWEST = 15
MOST_RUNS = 100
LONGEST_LIMIT = 9
WHY_UNITS = 2


def campaign_of(asked: Asked) -> str:
    """Return the campaign that is meant."""
    return asked.options.get("campaign", PROMPT)


def link_to(desk: Desk, campaign: str, words: str) -> str:
    """Return where more is to be seen: on the web page, or by words on the command line."""
    page = desk.settings.chat.page_url.rstrip("/")
    if page:
        return f"{page}/campaigns/{quote(campaign, safe='')}"
    option = "" if campaign == PROMPT else f" --campaign {campaign}"
    return f"autoctrl {words}{option}"


def show_status(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    """Show where the newest runs stand, what cannot be done, and why tasks wait or failed; of what
    failed or raises an alarm all that the selection means, whether its run is shown or not.

    What this costs depends on how many runs are shown and on what is not done.
    """
    del caller
    campaign, limit = campaign_of(asked), _read_limit(asked)
    selection = check_length(asked.options.get("runs", ""))
    numbers = runs_of_campaign(desk.store, campaign, desk.index.numbers(), selection)
    shown = numbers[-limit:]
    seen = read_overview(desk.store, campaign, shown, silent_before=desk.silent_before)
    where = f"{desk.settings.environment} " if desk.settings.environment else ""
    head = f"{where}{campaign}: the newest {len(shown)} of {count(numbers, 'run')}"
    conditions = [f"! {spell_condition(one, desk.spelling)}" for one in seen.conditions]
    lines = _list_runs(desk, seen, _urgent(desk, campaign, selection))
    link = link_to(desk, campaign, f"status --limit {limit}")
    return Reply([head, *conditions], lines, link)


def _urgent(desk: Desk, campaign: str, selection: str) -> list[TaskRecord]:
    """Return the tasks that ask for a person, of all runs that a selection means."""
    known = desk.index.numbers()
    everything = read_everything(
        desk.store, campaign, runs_of_campaign(desk.store, campaign, known, "")
    )
    some = frozenset(select_runs(desk.store, known, selection)) if selection else None
    return urgent_for(everything, some, FilterText())


def _list_runs(desk: Desk, seen: Overview, urgent: Sequence[TaskRecord]) -> list[str]:
    """Return the table of runs, and why tasks wait or failed."""
    lines = plain_lines(tabulate_overview(seen)) if seen.runs else []
    reasons = tabulate_reasons(shared_reasons(seen.runs[::-1], urgent), desk.spelling)
    return [*lines, "", *plain_lines(reasons)] if reasons.rows else lines


def _read_limit(asked: Asked) -> int:
    text = asked.options.get("limit", str(NEWEST))
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < LONGEST_LIMIT else 0
    if 0 < number <= MOST_RUNS:
        return number
    message = f"'{text[:20]}' is not a number of runs from 1 to {MOST_RUNS}."
    raise UsageError(message)


def show_why(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    """Say where a run's task stands, and why."""
    del caller
    sentences = _explain(desk, campaign_of(asked), asked.words["RUN"], asked.words["WORKFLOW"])
    return say(*sentences)


def _explain(desk: Desk, campaign: str, unit: str, workflow: str) -> Sequence[str]:
    seen = explain(desk.store, campaign, unit, workflow, silent_before=desk.silent_before)
    return spell_explanation(seen, desk.spelling)


def show_failed(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    """List what has failed for good, a line for all that say the same."""
    del caller
    campaign = campaign_of(asked)
    found = list_failed(desk.store, campaign)
    if not found:
        return say(f"Nothing has failed in {campaign}.")
    rows = [(one.workflow, str(one.size), one.units, one.reason) for one in found]
    total = sum(one.size for one in found)
    lines = plain_lines(Table(("WORKFLOW", "TASKS", "UNITS", "WHY"), rows))
    link = link_to(desk, campaign, "status")
    return Reply([f"{count(total, 'task')} failed in {campaign}."], lines, link)


def show_incidents(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    """List the open incidents, or all that is known of one."""
    del caller
    campaign = campaign_of(asked)
    find_campaign(desk.store, campaign)
    if "ID" in asked.words:
        found = find_incident(desk.store, campaign, asked.words["ID"])
        return Reply(lines=_facts_of(desk, found))
    listed = list_incidents(desk.store, campaign, with_closed="all" in asked.options)
    if not listed:
        return say("There is no incident.")
    table = tabulate_incidents(listed[::-1], desk.project.clock.now(), desk.spelling)
    link = link_to(desk, campaign, "incidents list")
    return Reply([f"{count(listed, 'incident')} in {campaign}"], plain_lines(table), link)


def _facts_of(desk: Desk, incident: Incident) -> list[str]:
    return [f"{fact.name}: {fact.text}" for fact in list_incident_facts(incident, desk.spelling)]


def show_incident(desk: Desk, campaign: str, incident: Incident) -> Reply:
    """Say all that is known of an incident, and why its first tasks stand where they stand."""
    lines = _facts_of(desk, incident)
    for unit in incident.units[:WHY_UNITS]:
        headline, *rest = _explain(desk, campaign, unit, incident.workflow)
        lines += ["", headline, *(f"  {line}" for line in rest)]
    link = link_to(desk, campaign, f"incidents show {incident.id}")
    return Reply(lines=lines, link=link)


def show_quota(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    """Say how much room is left: on the disks that matter, and in the quotas as the last round that
    asked them knows them.
    """
    del caller
    campaign = campaign_of(asked)
    sentences = [_spell_disk(disk) for disk in list_disks(desk.settings)]
    quotas = list_quotas(desk.store, campaign, desk.settings)
    lines = plain_lines(tabulate_quotas(quotas, desk.spelling)) if quotas else []
    return Reply(sentences, lines, link_to(desk, campaign, "quota") if quotas else "")


def _spell_disk(disk: Disk) -> str:
    if disk.free is None:
        return f"{disk.what}: nobody knows how much is left. {disk.problem}"
    short = f" That is short: {disk.short}." if disk.short else ""
    return f"{disk.what}: {spell_size(disk.free)} left.{short}"


def show_help(desk: Desk, caller: Caller, asked: Asked) -> Reply:
    """Say what the caller may say here."""
    del desk
    role = str(caller.role) if caller.role else "nobody"
    lines = list_help(caller.role, asked.words.get("VERB", ""))
    who = f"Your id is {caller.person.id}; your role here: {role}."
    return Reply([who], lines)
