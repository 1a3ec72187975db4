"""Asks every service that the settings name whether it works."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.compose import Project, open_inboxes, ping_hints
from autoctrl.config import read_secret_lines
from autoctrl.errors import AutoctrlError
from autoctrl.machine.disks import list_disks
from autoctrl.machine.quotas import ask_once
from autoctrl.machine.rounds import Rounds
from autoctrl.model.campaign import PROMPT
from autoctrl.model.condition import ConditionKind, remedy_for
from autoctrl.model.quota import QUOTA, spell_usage
from autoctrl.model.signature import SHORTEST_KEY
from autoctrl.views import spell_size
from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.model.condition import Verdict
    from autoctrl.ports import Source


class Finding(NamedTuple):
    """What asking one service gave.

    service  kind and name
    ok       it answered
    text     what it said, or what is wrong
    hint     what to do, empty if it is fine
    """

    service: str
    ok: bool
    text: str
    hint: str = ""


def examine(load: Callable[[], Settings]) -> list[Finding]:
    """Return what each service says: settings, which ``load`` returns, bucket of hints, Jenkins,
    store, executors, sources, keys of hooks, modules, disks, quotas, notifiers.
    """
    try:
        settings = load()
    except AutoctrlError as error:
        return [_fault("settings", error)]
    environment = f", environment {settings.environment}" if settings.environment else ""
    findings = [Finding("settings", ok=True, text=f"{settings.folder}{environment}")]
    if settings.hints.url:
        findings.append(_ask("hints", partial(ping_hints, settings)))
    if settings.jenkins.url:
        findings.append(_ask("jenkins", partial(_ping_jenkins, settings)))
    try:
        project = Project(settings)
    except AutoctrlError as error:
        return [*findings, _fault("store", error)]
    with project:
        return [*findings, *_examine_project(project)]


def _examine_project(project: Project) -> Iterator[Finding]:
    yield _ask("store", project.store.ping)
    yield from ask_executors(project).values()
    yield from ask_sources(project).values()
    yield from _hooks(project.settings)
    yield _describe_modules(load_modules(project))
    yield from _disks(project.settings)
    yield from _quotas(project)
    yield from ask_notifiers(project).values()


def ask_executors(project: Project) -> dict[str, Finding]:
    """Return what each executor says, by name."""
    return {
        name: _ask(f"executor {name}", partial(_ping_executor, project, name))
        for name in project.settings.executors
    }


def ask_notifiers(project: Project) -> dict[str, Finding]:
    """Return what each notifier says, by name."""
    return {
        name: _ask(f"notifier {name}", partial(_ping_notifier, project, name))
        for name in project.notifier_names
    }


def ask_sources(project: Project) -> dict[str, Finding]:
    """Return what each source says, by name; no run is written."""
    return {source.name: _ask_source(source) for source in project.sources()}


def load_modules(project: Project) -> list[Verdict]:
    """Load every workflow module, and return a verdict on each."""
    with closing(Rounds(project, PROMPT)) as rounds:
        return rounds.load_modules()


def _ask(service: str, ping: Callable[[], str]) -> Finding:
    try:
        return Finding(service, ok=True, text=ping())
    except AutoctrlError as error:
        return _fault(service, error)


def _fault(service: str, error: AutoctrlError) -> Finding:
    return Finding(service, ok=False, text=error.message, hint=error.hint)


def _ping_jenkins(settings: Settings) -> str:
    from autoctrl.operations.jenkins import ping_jenkins

    return ping_jenkins(settings)


def _ping_executor(project: Project, name: str) -> str:
    return project.executor(name).ping()


def _ping_notifier(project: Project, name: str) -> str:
    return project.listener(name).ping()


def _ask_source(source: Source) -> Finding:
    name = f"source {source.name}"
    try:
        seen = list(source.discover())
    except AutoctrlError as error:
        return _fault(name, error)
    problems = "; ".join(source.problems)
    if problems:
        return Finding(name, ok=False, text=problems, hint="Repair what is named there.")
    return Finding(name, ok=True, text=f"{len(seen)} runs")


def _hooks(settings: Settings) -> Iterator[Finding]:
    """Say of each file by which what is sent is judged whether it is there, and kept secret."""
    hooks, chat = settings.hooks.secret_file, settings.chat.token_file
    if hooks:
        ask = partial(check_keys, settings.path(hooks), "[hooks] secret_file", SHORTEST_KEY)
        yield _ask("buttons of chat", ask)
    if chat:
        yield _ask("command of chat", partial(check_keys, settings.path(chat), "[chat] token_file"))
    try:
        inboxes = open_inboxes(settings)
    except AutoctrlError:
        return  # said of the sources already
    for inbox in inboxes:
        setting = f"[sources.{inbox.name}] secret_file"
        ask = partial(check_keys, inbox.secret_file, setting, SHORTEST_KEY)
        yield _ask(f"hook of source {inbox.name}", ask)


def check_keys(path: Path, setting: str, shortest: int = 1) -> str:
    """Return one line about a file of keys.

    Raises ``SettingsError`` if it cannot be used, or anybody on this machine can read it.
    """
    keys = read_secret_lines(path, setting, shortest=shortest)
    return f"{count(len(keys), 'key')} in {path}"


def _describe_modules(verdicts: list[Verdict]) -> Finding:
    """Say whether every workflow module can be loaded."""
    broken = [verdict.reason for verdict in verdicts if verdict.reason]
    if broken:
        hint = remedy_for(ConditionKind.MODULE, "")
        return Finding("workflow modules", ok=False, text=" ".join(broken), hint=hint)
    return Finding("workflow modules", ok=True, text=f"{len(verdicts)} can be loaded")


def _disks(settings: Settings) -> Iterator[Finding]:
    """Say how much room there is, folder by folder."""
    for disk in list_disks(settings):
        if disk.short:
            hint = remedy_for(ConditionKind.DISK, disk.what)
            yield Finding(f"disk of {disk.what}", ok=False, text=disk.short, hint=hint)
        elif disk.free is None:
            text = f"Nobody knows how much room {disk.folder} has: {disk.problem}"
            hint = remedy_for(ConditionKind.DISK, disk.what)
            yield Finding(f"disk of {disk.what}", ok=False, text=text, hint=hint)
        else:
            text = f"{spell_size(disk.free)} left below {disk.folder}"
            yield Finding(f"disk of {disk.what}", ok=True, text=text)


def _quotas(project: Project) -> Iterator[Finding]:
    """Ask each quota, and say whether it answers; one that is full has answered."""
    marks = project.store.marks(QUOTA, PROMPT)
    found = ask_once(project.settings, project.quotas(), marks, project.clock.now())
    for name, (state, problem) in found.items():
        usage = state.usage
        text = problem or ("it is still being counted" if usage is None else spell_usage(usage))
        yield Finding(f"quota {name}", ok=not problem, text=text)
