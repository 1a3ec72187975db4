"""One look at what nobody might notice otherwise, and telling people what is due.

Rounds tell people by themselves; if nobody makes any, a watch does, started by a scheduler.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.compose import Project
from autoctrl.errors import AutoctrlError, Conflict, LeaseHeld, LeaseLost, StoreError
from autoctrl.incidents import list_incidents
from autoctrl.machine.conditions import (
    judge_leases,
    longest_lease,
    write_watched,
)
from autoctrl.machine.disks import judge_disks, list_disks
from autoctrl.machine.quotas import ask_once, judge_quotas
from autoctrl.machine.teller import Teller
from autoctrl.model.condition import ConditionKind, Verdict
from autoctrl.model.quota import QUOTA
from autoctrl.model.severity import Severity
from autoctrl.model.workflow import WORKFLOW
from autoctrl.operations.doctor import ask_executors, ask_notifiers, ask_sources, load_modules
from autoctrl.operations.outage import tell_of_store
from autoctrl.views import limit_silence, list_conditions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autoctrl.config import Settings
    from autoctrl.model.condition import Condition
    from autoctrl.model.incident import Incident
    from autoctrl.operations.doctor import Finding
    from autoctrl.operations.jenkins import OfflineNode

JENKINS = "Jenkins"


class Watched(NamedTuple):
    """What a watch has found.

    conditions  the open conditions, also those that rounds have found
    incidents   the open incidents
    """

    conditions: Sequence[Condition]
    incidents: Sequence[Incident]

    @property
    def alarms(self) -> list[Incident]:
        """The open incidents of tasks that ask for a person."""
        return [one for one in self.incidents if one.is_of_tasks and one.severity is Severity.ALARM]


class Seen(NamedTuple):
    """What was seen in one place.

    verdicts  on each thing that is there
    kinds     of which nothing else is there
    """

    verdicts: Sequence[Verdict]
    kinds: frozenset[ConditionKind]


def watch(settings: Settings, campaign: str) -> Watched:
    """Look once, write down what has changed, and tell people what is due.

    A store that does not answer cannot keep what people were told: a file beside it does meanwhile.
    Raises ``StoreError``, ``UsageError``.
    """
    try:
        with Project(settings) as project:
            found = _watch(project, campaign)
    except (Conflict, LeaseHeld, LeaseLost):
        raise
    except StoreError as error:
        tell_of_store(settings, str(error))
        raise
    tell_of_store(settings, "")
    return found


def _watch(project: Project, campaign: str) -> Watched:
    find_campaign(project.store, campaign)
    looks = [
        look_at_services(project),
        look_at_leases(project, campaign),
        look_at_nodes(project.settings),
        look_at_quotas(project, campaign),
    ]
    store, now = project.store, project.clock.now()
    verdicts = [verdict for look in looks for verdict in look.verdicts]
    kinds = frozenset[ConditionKind]().union(*(look.kinds for look in looks))
    write_watched(store, campaign, verdicts, kinds, now)
    silent_before = limit_silence(project.settings, now)
    find_conditions = partial(list_conditions, store, campaign, silent_before)
    Teller(project, campaign, find_conditions).finish()
    return Watched(find_conditions(), list_incidents(store, campaign))


def look_at_services(project: Project) -> Seen:
    """Ask what ``doctor`` asks."""
    asked = {
        ConditionKind.EXECUTOR: ask_executors(project),
        ConditionKind.SOURCE: ask_sources(project),
        ConditionKind.NOTIFIER: ask_notifiers(project),
    }
    verdicts = [verdict for kind, found in asked.items() for verdict in _judge(kind, found)]
    verdicts += load_modules(project)
    verdicts += judge_disks(list_disks(project.settings))
    return Seen(verdicts, frozenset({*asked, ConditionKind.MODULE, ConditionKind.DISK}))


def _judge(kind: ConditionKind, findings: dict[str, Finding]) -> Iterator[Verdict]:
    for name, finding in findings.items():
        yield Verdict(kind, name, "" if finding.ok else finding.text)


def look_at_leases(project: Project, campaign: str) -> Seen:
    """Look for workflows that one process holds for too long."""
    workflows = [mark.name for mark in project.store.marks(WORKFLOW, campaign)]
    longest, now = longest_lease(project.settings), project.clock.now()
    found = judge_leases(project.store, campaign, workflows, longest, now)
    return Seen(list(found), frozenset({ConditionKind.LEASE}))


def look_at_quotas(project: Project, campaign: str) -> Seen:
    """Ask how full the quotas are. What rounds know of them stays as it is, for this may be another
    machine; so a quota that is silent is told only if it was silent for rounds as well.
    """
    marks = project.store.marks(QUOTA, campaign)
    found = ask_once(project.settings, project.quotas(), marks, project.clock.now())
    states = {name: state for name, (state, _) in found.items()}
    return Seen(judge_quotas(project.settings, states), frozenset({ConditionKind.QUOTA}))


def look_at_nodes(settings: Settings) -> Seen:
    """Ask Jenkins, if there is one, which of its nodes are offline."""
    try:
        nodes = find_nodes(settings)
    except AutoctrlError as error:
        return Seen([Verdict(ConditionKind.NODE, JENKINS, str(error))], frozenset())
    verdicts = [Verdict(ConditionKind.NODE, node.name, node.reason) for node in nodes]
    return Seen(verdicts, frozenset({ConditionKind.NODE}))


def find_nodes(settings: Settings) -> Sequence[OfflineNode]:
    """Return the nodes of the Jenkins that the settings name, none without one."""
    if not settings.jenkins.url:
        return ()
    from autoctrl.operations.jenkins import find_offline_nodes

    return find_offline_nodes(settings)
