"""What every page of one server shares: the project, what it has learned of it, and how a page is
drawn.
"""

from __future__ import annotations

from copy import copy
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from autoctrl import __version__
from autoctrl.compose import HintsOfTask
from autoctrl.machine.settings_file import SettingsFile
from autoctrl.model.severity import Severity
from autoctrl.model.unit import is_group, spell_unit
from autoctrl.process import spell_owner
from autoctrl.views import (
    Spelling,
    explain,
    limit_silence,
    list_conditions,
    list_facts,
    spell_actor,
    spell_ending,
    spell_failure,
    spell_hint,
    spell_memory,
    spell_reason,
    spell_seconds,
    spell_size,
    spell_subject,
    spell_time,
)
from autoctrl.views.conditions import limit_processing, with_verdict
from autoctrl.views.measured import Measurements
from autoctrl.views.public import hide_condition
from autoctrl.views.runs import RunIndex, runs_of_campaign
from autoctrl.views.spelling import spell_age, spell_countdown
from autoctrl.views.totals import read_everything
from autoctrl.web.crowds.shared_answers import SharedAnswers
from autoctrl.web.entry.cookies import A_YEAR_S, let_keep, read_kept
from autoctrl.web.entry.csrf import COOKIE, Guard
from autoctrl.web.entry.gate import Gate
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.files.logs import read_hints
from autoctrl.web.site import links
from autoctrl.web.site.activity import TaskCounter
from autoctrl.web.site.notes import Notes
from autoctrl.web.site.order_ledger import FILE_NAME, OrderLedger
from autoctrl.web.site.pace import Pace
from autoctrl.web.site.public import PublicStore
from autoctrl.web.site.zone import check_zone, remember_zone, zones_of

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.compose import Project
    from autoctrl.model.condition import Condition
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Store
    from autoctrl.views import Explanation
    from autoctrl.views.totals import Everything
    from autoctrl.web.site.zone import Zones

TEMPLATES = Path(__file__).parents[1] / "templates"
NAME_COOKIE = "autoctrl_name"
FIRST_ERROR = 400


