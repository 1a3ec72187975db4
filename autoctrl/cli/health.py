"""The verbs that say what is wrong: doctor asks now, health lists what the cycles have found."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import verb
from autoctrl.compose import open_inboxes, ping_hints
from autoctrl.errors import AutoctrlError
from autoctrl.hooks.keys import check_keys
from autoctrl.machine.conditions import free_bytes, judge_disks, watched_folders
from autoctrl.machine.rounds import Rounds
from autoctrl.model.campaign import PROMPT
from autoctrl.model.condition import ConditionKind, remedy_for
from autoctrl.model.table import Table
from autoctrl.views import list_conditions, spell_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autoctrl.cli.session import Session
    from autoctrl.compose import Project


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


@verb("doctor", has_campaign=False)
def doctor(session: Session) -> int:
    """Ask every configured service whether it works.

    Each that does not gets a hint. Exits with 2 if something does not work.
    """
    findings = examine(session)
    if session.is_json:
        show_json(services=findings)
    else:
        rows = [
            (item.service, "ok" if item.ok else "failed", item.text, item.hint) for item in findings
        ]
        show_table(Table(("SERVICE", "IS", "SAYS", "DO"), rows))
    return 0 if all(item.ok for item in findings) else 2


def examine(session: Session) -> list[Finding]:
    """Return what each service says: settings, bucket of hints, store, executors, sources, keys of
    hooks, notifiers.
    """
    findings = [_ask("settings", lambda: _describe_settings(session))]
    if not findings[0].ok:
        return findings
    if session.settings().hints.url:
        findings.append(_ask("hints", lambda: ping_hints(session.settings())))
    try:
        project = session.open()
    except AutoctrlError as error:
        return [*findings, Finding("store", ok=False, text=error.message, hint=error.hint)]
    with project:
        findings.append(_ask("store", project.store.ping))
        findings += [
            _ask(f"executor {name}", partial(_ping, project, name))
            for name in project.settings.executors
        ]
        findings += _sources(project)
        findings += _hooks(project)
        findings.append(_modules(project))
        findings += _disks(project)
        findings += [
            _ask(f"notifier {name}", partial(_ping_notifier, project, name))
            for name in project.notifier_names
        ]
    return findings


def _ask(service: str, ping: Callable[[], str]) -> Finding:
    try:
        return Finding(service, ok=True, text=ping())
    except AutoctrlError as error:
        return Finding(service, ok=False, text=error.message, hint=error.hint)


def _ping(project: Project, executor: str) -> str:
    return project.executor(executor).ping()


def _ping_notifier(project: Project, name: str) -> str:
    return project.listener(name).ping()


def _describe_settings(session: Session) -> str:
    settings = session.settings()
    return f"{settings.folder}" + (
        f", environment {settings.environment}" if settings.environment else ""
    )


def _modules(project: Project) -> Finding:
    """Say whether every workflow module can be loaded."""
    with closing(Rounds(project, PROMPT)) as rounds:
        verdicts = rounds.load_modules()
    broken = [verdict.reason for verdict in verdicts if verdict.reason]
    if broken:
        hint = remedy_for(ConditionKind.MODULE, "")
        return Finding("workflow modules", ok=False, text=" ".join(broken), hint=hint)
    return Finding("workflow modules", ok=True, text=f"{len(verdicts)} can be loaded")


def _disks(project: Project) -> Iterator[Finding]:
    """Say how much room there is, folder by folder."""
    least_mb = project.settings.cycle.least_free_mb
    for what, folder in watched_folders(project.settings).items():
        reasons = [verdict.reason for verdict in judge_disks({what: folder}, least_mb)]
        if reasons and reasons[0]:
            hint = remedy_for(ConditionKind.DISK, what)
            yield Finding(f"disk of {what}", ok=False, text=reasons[0], hint=hint)
        elif reasons:
            free = spell_size(free_bytes(folder))
            yield Finding(f"disk of {what}", ok=True, text=f"{free} left below {folder}")


def _sources(project: Project) -> list[Finding]:
    try:
        sources = project.sources()
    except AutoctrlError as error:
        return [Finding("sources", ok=False, text=error.message, hint=error.hint)]
    return [_ask_source(source) for source in sources]


def _hooks(project: Project) -> Iterator[Finding]:
    """Say of each key by which what is sent is signed whether it is there, and kept secret."""
    settings = project.settings
    if settings.hooks.secret_file:
        path = settings.path(settings.hooks.secret_file)
        yield _ask("hooks of chat", partial(check_keys, path, "[hooks] secret_file"))
    try:
        inboxes = open_inboxes(settings)
    except AutoctrlError:
        return  # said of the sources already
    for inbox in inboxes:
        setting = f"[sources.{inbox.name}] secret_file"
        ask = partial(check_keys, inbox.secret_file, setting)
        yield _ask(f"hook of source {inbox.name}", ask)


def _ask_source(source: Any) -> Finding:  # noqa: ANN401 - a Source
    name = f"source {source.name}"
    try:
        seen = list(source.discover())
    except AutoctrlError as error:
        return Finding(name, ok=False, text=error.message, hint=error.hint)
    problems = "; ".join(source.problems)
    if problems:
        return Finding(name, ok=False, text=problems, hint="Repair what is named there.")
    return Finding(name, ok=True, text=f"{len(seen)} runs")


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
        rows = [
            (one.kind, one.about, spelling.time(one.since), one.reason, one.remedy) for one in found
        ]
        show_table(Table(("KIND", "WHICH", "SINCE", "WHAT", "DO"), rows))
    else:
        say("Nothing is known to be wrong.")
    return int(bool(found))
