"""The verbs about what runs beside the machine: doctor and serve."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from autoctrl.cli.output import Table, say, show_json, show_table
from autoctrl.cli.session import verb
from autoctrl.compose import ping_hints
from autoctrl.errors import AutoctrlError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Return what each service says: settings, bucket of hints, store, executors, sources,
    notifiers.
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
        findings.append(_ask("notifiers", partial(_ping_notifiers, project)))
    return findings


def _ask(service: str, ping: Callable[[], str]) -> Finding:
    try:
        return Finding(service, ok=True, text=ping())
    except AutoctrlError as error:
        return Finding(service, ok=False, text=error.message, hint=error.hint)


def _ping(project: Project, executor: str) -> str:
    return project.executor(executor).ping()


def _ping_notifiers(project: Project) -> str:
    return project.notifier.ping()


def _describe_settings(session: Session) -> str:
    settings = session.settings()
    return f"{settings.folder}" + (
        f", environment {settings.environment}" if settings.environment else ""
    )


def _sources(project: Project) -> list[Finding]:
    try:
        sources = project.sources()
    except AutoctrlError as error:
        return [Finding("sources", ok=False, text=error.message, hint=error.hint)]
    return [_ask_source(source) for source in sources]


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


@verb("serve --port 8080", formats=("text",))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def serve(session: Session, port: int, host: str) -> int:
    """Serve the web page: overview, runs, tasks, health."""
    try:
        web = importlib.import_module("autoctrl.web")
    except ImportError as error:
        what = "The web page"
        raise MissingExtra(what, "web") from error
    web.serve(session.settings(), host=host, port=port, campaign=session.campaign, tell=say)
    return 0
