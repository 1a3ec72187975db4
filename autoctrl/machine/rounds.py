"""Rounds over all workflows of a project: discover runs, then one cycle of each.

Every module has a process of its own, so that a broken or slow one stops nobody else.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import StoreError
from autoctrl.handlers.modules import find_modules
from autoctrl.machine.conditions import (
    Present,
    judge_executors,
    judge_settings_of,
    judge_sources,
    longest_lease,
    write_conditions,
)
from autoctrl.machine.discover_runs import discover_or_wait
from autoctrl.machine.disks import DiskRounds, judge_disks
from autoctrl.machine.health import measure_health
from autoctrl.machine.heartbeat import beat
from autoctrl.machine.inquiry import Inquiry, OpenProject
from autoctrl.machine.patience import ModulePatience
from autoctrl.machine.quotas import QuotaRounds
from autoctrl.machine.releases import note_release
from autoctrl.machine.requests import CYCLE, PLAN, read_forecast, read_summary
from autoctrl.machine.settings_file import SettingsFile
from autoctrl.machine.teller import Teller
from autoctrl.model.condition import ConditionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.machine.discover_runs import DiscoveredRuns
    from autoctrl.machine.disks import Disk
    from autoctrl.machine.requests import Forecast
    from autoctrl.machine.summary import Summary
    from autoctrl.model.condition import Verdict
    from autoctrl.ports import Heartbeat

OUTPUTS = "outputs"
LEASE = ConditionKind.LEASE


class Round(NamedTuple):
    """What one round did.

    discovered  runs that were discovered
    summaries   one per workflow, in the order of the chain; a module that could not be loaded goes
                by its folder's name
    """

    discovered: DiscoveredRuns
    summaries: tuple[Summary, ...]

    @property
    def moved(self) -> int:
        """Number of records written."""
        runs = len(self.discovered.new) + len(self.discovered.changed)
        return runs + sum(summary.moved for summary in self.summaries)

    @property
    def processing(self) -> int:
        """Number of tasks in processing afterwards."""
        return sum(summary.open[1] for summary in self.summaries)


class Rounds:
    """Rounds over one campaign of a project; a slow module may finish in a later one."""

    def __init__(
        self, project: OpenProject, campaign: str, workflows: Sequence[str] | None = None
    ) -> None:
        """Work for these workflows of ``campaign``, all by default."""
        self.project, self.campaign, self.workflows = project, campaign, workflows
        self.patience = ModulePatience(project.settings.cycle.module_limit_s)
        self.settings_file = SettingsFile(project.settings)
        self.quotas = QuotaRounds(project.settings, project.quotas(), campaign)
        self.disks = DiskRounds(project.settings)
        self._heartbeat: Heartbeat | None = None
        self._has_noted_release = False
        self.teller = Teller(project, campaign)

    @property
    def is_busy(self) -> bool:
        """Whether a module still works for an earlier round or is being loaded, or people are being
        told.
        """
        return self.patience.is_busy or self.teller.is_sending

    @property
    def is_telling(self) -> bool:
        """Whether people are being told."""
        return self.teller.is_sending

    def cycle(self, *, is_patient: bool = True) -> Round:
        """Discover runs, then make one cycle of every workflow.

        ``is_patient`` waits for modules that are slow, to their time limit; else they go on beside
        the next round. What could not be done is kept as a condition until it can be, and once a
        minute the store remembers that a round was made. Raises ``StoreError`` if nothing may be
        written at all.
        """
        self.project.store.check_writing()
        began = self.project.clock.now()
        self.quotas.start()
        self.disks.start()
        discovered = self._discover()
        self.quotas.take(self.project.store, self.project.clock, is_patient=is_patient)
        inquiry = self._inquiry(CYCLE)
        replies = inquiry.ask_all(is_patient=is_patient)
        summaries = tuple(read_summary(name, reply) for name, reply in replies.items())
        disks = self.disks.take(is_patient=is_patient)
        conclude = partial(self._conclude, discovered, inquiry.verdicts, summaries, disks)
        # What the round did is told all the same.
        deeds = (conclude, partial(self._beat, summaries, disks, began))
        problems = dict.fromkeys(text for deed in deeds for text in _problems_of(deed))
        told = (*discovered.problems, *problems)
        return Round(discovered._replace(problems=told), summaries)

    def plan(self) -> Forecast:
        """Return what the next round would do with each task; nothing is written."""
        return read_forecast(self._inquiry(PLAN).ask_all(is_patient=True))

    def load_modules(self) -> list[Verdict]:
        """Load every workflow module, and return a verdict on each."""
        inquiry = self._inquiry(PLAN)
        inquiry.load_all()
        return inquiry.verdicts

    def _discover(self) -> DiscoveredRuns:
        """Ask the sources for runs; another process that does the same is not an error."""
        project = self.project
        find_campaign(project.store, self.campaign)
        return discover_or_wait(project.store, project.sources(), project.clock)

    def _inquiry(self, what: str) -> Inquiry:
        campaign = find_campaign(self.project.store, self.campaign)
        return Inquiry(self.project, campaign, self.workflows, self.patience, what)

    def _conclude(
        self,
        discovered: DiscoveredRuns,
        modules: Iterable[Verdict],
        summaries: Sequence[Summary],
        disks: Sequence[Disk],
    ) -> None:
        """Write down what could not be done, and tell people what is due."""
        with self.project.store.moment():
            self._write_conditions(discovered, modules, summaries, disks)
            if not self._has_noted_release:
                folder, now = self.project.settings.folder, self.project.clock.now()
                note_release(self.project.store, self.campaign, folder, now)
                self._has_noted_release = True
            self.teller.step()

    def _write_conditions(
        self,
        discovered: DiscoveredRuns,
        modules: Iterable[Verdict],
        summaries: Sequence[Summary],
        disks: Sequence[Disk],
    ) -> None:
        verdicts = [
            *judge_sources(discovered),
            *modules,
            *judge_executors(summaries),
            *judge_settings_of(summaries),
            self.settings_file.judge(),
            *self.quotas.verdicts(self.project.store),
            *judge_disks(disks),
        ]
        now, present = self.project.clock.now(), self._look_around(summaries)
        write_conditions(self.project.store, self.campaign, verdicts, present, now)

    def _look_around(self, summaries: Sequence[Summary]) -> Present:
        settings = self.project.settings
        is_whole = self.workflows is None and not self.patience.is_busy
        return Present(
            sources=frozenset(settings.sources),
            modules=frozenset(path.parent.name for path in find_modules(settings.folder)),
            notifiers=frozenset(self.project.notifier_names),
            quotas=frozenset(settings.quotas),
            is_whole=is_whole and not any(summary.error for summary in summaries),
            refused=frozenset(one.workflow for one in summaries if one.cause == LEASE),
            longest_lease=longest_lease(settings),
        )

    def _beat(self, summaries: Sequence[Summary], disks: Sequence[Disk], began: datetime) -> None:
        project = self.project
        now = project.clock.now()
        free = next((disk.free for disk in disks if disk.what == OUTPUTS), None)
        room = None if free is None else free / 1e6
        sections = project.settings.executors.values()
        slots = sum(section.count_slots() or 0 for section in sections)
        values = measure_health(summaries, (now - began).total_seconds(), room, slots)
        self._heartbeat = beat(project.store, self.campaign, now, self._heartbeat, values)

    def finish(self) -> None:
        """Tell people now what would be told in a later round. Raises ``StoreError``."""
        self.teller.finish()

    def close(self) -> None:
        """End what is still at work for an earlier round."""
        self.patience.close()
        self.quotas.close()
        self.disks.close()


def _problems_of(action: Callable[[], None]) -> Iterator[str]:
    """Act, and yield what the store had against it."""
    try:
        action()
    except StoreError as error:
        yield str(error)
