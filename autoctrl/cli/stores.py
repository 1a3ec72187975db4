"""The verbs about stores themselves: copy, rebuild."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_json, show_table, warn_all
from autoctrl.cli.session import VerbGroup, person, verb
from autoctrl.compose import open_lasting_store
from autoctrl.errors import UsageError
from autoctrl.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.cli.session import Session
    from autoctrl.config import Settings
    from autoctrl.ports import Store
    from autoctrl.verbs import Request
    from autoctrl.verbs.copy import Copied, Tell


WAIT_HINT = "Let them end first: autoctrl loop --until-idle. Or copy anyway with --even-if-open."


@click.group(cls=VerbGroup, example="store copy sqlite:.autoctrl/state.sqlite sqlite:new.sqlite")
def store() -> None:
    """Move what was recorded to another store, or derive tables for Grafana anew."""


@verb("store copy sqlite:.autoctrl/state.sqlite sqlite:new.sqlite", group=store, has_campaign=False)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--even-if-open",
    is_flag=True,
    help="Copy even if jobs are under way; the new store gives them up as lost.",
)
def copy(session: Session, source: str, target: str, even_if_open: bool) -> None:
    """Copy every record of a store into an empty one, and compare the two.

    FROM and TO are written as in [store] url. FROM is only read. A copy that was cut short goes on
    when the same command is given again. TO keeps an id of its own.
    """
    from autoctrl.verbs.copy import Names, copy_history

    settings = session.settings()
    with closing(open_lasting_store(settings, source, must_exist=True)) as old:
        live = _describe_live(old, source)
        if live and not even_if_open:
            raise UsageError(live[0], hint=WAIT_HINT)
        with (
            closing(open_lasting_store(settings, target, must_exist=False)) as new,
            _show_progress(session) as tell,
        ):
            copied = copy_history(_request(settings, new), old, Names(source, target), tell)
        warnings = [*live, *old.remarks, *new.remarks]
        if session.is_json:
            ends = {"from": _name_end(source, old), "to": _name_end(target, new)}
            show_json(**ends, **copied._asdict(), warnings=warnings)
        else:
            _show_copied(copied)
            _say_what_follows(settings, target, old, new)
            warn_all(warnings)


@verb("store rebuild", group=store, has_campaign=False)
@click.option("--campaign", "only", metavar="NAME", help="Only this campaign; by default all.")
def rebuild(session: Session, only: str | None) -> None:
    """Derive the tables for Grafana anew: overview and board of an InfluxDB store.

    Needed only if somebody has deleted them, or a warning said that they are out of date.
    """
    from autoctrl.verbs import rebuild_tables

    with session.open() as project:
        tasks = rebuild_tables(project.store, only)
        warnings = [*project.store.remarks]
    if session.is_json:
        show_json(tasks=tasks, warnings=warnings)
    else:
        show_table(Table(("CAMPAIGN", "TASKS"), [(name, str(n)) for name, n in tasks.items()]))
        warn_all(warnings)


def _describe_live(old: Store, source: str) -> list[str]:
    """Return a sentence about the jobs that are under way, none if there are none."""
    from autoctrl.verbs.copy import describe_live, live_jobs

    jobs = live_jobs(old)
    return [describe_live(jobs, source)] if jobs else []


def _name_end(url: str, opened: Store) -> dict[str, str]:
    return {"url": url, "store_id": opened.store_id}


def _request(settings: Settings, target: Store) -> Request:
    from autoctrl.process import SystemClock
    from autoctrl.verbs import Request

    cycle = settings.cycle
    return Request(target, SystemClock(), person(), wait_s=cycle.verb_wait_s, lease_s=cycle.lease_s)


@contextmanager
def _show_progress(session: Session) -> Iterator[Tell]:
    """Yield a function that shows on a terminal how far a copy has come."""
    if session.is_json or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console

    with Console(stderr=True).status("Looking at both stores") as status:
        yield lambda what, number: status.update(f"{number:,} records {what}")


def _show_copied(copied: Copied) -> None:
    from autoctrl.views.spelling import count

    rows = [(kind, str(number)) for kind, number in copied.counts.items()]
    show_table(Table(("RECORDS", "NUMBER"), rows))
    before = f", {copied.present} were there before" if copied.present else ""
    say(f"{count(copied.written, 'record')} written{before}; both stores hold the same now.")
    say(f"SHA-256 of either: {copied.digest}")


def _say_what_follows(settings: Settings, target: str, old: Store, new: Store) -> None:
    from autoctrl.model.names import OWNER_FILE

    say(
        f"The new store is {new.store_id}. To use it: [store] url = '{target}' in "
        f"{settings.folder / 'autoctrl.toml'}"
    )
    mark = settings.path(settings.outputs.root) / OWNER_FILE
    if mark.is_file() and mark.read_text(encoding="ascii", errors="replace") == old.store_id:
        say(
            f"The outputs still belong to {old.store_id}: once that store is no longer used, write "
            f"{new.store_id} into {mark}"
        )