@cache
def load_templates() -> Environment:
    """Return the templates, compiled once in a process; each escapes whatever it is given."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "links": links,
        "version": __version__,
        "spell_unit": spell_unit,
        "is_group": is_group,
        "iso": spell_time,
        "size": spell_size,
        "memory": spell_memory,
        "seconds": spell_seconds,
        "actor": spell_actor,
        "reason_of": spell_reason,
        "ending": spell_ending,
        "failure": spell_failure,
        "subject": spell_subject,
        "hint_line": spell_hint,
        "facts": list_facts,
    }
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


class Site:
    """One server's state; ``campaign`` is the one that is shown first, ``host`` the address it is
    bound to.
    """

    def __init__(self, project: Project, campaign: str, host: str) -> None:
        """Read the list of runs and the templates, so that the first page is as quick as the
        others.
        """
        self.project, self.campaign, self.host = project, campaign, host
        self.is_public = False
        self.clock = clock = project.clock
        self.store: Store = project.store
        store = self.store
        settings = project.settings
        self.index = RunIndex(store)
        self.index.numbers()
        self.started = clock.now()
        self.settings_file = SettingsFile(settings)
        self.measurements = Measurements(store)
        self.tasks = TaskCounter(store, clock)
        self.guard, self.notes = Guard(), Notes()
        self.gate = Gate(settings, clock)
        self.answers = SharedAnswers(clock, store.revision)
        self.orders = OrderLedger(settings.state_folder / FILE_NAME)
        self.pace = Pace(clock)
        self.spelling = Spelling(settings.project.timezone)
        self._fixed = _facts_of(project)
        load_templates()

    @property
    def silent_before(self) -> datetime | None:
        """Since when a campaign must have had a cycle, None if it never must."""
        return limit_silence(self.project.settings, self.clock.now())

    @property
    def long_before(self) -> datetime | None:
        """Since when a task is processing for long, None if it never is."""
        return limit_processing(self.project.settings, self.clock.now())

    def everything(self, campaign: str) -> Everything:
        """Return the totals of a campaign and the tasks that ask for a person."""
        numbers = runs_of_campaign(self.store, campaign, self.index.numbers(), "")
        return read_everything(
            self.store,
            campaign,
            numbers,
            silent_before=self.silent_before,
            known_done=self.tasks.known_done(),
        )

    def conditions(self, campaign: str) -> tuple[Condition, ...]:
        """Return what cannot be done now, or may not: also that somebody has broken the settings
        since this server has read them, for a cycle that starts then cannot say so.
        """
        found = list_conditions(self.store, campaign, self.silent_before)
        verdict = self.settings_file.judge()
        known = with_verdict(found, verdict, self.settings_file.broken_since(self.clock.now()))
        return tuple(map(hide_condition, known)) if self.is_public else known

    def hints(self, key: TaskKey) -> HintsOfTask:
        """Return what the jobs of a task said of themselves, and what kept that from being read."""
        return HintsOfTask([]) if self.is_public else read_hints(self.project, key)

    def for_everybody(self) -> Site:
        """Return this site as everybody may see it where the page is public."""
        shown = copy(self)
        shown.is_public = True
        shown.store = PublicStore(self.store)
        shown.measurements = Measurements(shown.store)
        return shown

    def explain(self, campaign: str, unit: str, workflow: str) -> Explanation:
        """Say how a task stands and why, as its last cycle left it. Raises ``UsageError``."""
        return explain(self.store, campaign, unit, workflow, silent_before=self.silent_before)

    def draw(
        self,
        request: Request,
        name: str,
        campaign: str,
        *,
        status_code: int = 200,
        **values: object,
    ) -> HTMLResponse:
        """Return the page that the template ``name`` makes of ``values``, with a form token for
        this browser.

        Answers 400 where the address names a zone that there is not.
        """
        if status_code < FIRST_ERROR:
            check_zone(request)
        now = self.clock.now()
        is_shared = getattr(request.state, "is_shared", False)
        zones = self.zones(request)
        cookie = self.guard.cookie(read_kept(request, COOKIE))
        text = (
            load_templates()
            .get_template(name)
            .render(
                **self._fixed,
                **self._of_visitor(request, cookie),
                campaign=campaign,
                campaigns=[mark.name for mark in self.store.marks("campaign")],
                conditions=sorted(self.conditions(campaign), key=_weight_of),
                now=now,
                zones=zones,
                time=zones.spelling.time,
                value=zones.spelling.value,
                age=partial(spell_age, now=now),
                countdown=partial(spell_countdown, now=now),
                last_cycle=self._spell_last_cycle(campaign, now),
                **values,
            )
        )
        response = HTMLResponse(text, status_code)
        if not is_shared and read_kept(request, COOKIE) != cookie:
            let_keep(request, response, COOKIE, cookie)
        remember_zone(request, response)
        return response

    def _of_visitor(self, request: Request, cookie: str) -> dict[str, object]:
        """Return what a page shows of who looks at it and of what they have done, and the token of
        its forms unless it is drawn for several.
        """
        visitor = visitor_of(request)
        is_shared = getattr(request.state, "is_shared", False)
        token = {} if is_shared else {"token": self.guard.token(cookie, visitor.session)}
        return {
            "visitor": visitor,
            "notes": self.notes.take(request.query_params.get("note", "")),
            "can_log_in": self.gate.porter is not None,
            "person": unquote(read_kept(request, NAME_COOKIE)),
            **token,
        }

    def zones(self, request: Request) -> Zones:
        """Return in which zone times are shown to a reader."""
        return zones_of(request, self.spelling, self.project.settings.project.timezone)

    def remember(self, request: Request, response: Response, name: str) -> None:
        """Let the browser fill in the person's name next time."""
        let_keep(request, response, NAME_COOKIE, quote(name), lasts_s=A_YEAR_S)

    def _spell_last_cycle(self, campaign: str, now: datetime) -> str:
        last = self.store.heartbeats().get(campaign)
        if last is None:
            return "no cycle yet"
        return f"last cycle {spell_age(last.time, now)} by {spell_owner(last.owner)}"


def _weight_of(condition: Condition) -> int:
    """Return where a condition stands among others: what matters most comes first."""
    return -list(Severity).index(condition.severity)


def _facts_of(project: Project) -> dict[str, object]:
    """Return what every page shows of a project."""
    settings = project.settings
    return {
        "project": settings.project.name or project.folder.name,
        "environment": settings.environment,
        "has_quotas": bool(settings.quotas),
    }


def site_of(request: Request) -> Site:
    """Return the site that a request is made to, as whoever makes it may see it."""
    state = request.app.state
    is_known = visitor_of(request).is_member or not state.site.gate.is_closed
    return cast("Site", state.site if is_known else state.public)
